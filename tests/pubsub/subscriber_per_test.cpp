// One subscriber for each value of a topic's segment.

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <doctest/doctest.h>

#include <herald/coroutine.hpp>
#include <herald/subscriber_per.hpp>
#include <herald/testing.hpp>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;
using namespace std::chrono_literals;

namespace {

inline constexpr typed_topic<tick> orders{"orders"};

/// What each key's subscribers saw, over all their lives.
struct book {
  std::map<std::string, std::vector<int>> got;
  std::map<std::string, int> lives;
  std::map<std::string, int> alive;
};

/// A state that notes its lives.
struct page {
  page(book& b, std::string k) : whole{&b}, key{std::move(k)} { ++b.lives[key], ++b.alive[key]; }
  page(page&& other) noexcept : whole{std::exchange(other.whole, nullptr)}, key{std::move(other.key)} {}
  ~page() {
    if (whole != nullptr) --whole->alive[key];
  }
  void write(const tick& t) { whole->got[key].push_back(t.number); }
  book* whole;
  std::string key;
};

auto pages(book& b) {
  return [&b](const std::string& key) { return page{b, key}; };
}

supervisor tree_of(std::vector<child_spec> children) {
  return {.name = "root", .intensity = {1000, 5s}, .children = std::move(children)};
}

void publish(testing::world& w, const std::string& topic, int number, int publisher = 0) {
  bus{w.app()}.broadcast(topic, tick{number, publisher}).value();
}

std::size_t running(testing::world& w, const std::string& name) {
  return w.app().find_supervisor(name + "/each").count_children().value().active;
}

std::string fault_of(const child_spec& spec) {
  const auto said = check_spec(supervisor{.name = "root", .children = {spec}});
  if (said) return "fine";
  const auto& f = said.error().fields().front();
  return f.field + " " + f.message;
}

/// A whole process for a key; ends itself when told.
struct desk : process<desk, tick> {
  struct args {
    book* into;
    int key;
    bool lazy = false;
  };
  desk(context& self, args a) : self_{self}, a_{a}, page_{*a.into, std::to_string(a.key)} {
    if (a_.lazy) self.stop();
  }
  void on(const tick& t) {
    page_.write(t);
    if (t.publisher == 1) self_.stop();
  }

 private:
  context& self_;
  args a_;
  page page_;
};

}  // namespace

TEST_CASE("the first event of a key starts its subscriber, which gets it and those that follow, and knows their topic") {
  testing::for_seeds(50, [](std::uint64_t seed) {
    book b;
    std::vector<std::string> topics, patterns;
    testing::world w{tree_of({subscriber_per<std::string>("orders:*:**", pages(b), [&](context& self, page& p, const tick& t) {
                       p.write(t);
                       topics.emplace_back(topic_of(self).topic);
                       patterns.emplace_back(topic_of(self).subscription);
                     })}),
                     {.seed = seed}};
    w.start();
    CHECK(running(w, "orders:*:**") == 0);
    for (int i = 0; i < 10; ++i) {
      publish(w, "orders:acme", i);
      publish(w, "orders:init:late", i);
    }
    w.run();
    CHECK(b.got["acme"] == up_to(10));
    CHECK(b.got["init"] == up_to(10));
    CHECK(b.lives["acme"] == 1);
    CHECK(running(w, "orders:*:**") == 2);
    CHECK(std::count(topics.begin(), topics.end(), "orders:init:late") == 10);
    CHECK(std::count(patterns.begin(), patterns.end(), "orders:*:**") == 20);
    CHECK(w.app().tree().back().path.starts_with("orders:*:**/router"));
    std::vector<std::string> paths;
    for (const auto& e : w.app().tree()) paths.push_back(e.path);
    CHECK(std::count(paths.begin(), paths.end(), "orders:*:**/each/acme") == 1);
  });
}

