// Presence, as Phoenix.Tracker's and Phoenix.Presence's own tests describe it, on one node.

#include <algorithm>

#include <doctest/doctest.h>

#include <herald/testing.hpp>

#include "presence_fixture.hpp"

using namespace herald;
using namespace presence_test;
using namespace std::chrono_literals;

namespace {
using names = std::vector<std::string>;
}

TEST_CASE("Presence: who tracks is listed, with key, meta, process and a ref of its own") {
  room r{2};
  const auto first = r.track(0, "room:1", "alice", {"phone"});
  const auto second = r.track(1, "room:1", "bob", {"laptop"});
  CHECK(first);
  CHECK(first < second);
  CHECK(first.text() != second.text());
  CHECK(first.text().size() == 32);
  const auto all = r.online.list("room:1").value();
  REQUIRE(all.size() == 2);
  CHECK(all.entries[0]->key == "alice");
  CHECK(all.entries[0]->meta.name == "phone");
  CHECK(all.entries[0]->who == any_ref{r.m(0)});
  CHECK(all.entries[0]->ref == first);
  CHECK_FALSE(all.entries[0]->previous);
  CHECK(r.online.list("room:2").value().empty());
}

TEST_CASE("Presence: a join is told to those who follow the topic, and to nobody else") {
  room r{3};
  r.watch(1, "room:1");
  r.watch(2, "room:2");
  const auto ref = r.track(0, "room:1", "alice", {"phone"});
  r.quiet();
  REQUIRE(r.logs[1].diffs.size() == 1);
  const auto& d = r.logs[1].diffs[0];
  CHECK(d.topic == "room:1");
  CHECK(d.leaves.empty());
  REQUIRE(d.joins.size() == 1);
  CHECK(d.joins[0]->ref == ref);
  CHECK(d.joins[0]->key == "alice");
  CHECK(r.logs[2].diffs.empty());
}

TEST_CASE("Presence: a pattern follows many topics") {
  room r{2};
  r.watch(1, "room:*");
  r.track(0, "room:1", "alice");
  r.track(0, "room:2", "alice");
  r.track(0, "hall", "alice");
  r.quiet();
  REQUIRE(r.logs[1].diffs.size() == 2);
  CHECK(r.logs[1].diffs[0].topic == "room:1");
  CHECK(r.logs[1].diffs[1].topic == "room:2");
}

TEST_CASE("Presence: a process tracks a topic and key once; the second time is an error that says so") {
  room r{1};
  r.track(0, "room:1", "alice");
  r.inside(0, [&](context& self) {
    const auto again = r.online.track(self, "room:1", "alice", device{});
    REQUIRE(again.is(pubsub_errc::already_tracked));
    CHECK(again.error().message().find("\"room:1\"") != std::string::npos);
    CHECK(again.error().message().find("\"alice\"") != std::string::npos);
  });
  CHECK(r.online.count("room:1").value() == 1);
}

TEST_CASE("Presence: one process under several keys and topics") {
  room r{1};
  r.track(0, "room:1", "alice", {"a"});
  r.track(0, "room:1", "bob", {"b"});
  r.track(0, "room:2", "alice", {"c"});
  CHECK(r.who("room:1") == names{"alice/a", "bob/b"});
  CHECK(r.who("room:2") == names{"alice/c"});
  CHECK(r.online.total().value() == 3);
}

TEST_CASE("Presence: several processes under one key are one group of metas") {
  room r{3};
  r.track(0, "room:1", "alice", {"phone"});
  r.track(1, "room:1", "alice", {"laptop"});
  r.track(2, "room:1", "bob", {"desk"});
  const auto groups = by_key(r.online.list("room:1").value());
  REQUIRE(groups.size() == 2);
  REQUIRE(groups.at("alice").size() == 2);
  CHECK(groups.at("alice")[0]->meta.name == "phone");
  CHECK(groups.at("alice")[1]->meta.name == "laptop");
  CHECK(groups.at("alice")[0]->ref != groups.at("alice")[1]->ref);
  CHECK(groups.at("bob").size() == 1);
}

TEST_CASE("Presence: get_by_key gives one key's, and nothing for a key that is not there") {
  room r{2};
  r.track(0, "room:1", "alice", {"phone"});
  r.track(1, "room:1", "alice", {"laptop"});
  r.track(1, "room:1", "bob");
  const auto alice = r.online.get_by_key("room:1", "alice").value();
  REQUIRE(alice.size() == 2);
  CHECK(alice.entries[0]->who == any_ref{r.m(0)});
  CHECK(alice.entries[1]->who == any_ref{r.m(1)});
  CHECK(r.online.get_by_key("room:1", "carol").value().empty());
  CHECK(r.online.get_by_key("room:2", "alice").value().empty());
  CHECK(r.online.count("room:1", "alice").value() == 2);
  CHECK(r.online.has_key("room:1", "bob").value());
  CHECK_FALSE(r.online.has_key("room:1", "carol").value());
}

