// Typed topics at run time; what the compiler refuses is in tests/compile_fail.

#include <doctest/doctest.h>

#include <herald/typed_topic.hpp>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;

namespace {
inline constexpr typed_topic<tick> ticks{"ticks"};
inline constexpr auto eu = ticks / "eu";
inline constexpr typed_pattern<tick> all_of_them{"ticks:**"};
}  // namespace

TEST_CASE("typed topics, patterns and handles carry their type") {
  static_assert(eu.name() == "ticks:eu");
  static_assert((ticks / any_segment / "x").name() == "ticks:*:x");
  world w{3};
  const bus b{w.app};
  inside(w.p(0), [](context& self) { subscribe(self, eu); });
  inside(w.p(1), [](context& self) { subscribe(self, all_of_them, {.key = "k"}); });
  inside(w.p(2), [](context& self) { CHECK(try_subscribe(self, ticks / any_segment)); });
  const auto handle = eu.on(b);
  CHECK(handle.broadcast({.number = 1}));
  CHECK(handle == eu.on(b));
  CHECK(handle.untyped() == b.topic("ticks:eu").value());
  CHECK(broadcast(b, ticks, {.number = 2}));
  inside(w.p(0), [](context& self) {
    CHECK(broadcast(self, ticks / std::string{"a:b*"}, tick{3}));
    unsubscribe(self, eu);
  });
  CHECK(handle.broadcast({.number = 4}));
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{1});
  CHECK(w.logs[1].numbers == std::vector{1, 2, 3, 4});
  CHECK(w.logs[1].topics[2] == "ticks:a%3Ab%2A");
  CHECK(w.logs[2].numbers == std::vector{1, 3, 4});
}

TEST_CASE("a typed topic that grows too long at run time says so") {
  CHECK_THROWS_AS((void)(ticks / std::string(300, 'x')), std::logic_error);
  CHECK((ticks / std::string(200, 'x')).name().size() == 206);
}
