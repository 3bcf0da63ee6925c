// How events are delivered, beside what the conformance cases say: types, sources, crashes, full mailboxes, reports.

#include <algorithm>
#include <memory>
#include <stdexcept>

#include <doctest/doctest.h>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;

namespace {
struct unknown_event {};
}  // namespace

TEST_CASE("subscribing to a type that the process does not name is an error") {
  world w{1};
  inside(w.p(0), [](context& self) {
    const auto r = try_subscribe<unknown_event>(self, "t");
    REQUIRE(r.is(pubsub_errc::not_accepted));
    CHECK(r.error().message().find("unknown_event") != std::string::npos);
    CHECK(r.error().message().find("p0") != std::string::npos);
    CHECK_THROWS_AS(subscribe<unknown_event>(self, "t"), std::logic_error);
  });
  CHECK(bus{w.app}.topics() == 0);
}

TEST_CASE("a context outside of its own handlers subscribes nobody") {
  world w{2};
  context* stolen = nullptr;
  inside(w.p(0), [&](context& self) { stolen = &self; });
  CHECK(try_subscribe<tick>(*stolen, "t").is(pubsub_errc::wrong_place));
  inside(w.p(1), [&](context&) { CHECK(try_subscribe<tick>(*stolen, "t").is(pubsub_errc::wrong_place)); });
  CHECK(w.who("t").empty());
}

TEST_CASE("P4: unsubscribing says what stands in its way, where it is asked to; having nothing to end is success") {
  world w{2};
  context* stolen = nullptr;
  inside(w.p(0), [&](context& self) {
    stolen = &self;
    CHECK(try_unsubscribe(self, "t"));
    CHECK(try_unsubscribe_key(self, "t", "k"));
    CHECK(try_unsubscribe(self, "a::b").is(pubsub_errc::bad_topic));
    CHECK(try_unsubscribe_key(self, "a:**:b", "k").is(pubsub_errc::bad_topic));
    subscribe<tick>(self, "t", {.key = "k"});
    subscribe<tick>(self, "t", {.key = "l"});
    subscribe<tick>(self, "a:*");
    unsubscribe(self, "a::b");
  });
  CHECK(try_unsubscribe(*stolen, "t").is(pubsub_errc::wrong_place));
  inside(w.p(1), [&](context&) {
    CHECK(try_unsubscribe(*stolen, "t").is(pubsub_errc::wrong_place));
    CHECK(try_unsubscribe_key(*stolen, "t", "k").is(pubsub_errc::wrong_place));
    unsubscribe(*stolen, "t");
  });
  CHECK(w.who("t").size() == 2);
  inside(w.p(0), [](context& self) {
    const auto handle = bus{self}.topic("t").value();
    CHECK(try_unsubscribe_key(self, bus{self}, "t", "k"));
    CHECK(try_unsubscribe(self, "a:*"));
    CHECK(bus{self}.patterns() == 0);
  });
  CHECK(w.who("t").size() == 1);
  inside(w.p(0), [](context& self) { CHECK(try_unsubscribe(self, bus{self}.topic("t").value())); });
  CHECK(w.who("t").empty());
}

TEST_CASE("an event of another type is not delivered, counted, and reported once") {
  world w{2};
  inside(w.p(0), [](context& self) { subscribe<tick>(self, "t"); });
  inside(w.p(1), [](context& self) { subscribe<text>(self, "t"); });
  w.publish(1);
  w.publish(2);
  bus{w.app}.broadcast("t", text{"hello"}).value();
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{1, 2});
  CHECK(w.logs[1].words == std::vector<std::string>{"hello"});
  CHECK(bus{w.app}.mismatched() == 3);
  const auto told = std::count_if(w.reports.begin(), w.reports.end(), [](const report& r) { return r.kind == report::dead_letter; });
  CHECK(told == 1);
}

TEST_CASE("the message in hand tells its topic and publisher; other messages have none") {
  world w{2};
  inside(w.p(0), [](context& self) { subscribe<tick>(self, "t"); });
  inside(w.p(1), [](context& self) { bus{self}.broadcast("t", tick{1}).value(); });
  w.p(0).cast(tick{2});
  w.sim.run();
  CHECK(w.logs[0].topics == std::vector<std::string>{"t", ""});
  CHECK(w.logs[0].from[0] == any_ref{w.p(1)});
}

