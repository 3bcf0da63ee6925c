// What a life continues of the one before: its subscriptions, by topic, type and key, with what waits of each.

#include <algorithm>
#include <stdexcept>
#include <tuple>

#include <doctest/doctest.h>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;

namespace {

// Two types of one layout, so that one read as the other is seen and breaks nothing.
struct red {
  int colour = 1;
  int number = 0;
};
struct blue {
  int colour = 2;
  int number = 0;
};

struct painter : process<painter, red, blue, run_inside, crash_now> {
  struct args {
    std::vector<std::string>* into;
    std::function<void(context&)> init;
  };
  painter(context& self, args a) : a_{std::move(a)} {
    if (a_.init) a_.init(self);
  }
  void on(context& self, const red& r) { note(self, "red " + std::to_string(r.number)); }
  void on(context& self, const blue& b) { note(self, "blue " + std::to_string(b.number)); }
  void on(context& self, const run_inside& r) { r.code(self); }
  void on(const crash_now&) { throw std::runtime_error{"told to"}; }

 private:
  void note(context& self, const std::string& what) const {
    const auto missed = missed_of(self);
    const auto key = topic_of(self).key;
    a_.into->push_back((missed != 0 ? "-" + std::to_string(missed) + " " : "") + what + (key.empty() ? "" : " by " + std::string{key}));
  }
  args a_;
};

struct studio {
  explicit studio(std::function<void(context&)> init)
      : app{{.name = "root", .intensity = {100, std::chrono::seconds{1}}, .children = {child<painter>("p", {&log, std::move(init)})}},
            simulated(sim, 1, &reports)} {
    app.start();
  }
  [[nodiscard]] ref<painter> p() const { return app.find<painter>("p"); }
  void within(std::function<void(context&)> code) const { p().call(run_inside{std::move(code)}, std::chrono::hours{1}).value(); }
  /// In a handler for a second, and then a crash: what is published meanwhile waits for the next life.
  void stall_and_crash() {
    p().cast(run_inside{[](context&) { simulation::stall(std::chrono::seconds{1}); }});
    sim.advance(std::chrono::milliseconds{500});
    p().cast(crash_now{});
  }
  template <class E>
  void publish(int number) {
    E e;
    e.number = number;
    bus{app}.broadcast("t", e).value();
    sim.run();
  }
  simulation sim{1};
  std::vector<std::string> log;
  std::vector<report> reports;
  application app;
};

using lines = std::vector<std::string>;

}  // namespace

TEST_CASE("subscriptions of two types to one topic are continued each with its own events, in whatever order init says them") {
  for (const bool red_again : {false, true}) {
    CAPTURE(red_again);
    int wrong = 0;
    const auto of_red = [&wrong](const red& r) { return wrong += r.colour != 1, 0; };
    const auto of_blue = [&wrong](const blue& b) { return wrong += b.colour != 2, 0; };
    studio s{[&](context& self) {
      const bool red_first = self.incarnation() == 1 || red_again;
      if (red_first) subscribe<red>(self, "t", {.when_slow = policy::latest_by(of_red, 10)});
      subscribe<blue>(self, "t", {.when_slow = policy::latest_by(of_blue, 10)});
      if (!red_first) subscribe<red>(self, "t", {.when_slow = policy::latest_by(of_red, 10)});
      // More comes for what waits before the next life looks at it.
      if (self.incarnation() == 2) simulation::stall(std::chrono::seconds{1});
    }};
    s.stall_and_crash();
    s.publish<red>(1);
    s.publish<blue>(1);
    s.sim.advance(std::chrono::seconds{1});
    s.publish<red>(2);
    s.publish<blue>(2);
    s.sim.advance(std::chrono::seconds{2});
    CHECK(wrong == 0);
    // The key has captures, so it is taken for another one in each life: one value by each of them.
    std::sort(s.log.begin(), s.log.end());
    CHECK(s.log == lines{"blue 1", "blue 2", "red 1", "red 2"});
    CHECK(bus{s.app}.subscribers("t").value().size() == 2);
  }
}

TEST_CASE("P8: a key is for one type; said again for another one it is an error, and the subscription goes on") {
  studio s{{}};
  s.within([](context& self) {
    subscribe<red>(self, "t", {.key = "k"});
    const auto again = try_subscribe<blue>(self, "t", {.key = "k"});
    REQUIRE(again.is(pubsub_errc::bad_option));
    const std::string said = again.error().message();
    CAPTURE(said);
    CHECK(said.find("has the key \"k\" for events of type") != std::string::npos);
    CHECK(said.find("blue; wanted: ") != std::string::npos);
    CHECK(said.find("red, as the process's subscription of this key has, or another key") != std::string::npos);
    CHECK(try_subscribe<tapped>(self, "t", {.key = "k"}).is(pubsub_errc::not_accepted));
    CHECK(try_subscribe<blue>(self, "t", {.key = "other"}));
    CHECK(try_subscribe<red>(self, "t", {.key = "k"}));
  });
  s.publish<red>(1);
  s.publish<blue>(2);
  CHECK(s.log == lines{"red 1 by k", "blue 2 by other"});
  s.within([](context& self) {
    unsubscribe_key(self, "t", "k");
    CHECK(try_subscribe<blue>(self, "t", {.key = "k"}));
  });
  CHECK(bus{s.app}.subscribers("t").value().size() == 2);
}

