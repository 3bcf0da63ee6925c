// P7: dispatchers decide what each subscription gets.

#include <atomic>
#include <map>
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