TEST_CASE("Presence: an update is a leave and a join in one event, with a new ref and the one before") {
  room r{2};
  r.watch(1, "room:1");
  const auto first = r.track(0, "room:1", "alice", {"phone"});
  presence_ref second;
  r.inside(0, [&](context& self) {
    second = r.online.update(self, "room:1", "alice", [](device d) { return d.away = true, d; }).value();
  });
  r.quiet();
  REQUIRE(r.logs[1].diffs.size() == 2);
  const auto& d = r.logs[1].diffs[1];
  REQUIRE(d.joins.size() == 1);
  REQUIRE(d.leaves.size() == 1);
  CHECK(d.joins[0]->ref == second);
  CHECK(d.joins[0]->previous == first);
  CHECK(d.joins[0]->meta.away);
  CHECK(d.joins[0]->meta.name == "phone");
  CHECK(d.leaves[0]->ref == first);
  CHECK_FALSE(d.leaves[0]->meta.away);
  CHECK(d.after == r.logs[1].diffs[0].version);
  const auto now = r.online.list("room:1").value();
  REQUIRE(now.size() == 1);
  CHECK(now.entries[0]->ref == second);
}

TEST_CASE("Presence: an update by value replaces the meta; the next one names the ref of this one") {
  room r{1};
  r.track(0, "room:1", "alice", {"phone"});
  r.inside(0, [&](context& self) {
    const auto second = r.online.update(self, "room:1", "alice", device{"laptop"}).value();
    static_cast<void>(r.online.update(self, "room:1", "alice", device{"desk"}).value());
    const auto now = r.online.get_by_key("room:1", "alice").value();
    CHECK(now.entries.at(0)->previous == second);
    CHECK(now.entries.at(0)->meta.name == "desk");
  });
}

TEST_CASE("Presence: an update of what is not tracked is an error") {
  room r{2};
  r.track(1, "room:1", "alice");
  r.inside(0, [&](context& self) {
    CHECK(r.online.update(self, "room:1", "alice", device{}).is(pubsub_errc::not_tracked));
    CHECK(r.online.update(self, "room:1", "alice", [](const device& d) { return d; }).is(pubsub_errc::not_tracked));
  });
}

TEST_CASE("Presence: what an update throws leaves all as it was") {
  room r{1};
  const auto ref = r.track(0, "room:1", "alice", {"phone"});
  r.inside(0, [&](context& self) {
    CHECK_THROWS_AS(static_cast<void>(r.online.update(self, "room:1", "alice", [](const device&) -> device { throw std::runtime_error{"no"}; })),
                    std::runtime_error);
  });
  CHECK(r.online.list("room:1").value().entries.at(0)->ref == ref);
}

TEST_CASE("Presence: untrack of one topic and key; of one that is not there it does nothing") {
  room r{2};
  r.watch(1, "**");
  r.track(0, "room:1", "alice");
  r.track(0, "room:2", "alice");
  r.inside(0, [&](context& self) {
    r.online.untrack(self, "room:1", "bob").value();
    r.online.untrack(self, "room:3", "alice").value();
    r.online.untrack(self, "room:1", "alice").value();
    r.online.untrack(self, "room:1", "alice").value();
  });
  r.quiet();
  CHECK(r.who("room:1").empty());
  CHECK(r.who("room:2") == names{"alice/"});
  REQUIRE(r.logs[1].diffs.size() == 3);
  CHECK(r.logs[1].diffs[2].joins.empty());
  CHECK(r.logs[1].diffs[2].leaves.at(0)->key == "alice");
}

TEST_CASE("Presence: untrack of a process leaves all its topics, told once for each") {
  room r{3};
  r.watch(2, "**");
  r.track(0, "room:1", "alice");
  r.track(0, "room:1", "bob");
  r.track(0, "room:2", "alice");
  r.track(1, "room:1", "alice");
  r.quiet();
  r.logs[2].diffs.clear();
  r.inside(0, [&](context& self) {
    CHECK(r.online.untrack(self).value() == 3);
    CHECK(r.online.untrack(self).value() == 0);
  });
  r.quiet();
  REQUIRE(r.logs[2].diffs.size() == 2);
  CHECK(r.logs[2].diffs[0].leaves.size() == 2);
  CHECK(r.logs[2].diffs[1].leaves.size() == 1);
  CHECK(r.online.total().value() == 1);
  r.track(0, "room:1", "alice");  // and may come again
  CHECK(r.online.count("room:1").value() == 2);
}