TEST_CASE("P8: a key said for another type by a handler that was left behind is reported") {
  studio s{{}};
  s.p().cast(run_inside{[](context& self) {
    subscribe<red>(self, "t", {.key = "k"});
    simulation::stall(std::chrono::seconds{1});
    subscribe<blue>(self, "t", {.key = "k"});
  }});
  s.sim.advance(std::chrono::seconds{2});
  CHECK(bus{s.app}.subscribers("t").value().size() == 1);
  int told = 0;
  for (const auto& r : s.reports) told += r.text.find("has the key \"k\" for events of type") != std::string::npos ? 1 : 0;
  CHECK(told == 1);
}

TEST_CASE("a life that declares a key for another type does not continue what the one before had") {
  studio s{[](context& self) {
    if (self.incarnation() % 2 == 1)
      subscribe<red>(self, "t", {.key = "k"});
    else
      subscribe<blue>(self, "t", {.key = "k"});
  }};
  s.stall_and_crash();
  s.publish<red>(1);
  s.sim.advance(std::chrono::seconds{2});
  s.publish<red>(2);
  s.publish<blue>(3);
  CHECK(s.log == lines{"blue 3 by k"});
  CHECK(bus{s.app}.subscribers("t").value().size() == 1);
  s.p().cast(crash_now{});
  s.sim.run();
  s.publish<red>(4);
  s.publish<blue>(5);
  CHECK(s.log == lines{"blue 3 by k", "red 4 by k"});
}

TEST_CASE("B5: what waits by one key of latest_by is handed over as it is once the key is another one") {
  const auto by = [](int way) {
    return way == 0   ? policy::latest_by(&red::number, 10)
           : way == 1 ? policy::latest_by([](const red& r) { return r.number % 2; }, 10)
                      : policy::latest_by([two = 2](const red& r) { return r.number % two; }, 10);
  };
  for (const auto& one :
       {std::tuple{0, 0, lines{"1", "2", "-1 3"}}, std::tuple{1, 1, lines{"-2 3", "2"}}, std::tuple{0, 1, lines{"1", "2", "3", "3"}},
        std::tuple{1, 0, lines{"-1 3", "2", "3"}}, std::tuple{2, 2, lines{"-1 3", "2", "3"}}}) {
    const int first = std::get<0>(one), then = std::get<1>(one);
    const lines& expected = std::get<2>(one);
    CAPTURE(first);
    CAPTURE(then);
    for (const bool restart : {false, true}) {
      studio s{[&](context& self) {
        subscribe<red>(self, "t", {.key = "k", .when_slow = by(self.incarnation() == 1 ? first : then)});
        if (self.incarnation() == 2) simulation::stall(std::chrono::seconds{1});
      }};
      if (restart) {
        s.stall_and_crash();
      } else {
        s.p().cast(run_inside{[&](context& self) {
          simulation::stall(std::chrono::milliseconds{1000});
          subscribe<red>(self, "t", {.key = "k", .when_slow = by(then)});
          simulation::stall(std::chrono::milliseconds{1000});
        }});
        s.sim.advance(std::chrono::milliseconds{500});
      }
      for (const int n : {1, 2, 3}) s.publish<red>(n);
      s.sim.advance(std::chrono::seconds{1});
      s.publish<red>(3);
      s.sim.advance(std::chrono::seconds{2});
      lines told;
      for (const auto& line : s.log) told.push_back((line[0] == '-' ? line.substr(0, 3) : "") + line.substr(line.find("red ") + 4, 1));
      CHECK(told == expected);
    }
  }
}

TEST_CASE("B5: sealed values count against the bound, and what comes beyond it makes the oldest go") {
  studio s{[](context& self) {
    subscribe<red>(self, "t", {.key = "k", .when_slow = self.incarnation() == 1 ? policy::latest_by(&red::number, 4)
                                                                                : policy::latest_by([](const red& r) { return r.number; }, 4)});
    if (self.incarnation() == 2) simulation::stall(std::chrono::seconds{1});
  }};
  s.stall_and_crash();
  for (const int n : {1, 2, 3}) s.publish<red>(n);
  s.sim.advance(std::chrono::seconds{1});
  for (int n = 1; n <= 20; ++n) s.publish<red>(n);
  s.publish<red>(18);
  s.sim.advance(std::chrono::seconds{2});
  CHECK(s.log == lines{"-19 red 17 by k", "-1 red 18 by k", "red 19 by k", "red 20 by k"});
}
