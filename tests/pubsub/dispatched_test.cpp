// P7: what a dispatcher delivers arrives as if there were no dispatcher: filters, once, policies, gaps and what the topic
// keeps hold for it.

#include <algorithm>
#include <stdexcept>

#include <doctest/doctest.h>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;

namespace {

const dispatcher everybody{[](dispatch_call& call) {
  for (const auto& e : call.entries()) call.deliver(e);
}};

void dispatch(const world& w, int number, std::string_view topic = "t") { broadcast(bus{w.app}, topic, tick{number}, everybody).value(); }

std::size_t told(const world& w, std::string_view part) {
  std::size_t count = 0;
  for (const auto& r : w.reports) count += r.text.find(part) != std::string::npos ? 1u : 0u;
  return count;
}

std::uint64_t delivered(const world& w, std::string_view topic, std::string_view key) {
  std::uint64_t sum = 0;
  for (const auto& s : w.who(topic)) sum += s.key == key ? s.delivered : 0;
  return sum;
}

}  // namespace

TEST_CASE("P7, B7: a dispatcher's delivery asks the filter, and one that throws refuses and is reported once") {
  world w{2, 1, [](context& self) {
            subscribe<tick>(self, "t", {.key = "even", .filter = [](const tick& t) {
              if (t.number == 7) throw std::runtime_error{"no idea"};
              return t.number % 2 == 0;
            }});
          }};
  for (int i = 0; i < 10; ++i) dispatch(w, i);
  w.sim.run();
  for (const auto& log : w.logs) {
    CHECK(log.numbers == std::vector{0, 2, 4, 6, 8});
    CHECK(std::count(log.missed.begin(), log.missed.end(), 0) == 5);
    CHECK(log.inits == 1);
  }
  CHECK(told(w, "the filter of its subscription to \"t\" threw") == 2);
  CHECK(delivered(w, "t", "even") == 10);
}

TEST_CASE("P7, W2: a dispatcher's delivery is one copy where subscriptions say once") {
  world w{3, 1, [](context& self) {
            for (const std::string name : {"a:b", "a:*", "**"}) subscribe<tick>(self, name, {.key = "once", .once = true});
            subscribe<tick>(self, "*:b");
          }};
  for (int i = 0; i < 5; ++i) dispatch(w, i, "a:b");
  w.sim.run();
  for (const auto& log : w.logs)
    for (int i = 0; i < 5; ++i) CHECK(std::count(log.numbers.begin(), log.numbers.end(), i) == 2);
  CHECK(delivered(w, "a:b", "once") == 15);
  CHECK(delivered(w, "a:b", "") == 15);
}

TEST_CASE("P7, B5: a dispatcher's delivery waits under the subscription's policy") {
  world w{3, 1, [](context& self) {
            subscribe<tick>(self, "t", {.key = "latest", .when_slow = policy::latest_by(&tick::publisher, 3)});
            subscribe<tick>(self, "t", {.key = "old", .when_slow = policy::drop_oldest(2)});
          }};
  for (std::size_t i = 0; i < 3; ++i) w.p(i).cast(run_inside{[](context&) { simulation::stall(std::chrono::seconds{1}); }});
  w.sim.advance(std::chrono::milliseconds{500});
  for (int i = 1; i <= 10; ++i) broadcast(bus{w.app}, "t", tick{i, i % 2}, everybody).value();
  w.sim.advance(std::chrono::seconds{1});
  for (const auto& log : w.logs) {
    std::vector<int> latest, old;
    for (std::size_t i = 0; i < log.numbers.size(); ++i) (log.keys[i] == "old" ? old : latest).push_back(log.numbers[i]);
    CHECK(latest == std::vector{9, 10});
    CHECK(old == std::vector{9, 10});
  }
}

