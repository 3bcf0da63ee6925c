// Looking: statistics of topics and subscriptions, and taps.

#include <cstdint>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;

namespace {

struct window : process<window, tapped, run_inside> {
  struct args {
    std::vector<std::string>* into;
    std::string topic;
  };
  window(context& self, args a) : into_{a.into} { subscribe<tapped>(self, a.topic); }
  void on(const tapped& t) {
    std::string what{t.topic};
    if (const auto* one = t.get_if<tick>()) what += " tick " + std::to_string(one->number);
    if (const auto* one = t.get_if<text>()) what += " text " + one->words;
    if (t.publisher) what += " by a process";
    into_->push_back(what);
    CHECK(t.type.find(t.get_if<tick>() != nullptr ? "tick" : "text") != std::string_view::npos);
  }
  void on(context& self, const run_inside& r) { r.code(self); }

 private:
  std::vector<std::string>* into_;
};

}  // namespace

TEST_CASE("a tap sees the events of all types and topics, and costs the others nothing of theirs") {
  simulation sim{1};
  std::vector<seen> logs(2);
  std::vector<std::string> all;
  std::vector<std::string> one;
  auto tree = crowd(logs, [](context& self) { subscribe<tick>(self, "a"); });
  tree.children.push_back(child<window>("all", {.into = &all, .topic = "**"}, {.placement = spread}));
  tree.children.push_back(child<window>("one", {.into = &one, .topic = "a"}, {.placement = spread}));
  application app{tree, simulated(sim)};
  app.start();
  const bus b{app};
  b.broadcast("a", tick{1}).value();
  b.broadcast("b:c", text{"two"}).value();
  inside(app.find<listener>("p0"), [](context& self) { bus{self}.broadcast("a", tick{3}).value(); });
  sim.run();
  CHECK(all == std::vector<std::string>{"a tick 1", "b:c text two", "a tick 3 by a process"});
  CHECK(one == std::vector<std::string>{"a tick 1", "a tick 3 by a process"});
  CHECK(logs[0].numbers == std::vector{1, 3});
  CHECK(b.mismatched() == 0);
  app.find<window>("all").call(run_inside{[](context& self) {
    CHECK(try_subscribe<tapped>(self, "t", {.filter = [](const tapped&) { return true; }}).is(pubsub_errc::bad_option));
    CHECK(try_subscribe<tapped>(self, "t", {.when_slow = policy::latest_by([](const tapped& t) { return t.topic; }, 5)}).is(pubsub_errc::bad_option));
    CHECK(try_subscribe<tapped>(self, "t", {.group = group_policy::round_robin("w")}).is(pubsub_errc::bad_option));
  }}).value();
}

TEST_CASE("statistics count what was published, delivered and lost, and who lags") {
  simulation sim{2};
  std::vector<seen> logs(3);
  supervisor tree{.name = "crowd"};
  for (std::size_t i = 0; i < logs.size(); ++i)
    tree.children.push_back(child<listener>("p" + std::to_string(i), {.into = &logs[i], .init = [](context& self) { subscribe<tick>(self, "t:a"); }},
                                            {.mailbox = {.limit = 5, .when_full = drop_newest}, .placement = spread}));
  application app{tree, simulated(sim)};
  app.start();
  const bus b{app};
  inside(app.find<listener>("p1"), [](context& self) { subscribe<tick>(self, "t:*", {.key = "all"}); });
  CHECK(b.statistics("nobody").value().published == 0);
  for (int i = 0; i < 10; ++i) {
    b.broadcast("t:a", tick{i}).value();
    sim.run();
  }
  auto t = b.statistics("t:a").value();
  CHECK(t.published == 10);
  CHECK(t.delivered == 30);
  CHECK(t.subscribers == 3);
  CHECK(t.lost_in_all() == 0);
  CHECK(t.rate == 0);
  CHECK_FALSE(t.pattern);
  auto p = b.statistics("t:*").value();
  CHECK(p.pattern);
  CHECK(p.published == 10);
  CHECK(p.delivered == 10);
  CHECK(p.subscribers == 1);

  // One stops reading: its mailbox fills, the rest is lost.
  app.find<listener>("p2").cast(run_inside{[](context&) { simulation::stall(std::chrono::seconds{60}); }});
  sim.advance(std::chrono::seconds{10});
  for (int i = 10; i < 30; ++i) {
    b.broadcast("t:a", tick{i}).value();
    sim.run();
  }
  t = b.statistics("t:a").value();
  CHECK(t.published == 30);
  CHECK(t.rate == doctest::Approx(2.0));
  CHECK(t.lost[static_cast<std::size_t>(loss::mailbox_full)] == 15);
  CHECK(t.slowest.path == "p2");
  CHECK(t.slowest.waiting == 5);
  for (const auto& s : b.subscribers("t:a").value()) {
    CHECK(s.waiting == (s.path == "p2" ? 5 : 0));
    CHECK(s.delivered == 30);
    CHECK(s.lost[static_cast<std::size_t>(loss::mailbox_full)] == (s.path == "p2" ? 15 : 0));
  }

  const auto all = b.list().value();
  std::vector<std::string> names;
  for (const auto& one : all) names.push_back(one.name);
  CHECK(names == std::vector<std::string>{"t:*", "t:a"});
  inside(app.find<listener>("p0"), [](context& self) {
    CHECK(bus{self}.list().is(pubsub_errc::would_block));
    CHECK(bus{self}.statistics("t:a").is(pubsub_errc::would_block));
  });
  CHECK(b.statistics("a::b").is(pubsub_errc::bad_topic));
  app.stop();
  CHECK(b.list().is(pubsub_errc::closed));
  CHECK(b.statistics("t:a").is(pubsub_errc::closed));
}

