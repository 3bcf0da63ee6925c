// What crosses an adapter beside the payload, and what it means on the other side: see adapter.hpp.

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "nodes_fixture.hpp"

using namespace herald;
using namespace pubsub_test;

namespace {

/// Gives every subscription the event, and a copy in words where its metadata asks for one.
dispatcher fastlane(std::vector<any_ref>* from = nullptr, std::string mark = "number ") {
  return {"fastlane", [from, mark = std::move(mark)](dispatch_call& call) {
            if (from != nullptr) from->push_back(call.from());
            for (const auto& e : call.entries()) {
              if (e.who == call.from()) continue;
              if (e.metadata.has_value()) {
                call.send(e, text{mark + std::to_string(call.event<tick>()->number)});
              } else {
                call.deliver(e);
              }
            }
          }};
}

struct two_with_fastlane {
  std::vector<any_ref> from_one, from_other;
  std::shared_ptr<loopback> net = std::make_shared<loopback>();
  node one{2, {.adapter = net->adapter("one"), .dispatchers = {fastlane(&from_one)}}};
  node other{2, {.adapter = net->adapter("other"), .dispatchers = {fastlane(&from_other, "there ")}}};
  two_with_fastlane() {
    one.wants(0, "t");
    one.wants(1, "t");
    other.wants(0, "t");
    inside(other.p(1), [](context& self) { subscribe<tick>(self, "t", {.metadata = 1}); });
  }
  void run() {
    one.sim.run();
    other.sim.run();
  }
};

}  // namespace

TEST_CASE("P5: across a loop-back broadcast_from leaves out its publisher's process and nobody else") {
  two w;
  for (std::size_t i : {0U, 1U}) {
    w.one.wants(i, "t");
    w.other.wants(i, "t");
  }
  CHECK(w.one.b().broadcast_from(w.one.p(0), "t", tick{1}));
  CHECK(w.one.b().topic("t").value().broadcast_from(w.one.p(0), tick{2}));
  inside(w.one.p(1), [&](context& self) { CHECK(bus{self}.broadcast_from(w.one.p(1), "t", tick{3})); });
  CHECK(w.one.b().local_broadcast_from(w.one.p(0), "t", tick{4}));
  w.run();
  CHECK(w.one.logs[0].numbers == std::vector{3});
  CHECK(w.one.logs[1].numbers == std::vector{1, 2, 4});
  CHECK(w.other.logs[0].numbers == std::vector{1, 2, 3});
  CHECK(w.other.logs[1].numbers == std::vector{1, 2, 3});
  // Who published is known on the own node only.
  CHECK(w.one.logs[0].from == std::vector{any_ref{w.one.p(1)}});
  CHECK(w.other.logs[0].from == std::vector<any_ref>(3));
}

TEST_CASE("B1: what one node retains every node retains, and clearing it clears it everywhere") {
  two w;
  CHECK(w.one.b().broadcast("t", tick{1}, retain));
  CHECK(w.one.b().broadcast("t", tick{2}, retain));
  CHECK(w.one.b().topic("handle").value().broadcast(tick{3}, retain));
  w.one.wants(0, "t");
  w.other.wants(0, "t");
  w.other.wants(1, "*");
  w.run();
  CHECK(w.one.logs[0].numbers == std::vector{2});
  CHECK(w.other.logs[0].numbers == std::vector{2});
  CHECK(w.other.logs[1].numbers.size() == 2);
  // Live ones follow it, none twice.
  CHECK(w.other.b().broadcast("t", tick{4}, retain));
  w.run();
  CHECK(w.one.logs[0].numbers == std::vector{2, 4});
  CHECK(w.other.logs[0].numbers == std::vector{2, 4});
  CHECK(w.one.b().topic("t").value().retained() == 1);

  CHECK(w.other.b().clear("t"));
  CHECK(w.one.b().topic("t").value().retained() == 0);
  CHECK(w.other.b().topic("t").value().retained() == 0);
  CHECK(w.one.b().topic("handle").value().clear());
  CHECK(w.other.b().topic("handle").value().retained() == 0);
  w.one.wants(1, "t");
  w.run();
  CHECK(w.one.logs[1].numbers.empty());
}

