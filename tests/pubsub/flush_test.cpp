// P11: unsubscribing with `flush` drops what waits of the subscription, wherever it waits, and nothing else.

#include <algorithm>
#include <chrono>
#include <string>

#include <doctest/doctest.h>

#include <herald/engine/topic_record.hpp>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;
using namespace std::chrono_literals;

namespace {

struct note {
  int number = 0;
};
using diary = std::vector<std::string>;

template <class Self>
struct reader {
  struct args {
    diary* into = nullptr;
    std::function<void(context&)> init{};
    std::function<void(context&)> on_gap{};
  };
  reader(context& self, args a) : a_{std::move(a)} {
    if (a_.init) a_.init(self);
  }
  void on(context& self, const tick& t) {
    const auto missed = missed_of(self);
    const auto key = topic_of(self).key;
    a_.into->push_back((missed != 0 ? "-" + std::to_string(missed) + " " : "") + std::to_string(t.number) + std::string{key});
  }
  void on(context& self, const run_inside& r) { r.code(self); }
  void on(const note& n) { a_.into->push_back("n" + std::to_string(n.number)); }

 protected:
  args a_;
};
struct unaware : process<unaware, tick, run_inside, note>, reader<unaware> {
  using reader::on;
  using reader::reader;
  using args = reader::args;
};
struct aware : process<aware, tick, run_inside, note, gap>, reader<aware> {
  using reader::on;
  using reader::reader;
  using args = reader::args;
  void on(context& self, const gap& g) {
    a_.into->push_back("-" + std::to_string(g.missed) + g.key);
    if (a_.on_gap) a_.on_gap(self);
  }
};

template <class P>
struct desk {
  explicit desk(std::function<void(context&)> init, std::function<void(context&)> on_gap = {}, child_options options = {})
      : app{{.name = "root", .intensity = {100, 1s}, .children = {child<P>("p", {&log, std::move(init), std::move(on_gap)}, options)}},
            simulated(sim, 1, &reports)} {
    app.start();
  }
  [[nodiscard]] ref<P> p() const { return app.template find<P>("p"); }
  /// In a handler for a second of virtual time; its host goes on without it.
  void keep_busy() {
    p().cast(run_inside{[](context&) { simulation::stall(1s); }});
    sim.advance(500ms);
  }
  void let_go() {
    sim.advance(1s);
    sim.run();
  }
  /// A message that waits like any other.
  void later(std::function<void(context&)> code) const { p().cast(run_inside{std::move(code)}); }
  void publish(int from, int to, std::string_view topic = "t") {
    for (int i = from; i <= to; ++i) bus{app}.broadcast(topic, tick{i, i % 3}).value();
    sim.run();
  }
  simulation sim{1};
  diary log;
  std::vector<report> reports;
  application app;
};

}  // namespace

TEST_CASE("P11: what waits of a subscription that is flushed is dropped, and nothing else") {
  for (const bool flushed : {false, true}) {
    desk<aware> d{[](context& self) {
      subscribe<tick>(self, "t");
      subscribe<tick>(self, "t", {.key = "k"});
      subscribe<tick>(self, "u");
      subscribe<tick>(self, "*", {.key = "all"});
    }};
    d.keep_busy();
    d.publish(1, 1);
    d.later([flushed](context& self) { flushed ? unsubscribe(self, "t", flush) : unsubscribe(self, "t"); });
    d.publish(2, 2);
    d.p().cast(note{1});
    d.publish(3, 3, "u");
    d.let_go();
    if (flushed)
      CHECK(d.log == diary{"1", "1k", "1all", "2all", "n1", "3", "3all"});
    else
      CHECK(d.log == diary{"1", "1k", "1all", "2", "2", "2all", "n1", "3", "3all"});  // its key is known no more
    CHECK(bus{d.app}.subscribers("t").value().size() == 1);
    std::uint64_t lost = 0;
    for (const auto& t : bus{d.app}.list().value()) lost += t.lost_in_all();
    CHECK(lost == 0);
    d.log.clear();
    d.publish(4, 4);
    CHECK(d.log == diary{"4all"});
  }
}

TEST_CASE("P11: by key and by handle what waits of that subscription goes; of none it is fine") {
  desk<unaware> d{[](context& self) {
    for (const std::string key : {"a", "b", "c"}) subscribe<tick>(self, "t", {.key = key});
  }};
  d.keep_busy();
  d.later([](context& self) {
    unsubscribe_key(self, "t", "b", flush);
    unsubscribe_key(self, bus{self}, "t", "nobody", flush);
    unsubscribe(self, "nowhere", flush);
    unsubscribe(self, bus{self}, "nowhere", flush);
  });
  d.publish(1, 2);
  d.later([](context& self) { unsubscribe(self, bus{self}.topic("t").value(), flush); });
  d.publish(3, 4);
  d.let_go();
  CHECK(d.log == diary{"1a", "1c", "2a", "2c"});
  CHECK(bus{d.app}.topics() == 0);
  d.later([](context& self) { subscribe<tick>(self, "t"); });
  d.sim.run();
  d.publish(5, 5);
  CHECK(d.log.back() == "5");
}

