// Random trees of processes that subscribe, unsubscribe, publish, crash, stop and get stuck, compared with a naive model.
//
// What must hold, whatever the schedule (P8 to P11, P13, B9): of each publisher, each subscription receives in order and
// nothing twice; what was published while a subscription surely existed is received, unless its receiver crashed on it;
// what was published while it surely did not exist is not. "Surely" is what happens-before says: operations of one
// process are ordered by its handlers; between processes the driver waits for quiet in between.

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>

#include <doctest/doctest.h>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;

namespace {

/// An event that knows whether it still lives.
struct tracked {
  explicit tracked(int* count) : alive{count} { ++*alive; }
  tracked(const tracked&) = delete;
  tracked& operator=(const tracked&) = delete;
  ~tracked() { --*alive; }
  int* alive;
};
struct news {
  int publisher = 0;
  int number = 0;
  std::shared_ptr<tracked> body;  // moved into the one shared payload, so it ends with it
};

struct order {
  using reply = void;
  std::function<void(context&)> code;
};
struct fall {};

/// What one name (a process over all its lives) has received, by topic and publisher.
struct diary {
  std::map<std::pair<std::string, int>, std::vector<int>> got;
  std::map<std::string, int> copies;  ///< subscriptions its init declares
  int inits = 0;
  int crash_at = 0;  ///< crash on the so-manieth event from now, 0: not
  int stall_at = 0;
};

struct reader : process<reader, news, order, fall> {
  struct args {
    diary* into;
  };
  reader(context& self, args a) : into_{a.into} {
    ++into_->inits;
    for (const auto& [topic, copies] : into_->copies)
      for (int i = 0; i < copies; ++i) subscribe<news>(self, topic);
  }
  void on(context& self, const news& n) {
    REQUIRE(*n.body->alive > 0);
    into_->got[{std::string{topic_of(self).topic}, n.publisher}].push_back(n.number);
    if (into_->stall_at > 0 && --into_->stall_at == 0) simulation::stall(std::chrono::milliseconds{400});
    if (into_->crash_at > 0 && --into_->crash_at == 0) throw std::runtime_error{"in the middle"};
  }
  void on(context& self, const order& o) { o.code(self); }
  void on(const fall&) { throw std::runtime_error{"told to"}; }

 private:
  diary* into_;
};

supervisor random_tree(std::mt19937_64& dice, std::vector<diary>& diaries) {
  supervisor root{.name = "root", .intensity = {1'000'000, std::chrono::milliseconds{1000}}};
  std::vector<supervisor> areas(1 + dice() % 3);
  for (std::size_t a = 0; a < areas.size(); ++a)
    areas[a] = {.name = "area" + std::to_string(a), .intensity = {1'000'000, std::chrono::milliseconds{1000}}};
  for (std::size_t i = 0; i < diaries.size(); ++i) {
    auto& area = areas[dice() % areas.size()];
    const auto where = dice() % 2 == 0 ? spread : together;
    area.children.push_back(child<reader>("r" + std::to_string(i), {.into = &diaries[i]}, {.placement = where}));
  }
  for (auto& a : areas) root.children.emplace_back(std::move(a));
  return root;
}

struct model {
  explicit model(std::uint64_t s) : seed{s} {}
  const std::uint64_t seed;
  std::mt19937_64 dice{seed};
  simulation sim{seed};
  std::vector<diary> diaries = std::vector<diary>(3 + dice() % 6);
  std::vector<std::string> topics{"a", "a:b", "c"};
  int alive = 0;
  int number = 0;
  // expected[who][topic, publisher]: the numbers, in order.
  std::vector<std::map<std::pair<std::string, int>, std::vector<int>>> expected{diaries.size()};
  std::unique_ptr<application> app;

  [[nodiscard]] ref<reader> find(std::size_t i) const {
    for (int a = 0; a < 3; ++a)
      if (auto r = app->find<reader>("area" + std::to_string(a) + "/r" + std::to_string(i))) return r;
    FAIL("lost a reader");
    return {};
  }
  [[nodiscard]] const std::string& any_topic() { return topics[dice() % topics.size()]; }
  [[nodiscard]] std::size_t any_reader() { return dice() % diaries.size(); }