TEST_CASE("Presence: for another process, from a plain thread") {
  room r{1};
  const any_ref who = r.m(0);
  const auto first = r.online.track(who, "room:1", "alice", device{"phone"}).value();
  CHECK(r.online.list("room:1").value().entries.at(0)->who == who);
  CHECK(r.online.track(who, "room:1", "alice", device{}).is(pubsub_errc::already_tracked));
  CHECK(r.online.update(who, "room:1", "alice", device{"laptop"}).has_value());
  CHECK(r.online.list("room:1").value().entries.at(0)->previous == first);
  CHECK(r.online.update(who, "room:1", "bob", device{}).is(pubsub_errc::not_tracked));
  r.online.untrack(who, "room:1", "alice").value();
  CHECK(r.online.count("room:1").value() == 0);
  CHECK(r.online.track(who, "room:2", "alice", device{}).has_value());
  CHECK(r.online.untrack(who).value() == 1);
  CHECK(r.online.track(any_ref{}, "room:1", "alice", device{}).is(errc::noproc));
  r.inside(0, [&](context&) { CHECK(r.online.track(who, "room:1", "alice", device{}).is(pubsub_errc::would_block)); });
}

TEST_CASE("Presence: another process's meta is changed by a function of the old one, again when somebody was faster") {
  room r{1};
  r.watch(0, "room:1");
  const any_ref who = r.m(0);
  const auto first = r.track(0, "room:1", "alice", {"a"});
  int asked = 0;
  const auto add = [&](const device& d) {
    // Somebody else is faster twice.
    if (++asked <= 2) static_cast<void>(r.online.update(who, "room:1", "alice", device{d.name + "x"}).value());
    return device{d.name + "b"};
  };
  const auto last = r.online.update(who, "room:1", "alice", add).value();
  CHECK(asked == 3);
  CHECK(r.who("room:1") == names{"alice/axxb"});
  CHECK(r.online.list("room:1").value().entries[0]->ref == last);
  CHECK(first < last);
  r.quiet();
  CHECK(r.logs[0].diffs.size() == 4);
  CHECK(r.online.update(who, "room:1", "bob", add).is(pubsub_errc::not_tracked));
  CHECK(r.online.update(who, "room::1", "bob", add).is(pubsub_errc::bad_topic));
  CHECK(r.online.update(any_ref{}, "room:1", "alice", add).is(errc::noproc));
  r.inside(0, [&](context&) { CHECK(r.online.update(who, "room:1", "alice", add).is(pubsub_errc::would_block)); });
}

TEST_CASE("Presence: a handler tracks, updates and untracks another process by continuations") {
  testing::for_seeds(30, [](std::uint64_t seed) {
    room r{2, seed};
    const any_ref who = r.m(1);
    std::vector<std::string> said;
    const auto note = [&](std::string what) {
      return [&said, what = std::move(what)](const auto& done) { said.push_back(what + (done ? "" : ": " + std::string{done.error().name()})); };
    };
    const auto wait = [&](std::size_t many) { CHECK(r.sim.run_until([&] { return said.size() == many; })); };
    r.inside(0, [&](context& self) {
      r.online.track(self, who, "room:1", "alice", {"phone"}, 5s, note("track"));
      r.online.track(self, who, "room:1", "alice", {}, 5s, note("again"));
    });
    wait(2);
    CHECK(said == names{"track", "again: already_tracked"});
    CHECK(r.online.list("room:1").value().entries.at(0)->who == who);
    r.inside(0, [&](context& self) {
      r.online.update(self, who, "room:1", "alice", {"laptop"}, 5s, note("update"));
      r.online.update(self, who, "room:1", "bob", {}, 5s, note("nobody"));
    });
    wait(4);
    CHECK(r.who("room:1") == names{"alice/laptop"});
    CHECK(said.back() == "nobody: not_tracked");
    r.inside(0, [&](context& self) {
      r.online.untrack(self, who, "room:1", "alice", 5s, [&](const result<std::size_t>& gone) {
        CHECK(gone.value() == 1);
        said.emplace_back("untrack");
      });
    });
    wait(5);
    CHECK(r.online.total().value() == 0);
    r.inside(0, [&](context& self) {
      r.online.track(self, who, "room::1", "alice", {}, 5s, note("bad"));
      r.online.track(self, any_ref{}, "room:1", "alice", {}, 5s, note("none"));
    });
    wait(7);
    std::sort(said.begin() + 5, said.end());
    CHECK(said[5] == "bad: bad_topic");
    CHECK(said[6] == "none: noproc");
  });
}

