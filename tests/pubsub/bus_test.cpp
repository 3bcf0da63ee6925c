// The contract of topics and subscriptions, case by case (conformance P1 to P14), in a simulation.

#include <algorithm>
#include <memory>
#include <stdexcept>

#include <doctest/doctest.h>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;

TEST_CASE("P1: a subscriber is listed with its metadata until it unsubscribes") {
  world w{2};
  inside(w.p(0), [](context& self) { subscribe<tick>(self, "t", {.metadata = std::string{"mine"}}); });
  auto listed = w.who("t");
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].who == any_ref{w.p(0)});
  CHECK(listed[0].path == "p0");
  CHECK(std::any_cast<std::string>(listed[0].metadata) == "mine");
  inside(w.p(0), [](context& self) { unsubscribe(self, "t"); });
  CHECK(w.who("t").empty());
}

TEST_CASE("P2: k broadcasts are k messages, in order") {
  world w{1};
  inside(w.p(0), [](context& self) { subscribe<tick>(self, "t"); });
  for (int i = 0; i < 10; ++i) w.publish(i);
  w.sim.run();
  CHECK(w.logs[0].numbers == up_to(10));
  CHECK(w.logs[0].topics[0] == "t");
  CHECK_FALSE(w.logs[0].from[0]);
}

TEST_CASE("P3: a subscriber of another topic gets nothing") {
  world w{12};
  inside(w.p(0), [](context& self) { subscribe<tick>(self, "other"); });
  for (std::size_t i = 1; i < 12; ++i) inside(w.p(i), [](context& self) { subscribe<tick>(self, "t"); });
  w.publish(7);
  w.sim.run();
  CHECK(w.logs[0].numbers.empty());
  for (std::size_t i = 1; i < 12; ++i) CHECK(w.logs[i].numbers == std::vector{7});
}

TEST_CASE("P4: broadcasting to nobody and unsubscribing from nothing succeed") {
  world w{1};
  CHECK(bus{w.app}.broadcast("nobody", tick{1}));
  CHECK(bus{w.app}.topic("nobody").value().broadcast(tick{1}));
  inside(w.p(0), [](context& self) { unsubscribe(self, "nobody"); });
  CHECK(bus{w.app}.topics() == 0);
}

TEST_CASE("P5: broadcast_from leaves its process out and nobody else") {
  world w{6};
  for (std::size_t i = 0; i < 6; ++i) inside(w.p(i), [](context& self) { subscribe<tick>(self, "t"); });
  bus{w.app}.broadcast_from(w.p(2), "t", tick{1}).value();
  inside(w.p(3), [](context& self) { bus{self}.topic("t").value().broadcast_from(self.self(), tick{2}); });
  bus{w.app}.local_broadcast_from(w.p(2), "t", tick{3}).value();
  bus{w.app}.local_broadcast("t", tick{4}).value();
  w.sim.run();
  CHECK(w.logs[2].numbers == std::vector{2, 4});
  CHECK(w.logs[3].numbers == std::vector{1, 3, 4});
  CHECK(w.logs[4].numbers == std::vector{1, 2, 3, 4});
}

TEST_CASE("P8: subscribing k times delivers k copies, and one unsubscribe ends them all") {
  world w{1};
  inside(w.p(0), [](context& self) {
    for (int i = 0; i < 3; ++i) subscribe<tick>(self, "t");
  });
  w.publish(1);
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{1, 1, 1});
  inside(w.p(0), [](context& self) { unsubscribe(self, "t"); });
  w.publish(2);
  w.sim.run();
  CHECK(w.logs[0].numbers.size() == 3);
}

