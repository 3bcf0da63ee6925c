// Presence and the ends of processes; and random life compared with a plain model.

#include <algorithm>
#include <random>
#include <set>
#include <thread>
#include <atomic>

#include <doctest/doctest.h>

#include "presence_fixture.hpp"

using namespace herald;
using namespace presence_test;
using namespace std::chrono_literals;

TEST_CASE("Presence: a crash leaves all topics at once; the next life is there only if it tracks again") {
  room r{2};
  r.watch(1, "**");
  r.track(0, "room:1", "alice");
  r.track(0, "room:1", "alice2");
  r.track(0, "room:2", "alice");
  r.quiet();
  r.logs[1].diffs.clear();
  r.m(0).cast(crash_now{});
  r.quiet();
  CHECK(r.online.total().value() == 0);
  REQUIRE(r.logs[1].diffs.size() == 2);
  CHECK(r.logs[1].diffs[0].leaves.size() == 2);
  CHECK(r.logs[1].diffs[1].topic == "room:2");
  r.track(0, "room:1", "alice");
  CHECK(r.online.total().value() == 1);
}

TEST_CASE("Presence: a life that tracks in init is there again after a restart, with another ref") {
  room r{1, 1, {}, false, [](context& self) {
    static_cast<void>(online_t{self, "online"}.track(self, "room:1", "alice", device{}).value());
  }};
  const auto before = r.online.list("room:1").value().entries.at(0)->ref;
  r.m(0).cast(crash_now{});
  r.quiet();
  const auto now = r.online.list("room:1").value();
  REQUIRE(now.size() == 1);
  CHECK(now.entries[0]->ref > before);
  CHECK_FALSE(now.entries[0]->previous);
}

TEST_CASE("Presence: what an init tracked before it failed is gone") {
  simulation sim{1};
  std::vector<watched> logs(1);
  auto tree = members(logs, {}, false, [](context& self) {
    static_cast<void>(online_t{self, "online"}.track(self, "room:1", "alice", device{}).value());
    self.ignore();
  });
  application app{tree, simulated(sim)};
  app.start();
  CHECK(online_t{app, "online"}.total().value() == 0);
}

TEST_CASE("Presence: a brutal kill, a stop and a terminated child leave, too") {
  for (const auto how : {0, 1, 2}) {
    CAPTURE(how);
    room r{2};
    r.watch(1, "room:1");
    r.track(0, "room:1", "alice");
    const auto all = r.app.find_supervisor("all");
    if (how == 0) r.inside(0, [](context& self) { self.stop(); });
    if (how == 1) static_cast<void>(stop(r.m(0), exit_reason::shutdown, 1s));
    if (how == 2) static_cast<void>(all.terminate_child("m0"));
    r.quiet();
    CHECK(r.online.count("room:1").value() == 0);
    REQUIRE(r.logs[1].diffs.size() == 2);
    CHECK(r.logs[1].diffs[1].leaves.size() == 1);
  }
}

TEST_CASE("Presence: a handler that is killed while it hangs leaves at once, and can track no more") {
  simulation sim{1};
  std::vector<watched> logs(1);
  auto tree = members(logs);
  tree.children[0].options.shutdown = 1s;
  auto hung = child<member>("hung", {.into = &logs[0]}, {.restart = temporary, .shutdown = brutal_kill, .placement = spread});
  tree.children.push_back(hung);
  auto o = simulated(sim);
  o.overrun_limit = 10ms;
  application app{tree, o};
  app.start();
  const online_t online{app, "online"};
  std::optional<bool> late;
  app.find<member>("hung").cast(run_inside{[&](context& self) {
    static_cast<void>(online.track(self, "room:1", "alice", device{}).value());
    simulation::stall(5s);
    late = online.track(self, "room:1", "zombie", device{}).has_value();
  }});
  sim.advance(1s);
  CHECK(online.count("room:1").value() == 1);
  static_cast<void>(app.root().terminate_child("hung"));
  CHECK(online.count("room:1").value() == 0);
  sim.advance(10s);
  REQUIRE(late.has_value());
  CHECK_FALSE(*late);
  CHECK(online.total().value() == 0);
}

TEST_CASE("Presence: leaves before those who watch the process hear of its end") {
  room r{2};
  r.track(0, "room:1", "alice");
  std::optional<std::size_t> there;
  r.inside(1, [&](context& self) {
    self.monitor(any_ref{r.m(0)}, [&](const down&) { there = r.online.count("room:1").value(); });
  });
  static_cast<void>(r.app.find_supervisor("all").terminate_child("m0"));
  r.quiet();
  REQUIRE(there.has_value());
  CHECK(*there == 0);
}

TEST_CASE("Presence: a crash or a kill of the tracker changes nothing of who is here") {
  room r{2};
  r.watch(1, "room:1");
  r.track(0, "room:1", "alice");
  r.quiet();
  REQUIRE(r.app.root().kill_child("presence:online").has_value());
  r.quiet();
  CHECK(r.online.count("room:1").value() == 1);
  CHECK(r.logs[1].diffs.size() == 1);
  r.track(0, "room:1", "bob");
  CHECK(r.online.count("room:1").value() == 2);
}

