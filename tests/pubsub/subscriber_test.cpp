// Subscribers as child specs.

#include <stdexcept>

#include <doctest/doctest.h>

#include <herald/coroutine.hpp>
#include <herald/testing.hpp>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;
using namespace std::chrono_literals;

namespace {

inline constexpr typed_topic<tick> ticks{"ticks"};

struct sums {
  int start = 0;
  int sum = 0;
};

supervisor tree_of(std::vector<child_spec> children) {
  return {.name = "root", .intensity = {1000, 5s}, .children = std::move(children)};
}

std::string fault_of(const child_spec& spec) {
  const auto said = check_spec(supervisor{.name = "root", .children = {spec}});
  if (said) return "fine";
  const auto& f = said.error().fields().front();
  return f.field + " " + f.message;
}

void publish(testing::world& w, std::string_view topic, int number) {
  bus{w.app()}.broadcast(topic, tick{number}).value();
  w.run();
}

}  // namespace

TEST_CASE("a subscriber is a child in one line, under the name of its topic") {
  std::vector<int> got, with_context;
  std::vector<std::string> topics;
  testing::world w{tree_of({subscriber("orders:created", [&](const tick& t) { got.push_back(t.number); }),
                            subscriber("orders:*", [&](context& self, const tick& t) {
                              with_context.push_back(t.number);
                              topics.emplace_back(topic_of(self).topic);
                            })})};
  w.start();
  publish(w, "orders:created", 1);
  publish(w, "orders:paid", 2);
  CHECK(got == std::vector{1});
  CHECK(with_context == std::vector{1, 2});
  CHECK(topics == std::vector<std::string>{"orders:created", "orders:paid"});
  CHECK(w.app().tree().at(0).path == "orders:created");
  CHECK(bus{w.app()}.subscribers("orders:created").value().size() == 2);
}

TEST_CASE("the state is made anew for each incarnation: a default, a value, a function's") {
  std::vector<int> defaults, copies, made;
  int calls = 0;
  const auto add = [](std::vector<int>& into) {
    return [&into](sums& s, const tick& t) {
      s.sum += t.number;
      into.push_back(s.start + s.sum);
      if (t.publisher == 1) throw std::runtime_error{"told to"};
    };
  };
  testing::world w{tree_of({subscriber("t", add(defaults), {.name = "a"}), subscriber("t", sums{.start = 100}, add(copies), {.name = "b"}),
                            subscriber(
                                "t", [&](context& self) { return sums{.start = 1000 * (static_cast<int>(self.incarnation()) + ++calls * 10)}; },
                                add(made), {.name = "c"})})};
  w.start();
  publish(w, "t", 1);
  publish(w, "t", 2);
  bus{w.app()}.broadcast("t", tick{.number = 3, .publisher = 1}).value();
  w.run();
  publish(w, "t", 4);
  CHECK(defaults == std::vector{1, 3, 6, 4});
  CHECK(copies == std::vector{101, 103, 106, 104});
  CHECK(made == std::vector{11001, 11003, 11006, 22004});
  CHECK(w.count(report::restarted) == 3);
}

TEST_CASE("what a function captures by value is each incarnation's own") {
  std::vector<int> got;
  testing::world w{tree_of({subscriber("t", [&got, n = 0](const tick& t) mutable {
    got.push_back(++n);
    if (t.number == 0) throw std::runtime_error{"told to"};
  })})};
  w.start();
  for (const int number : {1, 2, 0, 1}) publish(w, "t", number);
  CHECK(got == std::vector{1, 2, 3, 1});
}

TEST_CASE("several topics: an event that matches more than one comes once, unless both are wanted") {
  std::vector<int> once, twice;
  const auto into = [](std::vector<int>& v) { return [&v](const tick& t) { v.push_back(t.number); }; };
  testing::world w{tree_of({subscriber({"a:*", "*:b"}, into(once)), subscriber({"a:*", "*:b"}, into(twice), {.name = "both", .once = false})})};
  w.start();
  CHECK(w.app().tree().at(0).path == "a:*+*:b");
  publish(w, "a:b", 1);
  publish(w, "a:c", 2);
  publish(w, "c:b", 3);
  publish(w, "c:c", 4);
  CHECK(once == std::vector{1, 2, 3});
  CHECK(twice == std::vector{1, 1, 2, 3});
}

TEST_CASE("typed topics, named buses, and functions that wait inside") {
  std::vector<int> typed, elsewhere, waited;
  testing::world w{tree_of({subscriber(ticks / "eu", [&](const tick& t) { typed.push_back(t.number); }),
                            subscriber(ticks / any_rest, sums{}, [&](sums& s, const tick& t) { typed.push_back(100 * ++s.sum + t.number); }),
                            subscriber("t", [&](const tick& t) { elsewhere.push_back(t.number); }, {.bus = "other"}),
                            subscriber("slow",
                                       [&](context& self, const tick& t) -> coroutine<> {
                                         static_cast<void>(co_await self.sleep(1s));
                                         waited.push_back(t.number);
                                       })})};
  w.start();
  broadcast(bus{w.app()}, ticks / "eu", {1}).value();
  publish(w, "t", 2);
  bus{w.app(), "other"}.broadcast("t", tick{3}).value();
  publish(w, "slow", 4);
  publish(w, "slow", 5);
  CHECK(waited.empty());
  w.advance(1s);
  CHECK(waited == std::vector{4});
  w.advance(1s);
  CHECK(waited == std::vector{4, 5});
  CHECK(elsewhere == std::vector{3});
  CHECK(typed.size() == 2);
}

