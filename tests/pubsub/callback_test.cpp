// Plain functions as subscribers.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <doctest/doctest.h>

#include <herald/callback.hpp>
#include <herald/testing.hpp>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;
using namespace std::chrono_literals;

namespace {

supervisor empty() { return {.name = "root"}; }

void publish(testing::world& w, int number, std::string_view topic = "t") {
  bus{w.app()}.broadcast(topic, tick{number}).value();
  w.run();
}

/// Somebody else's loop: it runs what it was given when it is told to.
struct loop {
  std::deque<callback_executor::work> queue;
  callback_executor post() {
    return [this](callback_executor::work w) { queue.push_back(std::move(w)); };
  }
  void turn(testing::world& w) {
    auto work = std::move(queue.front());
    queue.pop_front();
    work();
    w.run();
  }
};

/// One on a thread.
class loop_thread {
 public:
  loop_thread() : thread_{[this](const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    while (more_.wait(lock, stop, [this] { return !queue_.empty(); })) {
      auto work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
      work = nullptr;
      lock.lock();
    }
  }} {}
  callback_executor post() {
    return [this](callback_executor::work w) {
      const std::lock_guard lock{mutex_};
      queue_.push_back(std::move(w));
      more_.notify_one();
    };
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any more_;
  std::deque<callback_executor::work> queue_;
  std::jthread thread_;
};

std::size_t told(testing::world& w, std::string_view words) {
  std::size_t n = 0;
  for (const auto& r : w.reports()) n += r.text.find(words) != std::string::npos ? 1 : 0;
  return n;
}

}  // namespace

TEST_CASE("B9: a callback on Herald's threads gets the events until its handle ends") {
  testing::for_seeds(50, [](std::uint64_t seed) {
    testing::world w{empty(), {.seed = seed}};
    w.start();
    std::vector<int> got;
    std::vector<std::string> topics;
    {
      auto all = bus{w.app()}.subscribe("a:*", spread, [&](const tick& t, const callback_source& from) {
        got.push_back(t.number);
        topics.emplace_back(from.topic);
      }).value();
      CHECK(all);
      for (int i = 0; i < 5; ++i) publish(w, i, "a:b");
      CHECK(bus{w.app()}.subscribers("a:b").value().size() == 1);
      bus{w.app()}.broadcast("a:c", tick{5}).value();
    }
    const auto before = got.size();
    CHECK(bus{w.app()}.patterns() == 0);
    publish(w, 6, "a:b");
    CHECK(got.size() == before);
    CHECK(got.size() >= 5);
    CHECK(topics.front() == "a:b");
    CHECK(w.app().root().count_children().value().specs == 0);
  });
}

TEST_CASE("B9: a callback on somebody else's loop is called one event at a time, in order, and nothing else is") {
  testing::world w{empty()};
  w.start();
  loop l;
  std::vector<int> got;
  auto sub = bus{w.app()}.subscribe("t", l.post(), [&](const tick& t) { got.push_back(t.number); }).value();
  for (int i = 0; i < 5; ++i) publish(w, i);
  CHECK(got.empty());
  for (int i = 0; i < 5; ++i) {
    REQUIRE(l.queue.size() == 1);
    l.turn(w);
    CHECK(got == up_to(i + 1));
  }
  CHECK(l.queue.empty());
  publish(w, 5);
  sub.end();
  CHECK_FALSE(sub);
  w.run();
  while (!l.queue.empty()) l.turn(w);
  CHECK(got == up_to(5));
}

TEST_CASE("what waits for a slow callback is bounded by the subscription's policy, and it is told what it missed") {
  testing::world w{empty()};
  w.start();
  loop l;
  std::vector<int> got;
  std::uint64_t missed = 0;
  auto sub = bus{w.app()}.subscribe("t", l.post(),
                                    [&](const tick& t, const callback_source& from) {
                                      got.push_back(t.number);
                                      missed += from.missed;
                                    },
                                    {.when_slow = policy::drop_oldest(2)}).value();
  for (int i = 0; i < 10; ++i) publish(w, i);
  while (!l.queue.empty()) l.turn(w);
  CHECK(got == std::vector{0, 8, 9});
  CHECK(missed == 7);
}

TEST_CASE("a filter, what a topic keeps, and a named bus hold for callbacks too") {
  testing::world w{empty()};
  w.start();
  const bus other{w.app(), "other"};
  other.topic("t", topic_options{.history = 5}).value().broadcast(tick{4}, retain);
  std::vector<int> got;
  auto sub = other.subscribe("t", together, [&](const tick& t) { got.push_back(t.number); },
                             {.filter = [](const tick& t) { return t.number % 2 == 0; }}).value();
  w.run();
  publish(w, 2);
  for (int i = 5; i < 8; ++i) other.broadcast("t", tick{i}).value();
  w.run();
  CHECK(got == std::vector{4, 6});
}

TEST_CASE("a callback that throws is reported, and the next event comes") {
  testing::world w{empty()};
  w.start();
  loop l;
  int calls = 0;
  const auto bad = [&](const tick&) {
    ++calls;
    throw std::runtime_error{"no window"};
  };
  auto here = bus{w.app()}.subscribe("t", spread, bad).value();
  auto there = bus{w.app()}.subscribe("t", l.post(), bad).value();
  for (int i = 0; i < 4; ++i) {
    publish(w, i);
    l.turn(w);
  }
  CHECK(calls == 8);
  CHECK(told(w, "no window") == 6);  // the 1st, 2nd and 4th of each
  CHECK(w.count(report::crashed) == 0);
}

TEST_CASE("work that an executor destroys, or does not take, is reported as lost, and the next comes") {
  testing::world w{empty()};
  w.start();
  std::vector<int> got;
  const auto note = [&](const tick& t) { got.push_back(t.number); };
  auto gone = bus{w.app()}.subscribe("t", [](const callback_executor::work&) {}, note).value();
  auto full = bus{w.app()}.subscribe("t", [](const callback_executor::work&) { throw std::runtime_error{"full"}; }, note).value();
  publish(w, 0);
  publish(w, 1);
  CHECK(got.empty());
  CHECK(told(w, "an executor that threw: ") == 2);
  CHECK(told(w, "a callback for \"t\" failed") == 4);
}

TEST_CASE("a callback may end its own subscription, and publish") {
  testing::for_seeds(20, [](std::uint64_t seed) {
    testing::world w{empty(), {.seed = seed}};
    w.start();
    std::vector<int> got;
    int depth = 0;
    callback_subscription sub;
    const bus to{w.app()};
    sub = to.subscribe("t", spread, [&](const tick& t) {
      CHECK(++depth == 1);  // publishing to oneself does not recurse
      got.push_back(t.number);
      to.broadcast("t", tick{t.number + 1}).value();
      if (t.number == 3) sub.end();
      --depth;
    }).value();
    publish(w, 0);
    CHECK(got == up_to(4));
    CHECK(w.app().root().count_children().value().specs == 0);
  });
}

TEST_CASE("what stands in the way of a callback is said by its own error, also when only its start finds it") {
  testing::world w{empty()};
  const bus b{w.app()};
  const auto note = [](const tick&) {};
  const auto early = b.subscribe("t", spread, note);
  REQUIRE(early.is(pubsub_errc::not_started));
  CHECK(early.error().message() == "no subscription to \"t\": the application does not run yet; wanted: after its start()");
  w.start();
  loop l;
  auto first = b.subscribe("t", spread, note, {.group = group_policy::round_robin("g")}).value();
  for (const auto& place : {callback_executor{spread}, l.post()}) {
    const auto other = b.subscribe("t", place, note, {.group = group_policy::least_loaded("g")});
    REQUIRE(other.is(pubsub_errc::bad_option));
    CHECK(other.error().message().starts_with("the subscription to \"t\" joins the group \"g\" with least_loaded"));
    CHECK(b.subscribe("t", place, [](const text&) {}, {.group = group_policy::round_robin("g")}).is(pubsub_errc::bad_option));
  }
  w.run();
  CHECK(w.app().root().count_children().value().specs == 1);
  CHECK(w.count(report::crashed) == 0);
}

namespace {

/// An executor whose copy for the process takes longer than the start may.
struct slow_to_copy {
  slow_to_copy() = default;
  slow_to_copy(const slow_to_copy&) {
    if (engine::on_runner()) simulation::stall(60s);
  }
  void operator()(const callback_executor::work&) const {}
};

}  // namespace

TEST_CASE("a callback whose process does not start in time is a timeout, and nothing is left of it") {
  testing::world w{empty()};
  w.start();
  const bus b{w.app()};
  CHECK(b.subscribe("t", slow_to_copy{}, [](const tick&) {}).is(pubsub_errc::timeout));
  w.advance(120s);
  CHECK(w.app().root().count_children().value().specs == 0);
  CHECK(b.subscribers("t").value().empty());
}

TEST_CASE("a callback is told where its event came from, and runs in its trace, on Herald's threads and on other loops") {
  seen log;
  testing::world w{{.name = "root", .children = {child<listener>("p", {.into = &log})}}};
  w.start();
  const bus b{w.app()};
  loop l;
  struct note {
    std::string topic, subscription, key;
    int metadata = 0;
    any_ref publisher;
    trace_context trace;
  };
  std::vector<note> here, there;
  const auto into = [](std::vector<note>& all) {
    return [&all](const tick&, const callback_source& from) {
      const auto* metadata = from.metadata != nullptr ? std::any_cast<int>(from.metadata) : nullptr;
      all.push_back({std::string{from.topic}, std::string{from.subscription}, std::string{from.key}, metadata != nullptr ? *metadata : 0,
                     from.publisher, trace_here()});
    };
  };
  auto one = b.subscribe("a:*", spread, into(here), {.key = "k", .metadata = 7}).value();
  auto two = b.subscribe("a:*", l.post(), into(there), {.key = "k", .metadata = 7}).value();
  auto bare = b.subscribe("a:b", l.post(), into(there)).value();
  const auto trace = trace_context::begin(1, 2, 3);
  const auto p = w.find<listener>("p");
  w.ask(p, run_inside{[&](context& self) {
    const trace_scope scope{trace};
    bus{self}.broadcast("a:b", tick{1}).value();
  }});
  w.run();
  const trace_scope of_the_loop{trace_context::begin(8, 8, 8)};
  while (!l.queue.empty()) l.turn(w);
  REQUIRE(here.size() == 1);
  REQUIRE(there.size() == 2);
  if (there[0].subscription == "a:b") std::swap(there[0], there[1]);
  for (const auto* n : {&here[0], &there[0]}) {
    CHECK(n->topic == "a:b");
    CHECK(n->subscription == "a:*");
    CHECK(n->key == "k");
    CHECK(n->metadata == 7);
    CHECK(n->publisher == any_ref{p});
    CHECK(n->trace.trace_id == trace.trace_id);
  }
  CHECK(there[1].subscription == "a:b");
  CHECK(there[1].key.empty());
  CHECK(there[1].metadata == 0);
  CHECK(there[1].trace.trace_id == trace.trace_id);
  CHECK(trace_here() == of_the_loop.trace());

  // Outside of a trace it runs in none, whatever the loop does.
  b.local_broadcast("a:c", tick{2}).value();  // in the loop's own scope
  w.run();
  while (!l.queue.empty()) l.turn(w);
  CHECK(there.back().trace.trace_id == of_the_loop.trace().trace_id);
  w.ask(p, run_inside{[](context& self) {
    const trace_scope none{{}};
    bus{self}.broadcast("a:c", tick{3}).value();
  }});
  w.run();
  while (!l.queue.empty()) l.turn(w);
  CHECK(there.size() == 4);
  CHECK_FALSE(there.back().trace);
}

TEST_CASE("a tap is a callback on Herald's threads, and refused on other loops, where its event would be gone") {
  testing::world w{empty()};
  w.start();
  loop l;
  std::vector<int> got;
  const auto look = [&](const tapped& t) { got.push_back(t.get_if<tick>()->number); };
  auto sub = bus{w.app()}.subscribe("**", spread, look).value();
  const auto refused = bus{w.app()}.subscribe("**", l.post(), look);
  REQUIRE(refused.is(pubsub_errc::bad_option));
  CHECK(refused.error().message().starts_with("the taps of \"**\" point into their events"));
  publish(w, 1);
  CHECK(got == std::vector{1});
}

TEST_CASE("B10: what cannot be subscribed is said, and a handle and its work may outlive the application") {
  loop l;
  std::vector<int> got;
  callback_subscription kept;
  const auto note = [&](const tick& t) { got.push_back(t.number); };
  {
    testing::world w{empty()};
    w.start();
    const bus b{w.app()};
    CHECK(b.subscribe("a::b", spread, note).is(pubsub_errc::bad_topic));
    CHECK(b.subscribe("t", spread, note, {.history = 0}).is(pubsub_errc::bad_option));
    CHECK(b.subscribe("t", spread, note, {.filter = [](const text&) { return true; }}).is(pubsub_errc::bad_option));
    kept = b.subscribe("t", l.post(), note).value();
    publish(w, 0);
    publish(w, 1);
    w.stop();
    CHECK(b.subscribe("t", spread, note).is(pubsub_errc::closed));
    CHECK(b.broadcast("t", tick{2}).is(pubsub_errc::closed));
  }
  REQUIRE(l.queue.size() == 1);
  l.queue.front()();
  l.queue.clear();
  CHECK(got == up_to(1));
  kept.end();
}

TEST_CASE("B9: inside a handler a process is told to subscribe itself") {
  seen log;
  bool refused = false;
  testing::world w{{.name = "root", .children = {child<listener>("p", {.into = &log, .init = [&](context& self) {
    refused = bus{self}.subscribe("t", spread, [](const tick&) {}).is(pubsub_errc::would_block);
  }})}}};
  w.start();
  CHECK(refused);
}

TEST_CASE("B9: on threads: publishers everywhere, callbacks on their own threads and loops; after the handle's end no call begins") {
  application app{empty(), {.sinks = {[](const report&) {}}}};
  app.start();
  const bus b{app};
  loop_thread outside;
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> own{0}, other{0};
    std::atomic<bool> over{false};
    std::latch some{2};
    const auto counting = [&](std::atomic<int>& n) {
      return [&](const tick&) {
        CHECK_FALSE(over.load());
        if (++n == 100) some.count_down();
      };
    };
    auto one = b.subscribe("t", own_thread, counting(own), {.when_slow = policy::drop_oldest(100)}).value();
    auto two = b.subscribe("t", outside.post(), counting(other), {.when_slow = policy::drop_oldest(100)}).value();
    std::atomic<bool> stop{false};
    std::jthread publisher{[&] {
      for (int i = 0; !stop; ++i) {
        b.broadcast("t", tick{i}).value();
        if (i % 16 == 0) std::this_thread::yield();
      }
    }};
    some.wait();
    one.end();
    two.end();
    over = true;
    stop = true;
  }
}