TEST_CASE("B1: a direct broadcast and a local one are kept nowhere else, and a topic that keeps all keeps what comes from elsewhere") {
  two w;
  const auto history = w.other.b().topic("h", {.history = 2}).value();
  for (int i = 0; i < 3; ++i) CHECK(w.one.b().broadcast("h", tick{i}));
  CHECK(history.retained() == 2);
  CHECK(w.one.b().topic("h").value().retained() == 0);
  w.other.wants(0, "h");
  w.run();
  CHECK(w.other.logs[0].numbers == std::vector{1, 2});
}

TEST_CASE("P7: across a loop-back each node's own dispatcher of the name is asked, and `from` is known to the publisher's only") {
  two_with_fastlane w;
  const auto own = fastlane(&w.from_one);
  CHECK(broadcast(w.one.b(), "t", tick{1}, own));
  CHECK(broadcast_from(w.one.b(), w.one.p(0), "t", tick{2}, own));
  CHECK(local_broadcast(w.one.b(), "t", tick{3}, own));
  CHECK(local_broadcast_from(w.one.b(), w.one.p(1), "t", tick{4}, own));
  CHECK(direct_broadcast(w.one.b(), "other", "t", tick{5}, own));
  CHECK(direct_broadcast(w.one.b(), "one", "t", tick{6}, own));
  w.run();
  CHECK(w.one.logs[0].numbers == std::vector{1, 3, 4, 6});
  CHECK(w.one.logs[1].numbers == std::vector{1, 2, 3, 6});
  CHECK(w.other.logs[0].numbers == std::vector{1, 2, 5});
  CHECK(w.other.logs[1].words == std::vector<std::string>{"there 1", "there 2", "there 5"});
  for (const auto& from : w.from_other) CHECK_FALSE(from);
}

TEST_CASE("P7, B1: what goes by way of a dispatcher and is retained is retained on every node") {
  two_with_fastlane w;
  CHECK(broadcast(w.one.b(), "t", tick{1}, fastlane(&w.from_one), retain));
  w.run();
  CHECK(w.one.b().topic("t").value().retained() == 1);
  CHECK(w.other.b().topic("t").value().retained() == 1);
  w.other.wants(0, "*");
  w.run();
  CHECK(w.other.logs[0].numbers == std::vector{1, 1});
}

TEST_CASE("P7: a dispatcher without a name does not leave the program, and says so") {
  two_with_fastlane w;
  const dispatcher nameless{[](dispatch_call& call) {
    for (const auto& e : call.entries()) call.deliver(e);
  }};
  const auto refused = broadcast(w.one.b(), "t", tick{1}, nameless);
  REQUIRE(refused.is(pubsub_errc::bad_option));
  CHECK(refused.error().message() ==
        "nothing was published to \"t\": the dispatcher has no name, by which other nodes would find theirs; wanted: a named one, "
        "or local_broadcast");
  CHECK(direct_broadcast(w.one.b(), "other", "t", tick{2}, nameless).is(pubsub_errc::bad_option));
  CHECK(direct_broadcast(w.one.b(), "nowhere", "t", tick{2}, fastlane()).is(pubsub_errc::unknown_node));
  CHECK(local_broadcast(w.one.b(), "t", tick{3}, nameless));
  CHECK(direct_broadcast(w.one.b(), "one", "t", tick{4}, nameless));
  w.run();
  CHECK(w.one.logs[0].numbers == std::vector{3, 4});
  CHECK(w.other.logs[0].numbers.empty());
}

TEST_CASE("P7: an event for a dispatcher that the other node has not is not delivered there, and reported once") {
  two_with_fastlane w;
  const dispatcher stranger{"stranger", [](dispatch_call& call) {
                              for (const auto& e : call.entries()) call.deliver(e);
                            }};
  CHECK(broadcast(w.one.b(), "t", tick{1}, stranger));
  CHECK(broadcast(w.one.b(), "t", tick{2}, stranger));
  const auto direct = direct_broadcast(w.one.b(), "other", "t", tick{3}, stranger);
  REQUIRE(direct.is(pubsub_errc::unknown_dispatcher));
  CHECK(direct.error().message() ==
        "an event of another node was not delivered to \"t\": it wants the dispatcher \"stranger\"; wanted: one of this name in "
        "bus_options.dispatchers");
  w.run();
  CHECK(w.one.logs[0].numbers == std::vector{1, 2});
  CHECK(w.other.logs[0].numbers.empty());
  CHECK(std::count_if(w.other.reports.begin(), w.other.reports.end(), [](const report& r) {
          return r.text.find("it wants the dispatcher \"stranger\"") != std::string::npos;
        }) == 1);
}
