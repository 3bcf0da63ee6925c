// Typed topics at run time; what the compiler refuses is in tests/compile_fail.

#include <algorithm>
#include <stdexcept>

#include <doctest/doctest.h>

#include <herald/callback.hpp>
#include <herald/testing.hpp>
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

TEST_CASE("typed topics do what topics do: they keep, leave out, stay here, go to one node, and say what is wanted") {
  world w{3};
  const bus b{w.app};
  const auto handle = eu.on(b, {.history = 2});
  CHECK(handle.retained() == 0);
  CHECK_THROWS_AS((void)eu.on(b, {.history = 3}), std::logic_error);
  CHECK_THROWS_AS((void)ticks.on(b, {.history = max_history + 1}), std::logic_error);
  CHECK(handle.wanted());  // by its history
  CHECK_FALSE(ticks.on(b).wanted());
  for (int i = 0; i < 3; ++i) CHECK(handle.broadcast({.number = i}));
  CHECK(handle.retained() == 2);
  inside(w.p(0), [](context& self) { subscribe(self, eu); });
  CHECK(handle.clear());
  CHECK(handle.retained() == 0);
  inside(w.p(1), [](context& self) { subscribe(self, eu); });
  CHECK(broadcast_from(b, w.p(0), eu, {.number = 3}));
  CHECK(local_broadcast(b, eu, {.number = 4}));
  CHECK(local_broadcast_from(b, w.p(1), eu, {.number = 5}));
  CHECK(direct_broadcast(b, b.node_name(), eu, {.number = 6}));
  CHECK(direct_broadcast(b, "elsewhere", eu, {.number = 7}).is(pubsub_errc::unknown_node));
  CHECK(handle.direct_broadcast(b.node_name(), {.number = 8}));
  CHECK(handle.direct_broadcast("elsewhere", {}).is(pubsub_errc::unknown_node));
  CHECK(broadcast(b, ticks, {.number = 9}, retain));
  inside(w.p(2), [](context& self) {
    CHECK(broadcast(self, ticks, {.number = 10}, retain));
    subscribe(self, ticks);
  });
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{1, 2, 4, 5, 6, 8});
  CHECK(w.logs[1].numbers == std::vector{3, 4, 6, 8});
  CHECK(w.logs[2].numbers == std::vector{10});
}

TEST_CASE("typed topics on a named bus: a handle is of its own bus, a topic of the one that is said") {
  world w{2};
  const bus other{w.app, "other"};
  inside(w.p(0), [](context& self) {
    const bus there{self, "other"};
    CHECK(try_subscribe(self, there, all_of_them, {.key = "a"}));
    CHECK(try_subscribe<tick>(self, there, all_of_them, {.key = "b"}));
    subscribe(self, eu.on(there), {.key = "c"});
    subscribe(self, eu, {.key = "d"});
  });
  CHECK(broadcast(other, eu, {.number = 1}));
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{1, 1, 1});
  inside(w.p(0), [](context& self) {
    const bus there{self, "other"};
    unsubscribe_key(self, there, all_of_them, "a");
    unsubscribe_key(self, eu.on(there), "c");
    unsubscribe_key(self, eu, "d");
  });
  CHECK(w.who("ticks:eu").empty());
  CHECK(other.subscribers("ticks:eu").value().size() == 1);
  inside(w.p(0), [](context& self) { unsubscribe(self, bus{self, "other"}, all_of_them); });
  CHECK(other.subscribers("ticks:eu").value().empty());
}

TEST_CASE("a callback subscribes to a typed topic, pattern or handle") {
  testing::world w{{.name = "root"}};
  w.start();
  const bus b{w.app()};
  std::vector<int> got;
  const auto note = [&](const tick& t) { got.push_back(t.number); };
  auto one = b.subscribe(eu, spread, note).value();
  auto two = b.subscribe(all_of_them, spread, note, {.filter = [](const tick& t) { return t.number == 2; }}).value();
  auto three = b.subscribe(eu.on(b), together, note).value();
  for (int i = 1; i < 3; ++i) CHECK(broadcast(b, eu, {.number = i}));
  w.run();
  std::sort(got.begin(), got.end());
  CHECK(got == std::vector{1, 1, 2, 2, 2});
}

TEST_CASE("a topic says whether what is published to it is wanted, to whoever publishes") {
  world w{2};
  const bus b{w.app};
  const auto t = b.topic("a:b").value();
  CHECK_FALSE(t.wanted());
  inside(w.p(0), [](context& self) { subscribe<tick>(self, "a:*"); });
  CHECK(t.wanted());
  inside(w.p(1), [](context& self) { subscribe<tick>(self, "a:b"); });
  inside(w.p(0), [](context& self) { unsubscribe(self, "a:*"); });
  CHECK(t.wanted());
  inside(w.p(1), [](context& self) { unsubscribe(self, "a:b"); });
  CHECK_FALSE(t.wanted());
  CHECK(t.broadcast(tick{1}, retain));
  CHECK_FALSE(t.wanted());  // only what is said to be retained would be kept
  CHECK(b.topic("kept", {.history = 1}).value().wanted());
  w.app.stop();
  CHECK_FALSE(b.topic("kept").value().wanted());
}