TEST_CASE("the subscription's options are the subscriber's: filter, policy, group, key and what the topic keeps") {
  testing::for_seeds(20, [](std::uint64_t seed) {
    std::vector<int> large, last, kept, shared;
    std::uint64_t missed = 0;
    const auto member = [&](const tick& t) { shared.push_back(t.number); };
    const subscriber_options in_group{.group = group_policy::round_robin("workers")};
    auto first = in_group, second = in_group;
    first.name = "one", second.name = "two";
    testing::world w{tree_of({subscriber("t", [&](const tick& t) { large.push_back(t.number); },
                                         {.name = "large", .filter = [](const tick& t) { return t.number >= 8; }}),
                              subscriber("t",
                                         [&](context& self, const tick& t) -> coroutine<> {
                                           missed += missed_of(self);
                                           static_cast<void>(co_await self.sleep(1s));
                                           last.push_back(t.number);
                                         },
                                         {.name = "last", .when_slow = policy::drop_oldest(1)}),
                              subscriber("kept", [&](const tick& t) { kept.push_back(t.number); }, {.history = 2, .placement = spread}),
                              subscriber("t", member, first), subscriber("t", member, second)}),
                     {.seed = seed}};
    w.start();
    for (int i = 0; i < 10; ++i) publish(w, "t", i);
    CHECK(large == std::vector{8, 9});
    CHECK(shared == up_to(10));
    w.advance(10s);
    CHECK(last == std::vector{0, 9});
    CHECK(missed == 8);
    const auto keeps = bus{w.app()}.topic("kept", topic_options{.history = 3}).value();
    for (int i = 0; i < 4; ++i) keeps.broadcast(tick{i});
    w.run();
    CHECK(kept == up_to(4));
    auto late = w.app().spawn(subscriber("kept", [&](const tick& t) { kept.push_back(100 + t.number); }, {.name = "late", .history = 2}));
    w.run();
    CHECK(kept == std::vector{0, 1, 2, 3, 102, 103});
  });
}

TEST_CASE("the child's options are the subscriber's") {
  const auto spec = subscriber("t", [](const tick&) {},
                               {.name = "n", .restart = transient, .shutdown = 3s, .mailbox = {.limit = 7}, .on_restart = drop,
                                .backoff = {1s, 2s}, .placement = own_thread, .start_timeout = 4s});
  CHECK(spec.id == "n");
  CHECK(spec.options == child_options{.restart = transient, .shutdown = 3s, .mailbox = {.limit = 7}, .on_restart = drop,
                                      .backoff = {1s, 2s}, .placement = own_thread, .start_timeout = 4s});
  CHECK(subscriber("a/b", [](const tick&) {}).id == "a%2Fb");
}

TEST_CASE("what is wrong with a subscriber is said before anything starts") {
  const auto f = [](const tick&) {};
  CHECK(fault_of(subscriber("t", f)) == "fine");
  CHECK(fault_of(subscriber("a::b", f)).find("cannot subscribe: the topic \"a::b\" has an empty segment") != std::string::npos);
  CHECK(fault_of(subscriber("**:b", f)).find("\"**\" only as the last one") != std::string::npos);
  CHECK(fault_of(subscriber(std::vector<std::string>{}, f, {.name = "x"})) == "x subscribes to no topic; wanted: 1 up");
  CHECK(fault_of(subscriber({"a", "a"}, f)) == "a+a subscribes to \"a\" twice; wanted: once");
  CHECK(fault_of(subscriber("t", f, {.filter = [](const text&) { return true; }})).find("has a filter for events of type") != std::string::npos);
  CHECK(fault_of(subscriber("t", f, {.when_slow = policy::drop_oldest(0)})).find("with a bound of 0") != std::string::npos);
  CHECK(fault_of(subscriber("t", f, {.history = 0})).find("history of 0") != std::string::npos);
  CHECK(fault_of(subscriber("t", f, {.mailbox = {.limit = 0}})) == "t has a mailbox limit of 0; wanted: 1 up");
  const auto doubles = check_spec(supervisor{.name = "root", .children = {subscriber("t", f), subscriber("t", f)}});
  REQUIRE_FALSE(doubles);
  CHECK(doubles.error().fields().front().message == "has two children with the id \"t\"; wanted: a different one for each");
  CHECK_THROWS_AS(application(tree_of({subscriber("a::b", f)})).start(), start_error);
}

TEST_CASE("no event is lost over a subscriber's restarts") {
  testing::for_seeds(100, [](std::uint64_t seed) {
    std::vector<int> got;
    testing::world w{tree_of({subscriber("t",
                                         [&](const tick& t) {
                                           got.push_back(t.number);
                                           if (t.number % 3 == 0) throw std::runtime_error{"unlucky"};
                                         },
                                         {.placement = spread})}),
                     {.seed = seed}};
    w.start();
    for (int i = 0; i < 12; ++i) {
      bus{w.app()}.broadcast("t", tick{i}).value();
      w.sim().step(seed % 5);
    }
    w.run();
    CHECK(got == up_to(12));
  });
}
