// What a subscription may ask for, option by option: each that cannot be is refused with a sentence that says why.

#include <doctest/doctest.h>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;

namespace {

/// The error's text; empty when the subscription was accepted.
std::string refusal(subscription_options options) {
  std::string said;
  world w{1};
  inside(w.p(0), [&](context& self) {
    const auto r = try_subscribe<tick>(self, "t", std::move(options));
    if (r) return;
    CHECK(r.is(pubsub_errc::bad_option));
    said = r.error().message();
  });
  CHECK(w.who("t").size() == (said.empty() ? 1u : 0u));
  CHECK(bus{w.app}.topics() == (said.empty() ? 1u : 0u));
  return said;
}
bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a policy's bound is 1 to 10 000 000") {
  const policy zero[]{policy::keep_all(0), policy::drop_oldest(0), policy::drop_newest(0), policy::disconnect(0),
                      policy::latest_by(&tick::publisher, 0)};
  const std::string_view names[]{"keep_all", "drop_oldest", "drop_newest", "disconnect", "latest_by"};
  for (std::size_t i = 0; i < 5; ++i) {
    const auto said = refusal({.when_slow = zero[i]});
    CAPTURE(said);
    CHECK(has(said, names[i]));
    CHECK(has(said, "bound of 0"));
    CHECK(has(said, "wanted: 1 to 10000000"));
  }
  CHECK(has(refusal({.when_slow = policy::drop_oldest(10'000'001)}), "10000001"));
  CHECK(refusal({.when_slow = policy::drop_oldest(10'000'000)}).empty());
  CHECK(refusal({.when_slow = policy::drop_oldest(1)}).empty());
}

TEST_CASE("a filter is for the subscription's type") {
  const auto said = refusal({.filter = [](const text&) { return true; }});
  CHECK(has(said, "filter"));
  CHECK(has(said, "text"));
  CHECK(has(said, "tick"));
  CHECK(refusal({.filter = [](const tick&) { return true; }}).empty());
}

TEST_CASE("a key of latest_by is for the subscription's type") {
  const auto said = refusal({.when_slow = policy::latest_by(&text::words, 10)});
  CHECK(has(said, "latest_by"));
  CHECK(has(said, "text"));
  CHECK(has(said, "tick"));
  CHECK(refusal({.when_slow = policy::latest_by([](const tick& t) { return t.number / 2; }, 10)}).empty());
}

TEST_CASE("a history is 1 up, and none with retained = false") {
  CHECK(has(refusal({.history = 0}), "history of 0"));
  CHECK(has(refusal({.retained = false, .history = 3}), "history of 3"));
  CHECK(refusal({.retained = false}).empty());
  CHECK(refusal({.history = 3}).empty());
}

TEST_CASE("in init a bad option is a start error with its text") {
  simulation sim{1};
  seen log;
  const auto init = [](context& self) { subscribe<tick>(self, "t", {.history = 0}); };
  application app{{.name = "root", .children = {child<listener>("p", {.into = &log, .init = init})}}, simulated(sim)};
  try {
    app.start();
    FAIL("it started");
  } catch (const start_error& e) {
    CHECK(has(e.what(), "history of 0"));
  }
}
