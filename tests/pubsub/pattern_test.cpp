// Patterns: which topics they stand for, and that subscribing by them keeps every promise of subscribing by name.

#include <algorithm>
#include <random>

#include <doctest/doctest.h>

#include <herald/engine/bus_core.hpp>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;

namespace {

std::string why(std::string_view pattern) {
  const auto r = check_pattern(pattern);
  if (r) return "fine";
  CHECK(r.error() == pubsub_errc::bad_topic);
  return r.error().message();
}

/// Written for being right, not for being fast: by the list of segments.
bool naive(const std::vector<std::string>& pattern, const std::vector<std::string>& topic) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == "**") return true;
    if (i >= topic.size() || (pattern[i] != "*" && pattern[i] != topic[i])) return false;
  }
  return pattern.size() == topic.size();
}

std::string joined(const std::vector<std::string>& segments) {
  std::string all;
  for (const auto& s : segments) all += (all.empty() ? "" : ":") + s;
  return all;
}

std::vector<std::string> draw(std::mt19937& dice, bool pattern) {
  static const std::vector<std::string> words{"a", "b", "ab", "*a"};
  std::vector<std::string> all;
  const auto depth = 1 + dice() % 5;
  for (std::size_t i = 0; i < depth; ++i) {
    if (pattern && dice() % 3 == 0) {
      all.emplace_back("*");
    } else {
      all.push_back(words[dice() % words.size()]);
    }
  }
  if (pattern && dice() % 3 == 0) all.back() = "**";
  return all;
}

/// Subscribes in a process's handler.
void wants(const world& w, std::size_t i, std::string topic, std::string key = {}) {
  inside(w.p(i), [topic = std::move(topic), key = std::move(key)](context& self) { subscribe<tick>(self, topic, {.key = key}); });
}
void wants_no_more(const world& w, std::size_t i, std::string topic) {
  inside(w.p(i), [topic = std::move(topic)](context& self) { unsubscribe(self, topic); });
}

}  // namespace

TEST_CASE("W1: * stands for one segment, ** for the rest") {
  CHECK(matches("a:*", "a:b"));
  CHECK_FALSE(matches("a:*", "a"));
  CHECK_FALSE(matches("a:*", "a:b:c"));
  CHECK(matches("a:**", "a"));
  CHECK(matches("a:**", "a:b"));
  CHECK(matches("a:**", "a:b:c"));
  CHECK_FALSE(matches("a:**", "b:a"));
  CHECK(matches("*:b", "a:b"));
  CHECK_FALSE(matches("*:b", "a:c"));
  CHECK(matches("a:*:c", "a:b:c"));
  CHECK_FALSE(matches("a:*:c", "a:c"));
  CHECK(matches("**", "a"));
  CHECK(matches("**", "a:b:c"));
  CHECK(matches("a:b", "a:b"));
  CHECK_FALSE(matches("a:b", "a:b:c"));
}

TEST_CASE("W1: a wrong pattern is refused in one sentence, wherever it is used") {
  CHECK(why("a:*:b") == "fine");
  CHECK(why("**") == "fine");
  CHECK(why("*:*:**") == "fine");
  CHECK(why("a**:*b") == "fine");  // names: only a whole segment is a wildcard
  CHECK(why("a:**:b") == "the topic \"a:**:b\" has the wildcard \"**\" as segment 2, and another segment after it; wanted: \"**\" only as the last one");
  CHECK(why("**:**").find("another segment after it") != std::string::npos);
  CHECK(why("a:*:").find("empty segment, number 3") != std::string::npos);
  CHECK(why("").find("is empty") != std::string::npos);
  CHECK(why("*\n").find("control character") != std::string::npos);
  CHECK(is_pattern("a:*"));
  CHECK(is_pattern("**"));
  CHECK_FALSE(is_pattern("a*:b"));
  world w{1};
  inside(w.p(0), [](context& self) {
    CHECK(try_subscribe<tick>(self, "a:**:b").is(pubsub_errc::bad_topic));
    CHECK(bus{self}.broadcast("a:*", tick{1}).is(pubsub_errc::bad_topic));
    CHECK(bus{self}.topic("a:*").is(pubsub_errc::bad_topic));
  });
  CHECK(bus{w.app}.subscribers("a:**:b").is(pubsub_errc::bad_topic));
  CHECK(bus{w.app}.patterns() == 0);
}

TEST_CASE("W1: subscribers by pattern get the events of the topics that match") {
  world w{4};
  wants(w, 0, "a:*");
  wants(w, 1, "a:**");
  wants(w, 2, "*:b");
  wants(w, 3, "**");
  const std::vector<std::string> topics{"a", "a:b", "a:b:c", "c:b", "c"};
  for (int i = 0; i < 5; ++i) w.publish(i, topics[static_cast<std::size_t>(i)]);
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{1});
  CHECK(w.logs[1].numbers == std::vector{0, 1, 2});
  CHECK(w.logs[2].numbers == std::vector{1, 3});
  CHECK(w.logs[3].numbers == up_to(5));
  CHECK(w.logs[3].topics == topics);
  CHECK(w.logs[3].subscriptions == std::vector<std::string>(5, "**"));
  CHECK(bus{w.app}.patterns() == 4);
  CHECK(bus{w.app}.topics() == 0);  // what patterns match needs no record that stays
}