namespace {

/// What each subscription was given, by its process, topic and key.
std::map<std::string, std::uint64_t> given(const world& w, std::string_view topic) {
  std::map<std::string, std::uint64_t> all;
  for (const auto& s : w.who(topic)) all[s.path + " " + s.topic + (s.key.empty() ? "" : " " + s.key) + (s.group.empty() ? "" : " " + s.group)] += s.delivered;
  return all;
}

using counts = std::map<std::string, std::uint64_t>;

}  // namespace

TEST_CASE("statistics of a subscription count what it was given, whatever left it out of the rest") {
  world w{4};
  const bus b{w.app};
  inside(w.p(0), [](context& self) {
    subscribe<tick>(self, "t", {.key = "odd", .filter = [](const tick& t) { return t.number % 2 == 1; }});
    subscribe<tick>(self, "*", {.key = "once", .once = true});
    subscribe<tick>(self, "t", {.key = "again", .once = true});
  });
  inside(w.p(1), [](context& self) {
    subscribe<tick>(self, "t");
    subscribe<text>(self, "t", {.key = "words"});
  });
  for (int i = 0; i < 10; ++i) w.publish(i);
  w.sim.run();
  // Who comes later counts from there; so does who comes anew.
  inside(w.p(2), [](context& self) { subscribe<tick>(self, "t"); });
  inside(w.p(3), [](context& self) { subscribe<tick>(self, "t"); });
  CHECK(b.broadcast_from(w.p(2), "t", tick{11}));
  CHECK(b.broadcast("t", text{"twelve"}));
  w.sim.run();
  inside(w.p(3), [](context& self) {
    unsubscribe(self, "t");
    subscribe<tick>(self, "t");
  });
  w.publish(13);
  w.sim.run();
  auto got = given(w, "t");
  CHECK(got["p0 t again"] + got["p0 * once"] == 12);
  got.erase("p0 t again");
  got.erase("p0 * once");
  CHECK(got == counts{{"p0 t odd", 7}, {"p1 t", 12}, {"p1 t words", 1}, {"p2 t", 1}, {"p3 t", 1}});
  CHECK(w.logs[2].numbers.size() == 1);
  std::uint64_t sum = 0;
  for (const auto& s : w.who("t"))
    if (s.topic == "t") sum += s.delivered;
  CHECK(b.statistics("t").value().delivered == sum + 1);  // and the one that p3's first subscription got
}

TEST_CASE("statistics of a subscription: groups, what a topic keeps, dispatchers, and lives") {
  world w{2, 3, [](context& self) { subscribe<tick>(self, "t", {.group = group_policy::round_robin("g")}); }};
  const bus b{w.app};
  for (int i = 0; i < 10; ++i) w.publish(i);
  w.sim.run();
  CHECK(given(w, "t") == counts{{"p0 t g", 5}, {"p1 t g", 5}});

  const auto kept = b.topic("kept", {.history = 3}).value();
  for (int i = 0; i < 5; ++i) kept.broadcast(tick{i});
  inside(w.p(0), [](context& self) { subscribe<tick>(self, "kept"); });
  kept.broadcast(tick{5});
  w.sim.run();
  CHECK(given(w, "kept") == counts{{"p0 kept", 4}});

  inside(w.p(0), [](context& self) { subscribe<tick>(self, "d", {.metadata = 1}); });
  inside(w.p(1), [](context& self) { subscribe<tick>(self, "d"); });
  const dispatcher twice{[](dispatch_call& call) {
    for (const auto& e : call.entries())
      if (e.metadata.has_value()) call.deliver(e), call.deliver(e);
  }};
  for (int i = 0; i < 3; ++i) CHECK(broadcast(b, "d", tick{i}, twice));
  w.sim.run();
  CHECK(given(w, "d") == counts{{"p0 d", 6}, {"p1 d", 0}});

  // The next life continues the subscriptions that it declares again, and their counts.
  w.p(0).cast(crash_now{});
  w.sim.run();
  for (int i = 0; i < 4; ++i) w.publish(i);
  w.sim.run();
  CHECK(given(w, "t") == counts{{"p0 t g", 7}, {"p1 t g", 7}});
}

