// A host that is taken between an event's entry in a mailbox and the look at it: the entry is in hand, and stays whole whatever
// becomes of its subscription meanwhile.

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

#include <herald/testing/faults.hpp>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;
using namespace std::chrono_literals;

namespace {

using diary = std::vector<std::string>;

template <class Self>
struct reader {
  struct args {
    diary* into = nullptr;
    policy when_slow{};
  };
  reader(context& self, args a) : a_{std::move(a)} { subscribe<tick>(self, "t", {.key = "k", .when_slow = a_.when_slow}); }
  void on(context& self, const tick& t) {
    const auto missed = missed_of(self);
    a_.into->push_back((missed != 0 ? "-" + std::to_string(missed) + " " : "") + std::to_string(t.number));
  }

 protected:
  args a_;
};
struct unaware : process<unaware, tick>, reader<unaware> {
  using reader::on;
  using reader::reader;
  using args = reader::args;
};
struct aware : process<aware, tick, gap, subscription_ended>, reader<aware> {
  using reader::on;
  using reader::reader;
  using args = reader::args;
  void on(const gap& g) { a_.into->push_back("-" + std::to_string(g.missed)); }
  void on(const subscription_ended& e) { a_.into->push_back("!" + std::to_string(e.missed)); }
};

std::size_t overran(const std::vector<report>& reports) {
  std::size_t count = 0;
  for (const auto& r : reports) count += r.kind == report::overran ? 1u : 0u;
  return count;
}

/// Its first event finds its host taken before it is looked at; ten more come meanwhile.
template <class P>
struct seized {
  explicit seized(policy when_slow, std::uint64_t seed = 1) : sim{seed} {
    faults.stall<tick>("p", 300ms, testing::first(1));
    auto options = simulated(sim, 1, &reports);
    options.faults = &faults;
    supervisor tree{.name = "root", .intensity = {100, 1s}};
    tree.children.push_back(child<P>("p", {.into = &log, .when_slow = std::move(when_slow)}));
    app = std::make_unique<application>(tree, options);
    app->start();
    publish(1, 1);
    sim.advance(150ms);
    CHECK(overran(reports) == 1);
    publish(2, 11);
  }
  void publish(int from, int to) {
    for (int i = from; i <= to; ++i) {
      bus{*app}.broadcast("t", tick{i, i % 2}).value();
      sim.run();
    }
  }
  diary& come_back() {
    sim.advance(1s);
    sim.run();
    return log;
  }
  simulation sim;
  testing::faults faults;
  diary log;
  std::vector<report> reports;
  std::unique_ptr<application> app;
};

}  // namespace

TEST_CASE("B5: an event in hand whose host was taken is handled, and is none of those that its policy drops") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    CHECK(seized<unaware>{policy::drop_oldest(2), seed}.come_back() == diary{"-8 1", "10", "11"});
    CHECK(seized<aware>{policy::drop_oldest(2), seed}.come_back() == diary{"1", "-8", "10", "11"});
    CHECK(seized<aware>{policy::drop_newest(2), seed}.come_back() == diary{"1", "2", "3", "-8"});
    CHECK(seized<aware>{policy::keep_all(2), seed}.come_back() == diary{"1", "2", "3", "-8"});
    CHECK(seized<aware>{policy{}, seed}.come_back() == diary{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"});
  }
}

TEST_CASE("B5: an event in hand whose host was taken is handled though its subscription ends meanwhile") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    seized<aware> s{policy::disconnect(2), seed};
    CHECK(bus{*s.app}.subscribers("t").value().empty());
    CHECK(s.come_back() == diary{"1", "2", "3", "!1"});
    CHECK(bus{*s.app}.topics() == 0);
  }
}

TEST_CASE("B5: an event in hand whose host was taken goes with its life, and the next one declares the subscription anew") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed)
    for (const auto& when_slow : {policy::drop_oldest(2), policy::drop_newest(2), policy::latest_by(&tick::publisher, 2), policy{}}) {
      CAPTURE(seed);
      CAPTURE(static_cast<int>(when_slow.kind()));
      seized<aware> s{when_slow, seed};
      CHECK(s.app->kill("p"));
      s.sim.run();
      s.publish(12, 20);
      auto& log = s.come_back();
      CHECK(std::count(log.begin(), log.end(), "1") == 0);
      CHECK(log.back() == "20");
      const auto last = log.size();
      s.publish(21, 21);
      CHECK(log.size() == last + 1);
      CHECK(log.back() == "21");
    }
}