  void expect(const std::string& topic, int publisher, int n) {
    for (std::size_t i = 0; i < diaries.size(); ++i)
      if (const auto found = diaries[i].copies.find(topic); found != diaries[i].copies.end())
        for (int c = 0; c < found->second; ++c) expected[i][{topic, publisher}].push_back(n);
  }
  [[nodiscard]] news make(int publisher, int n) { return {publisher, n, std::make_shared<tracked>(&alive)}; }

  /// Bursts from a thread and from processes; some readers crash, are killed or overrun on the way.
  void burst() {
    for (std::size_t victims = dice() % 3; victims > 0; --victims) {
      auto& d = diaries[any_reader()];
      (dice() % 2 == 0 ? d.crash_at : d.stall_at) = 2 + static_cast<int>(dice() % 5);  // never two crashes in a row
    }
    const auto publishes = 1 + dice() % 12;
    for (std::size_t i = 0; i < publishes; ++i) {
      const auto& topic = any_topic();
      const auto n = ++number;
      const auto by = dice() % (diaries.size() + 1);
      if (by == diaries.size()) {
        expect(topic, -1, n);
        bus{*app}.broadcast(topic, make(-1, n)).value();
      } else {
        // The order is a message like any other: it survives its receiver's crash in the mailbox.
        expect(topic, static_cast<int>(by), n);
        find(by).cast(order{[this, topic, by, n](context& self) {
          bus{self}.broadcast(topic, make(static_cast<int>(by), n)).value();
        }});
      }
      if (dice() % 8 == 0) find(any_reader()).cast(fall{});
      if (dice() % 4 == 0) sim.step(dice() % 20);
    }
  }

  void quiet() {
    static_cast<void>(sim.run_until([] { return false; }));
    for (auto& d : diaries) d.crash_at = d.stall_at = 0;
  }

  void change() {
    const auto i = any_reader();
    const auto& topic = any_topic();
    auto& copies = diaries[i].copies[topic];
    if (dice() % 3 == 0) {
      copies = 0;
      find(i).call(order{[topic](context& self) { unsubscribe(self, topic); }}).value();
    } else {
      ++copies;
      find(i).call(order{[topic](context& self) { subscribe<news>(self, topic); }}).value();
    }
  }

  void compare() {
    for (std::size_t i = 0; i < diaries.size(); ++i) {
      for (const auto& entry : expected[i]) {  // no structured binding: clang 14 cannot capture one
        const auto& key = entry.first;
        CAPTURE(i);
        CAPTURE(key.first);
        CAPTURE(key.second);
        CHECK(diaries[i].got[key] == entry.second);
      }
      for (auto& [key, numbers] : diaries[i].got) CHECK(numbers.size() == expected[i][key].size());
    }
    CHECK(alive == 0);
    std::size_t held = 0;
    for (const auto& topic : topics) {
      std::size_t copies = 0;
      for (auto& d : diaries) copies += static_cast<std::size_t>(d.copies[topic]);
      CHECK(bus{*app}.subscribers(topic).value().size() == copies);
      held += copies > 0 ? 1u : 0u;
    }
    CHECK(bus{*app}.topics() == held);
  }

  void run() {
    app = std::make_unique<application>(random_tree(dice, diaries), simulated(sim, 1 + static_cast<unsigned>(dice() % 3)));
    app->start();
    for (int round = 0; round < 6; ++round) {
      for (auto n = dice() % 4; n > 0; --n) change();
      burst();
      quiet();
      compare();
    }
    burst();
    sim.step(dice() % 30);
    app->stop();
    CHECK(alive == 0);
  }
};

}  // namespace

TEST_CASE("P8, P9, P10, P11, P12, P13: random subscribers, crashes and overruns agree with a naive model") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    model m{seed};
    m.run();
  }
}
