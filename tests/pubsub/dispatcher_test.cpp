// P7: dispatchers decide what each subscription gets.

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>

#include <doctest/doctest.h>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;

namespace {

struct asked {
  std::vector<std::string> entries;
  std::set<const void*> encoded;
  int calls = 0;
  int encodings = 0;
};

}  // namespace

TEST_CASE("P7: a dispatcher is called with both entries of a process and their metadata, once on its host") {
  world w{1};
  inside(w.p(0), [](context& self) {
    subscribe<tick>(self, "t");
    subscribe<tick>(self, "t", {.key = "k", .metadata = std::string{"fast"}});
    subscribe<tick>(self, "*");
  });
  asked got;
  const dispatcher by{[&](dispatch_call& call) {
    ++got.calls;
    CHECK(call.topic() == "t");
    CHECK(call.event<tick>()->number == 7);
    CHECK(call.event<text>() == nullptr);
    for (const auto& e : call.entries()) {
      got.entries.push_back(std::string{e.topic} + "/" + e.key + "/" +
                            (e.metadata.has_value() ? std::any_cast<std::string>(e.metadata) : "-") + "/" +
                            (e.who == any_ref{w.p(0)} ? "p0" : "?"));
    }
    call.deliver(call.entries()[1]);
  }};
  CHECK(broadcast(bus{w.app}, "t", tick{7}, by));
  w.sim.run();
  CHECK(got.calls == 1);
  CHECK(got.entries == std::vector<std::string>{"t//-/p0", "t/k/fast/p0", "*//-/p0"});
  CHECK(w.logs[0].numbers == std::vector{7});
  CHECK(w.logs[0].keys == std::vector<std::string>{"k"});
}

TEST_CASE("P7: skipping `from` is the dispatcher's duty") {
  world w{2, 1, [](context& self) { subscribe<tick>(self, "t"); }};
  const dispatcher all{[](dispatch_call& call) {
    for (const auto& e : call.entries()) call.deliver(e);
  }};
  const dispatcher others{[](dispatch_call& call) {
    for (const auto& e : call.entries())
      if (!(e.who == call.from())) call.deliver(e);
  }};
  CHECK(broadcast_from(bus{w.app}, w.p(0), "t", tick{1}, all));
  CHECK(broadcast_from(bus{w.app}, w.p(0), "t", tick{2}, others));
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{1});
  CHECK(w.logs[1].numbers == std::vector{1, 2});
}

TEST_CASE("P7: what a dispatcher encodes is encoded once over all hosts, and sent as another message") {
  world w{9, 3, [](context& self) { subscribe<tick>(self, "t"); }};
  asked got;
  const dispatcher fastlane{[&](dispatch_call& call) {
    ++got.calls;
    const auto bytes = call.encoded<std::string>([&] {
      ++got.encodings;
      return "number " + std::to_string(call.event<tick>()->number);
    });
    got.encoded.insert(bytes.get());
    for (const auto& e : call.entries()) call.send(e, text{*bytes});
  }};
  CHECK(broadcast(bus{w.app}, "t", tick{5}, fastlane));
  w.sim.run();
  CHECK(got.calls == 3);
  CHECK(got.encodings == 1);
  CHECK(got.encoded.size() == 1);
  for (const auto& log : w.logs) {
    CHECK(log.numbers.empty());
    CHECK(log.words == std::vector<std::string>{"number 5"});
  }
  // Another event is another encoding.
  CHECK(broadcast(bus{w.app}, "t", tick{6}, fastlane));
  w.sim.run();
  CHECK(got.encodings == 2);
}

namespace {
struct as_json;
struct as_words;
}  // namespace

TEST_CASE("P7: two encodings of one type are kept apart by their tags") {
  world w{6, 3, [](context& self) { subscribe<tick>(self, "t"); }};
  asked got;
  const dispatcher two{[&](dispatch_call& call) {
    const auto make = [&](std::string what) {
      ++got.encodings;
      return what;
    };
    const auto json = call.encoded<std::string, as_json>([&] { return make("{5}"); });
    const auto words = call.encoded<std::string, as_words>([&] { return make("five"); });
    const auto plain = call.encoded<std::string>([&] { return make("5"); });
    for (const auto& e : call.entries()) call.send(e, text{*json + *words + *plain});
  }};
  CHECK(broadcast(bus{w.app}, "t", tick{5}, two));
  w.sim.run();
  CHECK(got.encodings == 3);
  for (const auto& log : w.logs) CHECK(log.words == std::vector<std::string>{"{5}five5"});
}

TEST_CASE("P7: a dispatcher that throws is reported, and neither the publisher nor a process ends") {
  world w{4, 1, [](context& self) { subscribe<tick>(self, "t"); }};
  const dispatcher bad{[](dispatch_call& call) {
    call.deliver(call.entries()[0]);
    throw std::runtime_error{"out of paper"};
  }};
  inside(w.p(3), [&](context& self) { CHECK(broadcast(bus{self}, "t", tick{1}, bad)); });
  w.publish(2);
  w.sim.run();
  std::size_t got = 0;
  for (const auto& log : w.logs) {
    got += log.numbers.size();
    CHECK(log.inits == 1);
    CHECK(log.numbers.back() == 2);
  }
  CHECK(got == 4 + 3);  // of each host the first, and then everybody
  int told = 0;
  for (const auto& r : w.reports)
    if (r.text.find("a dispatcher of the topic \"t\" threw: out of paper") != std::string::npos) ++told;
  CHECK(told == 3);
}