TEST_CASE("P8: a key delivers once, and unsubscribing by key removes only that") {
  world w{1};
  inside(w.p(0), [](context& self) {
    subscribe<tick>(self, "t");
    subscribe<tick>(self, "t", {.key = "a"});
    subscribe<tick>(self, "t", {.key = "a"});
    subscribe<tick>(self, "t", {.key = "b"});
  });
  w.publish(1);
  w.sim.run();
  CHECK(w.logs[0].numbers.size() == 3);
  CHECK(std::count(w.logs[0].keys.begin(), w.logs[0].keys.end(), "a") == 1);
  inside(w.p(0), [](context& self) { unsubscribe_key(self, "t", "a"); });
  w.publish(2);
  w.sim.run();
  CHECK(w.logs[0].numbers.size() == 5);
  CHECK(std::count(w.logs[0].keys.begin(), w.logs[0].keys.end(), "a") == 1);
}

TEST_CASE("a process with hundreds of subscriptions finds each of them again") {
  world w{1};
  inside(w.p(0), [](context& self) {
    for (int i = 0; i < 300; ++i) subscribe<tick>(self, "t" + std::to_string(i));
    for (int i = 0; i < 300; i += 2) unsubscribe(self, "t" + std::to_string(i));
  });
  for (int i = 0; i < 300; ++i) w.publish(i, "t" + std::to_string(i));
  w.sim.run();
  CHECK(w.logs[0].numbers.size() == 150);
  for (const int n : w.logs[0].numbers) CHECK(n % 2 == 1);
  CHECK(bus{w.app}.topics() == 150);
}

TEST_CASE("a snapshot counts each process's subscriptions, few or many") {
  world w{2};
  const auto counted = [&](std::size_t i) { return w.app.snapshot().value().find(any_ref{w.p(i)})->subscriptions; };
  CHECK(counted(0) == 0);
  inside(w.p(0), [](context& self) {
    for (int i = 0; i < 3; ++i) subscribe<tick>(self, "t" + std::to_string(i));
  });
  inside(w.p(1), [](context& self) {
    for (int i = 0; i < 100; ++i) subscribe<tick>(self, "t" + std::to_string(i));
  });
  CHECK(counted(0) == 3);
  CHECK(counted(1) == 100);
  inside(w.p(0), [](context& self) { unsubscribe(self, "t1"); });
  CHECK(counted(0) == 2);
}

TEST_CASE("P9: a subscriber that is gone is forgotten, and its successor gets nothing") {
  world w{1};
  auto dynamic_tree = w.app.root();
  seen other;
  auto options = child_options{.restart = temporary};
  const auto who = dynamic_tree.start_child(child<listener>("gone", {.into = &other, .init = [](context& self) { subscribe<tick>(self, "t"); }}, options)).value();
  CHECK(w.who("t").size() == 1);
  SUBCASE("stopped") { CHECK(dynamic_tree.terminate_child("gone")); }
  SUBCASE("crashed") { who.cast(crash_now{}); }
  SUBCASE("ended by itself") {
    inside(ref<listener>{who.where()}, [](context& self) { self.stop(); });
  }
  SUBCASE("killed") { CHECK(dynamic_tree.kill_child(who)); }
  w.sim.run();
  w.publish(1);
  w.sim.run();
  CHECK(other.numbers.empty());
  CHECK(w.who("t").empty());
  CHECK(bus{w.app}.topics() == 0);
  static_cast<void>(dynamic_tree.start_child(child<listener>("gone", {.into = &other}, options)).value());
  w.publish(2);
  w.sim.run();
  CHECK(other.numbers.empty());
}

TEST_CASE("a restarted process goes on with what its init declares, without gap or doubling") {
  world w{1, 1, [](context& self) {
            subscribe<tick>(self, "t");
            if (self.incarnation() == 1) subscribe<tick>(self, "first life only");
          }};
  w.publish(0);
  w.p(0).cast(crash_now{});
  w.publish(1);
  w.publish(100, "first life only");  // waits in the mailbox, and goes with its subscription
  w.sim.run();
  w.publish(2);
  w.publish(101, "first life only");
  w.sim.run();
  CHECK(w.logs[0].inits == 2);
  CHECK(w.logs[0].numbers == up_to(3));
  CHECK(w.who("first life only").empty());
  CHECK(w.who("t").size() == 1);
}