TEST_CASE("statistics of a subscription tell its losses by reason, and its rate") {
  world w{1};
  const bus b{w.app};
  inside(w.p(0), [](context& self) {
    subscribe<tick>(self, "t", {.key = "old", .when_slow = policy::drop_oldest(2)});
    subscribe<tick>(self, "t", {.key = "new", .when_slow = policy::drop_newest(3)});
  });
  CHECK(w.who("t")[0].rate == 0);
  w.p(0).cast(run_inside{[](context&) { simulation::stall(std::chrono::seconds{10}); }});
  w.sim.advance(std::chrono::seconds{5});
  for (int i = 0; i < 10; ++i) w.publish(i);
  w.sim.run();
  for (const auto& s : w.who("t")) {
    CHECK(s.delivered == 10);
    CHECK(s.rate == doctest::Approx(2.0));
    CHECK(s.lost[static_cast<std::size_t>(loss::dropped_oldest)] == (s.key == "old" ? 8 : 0));
    CHECK(s.lost[static_cast<std::size_t>(loss::dropped_newest)] == (s.key == "new" ? 7 : 0));
  }
}

TEST_CASE("statistics count an event once, by name as by handle, and on however many hosts its subscribers are") {
  world w{6};
  const bus b{w.app};
  const auto one = b.topic("t:one").value();
  const auto published = [&](std::string_view topic) { return b.statistics(topic).value().published; };
  for (int i = 0; i < 3; ++i) {
    CHECK(one.broadcast(tick{i}));
    w.publish(i, "t:one");
    CHECK(b.local_broadcast("t:one", tick{i}));
  }
  CHECK(published("t:one") == 0);  // a handle wants nothing
  CHECK(one.broadcast(tick{3}, retain));
  w.publish(4, "t:one");
  CHECK(published("t:one") == 1);  // what is kept goes somewhere
  one.clear();

  for (std::size_t i = 0; i < 6; ++i) inside(w.p(i), [](context& self) { subscribe<tick>(self, "t:*"); });
  for (std::size_t i = 0; i < 3; ++i)
    inside(w.p(i), [](context& self) { subscribe<tick>(self, "t:**", {.group = group_policy::round_robin("g")}); });
  for (int i = 0; i < 4; ++i) {
    one.broadcast(tick{i});
    w.publish(i, "t:two");
  }
  const dispatcher by{[](dispatch_call& call) {
    for (const auto& e : call.entries()) call.deliver(e);
  }};
  CHECK(broadcast(b, "t:two", tick{9}, by));
  w.publish(10, "other");
  w.sim.run();
  CHECK(published("t:one") == 5);
  w.sim.advance(std::chrono::seconds{2});
  for (const auto& t : b.list().value()) {
    CHECK(t.rate == 0);
    if (t.name == "t:*") {
      CHECK(t.published == 9);
      CHECK(t.delivered == 9 * 6);
    } else if (t.name == "t:**") {
      CHECK(t.group == "g");
      CHECK(t.published == 9);
      CHECK(t.delivered == 9);
    }
  }
  for (int i = 0; i < 10; ++i) one.broadcast(tick{i});
  w.sim.run();
  w.sim.advance(std::chrono::seconds{5});
  for (const auto& t : b.list().value()) CHECK(t.rate == doctest::Approx(2.0));
}

TEST_CASE("statistics show who lags behind latest_by, whose values wait behind one message of its mailbox") {
  world w{2};
  const bus b{w.app};
  inside(w.p(0), [](context& self) { subscribe<tick>(self, "t"); });
  inside(w.p(1), [](context& self) { subscribe<tick>(self, "t", {.when_slow = policy::latest_by(&tick::number, 100)}); });
  for (std::size_t i = 0; i < 2; ++i) w.p(i).cast(run_inside{[](context&) { simulation::stall(std::chrono::seconds{30}); }});
  w.sim.advance(std::chrono::seconds{5});
  w.p(0).cast(text{"one more"});
  for (int i = 0; i < 10; ++i) w.publish(i % 7);
  for (int i = 0; i < 5; ++i) b.broadcast_from(w.p(0), "t", tick{100 + i}).value();
  w.sim.run();
  const auto slowest = b.statistics("t").value().slowest;
  CHECK(slowest.path == "p1");
  CHECK(slowest.waiting == 12);
  for (const auto& s : w.who("t")) CHECK(s.waiting == (s.path == "p1" ? 12 : 11));
  w.sim.advance(std::chrono::seconds{60});
  for (const auto& s : w.who("t")) CHECK(s.waiting == 0);
}