TEST_CASE("P7: order with other events, bad names, nobody there, a closed bus") {
  world w{2, 5, [](context& self) { subscribe<tick>(self, "t"); }};
  const dispatcher all{[](dispatch_call& call) {
    for (const auto& e : call.entries()) call.deliver(e);
  }};
  const bus b{w.app};
  for (int i = 0; i < 20; ++i) CHECK((i % 2 == 0 ? broadcast(b, "t", tick{i}, all) : b.broadcast("t", tick{i})));
  w.sim.run();
  for (const auto& log : w.logs) CHECK(log.numbers == up_to(20));
  CHECK(broadcast(b, "nobody", tick{1}, all));
  CHECK(broadcast(b, "a::b", tick{1}, all).is(pubsub_errc::bad_topic));
  CHECK(broadcast(b, "a:*", tick{1}, all).is(pubsub_errc::bad_topic));
  CHECK(broadcast(b, "t", text{"other type"}, all));
  w.sim.run();
  CHECK(b.mismatched() == 2);
  w.app.stop();
  CHECK(broadcast(b, "t", tick{1}, all).is(pubsub_errc::closed));
}

namespace {

/// A bus whose own dispatcher doubles what it is asked about.
struct doubling {
  explicit doubling(std::size_t count, bus_options options = {}) : logs(count) {
    options.dispatcher = twice;
    auto tree = crowd(logs);
    tree.children.insert(tree.children.begin(), pubsub("", std::move(options)));
    app.emplace(std::move(tree), simulated(sim));
    app->start();
  }
  const dispatcher twice{"twice", [this](dispatch_call& call) {
    ++asked_for;
    for (const auto& e : call.entries())
      if (!(e.who == call.from())) call.deliver(e), call.deliver(e);
  }};
  [[nodiscard]] ref<listener> p(std::size_t i) const { return app->find<listener>("p" + std::to_string(i)); }
  int asked_for = 0;
  simulation sim{1};
  std::vector<seen> logs;
  std::optional<application> app;
};

}  // namespace

TEST_CASE("P7: a bus's own dispatcher is asked about everything that names none, by name and by handle") {
  doubling d{2};
  const bus b{*d.app};
  const auto t = b.topic("t").value();
  for (std::size_t i = 0; i < 2; ++i) inside(d.p(i), [](context& self) { subscribe<tick>(self, "t"); });
  CHECK(b.broadcast("t", tick{0}));
  CHECK(t.broadcast(tick{1}));
  CHECK(b.local_broadcast("t", tick{2}));
  CHECK(t.local_broadcast(tick{3}));
  CHECK(b.broadcast_from(d.p(1), "t", tick{4}));
  CHECK(t.local_broadcast_from(d.p(1), tick{5}));
  CHECK(b.direct_broadcast("local", "t", tick{6}));
  CHECK(b.broadcast_made("t", [] { return engine::make_published(tick{7}); }));
  inside(d.p(0), [](context& self) { CHECK(bus{self}.broadcast("t", tick{8})); });
  d.sim.run();
  CHECK(d.logs[0].numbers == std::vector{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8});
  CHECK(d.logs[1].numbers == std::vector{0, 0, 1, 1, 2, 2, 3, 3, 6, 6, 7, 7, 8, 8});
  CHECK(d.logs[0].from.back() == any_ref{d.p(0)});
  // One that is named goes before it, and what the topic keeps the bus hands out itself.
  const dispatcher once{[](dispatch_call& call) {
    for (const auto& e : call.entries()) call.deliver(e);
  }};
  d.logs[0].numbers.clear();
  CHECK(t.broadcast(tick{9}, once));
  CHECK(b.broadcast("t", tick{10}, retain));
  CHECK(t.broadcast(tick{11}, retain));
  const auto kept = b.topic("kept", {.history = 3}).value();
  CHECK(kept.broadcast(tick{12}));
  CHECK(b.broadcast("kept", tick{13}));
  CHECK(b.local_broadcast("kept", tick{14}));
  CHECK(kept.retained() == 3);
  d.sim.run();
  CHECK(d.logs[0].numbers == std::vector{9, 10, 11});
  CHECK(t.retained() == 1);
  // Who asks whether it is wanted is told the truth.
  CHECK_FALSE(b.topic("nobody").value().wanted());
  CHECK(t.wanted());
  CHECK(b.broadcast("a:*", tick{1}).is(pubsub_errc::bad_topic));
  d.app->stop();
  CHECK(b.broadcast("t", tick{1}).is(pubsub_errc::closed));
  CHECK_FALSE(t.broadcast(tick{1}));
}

TEST_CASE("P7: a bus's own dispatcher crosses by its name, and must have one where it does") {
  const auto net = std::make_shared<loopback>();
  doubling one{1, {.adapter = net->adapter("one")}};
  doubling other{1, {.adapter = net->adapter("other")}};
  for (auto* d : {&one, &other}) inside(d->p(0), [](context& self) { subscribe<tick>(self, "t"); });
  CHECK(bus{*one.app}.broadcast("t", tick{1}));
  CHECK(bus{*one.app}.local_broadcast("t", tick{2}));
  CHECK(bus{*one.app}.direct_broadcast("other", "t", tick{3}));
  one.sim.run();
  other.sim.run();
  CHECK(one.logs[0].numbers == std::vector{1, 1, 2, 2});
  CHECK(other.logs[0].numbers == std::vector{1, 1, 3, 3});

  const dispatcher nameless{[](dispatch_call&) {}};
  const dispatcher named{"x", [](dispatch_call&) {}};
  CHECK(check_options(bus_options{.dispatcher = nameless}));
  const auto lacks = check_options(bus_options{.adapter = net->adapter("n"), .dispatcher = nameless});
  REQUIRE(lacks.is(pubsub_errc::bad_option));
  CHECK(lacks.error().message().starts_with("bus_options.dispatcher has no name"));
  CHECK(check_options(bus_options{.dispatchers = {named}, .dispatcher = named}).is(pubsub_errc::bad_option));
}