TEST_CASE("Presence: when the tracker is stopped all leave, told; when it starts again they may track anew") {
  room r{2};
  r.watch(1, "room:1");
  r.track(0, "room:1", "alice");
  r.track(0, "room:1", "bob");
  REQUIRE(r.app.root().terminate_child("presence:online").has_value());
  r.quiet();
  CHECK(r.online.list("room:1").is(pubsub_errc::no_presence));
  r.inside(0, [&](context& self) {
    CHECK(r.online.track(self, "room:1", "carol", device{}).is(pubsub_errc::no_presence));
    CHECK(r.online.update(self, "room:1", "alice", device{}).is(pubsub_errc::no_presence));
    CHECK(r.online.untrack(self, "room:1", "alice").has_value());
  });
  REQUIRE(r.logs[1].diffs.size() == 3);
  CHECK(r.logs[1].diffs[2].leaves.size() == 2);
  REQUIRE(r.app.root().restart_child("presence:online").has_value());
  CHECK(r.online.total().value() == 0);
  r.track(0, "room:1", "alice", {"again"});
  r.track(0, "room:1", "bob", {"again"});
  CHECK(r.who("room:1") == std::vector<std::string>{"alice/again", "bob/again"});
  r.quiet();
  CHECK(r.logs[1].diffs.back().version > r.logs[1].diffs[2].version);
}

TEST_CASE("Presence: after the application's stop handles say closed, and topics do not leak") {
  room r{2};
  r.track(0, "room:1", "alice");
  CHECK(bus{r.app}.topics() == 1);
  r.inside(0, [&](context& self) { static_cast<void>(r.online.untrack(self).value()); });
  r.quiet();
  CHECK(bus{r.app}.topics() == 0);
  r.track(0, "room:1", "alice");
  r.app.stop();
  CHECK(r.online.list("room:1").is(pubsub_errc::closed));
  CHECK(r.online.track(r.m(0), "room:1", "a", device{}).is(pubsub_errc::closed));
}

TEST_CASE("Presence: who subscribes and then lists misses nothing and counts nothing twice, whatever the schedule") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    room r{4, seed, {}, true};
    for (std::size_t i = 0; i < 3; ++i)
      for (int n = 0; n < 6; ++n)
        r.m(i).cast(run_inside{[&, n](context& self) {
          const auto key = std::to_string(n % 3);
          if (!online_t{r.online}.track(self, "t", key, device{}))
            r.online.untrack(self, "t", key).value();
        }});
    r.sim.step(seed % 40);
    r.m(3).cast(run_inside{[&](context& self) {
      subscribe(self, r.online, "t");
      simulation::stall(std::chrono::milliseconds{seed % 2 == 0 ? 0 : 20});
      r.logs[3].view.sync(r.online.list("t").value());
    }});
    r.quiet();
    const auto truth = r.online.list("t").value();
    CHECK(r.logs[3].view.size() == truth.size());
    CHECK(r.logs[3].view.version() == truth.version);
    CHECK(r.logs[3].resyncs == 0);
    for (const auto& [key, entries] : by_key(truth)) {
      const auto* seen = r.logs[3].view.find(key);
      REQUIRE(seen != nullptr);
      CHECK(seen->size() == entries.size());
    }
  }
}

namespace {

using shown = std::multiset<std::tuple<std::string, std::string, std::size_t, std::string>>;  // topic, key, who, name

/// Random life, and what a plain set says of it.
struct life {
  explicit life(std::uint64_t seed) : dice{seed}, r{2 + dice() % 4, seed, {}, true} {}
  std::mt19937_64 dice;
  room r;
  std::map<std::tuple<std::string, std::string, std::size_t>, std::string> model;
  int names = 0;