TEST_CASE("a new incarnation's keys and metadata replace the old ones") {
  world w{1, 1, [](context& self) {
            subscribe<tick>(self, "t", {.key = "life " + std::to_string(self.incarnation()), .metadata = self.incarnation()});
          }};
  w.p(0).cast(crash_now{});
  w.publish(1);
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{1});
  CHECK(w.logs[0].keys.back() == "life 2");
  const auto listed = w.who("t");
  REQUIRE(listed.size() == 1);
  CHECK(std::any_cast<std::uint32_t>(listed[0].metadata) == 2);
}

TEST_CASE("a failed init leaves the subscriptions of the life before as they were") {
  int lives = 0;
  simulation sim{3};
  seen log;
  supervisor tree{.name = "root", .intensity = {100, std::chrono::seconds{5}}};
  tree.children.push_back(child<listener>("p", {.into = &log, .init = [&lives](context& self) {
    ++lives;
    subscribe<tick>(self, "t");
    if (lives == 2) subscribe<tick>(self, "extra");
    if (lives == 2) throw std::runtime_error{"not now"};
  }}));
  application app{tree, simulated(sim)};
  app.start();
  app.find<listener>("p").cast(crash_now{});
  bus{app}.broadcast("t", tick{1}).value();
  sim.run_until([&] { return log.inits == 3; });
  sim.run();
  bus{app}.broadcast("t", tick{2}).value();
  sim.run();
  CHECK(log.numbers == std::vector{1, 2});
  CHECK(bus{app}.subscribers("extra").value().empty());
}

TEST_CASE("P10: each publisher's casts and broadcasts come in its order") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    world w{4, seed};
    for (std::size_t i = 0; i < 4; ++i)
      inside(w.p(i), [](context& self) {
        subscribe<tick>(self, "t");
        subscribe<tick>(self, "u");
      });
    // p1 and p2 publish, on two topics and by cast, to p0 on its own and on other hosts.
    const auto target = w.p(0);
    for (std::size_t who = 1; who <= 2; ++who)
      w.p(who).cast(run_inside{[target, who](context& self) {
        const bus b{self};
        for (int i = 0; i < 30; i += 3) {
          b.broadcast("t", tick{i, static_cast<int>(who)}).value();
          target.cast(tick{i + 1, static_cast<int>(who)});
          b.broadcast("u", tick{i + 2, static_cast<int>(who)}).value();
        }
      }});
    w.sim.run();
    std::vector<int> last(3, -1);
    const auto& log = w.logs[0];
    CHECK(log.numbers.size() == 60);
    for (std::size_t i = 0; i < log.numbers.size(); ++i) {
      auto& before = last[static_cast<std::size_t>(log.publishers[i])];
      CHECK(log.numbers[i] == before + 1);
      before = log.numbers[i];
    }
  }
}

TEST_CASE("P11: what is published after subscribe returned is received, after unsubscribe it is not") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    world w{2, seed};
    w.p(0).cast(run_inside{[other = w.p(1)](context& self) {
      subscribe<tick>(self, "t");
      // Published by another process, because of a message that was sent after subscribe returned.
      other.cast(run_inside{[](context& there) { bus{there}.broadcast("t", tick{1}).value(); }});
      bus{self}.broadcast("t", tick{2}).value();
    }});
    w.sim.run();
    CHECK(w.logs[0].numbers.size() == 2);
    w.p(0).cast(run_inside{[other = w.p(1)](context& self) {
      unsubscribe(self, "t");
      other.cast(run_inside{[](context& there) { bus{there}.broadcast("t", tick{3}).value(); }});
      bus{self}.broadcast("t", tick{4}).value();
    }});
    w.sim.run();
    CHECK(w.logs[0].numbers.size() == 2);
  }
}

