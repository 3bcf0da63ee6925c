// B3: producers hear when their topic gets its first subscriber and when the last one goes.

#include <random>

#include <doctest/doctest.h>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;

namespace {

struct producer : process<producer, wanted, unwanted, run_inside, crash_now> {
  struct args {
    std::vector<std::string>* heard;
    std::vector<std::string> topics{"t"};
  };
  producer(context& self, args a) : heard_{a.heard} {
    for (const auto& t : a.topics) watch_interest(self, t);
  }
  void on(const wanted& w) { heard_->push_back("+" + w.topic); }
  void on(const unwanted& w) { heard_->push_back("-" + w.topic); }
  void on(context& self, const run_inside& r) { r.code(self); }
  void on(const crash_now&) { throw std::runtime_error{"told to"}; }

 private:
  std::vector<std::string>* heard_;
};

using list = std::vector<std::string>;

/// A crowd, and a producer that watches.
struct stage {
  explicit stage(std::size_t count, std::vector<std::string> topics = {"t"}, std::uint64_t seed = 1)
      : sim{seed}, logs(count), app{tree(std::move(topics)), simulated(sim)} {
    app.start();
    sim.run();
  }
  supervisor tree(std::vector<std::string> topics) {
    auto all = crowd(logs);
    all.children.push_back(child<producer>("producer", {.heard = &heard, .topics = std::move(topics)}, {.placement = spread}));
    return all;
  }
  void wants(std::size_t i, std::string topic) {
    inside(app.find<listener>("p" + std::to_string(i)), [topic = std::move(topic)](context& self) { subscribe<tick>(self, topic); });
    sim.run();
  }
  void wants_no_more(std::size_t i, std::string topic) {
    inside(app.find<listener>("p" + std::to_string(i)), [topic = std::move(topic)](context& self) { unsubscribe(self, topic); });
    sim.run();
  }
  simulation sim;
  std::vector<seen> logs;
  list heard;
  application app;
};

}  // namespace

TEST_CASE("B3: a producer is told exactly on the edges, over all hosts") {
  stage s{6};
  CHECK(s.heard.empty());
  s.wants(0, "t");
  CHECK(s.heard == list{"+t"});
  for (std::size_t i = 1; i < 6; ++i) s.wants(i, "t");
  s.wants(0, "t");
  s.wants(3, "other");
  for (std::size_t i = 0; i < 5; ++i) s.wants_no_more(i, "t");
  CHECK(s.heard == list{"+t"});
  s.wants_no_more(5, "t");
  CHECK(s.heard == list{"+t", "-t"});
  s.wants(2, "t");
  CHECK(s.heard == list{"+t", "-t", "+t"});
}

TEST_CASE("B3: subscribers by pattern are subscribers") {
  stage s{4, {"a:b", "a", "c"}};
  s.wants(0, "a:*");
  CHECK(s.heard == list{"+a:b"});
  s.wants(1, "a:b");
  s.wants(2, "**");
  CHECK(s.heard == list{"+a:b", "+a", "+c"});
  s.wants_no_more(0, "a:*");
  s.wants_no_more(1, "a:b");
  CHECK(s.heard.size() == 3);
  s.wants_no_more(2, "**");
  CHECK(s.heard == list{"+a:b", "+a", "+c", "-a:b", "-a", "-c"});
}

TEST_CASE("B3: who begins to watch later is told how things stand, and a restarted producer again") {
  stage s{1, {}};
  s.wants(0, "t");
  const ref<producer> p{s.app.find<producer>("producer")};
  p.call(run_inside{[](context& self) {
    watch_interest(self, "t");
    watch_interest(self, "t");
    watch_interest(self, "u");
  }}).value();
  s.sim.run();
  CHECK(s.heard == list{"+t"});
  p.call(run_inside{[](context& self) { unwatch_interest(self, "t"); }}).value();
  s.wants_no_more(0, "t");
  CHECK(s.heard == list{"+t"});
  CHECK(bus{s.app}.topics() == 1);  // u, which is watched

  stage again{1};
  again.wants(0, "t");
  again.app.find<producer>("producer").cast(crash_now{});
  again.sim.run();
  CHECK(again.heard == list{"+t", "+t"});
  again.wants_no_more(0, "t");
  CHECK(again.heard == list{"+t", "+t", "-t"});
}

TEST_CASE("B3: a subscriber that dies goes, one that is restarted and stays was never gone") {
  std::vector<seen> logs(1);
  list heard;
  simulation sim{3};
  auto tree = crowd(logs, [](context& self) { subscribe<tick>(self, "t"); });
  tree.children.insert(tree.children.begin(), child<producer>("producer", {.heard = &heard}));
  application app{tree, simulated(sim)};
  app.start();
  sim.run();
  CHECK(heard == list{"+t"});
  app.find<listener>("p0").cast(crash_now{});
  sim.run();
  CHECK(logs[0].inits == 2);
  CHECK(heard == list{"+t"});
  app.root().terminate_child("p0").value();
  sim.run();
  CHECK(heard == list{"+t", "-t"});
}

TEST_CASE("B3: whatever comes and goes, notices alternate and the last one is so") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    stage s{5, {"a:b", "a"}, seed};
    std::mt19937 dice{static_cast<unsigned>(seed)};
    const std::vector<std::string> names{"a:b", "a", "*:b", "a:**", "c"};
    std::vector<std::vector<std::string>> has(5);
    for (int round = 0; round < 60; ++round) {
      const auto i = dice() % 5;
      const auto& name = names[dice() % names.size()];
      const bool come = dice() % 2 == 0;
      s.app.find<listener>("p" + std::to_string(i)).cast(run_inside{[name, come](context& self) {
        if (come) {
          subscribe<tick>(self, name);
        } else {
          unsubscribe(self, name);
        }
      }});
      if (come) has[i].push_back(name);
      if (!come) has[i].erase(std::remove(has[i].begin(), has[i].end(), name), has[i].end());
      s.sim.step(dice() % 6);
    }
    s.sim.run();
    for (const std::string topic : {"a:b", "a"}) {
      char last = '-';
      for (const auto& h : s.heard) {
        if (h.substr(1) != topic) continue;
        CHECK(h[0] != last);
        last = h[0];
      }
      bool now = false;
      for (const auto& mine : has)
        for (const auto& p : mine) now = now || matches(p, topic);
      CHECK((last == '+') == now);
    }
  }
}

TEST_CASE("watching is refused in words: the notices, the topic, the place") {
  world w{2};
  inside(w.p(0), [](context& self) {
    const auto r = try_watch_interest(self, bus{self}, "t");
    REQUIRE(r.is(pubsub_errc::not_accepted));
    CHECK(r.error().message().find("herald::wanted and herald::unwanted") != std::string::npos);
    CHECK_THROWS_AS(watch_interest(self, "t"), std::logic_error);
  });
  stage s{0, {}};
  context* stolen = nullptr;
  s.app.find<producer>("producer").call(run_inside{[&](context& self) {
    stolen = &self;
    CHECK(try_watch_interest(self, bus{self}, "a:*").is(pubsub_errc::bad_topic));
  }}).value();
  CHECK(try_watch_interest(*stolen, bus{s.app}, "t").is(pubsub_errc::wrong_place));
}
