// Filters (B7): on the publisher's side of the mailbox, within the crash shell and under the overrun watch. And what a
// handler is told of its subscription, whatever becomes of that meanwhile.

#include <algorithm>
#include <memory>
#include <stdexcept>

#include <doctest/doctest.h>

#include <herald/engine/core.hpp>
#include <herald/engine/host.hpp>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;

namespace {

event_filter even() {
  return [](const tick& t) { return t.number % 2 == 0; };
}
std::size_t reports_with(const std::vector<report>& all, std::string_view part) {
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [&](const report& r) { return r.text.find(part) != std::string::npos; }));
}
std::uint64_t handled(application& app) {
  std::uint64_t sum = 0;
  app.inside().each_host([&](engine::host& h) { sum += h.handled(); });
  return sum;
}

}  // namespace

TEST_CASE("B7: a subscriber gets what its filter wants, and is not woken for the rest") {
  world w{3};
  inside(w.p(0), [](context& self) { subscribe<tick>(self, "t", {.filter = even()}); });
  inside(w.p(1), [](context& self) { subscribe<tick>(self, "t"); });
  inside(w.p(2), [](context& self) { subscribe<tick>(self, "t", {.filter = [](const tick&) { return false; }}); });
  const auto before = handled(w.app);
  for (int i = 0; i < 10; ++i) w.publish(i);
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{0, 2, 4, 6, 8});
  CHECK(w.logs[1].numbers == up_to(10));
  CHECK(w.logs[2].numbers.empty());
  CHECK(handled(w.app) - before == 15);
}

TEST_CASE("B7: what a filter refuses does not wait, and is no gap") {
  world w{1};
  inside(w.p(0), [](context& self) {
    subscribe<tick>(self, "t", {.filter = even(), .when_slow = policy::drop_newest(3)});
  });
  w.p(0).cast(run_inside{[](context&) { simulation::stall(std::chrono::seconds{1}); }});
  w.sim.advance(std::chrono::milliseconds{500});
  for (int i = 1; i <= 10; ++i) w.publish(i);
  w.sim.advance(std::chrono::seconds{1});
  w.publish(12);
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{2, 4, 6, 12});
  CHECK(w.logs[0].missed == std::vector<std::uint64_t>{0, 0, 0, 2});
}

TEST_CASE("B7: a filter that throws refuses, and is reported once") {
  world w{1};
  inside(w.p(0), [](context& self) {
    subscribe<tick>(self, "t", {.filter = [](const tick& t) {
      if (t.number < 5) throw std::runtime_error{"cannot tell"};
      return true;
    }});
  });
  for (int i = 0; i < 8; ++i) w.publish(i);
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{5, 6, 7});
  CHECK(w.logs[0].inits == 1);
  CHECK(reports_with(w.reports, "the filter of its subscription to \"t\" threw") == 1);
}

TEST_CASE("B7: a filter that overruns costs neither its host nor its process anything but its events") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    world w{4, seed};
    inside(w.p(0), [](context& self) {
      subscribe<tick>(self, "t", {.key = "slow", .filter = [](const tick& t) {
        if (t.number == 1) simulation::stall(std::chrono::seconds{1});
        return true;
      }});
      subscribe<tick>(self, "t", {.key = "plain"});
    });
    for (std::size_t i = 1; i < 4; ++i) inside(w.p(i), [](context& self) { subscribe<tick>(self, "t"); });
    for (int i = 0; i < 4; ++i) w.publish(i);
    w.p(0).cast(tick{100});
    w.sim.advance(std::chrono::milliseconds{500});
    // It still stands in its filter; the process and all others are served.
    for (std::size_t i = 1; i < 4; ++i) CHECK(w.logs[i].numbers == up_to(4));
    auto first = w.logs[0].numbers;
    std::sort(first.begin(), first.end());
    CHECK(first == std::vector{0, 0, 1, 2, 3, 100});
    CHECK(std::count_if(w.reports.begin(), w.reports.end(), [](const report& r) { return r.kind == report::overran; }) == 1);
    w.sim.advance(std::chrono::seconds{1});
    w.publish(4);
    w.sim.run();
    CHECK(std::count(w.logs[0].numbers.begin(), w.logs[0].numbers.end(), 4) == 2);
  }
}

TEST_CASE("B7: a subscription may go while its filter overruns") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    auto probe = std::make_shared<int>(7);
    const std::weak_ptr<int> alive = probe;
    {
      world w{2, seed};
      inside(w.p(0), [kept = std::move(probe)](context& self) mutable {
        subscribe<tick>(self, "t", {.filter = [k = std::move(kept)](const tick&) {
          simulation::stall(std::chrono::seconds{1});
          return *k == 7;
        }});
      });
      w.publish(1);
      w.sim.advance(std::chrono::milliseconds{500});
      if (seed % 2 == 0) {
        inside(w.p(0), [](context& self) { unsubscribe(self, "t"); });
        CHECK(bus{w.app}.subscribers("t").value().empty());
      } else {
        w.p(0).cast(crash_now{});
      }
      w.sim.advance(std::chrono::seconds{1});
      w.publish(2);
      w.sim.run();
      CHECK(w.logs[0].numbers.empty());
    }
    CHECK(alive.expired());
  }
}

TEST_CASE("B7: the application ends while a filter overruns") {
  auto w = std::make_unique<world>(2);
  inside(w->p(0), [](context& self) {
    subscribe<tick>(self, "t", {.filter = [](const tick&) {
      simulation::stall(std::chrono::seconds{1});
      return true;
    }});
  });
  w->publish(1);
  w->sim.advance(std::chrono::milliseconds{500});
  w->app.stop();
  w.reset();
}

TEST_CASE("key and metadata are at hand in a handler, also when it ends the subscription or overruns") {
  struct curious : process<curious, tick, run_inside> {
    struct args {
      std::vector<std::string>* into;
    };
    curious(context& self, args a) : a_{a} {
      subscribe<tick>(self, "t", {.key = "k", .metadata = std::string{"m"}});
      subscribe<tick>(self, "t");
    }
    void on(context& self, const tick& t) {
      if (t.number == 1) unsubscribe(self, "t");
      if (t.number == 1) subscribe<tick>(self, "t", {.key = "other"});
      if (t.number == 2) simulation::stall(std::chrono::seconds{1});
      const auto source = topic_of(self);
      const auto* meta = source.metadata != nullptr ? std::any_cast<std::string>(source.metadata) : nullptr;
      a_.into->push_back(std::string{source.topic} + "/" + std::string{source.key} + "/" + (meta != nullptr ? *meta : "-"));
    }
    void on(context& self, const run_inside& r) { r.code(self); }

   private:
    args a_;
  };
  for (const int what : {0, 1, 2}) {
    CAPTURE(what);
    simulation sim{1};
    std::vector<std::string> told;
    application app{{.name = "root", .children = {child<curious>("p", {&told})}}, simulated(sim, 1)};
    app.start();
    bus{app}.broadcast("t", tick{what}).value();
    if (what == 2) {
      sim.advance(std::chrono::milliseconds{500});
      // Its host has gone on, and does not forget what the handler may still ask for.
      bus{app}.broadcast("t", tick{3}).value();
      sim.advance(std::chrono::seconds{5});
    }
    sim.run();
    REQUIRE(!told.empty());
    CHECK(told[0] == "t/k/m");
    if (what != 1) CHECK(told[1] == "t//-");
  }
}