TEST_CASE("Presence: two presences on one topic know nothing of each other") {
  simulation sim{1};
  std::vector<watched> logs(1);
  auto tree = members(logs);
  tree.children.insert(tree.children.begin(), {presence_tracker<device>("desks"), presence_tracker<int>("scores")});
  application app{tree, simulated(sim)};
  app.start();
  const online_t online{app, "online"};
  const online_t desks{app, "desks"};
  const presence<int> scores{app, "scores"};
  app.find<member>("all/m0").call(run_inside{[&](context& self) {
    subscribe(self, desks, "room:1");
    CHECK(online.track(self, "room:1", "alice", device{"a"}).has_value());
    CHECK(desks.track(self, "room:1", "alice", device{"b"}).has_value());
    CHECK(scores.track(self, "room:1", "alice", 7).has_value());
  }}).value();
  static_cast<void>(sim.run_until([] { return false; }));
  CHECK(online.list("room:1").value().entries.at(0)->meta.name == "a");
  CHECK(desks.list("room:1").value().entries.at(0)->meta.name == "b");
  CHECK(scores.list("room:1").value().entries.at(0)->meta == 7);
  REQUIRE(logs[0].diffs.size() == 1);
  CHECK(logs[0].diffs[0].joins.at(0)->meta.name == "b");
  CHECK_THROWS_AS((presence<int>{app, "online"}), std::logic_error);
}

TEST_CASE("Presence: on a bus of its own, and told to nobody when it is not to announce") {
  room other{2, 1, {.bus = "side"}};
  other.watch(1, "room:1");
  other.track(0, "room:1", "alice");
  other.quiet();
  CHECK(other.logs[1].diffs.size() == 1);
  CHECK(bus{other.app}.subscribers("online:room:1").value().empty());

  room silent{2, 1, {.announce = false}};
  silent.watch(1, "room:1");
  silent.track(0, "room:1", "alice");
  silent.quiet();
  CHECK(silent.logs[1].diffs.empty());
  CHECK(silent.who("room:1") == names{"alice/"});
}

TEST_CASE("Presence: bad names, keys, topics, options and places have an error each") {
  room r{1, 1, {.max_presences = 2}};
  CHECK_THROWS_AS(static_cast<void>(presence_tracker<device>("")), std::logic_error);
  CHECK_THROWS_AS(static_cast<void>(presence_tracker<device>("a:*")), std::logic_error);
  CHECK_THROWS_AS(static_cast<void>(presence_tracker<device>("a", {.max_presences = 0})), std::logic_error);
  CHECK_THROWS_AS((online_t{r.app, "a::b"}), std::logic_error);
  CHECK(r.online.list("a:*").is(pubsub_errc::bad_topic));
  CHECK(r.online.count("").is(pubsub_errc::bad_topic));
  context* outside = nullptr;
  r.inside(0, [&](context& self) {
    outside = &self;
    CHECK(r.online.track(self, "room:*", "alice", device{}).is(pubsub_errc::bad_topic));
    CHECK(r.online.track(self, std::string(1024, 'x'), "alice", device{}).is(pubsub_errc::bad_topic));  // with the name, too long
    CHECK(r.online.track(self, "room:1", "", device{}).is(pubsub_errc::bad_option));
    CHECK(r.online.track(self, "room:1", std::string(1025, 'x'), device{}).is(pubsub_errc::bad_option));
    CHECK(r.online.track(self, "room:1", "a", device{}).has_value());
    CHECK(r.online.track(self, "room:1", "b", device{}).has_value());
    CHECK(r.online.track(self, "room:1", "c", device{}).is(pubsub_errc::full));
    CHECK(r.online.untrack(self, "room:1", "a").has_value());
    CHECK(r.online.track(self, "room:1", "c", device{}).has_value());
  });
  CHECK(r.online.track(*outside, "room:1", "d", device{}).is(pubsub_errc::wrong_place));
  CHECK(r.online.total().value() == 2);
}

TEST_CASE("Presence: before its tracker has started everything says so") {
  simulation sim{1};
  std::vector<watched> logs(1);
  std::optional<error> said;
  auto tree = members(logs, {}, false, [&](context& self) {
    const online_t online{self, "online"};
    said = online.track(self, "room:1", "alice", device{}).error();
    subscribe(self, online, "room:1");
  });
  tree.children.erase(tree.children.begin());
  application app{tree, simulated(sim)};
  CHECK_THROWS_WITH_AS(app.start(), doctest::Contains("presence_tracker(\"online\")"), start_error);
  REQUIRE(said);
  CHECK(*said == pubsub_errc::no_presence);
  CHECK(online_t{app, "online"}.list("room:1").is(pubsub_errc::closed));  // a start that fails is a stop, too
}