TEST_CASE("a handle keeps its topic; names that nobody holds are gone") {
  world w{1};
  const bus b{w.app};
  {
    const auto first = b.topic("t").value();
    auto second = first;
    CHECK(first == b.topic("t").value());
    CHECK_FALSE(first == b.topic("u").value());
    CHECK(first.name() == "t");
    CHECK(first.bus() == b);
    CHECK(b.topics() == 1);
  }
  CHECK(b.topics() == 0);
  inside(w.p(0), [](context& self) { subscribe<tick>(self, "t"); });
  CHECK(b.topics() == 1);
  w.publish(1);
  inside(w.p(0), [](context& self) { unsubscribe(self, "t"); });
  CHECK(b.topics() == 0);
}

TEST_CASE("a handler that throws costs one process and one event, and the others get theirs") {
  world w{9, 4, [](context& self) { subscribe<tick>(self, "t"); }};
  simulation sim{4};
  std::vector<seen> logs(9);
  supervisor tree{.name = "crowd", .intensity = {100, std::chrono::seconds{1}}};
  for (std::size_t i = 0; i < logs.size(); ++i)
    tree.children.push_back(child<listener>(
        "p" + std::to_string(i), {.into = &logs[i], .init = [](context& self) { subscribe<tick>(self, "t"); }, .on_tick = [i](context&, const tick& t) {
                                    if (i % 3 == 0 && t.number == 1) throw std::runtime_error{"no"};
                                  }}, {.placement = spread}));
  application app{tree, simulated(sim)};
  app.start();
  for (int n = 0; n < 3; ++n) bus{app}.broadcast("t", tick{n}).value();
  sim.run();
  for (std::size_t i = 0; i < logs.size(); ++i) {
    CHECK(logs[i].numbers == up_to(3));
    CHECK(logs[i].inits == (i % 3 == 0 ? 2 : 1));
  }
}

TEST_CASE("B9: publishing inside a handler to oneself does not recurse") {
  int depth = 0;
  int deepest = 0;
  simulation sim{6};
  seen log;
  supervisor tree{.name = "root"};
  tree.children.push_back(child<listener>("p", {.into = &log, .init = [](context& self) { subscribe<tick>(self, "t"); }, .on_tick = [&](context& self, const tick& t) {
    deepest = std::max(deepest, ++depth);
    if (t.number < 100) bus{self}.broadcast("t", tick{t.number + 1}).value();
    --depth;
  }}));
  application app{tree, simulated(sim)};
  app.start();
  bus{app}.broadcast("t", tick{0}).value();
  sim.run();
  CHECK(log.numbers == up_to(101));
  CHECK(deepest == 1);
}

TEST_CASE("subscribing and unsubscribing while an event is handed out") {
  simulation sim{7};
  std::vector<seen> logs(40);
  supervisor tree{.name = "crowd"};
  for (std::size_t i = 0; i < logs.size(); ++i)
    tree.children.push_back(child<listener>("p" + std::to_string(i), {.into = &logs[i], .init = [](context& self) { subscribe<tick>(self, "t"); }, .on_tick = [](context& self, const tick& t) {
      if (t.number == 0) {
        unsubscribe(self, "t");
        subscribe<tick>(self, "t", {.key = "again"});
      } else if (t.number == 2) {
        unsubscribe(self, "t");
      }
    }}));
  application app{tree, simulated(sim, 1)};
  app.start();
  for (int n = 0; n < 4; ++n) bus{app}.broadcast("t", tick{n}).value();
  sim.run();
  for (const auto& log : logs) CHECK(log.numbers == up_to(3));
  CHECK(bus{app}.topics() == 0);
}