TEST_CASE("P12: two buses of one application do not see each other") {
  world w{2};
  inside(w.p(0), [](context& self) { subscribe<tick>(self, "t"); });
  inside(w.p(1), [](context& self) { subscribe<tick>(self, bus{self, "second"}, "t"); });
  w.publish(1);
  bus{w.app, "second"}.broadcast("t", tick{2}).value();
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{1});
  CHECK(w.logs[1].numbers == std::vector{2});
  CHECK(bus{w.app, "second"}.name() == "second");
  CHECK(bus{w.app, "second"} == bus{w.app, "second"});
  CHECK_FALSE(bus{w.app, "second"} == bus{w.app});
  CHECK_THROWS_AS(bus(w.app, ""), std::logic_error);
}

namespace {
struct counted {
  static inline int made = 0;
  static inline int alive = 0;
  counted() { ++made, ++alive; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() { --alive; }
};
struct parcel {
  std::unique_ptr<counted> content;
};
struct receiver : process<receiver, parcel, run_inside> {
  struct args {
    int* got;
  };
  receiver(context& self, args a) : got_{a.got} { subscribe<parcel>(self, "parcels"); }
  void on(const parcel& p) {
    REQUIRE(p.content);
    CHECK(counted::alive == 1);
    ++*got_;
  }
  void on(context& self, const run_inside& r) { r.code(self); }

 private:
  int* got_;
};
}  // namespace

TEST_CASE("P13: the payload is one object and ends once, after the last handler") {
  simulation sim{5};
  int got = 0;
  supervisor tree{.name = "root"};
  for (int i = 0; i < 20; ++i) tree.children.push_back(child<receiver>(std::to_string(i), {.got = &got}, {.placement = spread}));
  application app{tree, simulated(sim)};
  app.start();
  counted::made = counted::alive = 0;
  bus{app}.broadcast("parcels", parcel{std::make_unique<counted>()}).value();
  CHECK(counted::alive == 1);
  sim.run();
  CHECK(got == 20);
  CHECK(counted::made == 1);
  CHECK(counted::alive == 0);
  bus{app}.broadcast("nobody", parcel{std::make_unique<counted>()}).value();
  CHECK(counted::alive == 0);
}

TEST_CASE("P12: a wrong name of a bus is a clear error, in a tree before anything starts") {
  world w{1};
  const auto why = [&](std::string_view name) -> std::string {
    try {
      return "fine: " + bus{w.app, name}.name();
    } catch (const std::logic_error& e) {
      return e.what();
    }
  };
  CHECK(why("orders of \xc3\xa4") == "fine: orders of \xc3\xa4");
  CHECK(why("") == "a second bus has an empty name; wanted: a name (the default bus has none)");
  CHECK(why("a\n") == "a bus has a name with a control character at byte 2; wanted: none");
  CHECK(why(std::string(255, 'x')) == "fine: " + std::string(255, 'x'));
  CHECK(why(std::string(256, 'x')) == "a bus has a name of 256 bytes; wanted: 1 to 255");
  inside(w.p(0), [](context& self) { CHECK_THROWS_AS((bus{self, "a\n"}), std::logic_error); });
  CHECK_THROWS_AS(static_cast<void>(pubsub("a\n")), std::logic_error);
}

TEST_CASE("P14: a bad name is an error everywhere") {
  world w{1};
  const bus b{w.app};
  CHECK(b.topic("a::b").is(pubsub_errc::bad_topic));
  CHECK(b.broadcast("a:*", tick{}).is(pubsub_errc::bad_topic));
  CHECK(b.subscribers("").is(pubsub_errc::bad_topic));
  inside(w.p(0), [](context& self) {
    CHECK(try_subscribe<tick>(self, "a:").is(pubsub_errc::bad_topic));
    CHECK_THROWS_AS(subscribe<tick>(self, ":a"), std::logic_error);
  });
  CHECK(b.topics() == 0);
}