TEST_CASE("one that is quiet is ended within idle and a quarter, and the next event starts another") {
  book b;
  testing::world w{tree_of({subscriber_per<std::string>(
      orders / any_segment, [&](const std::string& key) { return child<desk>(key, {&b, std::stoi(key)}); }, {.idle = 1s})})};
  w.start();
  publish(w, "orders:1", 0);
  w.advance(600ms);
  publish(w, "orders:1", 1);
  publish(w, "orders:2", 0);
  w.advance(950ms);
  CHECK(b.alive["1"] == 1);
  w.advance(350ms);
  CHECK(b.alive["1"] == 0);
  CHECK(running(w, "orders:*") == 0);
  publish(w, "orders:1", 2);
  w.run();
  CHECK(b.got["1"] == up_to(3));
  CHECK(b.lives["1"] == 2);
}

TEST_CASE("no event is lost, doubled or out of order while subscribers start and end") {
  testing::for_seeds(400, [](std::uint64_t seed) {
    book b;
    testing::world w{tree_of({subscriber_per<std::string>("orders:*", pages(b), [](page& p, const tick& t) { p.write(t); },
                                                          {.idle = 40ms})}),
                     {.seed = seed}};
    w.start();
    std::map<std::string, int> sent;
    for (int i = 0; i < 60; ++i) {
      const std::string key(1, static_cast<char>('a' + w.sim().random() % 3));
      publish(w, "orders:" + key, sent[key]++);
      if (w.sim().random() % 4 == 0) w.advance(std::chrono::milliseconds{w.sim().random() % 70});
      w.sim().step(w.sim().random() % 6);
    }
    w.run();
    for (const auto& [key, n] : sent) CHECK(b.got[key] == up_to(n));
    w.advance(60ms);
    for (const auto& [key, n] : b.alive) CHECK(n == 0);
    CHECK(w.app().dead_letters() == 0);
  });
}

TEST_CASE("what one that ends by itself had not begun goes to its successor, in order") {
  testing::for_seeds(300, [](std::uint64_t seed) {
    book b;
    testing::world w{tree_of({subscriber_per<int, tick>("orders:*", [&](const int& key) {
                       return child<desk>("", {&b, key}, {.restart = transient, .placement = spread});
                     })}),
                     {.seed = seed}};
    w.start();
    for (int i = 0; i < 40; ++i) {
      publish(w, "orders:7", i, i % 5 == 0);
      w.sim().step(w.sim().random() % 4);
    }
    w.run();
    CHECK(b.got["7"] == up_to(40));
    CHECK(b.lives["7"] >= 2);
    CHECK(w.app().dead_letters() == 0);
  });
}

TEST_CASE("a crash restarts it; only what it had in hand is lost, and others do not notice") {
  testing::for_seeds(100, [](std::uint64_t seed) {
    book b;
    testing::world w{tree_of({subscriber_per<std::string>("orders:*", pages(b),
                                                          [](page& p, const tick& t) {
                                                            if (t.number % 7 == 3) throw std::runtime_error{"unlucky"};
                                                            p.write(t);
                                                          },
                                                          {.idle = 1h})}),
                     {.seed = seed}};
    w.start();
    for (int i = 0; i < 21; ++i) {
      publish(w, "orders:a", i);
      publish(w, "orders:b", 7 * i);
      w.sim().step(w.sim().random() % 6);
    }
    w.run();
    std::vector<int> wanted;
    for (int i = 0; i < 21; ++i)
      if (i % 7 != 3) wanted.push_back(i);
    CHECK(b.got["a"] == wanted);
    CHECK(b.got["b"].size() == 21);
    CHECK(b.lives["a"] == 4);
    CHECK(b.lives["b"] == 1);
  });
}