TEST_CASE("P11: flush drops what waits under every policy, its gaps and its token, and leaves the mailbox's limit as it was") {
  const policy all[]{policy{},
                     policy::keep_all(3),
                     policy::drop_oldest(3),
                     policy::drop_newest(3),
                     policy::latest_by(&tick::publisher, 2),
                     policy::disconnect(30)};
  for (const auto& one : all) {
    CAPTURE(static_cast<int>(one.kind()));
    desk<aware> d{[one](context& self) { subscribe<tick>(self, "t", {.key = "k", .when_slow = one}); }, {}, {.mailbox = {.limit = 3}}};
    for (int round = 0; round < 3; ++round) {
      d.keep_busy();
      d.later([](context& self) { unsubscribe(self, "t", flush); });
      d.publish(1, 20);
      CHECK(bus{d.app}.subscribers("t").value().size() == 1);
      d.let_go();
      CHECK(d.log.empty());
      CHECK(bus{d.app}.topics() == 0);
      CHECK(bus{d.app}.subscribers("t").value().empty());
      d.keep_busy();
      for (int i = 1; i <= 9; ++i) d.p().cast(note{i});
      d.let_go();
      CHECK(d.log == diary{"n1", "n2", "n3"});
      d.log.clear();
      d.later([one](context& self) { subscribe<tick>(self, "t", {.key = "k", .when_slow = one}); });
      d.sim.run();
      d.publish(21, 21);
      CHECK(d.log == diary{"21k"});
      d.log.clear();
    }
  }
}

TEST_CASE("P11: flushed inside on(gap) the event behind the gap goes, too") {
  for (const bool left_behind : {false, true})
    for (const std::string key : {"k", "other", ""}) {
      CAPTURE(left_behind);
      CAPTURE(key);
      desk<aware> d{[](context& self) { subscribe<tick>(self, "t", {.key = "k", .when_slow = policy::drop_newest(3)}); },
                    [&](context& self) {
                      if (left_behind) simulation::stall(1s);
                      if (key.empty())
                        unsubscribe(self, "t", flush);
                      else
                        unsubscribe_key(self, "t", key, flush);
                    }};
      d.keep_busy();
      d.publish(1, 3);
      d.let_go();
      CHECK(d.log == diary{"1k", "2k", "3k"});
      d.log.clear();
      // The host's inbox loses some: the gap is told by the entry of the event behind it.
      bus{d.app}.topic("t").value().inside().seats()->missed = 5;
      d.keep_busy();
      d.publish(4, 5);
      d.let_go();
      d.let_go();
      CHECK(d.log == (key == "other" ? diary{"-5k", "4k", "5k"} : diary{"-5k"}));
    }
}

TEST_CASE("P11: what is still in the host's inbox is not handed out, and a handler that was left behind flushes as well") {
  SUBCASE("in the inbox") {
    desk<unaware> d{[](context& self) { subscribe<tick>(self, "t", {.when_slow = policy::keep_all(100)}); }};
    // Not long enough to lose the host: what is published meanwhile has not been looked at.
    d.later([](context& self) {
      simulation::stall(50ms);
      unsubscribe(self, "t", flush);
    });
    d.sim.advance(10ms);
    for (int i = 0; i < 10; ++i) bus{d.app}.broadcast("t", tick{i}).value();
    d.sim.advance(100ms);
    d.p().cast(note{1});
    d.sim.run();
    CHECK(d.log == diary{"n1"});
  }
  SUBCASE("left behind") {
    desk<unaware> d{[](context& self) {
      subscribe<tick>(self, "t", {.key = "k", .when_slow = policy::latest_by(&tick::number, 10)});
      subscribe<tick>(self, "t", {.when_slow = policy::drop_oldest(3)});
      subscribe<tick>(self, "t", {.key = "stays"});
    }};
    d.later([](context& self) {
      simulation::stall(1s);
      unsubscribe_key(self, "t", "k", flush);
      unsubscribe_key(self, "t", "", flush);
    });
    d.sim.advance(500ms);
    d.publish(1, 5);
    d.let_go();
    CHECK(d.log == diary{"1stays", "2stays", "3stays", "4stays", "5stays"});
  }
}

TEST_CASE("P11: flush drops what a topic kept and is not handed over yet") {
  desk<unaware> d{{}};
  const auto t = bus{d.app}.topic("t", {.history = 10}).value();
  for (int i = 0; i < 10; ++i) t.broadcast(tick{i});
  d.later([](context& self) {
    subscribe<tick>(self, "t");
    unsubscribe(self, "t", flush);
    subscribe<tick>(self, "t", {.history = 2});
  });
  d.sim.run();
  CHECK(d.log == diary{"8", "9"});
}

TEST_CASE("P11, B4: what waits for a member of a group that flushes goes to the others") {
  world w{2, 1, [](context& self) { subscribe<tick>(self, "t", {.group = group_policy::round_robin("g")}); }};
  w.p(0).cast(run_inside{[](context&) { simulation::stall(1s); }});
  w.sim.advance(500ms);
  w.p(0).cast(run_inside{[](context& self) { unsubscribe(self, "t", flush); }});
  for (int i = 0; i < 10; ++i) w.publish(i);
  w.sim.advance(1s);
  CHECK(w.logs[0].numbers.empty());
  auto got = w.logs[1].numbers;
  std::sort(got.begin(), got.end());
  CHECK(got == up_to(10));
  CHECK(bus{w.app}.missed() == 0);
}