TEST_CASE("P7, B7: a filter or key that overruns under a dispatcher's delivery costs nobody else an event, and no order") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    world w{9, seed};
    const bool key = seed % 2 == 0;
    for (std::size_t i = 0; i < 9; ++i)
      inside(w.p(i), [i, key](context& self) {
        const auto slow = [i](const tick& t) {
          if (i == 3 && t.number == 1) simulation::stall(std::chrono::seconds{1});
          return true;
        };
        if (key)
          subscribe<tick>(self, "t", {.when_slow = policy::latest_by([slow](const tick& t) { return slow(t) ? t.number : 0; }, 10)});
        else
          subscribe<tick>(self, "t", {.filter = slow});
      });
    for (int i = 0; i < 6; ++i) {
      if (i % 2 == 0) w.publish(i);
      else dispatch(w, i);
    }
    w.sim.advance(std::chrono::milliseconds{500});
    for (std::size_t i = 0; i < 9; ++i)
      if (i != 3) CHECK(w.logs[i].numbers == up_to(6));
    w.sim.advance(std::chrono::seconds{1});
    w.publish(6);
    dispatch(w, 7);
    w.sim.run();
    const auto& held_up = w.logs[3].numbers;
    CHECK(std::count(held_up.begin(), held_up.end(), 1) == 0);
    CHECK(std::count(held_up.begin(), held_up.end(), 6) == 1);
    CHECK(held_up.back() == 7);
    CHECK(std::is_sorted(held_up.begin(), held_up.end()));
  }
}

TEST_CASE("P7: what a full inbox did not take is told before the next event, by a dispatcher or without one") {
  for (const bool dispatched : {false, true}) {
    CAPTURE(dispatched);
    simulation sim{1};
    auto options = simulated(sim, 1);
    options.inbox_limit = 5;
    seen log;
    const auto init = [](context& self) {
      subscribe<tick>(self, "t", {.filter = [](const tick& t) { return t.number > 1; }});
    };
    application app{{.name = "root", .children = {child<listener>("p", {.into = &log, .init = init})}}, options};
    app.start();
    app.find<listener>("p").cast(run_inside{[](context&) { simulation::stall(std::chrono::milliseconds{50}); }});
    sim.advance(std::chrono::milliseconds{10});
    const bus b{app};
    for (int i = 0; i < 10; ++i) CHECK((dispatched ? broadcast(b, "t", tick{i}, everybody) : b.broadcast("t", tick{i})));
    CHECK(b.missed() == 5);
    sim.advance(std::chrono::milliseconds{50});
    CHECK(b.broadcast("t", tick{10}));
    sim.run();
    CHECK(log.numbers == std::vector{2, 3, 4, 10});
    CHECK(log.missed == std::vector<std::uint64_t>{5, 0, 0, 0});
    CHECK(b.statistics("t").value().lost[static_cast<std::size_t>(loss::inbox_full)] == 5);
  }
}

TEST_CASE("P7, B2: what a dispatcher hands out is kept by a topic that keeps, and given once to who comes late") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    world w{3, seed};
    const auto t = bus{w.app}.topic("t", {.history = 3}).value();
    inside(w.p(0), [](context& self) { subscribe<tick>(self, "t"); });
    for (int i = 0; i < 5; ++i) dispatch(w, i);
    CHECK(t.retained() == 3);
    inside(w.p(1), [](context& self) { subscribe<tick>(self, "t"); });
    w.publish(5);
    dispatch(w, 6);
    inside(w.p(2), [](context& self) { subscribe<tick>(self, "*"); });
    dispatch(w, 7);
    w.sim.run();
    CHECK(w.logs[0].numbers == up_to(8));
    CHECK(w.logs[1].numbers == std::vector{2, 3, 4, 5, 6, 7});
    CHECK(w.logs[2].numbers == std::vector{4, 5, 6, 7});
  }
}

TEST_CASE("P7, B1: an event handed out by a dispatcher may be retained") {
  world w{2};
  const bus b{w.app};
  inside(w.p(0), [](context& self) { subscribe<tick>(self, "t"); });
  const dispatcher nobody{[](dispatch_call&) {}};
  CHECK(broadcast(b, "t", tick{1}, everybody, retain));
  CHECK(broadcast(b, "t", tick{2}, nobody, retain));
  CHECK(broadcast(b, "t", tick{3}, everybody));
  CHECK(broadcast(b, "alone", tick{4}, everybody, retain));
  CHECK(broadcast(b, "a:*", tick{5}, everybody, retain).is(pubsub_errc::bad_topic));
  inside(w.p(1), [](context& self) {
    subscribe<tick>(self, "t");
    subscribe<tick>(self, "alone");
  });
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{1, 3});
  CHECK(w.logs[1].numbers == std::vector{2, 4});
  CHECK(b.topic("t").value().retained() == 1);
  w.app.stop();
  CHECK(broadcast(b, "t", tick{6}, everybody, retain).is(pubsub_errc::closed));
}