TEST_CASE("one whose handler waits inside is not idle") {
  book b;
  testing::world w{tree_of({subscriber_per<std::string>("orders:*", pages(b),
                                                        [](context& self, page& p, const tick& t) -> coroutine<> {
                                                          static_cast<void>(co_await self.sleep(1s));
                                                          CHECK(topic_of(self).topic == "orders:a");
                                                          p.write(t);
                                                        },
                                                        {.idle = 40ms})})};
  w.start();
  publish(w, "orders:a", 0);
  publish(w, "orders:a", 1);
  w.advance(1900ms);
  CHECK(b.alive["a"] == 1);
  w.advance(200ms);
  CHECK(b.got["a"] == up_to(2));
  CHECK(b.alive["a"] == 0);
  CHECK(b.lives["a"] == 1);
}

TEST_CASE("keys: integers, escaped text, another segment; what is no key is a dead letter and told") {
  book b;
  std::vector<int> numbers;
  struct own {
    int key;
  };
  testing::world w{tree_of({subscriber_per<int>(
                                "n:*", [](context&, const int& key) { return own{key}; },
                                [&](own& o, const tick& t) { numbers.push_back(100 * o.key + t.number); }),
                            subscriber_per<std::string>("x:*:*", pages(b), [](page& p, const tick& t) { p.write(t); }, {.segment = 3})})};
  w.start();
  publish(w, "n:-3", 1);
  publish(w, "n:3x", 2);
  publish(w, "x:1:" + escape_segment("a:b/*"), 3);
  w.run();
  CHECK(numbers == std::vector{-299});
  CHECK(b.got["a:b/*"] == std::vector{3});
  CHECK(w.app().dead_letters() == 1);
  CHECK(w.count(report::dead_letter, "n:*/router") >= 1);
  CHECK(unescape_segment("%") == "");
  CHECK(unescape_segment("a%zz%3") == "a%zz%3");
  for (const std::string text : {"", "%", "a:b", "*", "\x01"}) CHECK(unescape_segment(escape_segment(text)) == text);
}

TEST_CASE("there is a maximum of subscribers and of events that wait") {
  book b;
  testing::world w{tree_of({subscriber_per<std::string>("orders:*", pages(b), [](page& p, const tick& t) { p.write(t); },
                                                        {.idle = 1s, .max = 2, .max_waiting = 3})})};
  w.start();
  for (int i = 0; i < 8; ++i) publish(w, "orders:a", i);
  w.run();
  const auto kept = b.got["a"].size();
  CHECK(kept >= 3);
  CHECK(w.app().dead_letters() == 8 - kept);
  publish(w, "orders:b", 0);
  publish(w, "orders:c", 0);
  w.run();
  CHECK(b.lives.size() == 2);
  CHECK(w.app().dead_letters() == 8 - kept + 1);
  w.advance(2s);
  publish(w, "orders:c", 1);
  w.run();
  CHECK(b.got["c"] == std::vector{1});
}

TEST_CASE("one that cannot run loses its events, is told, and is tried again with the next event") {
  book b;
  int tries = 0;
  bool fails = true;
  testing::world w{tree_of({subscriber_per<std::string>(
                                "a:*",
                                [&](context& self, const std::string& key) {
                                  ++tries;
                                  if (fails) self.fail("no disk");
                                  return page{b, key};
                                },
                                [](page& p, const tick& t) { p.write(t); }),
                            subscriber_per<int, tick>("b:*", [&](const int& key) { return child<desk>("", {&b, key, true}, {.restart = transient}); }),
                            subscriber_per<int, tick>("c:*", [&](const int&) -> child_spec { throw std::runtime_error{"no spec"}; }),
                            subscriber_per<int, text>("d:*", [&](const int& key) { return child<desk>("", {&b, key}); })})};
  w.start();
  publish(w, "a:x", 1);
  publish(w, "b:1", 1);
  publish(w, "c:1", 1);
  bus{w.app()}.broadcast("d:1", text{"t"}).value();
  w.run();
  CHECK(tries == 1);
  CHECK(b.got.empty());
  CHECK(w.app().dead_letters() == 4);
  CHECK(b.lives["1"] == 3);
  const auto said = [&](const std::string& path, const std::string& words) {
    for (const auto& r : w.reports())
      if (r.path == path && r.text.find(words) != std::string::npos) return true;
    return false;
  };
  CHECK(said("a:*/router", "no disk"));
  CHECK(said("b:*/router", "3 lives in a row ended without handling an event"));
  CHECK(said("c:*/router", "no spec"));
  CHECK(said("d:*/router", "does not accept"));
  fails = false;
  publish(w, "a:x", 2);
  w.run();
  CHECK(b.got["x"] == std::vector{2});
}