  void one() {
    const auto i = dice() % r.logs.size();
    const std::string topic = dice() % 2 == 0 ? "a" : "a:b";
    const auto key = std::to_string(dice() % 3);
    const auto name = std::to_string(++names);
    const auto found = model.find({topic, key, i});
    switch (dice() % 7) {
      case 0:
      case 1:
      case 2:
        r.inside(i, [&](context& self) {
          const auto done = r.online.track(self, topic, key, device{name});
          CHECK(done.has_value() == (found == model.end()));
        });
        model.emplace(std::tuple{topic, key, i}, name);
        break;
      case 3:
        r.inside(i, [&](context& self) {
          const auto done = r.online.update(self, topic, key, device{name});
          CHECK(done.has_value() == (found != model.end()));
        });
        if (found != model.end()) found->second = name;
        break;
      case 4:
        r.inside(i, [&](context& self) { r.online.untrack(self, topic, key).value(); });
        model.erase({topic, key, i});
        break;
      case 5: {
        const auto count = std::erase_if(model, [&](const auto& m) { return std::get<2>(m.first) == i; });
        if (dice() % 2 == 0) {
          r.inside(i, [&](context& self) { CHECK(r.online.untrack(self).value() == count); });
        } else {
          r.m(i).cast(crash_now{});
          r.quiet();
        }
        break;
      }
      default: r.sim.step(dice() % 30);
    }
  }
  [[nodiscard]] shown expected(const std::string& topic) const {
    shown out;
    for (const auto& [at, name] : model)
      if (std::get<0>(at) == topic) out.emplace(topic, std::get<1>(at), std::get<2>(at), name);
    return out;
  }
  [[nodiscard]] shown actual(const std::string& topic) const {
    shown out;
    for (const auto& e : r.online.list(topic).value()) out.emplace(topic, e->key, index(e->who), e->meta.name);
    return out;
  }
  [[nodiscard]] std::size_t index(const any_ref& who) const {
    for (std::size_t i = 0; i < r.logs.size(); ++i)
      if (any_ref{r.m(i)} == who) return i;
    FAIL("an entry of nobody");
    return 0;
  }
  void run() {
    // Outside of the crowd that crashes: follows topic a.
    watched log;
    const auto watcher = r.app.root().start_child(child<member>("watcher", {.into = &log, .init = [&](context& self) {
      subscribe(self, online_t{self, "online"}, "a");
    }, .follows = true}, {.placement = spread}));
    REQUIRE(watcher.has_value());
    for (int n = 0; n < 60; ++n) {
      one();
      if (dice() % 10 != 0) continue;
      r.quiet();
      CHECK(actual("a") == expected("a"));
      CHECK(actual("a:b") == expected("a:b"));
      CHECK(r.online.total().value() == model.size());
      shown seen;
      for (const auto& [key, entries] : log.view.keys())
        for (const auto& e : entries) seen.emplace("a", key, index(e->who), e->meta.name);
      CHECK(seen == expected("a"));
    }
    CHECK(log.resyncs == 0);
    r.app.stop();
    std::set<presence_ref> refs;
    for (const auto& d : log.diffs)
      for (const auto& e : d.joins) CHECK(refs.insert(e->ref).second);
    for (std::size_t n = 1; n < log.diffs.size(); ++n) CHECK(log.diffs[n - 1].version < log.diffs[n].version);
  }
};

}  // namespace

TEST_CASE("Presence: random tracks, updates, untracks and crashes agree with a plain model, and so does a view that follows") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    life{seed}.run();
  }
}

TEST_CASE("Presence: a lost event shows, and the view is synced anew") {
  presence_view<device> view;
  const auto made = [](const char* key, std::uint64_t number) {
    auto e = std::make_shared<presence_entry<device>>(device{});
    e->key = key;
    e->ref = {1, number};
    return present<device>{std::move(e)};
  };
  CHECK(view.apply({"t", {made("a", 1)}, {}, 5, 0}));
  CHECK_FALSE(view.apply({"t", {made("c", 3)}, {}, 9, 7}));
  CHECK(view.size() == 1);
  CHECK(view.apply({"t", {made("b", 2)}, {}, 7, 5}));
  CHECK(view.apply({"t", {made("b", 2)}, {}, 7, 5}));  // known already
  CHECK(view.size() == 2);
  CHECK(view.apply({"t", {made("d", 9)}, {}, 20, 0}));  // all had left before it
  CHECK(view.size() == 1);
  CHECK(view.find("d") != nullptr);
}

TEST_CASE("Presence: trackers and readers on many threads end with nobody there") {
  std::vector<watched> logs(4);
  application_options o;
  o.hosts = 4;
  o.sinks = {[](const report&) {}};
  application app{members(logs, {}, true), o};
  app.start();
  const online_t online{app, "online"};
  std::atomic<bool> over{false};
  std::thread reader{[&] {
    while (!over) static_cast<void>(online.list("t").value().size() + online.count("t", "k1").value());
  }};
  std::vector<std::thread> drivers;
  for (std::size_t i = 0; i < 4; ++i)
    drivers.emplace_back([&, i] {
      const auto who = app.find<member>("all/m" + std::to_string(i));
      for (int n = 0; n < 300; ++n) {
        const auto key = "k" + std::to_string(n % 5);
        who.cast(run_inside{[&online, key](context& self) {
          if (!online.track(self, "t", key, device{})) static_cast<void>(online.update(self, "t", key, device{"x"}));
        }});
        if (n % 3 == 0) static_cast<void>(online.track(who, "t", "other" + std::to_string(n), device{}));
        if (n % 7 == 0) who.cast(crash_now{});
        if (n % 11 == 0) static_cast<void>(online.untrack(who));
      }
      while (!who.call(run_inside{[&online](context& self) { static_cast<void>(online.untrack(self).value()); }}, 10s)) {
      }
    });
  for (auto& d : drivers) d.join();
  over = true;
  reader.join();
  CHECK(online.total().value() == 0);
  CHECK(online.list("t").value().empty());
  app.stop();
}
