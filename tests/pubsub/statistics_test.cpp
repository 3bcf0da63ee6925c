// Looking: statistics of topics and subscriptions, and taps.

#include <algorithm>

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
  auto listed = b.subscribers("t:a").value();
  CHECK(std::count_if(listed.begin(), listed.end(), [](const auto& s) { return s.waiting == 5; }) == 1);

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