TEST_CASE("when the router or the supervisor of the subscribers ends, both begin anew, and events go on") {
  testing::for_seeds(100, [](std::uint64_t seed) {
    book b;
    testing::world w{tree_of({subscriber_per<std::string>("orders:*", pages(b), [](page& p, const tick& t) { p.write(t); })}),
                     {.seed = seed}};
    w.start();
    for (int i = 0; i < 4; ++i) publish(w, "orders:a", i);
    w.sim().step(w.sim().random() % 20);
    w.app().kill(seed % 2 == 0 ? "orders:*/router" : "orders:*/each").value();
    w.run();
    CHECK(running(w, "orders:*") <= 1);
    for (int i = 4; i < 8; ++i) publish(w, "orders:a", i);
    w.run();
    REQUIRE(b.got["a"].size() >= 4);
    CHECK(std::is_sorted(b.got["a"].begin(), b.got["a"].end()));
    CHECK(std::vector<int>(b.got["a"].end() - 4, b.got["a"].end()) == std::vector{4, 5, 6, 7});
    CHECK(b.alive["a"] == 1);
    w.stop();
    CHECK(b.alive["a"] == 0);
  });
}

TEST_CASE("what is wrong with a subscriber_per is said before anything starts") {
  const auto f = [](const tick&) {};
  CHECK(fault_of(subscriber_per<int>("a:*", f)) == "fine");
  CHECK(fault_of(subscriber_per<int>("a:b", f)).find("has no key") != std::string::npos);
  CHECK(fault_of(subscriber_per<int>("a:**", f, {.segment = 2})).find("wanted: 1 to 1") != std::string::npos);
  CHECK(fault_of(subscriber_per<int>("a::*", f)).find("empty segment") != std::string::npos);
  CHECK(fault_of(subscriber_per<int>("a:*", f, {.idle = 0ms})).find("idle time of 0 ms") != std::string::npos);
  CHECK(fault_of(subscriber_per<int>("a:*", f, {.max = 0})) == "a:* has max 0; wanted: 1 up");
  CHECK(fault_of(subscriber_per<int>("a:*", f, {.max_waiting = 0})) == "a:* has max_waiting 0; wanted: 1 up");
}

TEST_CASE("on real threads: several publishers, subscribers that come and go") {
  struct shared_book {
    std::mutex mutex;
    std::map<int, std::vector<int>> got;
  } b;
  std::atomic<int> count{0};
  constexpr int publishers = 3, events = 3000, keys = 5;
  {
    application app{tree_of({subscriber_per<int>(
                        "orders:*", [](const int& key) { return tick{key}; },
                        [&](tick& own, const tick& t) {
                          const std::lock_guard lock{b.mutex};
                          b.got[own.number * 10 + t.publisher].push_back(t.number);
                          ++count;
                        },
                        {.idle = 1ms})}),
                    {.sinks = {[](const report&) {}}}};
    app.start();
    std::vector<std::jthread> threads;
    for (int p = 0; p < publishers; ++p)
      threads.emplace_back([&app, p] {
        const bus to{app};
        for (int i = 0; i < events; ++i) {
          to.broadcast("orders:" + std::to_string(i % keys), tick{i, p}).value();
          if (i % 100 == 0) std::this_thread::yield();
        }
      });
    threads.clear();
    while (count.load() < publishers * events) std::this_thread::yield();
  }
  for (const auto& [who, numbers] : b.got) CHECK(std::is_sorted(numbers.begin(), numbers.end()));
  CHECK(count == publishers * events);
}