TEST_CASE("W2: by two patterns and the name comes one copy each, marked by its subscription") {
  world w{2};
  wants(w, 0, "a:*");
  wants(w, 0, "a:b");
  wants(w, 0, "**");
  wants(w, 1, "*:b");
  w.publish(1, "a:b");
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{1, 1, 1});
  CHECK(w.logs[0].topics == std::vector<std::string>{"a:b", "a:b", "a:b"});
  auto by = w.logs[0].subscriptions;
  std::sort(by.begin(), by.end());
  CHECK(by == std::vector<std::string>{"**", "a:*", "a:b"});
  CHECK(w.logs[1].subscriptions == std::vector<std::string>{"*:b"});

  auto listed = w.who("a:b");
  CHECK(listed.size() == 4);
  CHECK(std::count_if(listed.begin(), listed.end(), [](const auto& s) { return s.topic == "*:b" && s.path == "p1"; }) == 1);
  CHECK(w.who("a:*").size() == 1);
  CHECK(w.who("a:c").size() == 2);

  // Each goes alone.
  wants_no_more(w, 0, "a:*");
  w.publish(2, "a:b");
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{1, 1, 1, 2, 2});
}

TEST_CASE("W2: keys and copies count within one pattern") {
  world w{1};
  wants(w, 0, "a:*", "k");
  wants(w, 0, "a:*", "k");
  wants(w, 0, "a:**", "k");
  w.publish(1, "a:b");
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{1, 1});
  inside(w.p(0), [](context& self) { unsubscribe_key(self, "a:*", "k"); });
  w.publish(2, "a:b");
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{1, 1, 2});
}

TEST_CASE("W3: patterns that do not match are not looked at again, and all are forgotten with their subscribers") {
  world w{1};
  inside(w.p(0), [](context& self) {
    for (int i = 0; i < 2000; ++i) subscribe<tick>(self, "x:" + std::to_string(i) + ":*");
    subscribe<tick>(self, "a:*");
  });
  CHECK(bus{w.app}.patterns() == 2001);
  const auto t = bus{w.app}.topic("a:b").value();
  for (int i = 0; i < 10; ++i) t.broadcast(tick{i});
  w.sim.run();
  CHECK(w.logs[0].numbers == up_to(10));
  w.app.kill("p0").value();  // a permanent child: it comes back, and subscribes to nothing
  w.sim.run();
  CHECK(bus{w.app}.patterns() == 0);
  t.broadcast(tick{11});
  w.sim.run();
  CHECK(w.logs[0].numbers == up_to(10));
}

TEST_CASE("W4: the trie agrees with a naive matcher, while patterns come and go") {
  struct fake_bus {
    world w{1};
    const bus b{w.app};
  } all;
  auto& core = *all.b.inside();
  for (unsigned seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    std::mt19937 dice{seed};
    std::map<std::string, std::pair<std::vector<std::string>, engine::held_topic>> in;
    engine::pattern_trie trie;
    for (int round = 0; round < 300; ++round) {
      const auto p = draw(dice, true);
      const auto name = joined(p);
      if (in.count(name) != 0) {
        trie.remove(*in[name].second);
        in.erase(name);
      } else {
        in[name] = {p, engine::hold_topic(core.open(name))};
        trie.insert(*in[name].second);
      }
      CHECK(trie.size() == in.size());
      const auto t = draw(dice, false);
      const auto topic = joined(t);
      std::vector<std::string> expected;
      for (const auto& [text, one] : in) {
        const bool fits = naive(one.first, t);
        if (fits) expected.push_back(text);
        CHECK(matches(text, topic) == fits);
      }
      std::vector<engine::topic_record*> found;
      trie.find(topic, found);
      std::vector<std::string> got;
      for (auto* r : found) got.emplace_back(r->name());
      std::sort(got.begin(), got.end());
      CHECK(got == expected);
      CHECK(trie.matches(topic) == !expected.empty());
    }
    while (!in.empty()) {
      trie.remove(*in.begin()->second.second);
      in.erase(in.begin());
    }
    CHECK(trie.size() == 0);
    CHECK_FALSE(trie.matches("a"));
  }
}