TEST_CASE("a subscriber whose mailbox is full is told how many it missed, before the next event") {
  simulation sim{8};
  seen log;
  supervisor tree{.name = "root"};
  auto options = child_options{.mailbox = {.limit = 3, .when_full = drop_newest}};
  SUBCASE("drop_newest") {}
  SUBCASE("drop_oldest") { options.mailbox.when_full = drop_oldest; }
  tree.children.push_back(child<listener>("p", {.into = &log, .init = [](context& self) { subscribe<tick>(self, "t"); }}, options));
  application app{tree, simulated(sim)};
  app.start();
  const auto p = app.find<listener>("p");
  // While its handler overruns, its host goes on without it, and events find a mailbox that fills.
  p.cast(run_inside{[](context&) { simulation::stall(std::chrono::seconds{1}); }});
  sim.advance(std::chrono::milliseconds{500});
  for (int i = 0; i < 10; ++i) bus{app}.broadcast("t", tick{i}).value();
  sim.advance(std::chrono::seconds{1});
  bus{app}.broadcast("t", tick{10}).value();
  sim.run();
  const std::uint64_t got = log.numbers.size();
  std::uint64_t missed = 0;
  int expected = 0;
  for (std::size_t i = 0, event = 0; i < log.topics.size(); ++i) {
    if (log.topics[i].empty()) continue;
    missed += log.missed[i];
    expected += static_cast<int>(log.missed[i]);
    CHECK(log.numbers[event++] == expected++);  // the gap is where it was told
  }
  CHECK(got + missed == 11);
  CHECK(missed > 0);
}

TEST_CASE("B10: after the stop began, publishing and subscribing answer closed") {
  auto w = std::make_unique<world>(1);
  const bus b{w->app};
  const auto t = b.topic("t").value();
  inside(w->p(0), [](context& self) { subscribe<tick>(self, "t"); });
  w->app.stop();
  CHECK(b.broadcast("t", tick{1}).is(pubsub_errc::closed));
  CHECK(b.subscribers("t").is(pubsub_errc::closed));
  CHECK_FALSE(t.broadcast(tick{1}));
  w.reset();
  // Handles outlive the application.
  CHECK_FALSE(t.broadcast(tick{1}));
  CHECK(t.name() == "t");
  CHECK(b.broadcast("t", tick{1}).is(pubsub_errc::closed));
}

TEST_CASE("reports are events of the topic herald:reports") {
  simulation sim{9};
  struct watcher : process<watcher, report> {
    struct args {
      std::vector<report::kind_t>* into;
    };
    watcher(context& self, args a) : into_{a.into} { subscribe<report>(self, reports_topic); }
    void on(const report& r) { into_->push_back(r.kind); }

   private:
    std::vector<report::kind_t>* into_;
  };
  std::vector<report::kind_t> kinds;
  seen log;
  application app{{.name = "root", .children = {child<watcher>("watcher", {.into = &kinds}), child<listener>("p", {.into = &log})}}, simulated(sim)};
  publish_reports(app);
  app.start();
  app.find<listener>("p").cast(crash_now{});
  sim.run();
  CHECK(std::count(kinds.begin(), kinds.end(), report::crashed) == 1);
  CHECK(std::count(kinds.begin(), kinds.end(), report::restarted) == 1);
}

TEST_CASE("an event can be put away, whether it came straight from the fan-out or through the mailbox") {
  struct shy : process<shy, tick, text> {
    struct args {
      std::vector<std::string>* seen;
    };
    shy(context& self, args a) : seen_{a.seen} { subscribe<tick>(self, "t"); }
    void on(context& self, const tick& m) {
      if (!open_) {
        CHECK(self.stash());
        return;
      }
      seen_->push_back(std::to_string(m.number) + std::string{topic_of(self).topic});
      if (m.number == 2) throw std::runtime_error{"shy"};
    }
    void on(context& self, const text& m) {
      open_ = m.words == "open";
      self.unstash_all();
    }
    std::vector<std::string>* seen_;
    bool open_ = false;
  };
  for (const bool from_the_mailbox : {false, true}) {
    CAPTURE(from_the_mailbox);
    std::vector<std::string> seen;
    world w{2};
    REQUIRE(w.app.find_supervisor("").start_child(child<shy>("shy", {&seen}, {.mailbox = {.stash = 3}})));
    const auto s = w.app.find<shy>("shy");
    w.publish(1);
    if (from_the_mailbox) s.cast(text{"closed"});
    w.publish(2);
    w.publish(3);
    w.sim.run();
    CHECK(seen.empty());
    s.cast(text{"open"});
    w.sim.run();
    // The second crashes its process; the next incarnation is closed and puts the third away again.
    CHECK(seen == std::vector<std::string>{"1t", "2t"});
    w.publish(4);
    w.sim.run();
    s.cast(text{"open"});
    w.sim.run();
    CHECK(seen == std::vector<std::string>{"1t", "2t", "3t", "4t"});
  }
}