TEST_CASE("W4: random subscriptions by pattern and name deliver what a naive model says") {
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    CAPTURE(seed);
    world w{5, seed};
    std::mt19937 dice{static_cast<unsigned>(seed)};
    const bus b{w.app};
    std::vector<std::vector<std::vector<std::string>>> has(5);
    std::vector<std::vector<int>> expected(5);
    std::vector<herald::topic> handles;
    for (int i = 0; i < 6; ++i) handles.push_back(b.topic(joined(draw(dice, false))).value());
    for (int round = 0; round < 120; ++round) {
      const auto i = dice() % 5;
      const auto name = draw(dice, dice() % 3 != 0);
      switch (dice() % 4) {
        case 0:
          wants(w, i, joined(name));
          has[i].push_back(name);
          break;
        case 1:
          wants_no_more(w, i, joined(name));
          has[i].erase(std::remove(has[i].begin(), has[i].end(), name), has[i].end());
          break;
        default: {
          const auto& handle = handles[dice() % handles.size()];
          const auto topic = dice() % 2 == 0 ? std::string{handle.name()} : joined(draw(dice, false));
          if (topic == handle.name() && dice() % 2 == 0) {
            CHECK(handle.broadcast(tick{round}));
          } else {
            w.publish(round, topic);
          }
          std::vector<std::string> segments;
          for (const auto s : topic_segments{topic}) segments.emplace_back(s);
          for (std::size_t k = 0; k < 5; ++k)
            for (const auto& p : has[k])
              if (naive(p, segments)) expected[k].push_back(round);
          if (dice() % 3 == 0) w.sim.run();
        }
      }
    }
    w.sim.run();
    for (std::size_t k = 0; k < 5; ++k) CHECK(w.logs[k].numbers == expected[k]);
    for (std::size_t k = 0; k < 5; ++k)
      for (const auto& p : has[k]) wants_no_more(w, k, joined(p));
    CHECK(b.patterns() == 0);
    handles.clear();
    CHECK(b.topics() == 0);
  }
}

TEST_CASE("P9, W1: a crashed subscriber's patterns go on with what its init declares again") {
  world w{1, 3, [](context& self) { subscribe<tick>(self, "a:*"); }};
  wants(w, 0, "b:**");
  w.publish(1, "a:x");
  w.publish(2, "b:x");
  w.p(0).cast(crash_now{});
  w.publish(3, "a:x");
  w.publish(4, "b:x");
  w.sim.run();
  w.publish(5, "a:x");
  w.publish(6, "b:x");
  w.sim.run();
  CHECK(w.logs[0].inits == 2);
  CHECK(std::count(w.logs[0].numbers.begin(), w.logs[0].numbers.end(), 3) == 1);
  CHECK(std::count(w.logs[0].numbers.begin(), w.logs[0].numbers.end(), 5) == 1);
  CHECK(std::count(w.logs[0].numbers.begin(), w.logs[0].numbers.end(), 6) == 0);
  CHECK(bus{w.app}.patterns() == 1);
}

TEST_CASE("an event of another type is counted for a pattern, and not reported") {
  world w{1};
  wants(w, 0, "**");
  bus{w.app}.broadcast("a", text{"hello"}).value();
  w.sim.run();
  CHECK(w.logs[0].words.empty());
  CHECK(bus{w.app}.mismatched() == 1);
  CHECK(std::count_if(w.reports.begin(), w.reports.end(), [](const report& r) { return r.kind == report::dead_letter; }) == 0);
}

TEST_CASE("a pattern's name stays readable in a handler that overruns while its subscription goes") {
  simulation sim{5};
  seen log;
  std::string read;
  supervisor tree{.name = "root"};
  tree.children.push_back(child<listener>("p", {.into = &log, .init = [](context& self) { subscribe<tick>(self, "a:*"); }, .on_tick = [&](context& self, const tick&) {
    unsubscribe(self, "a:*");
    simulation::stall(std::chrono::seconds{1});
    read = std::string{topic_of(self).topic} + " by " + std::string{topic_of(self).subscription};
  }}));
  application app{tree, simulated(sim, 1)};
  app.start();
  bus{app}.broadcast("a:b", tick{1}).value();
  sim.advance(std::chrono::seconds{2});
  sim.run();
  CHECK(read == "a:b by a:*");
  CHECK(bus{app}.patterns() == 0);
}

TEST_CASE("W2: once makes it one copy of each event, whichever subscription is first") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    world w{3, seed};
    for (const std::string name : {"a:b", "a:*", "**"})
      inside(w.p(0), [name](context& self) { subscribe<tick>(self, name, {.once = true}); });
    inside(w.p(0), [](context& self) { subscribe<tick>(self, "a:b", {.once = true}); });
    for (const std::string name : {"a:b", "a:*"})
      inside(w.p(1), [name](context& self) { subscribe<tick>(self, name, {.once = name == "a:*"}); });
    inside(w.p(2), [](context& self) { subscribe<tick>(self, "a:*", {.once = true}); });
    for (int i = 0; i < 20; ++i) w.publish(i, "a:b");
    w.publish(20, "c");
    w.sim.run();
    CHECK(w.logs[0].numbers == up_to(21));
    CHECK(w.logs[1].numbers.size() == 40);
    CHECK(w.logs[2].numbers == up_to(20));
    // An event that was on its way before a subscription came is not lost to it.
    w.publish(21, "a:b");
    inside(w.p(2), [](context& self) { subscribe<tick>(self, "a:b", {.once = true}); });
    w.sim.run();
    CHECK(w.logs[2].numbers.back() == 21);
    CHECK(std::count(w.logs[2].numbers.begin(), w.logs[2].numbers.end(), 21) == 1);
  }
}
