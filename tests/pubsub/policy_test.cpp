// What a slow subscriber gets, by policy, and what it is told of the rest (B5, B6): exact counts, at their places.

#include <optional>

#include <doctest/doctest.h>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;

namespace {

struct note {
  int number = 0;
};

/// What a process was told, in order: "3" an event, "-2" a gap of two, "-2 3" an event that says so itself, "!2" the
/// subscription's end, "n4" another message.
using diary = std::vector<std::string>;

template <class Self>
struct slow_one {
  struct args {
    diary* into = nullptr;
    std::function<void(context&)> init{};
    std::function<void(const tick&)> on_tick{};
  };
  slow_one(context& self, args a) : a_{std::move(a)} {
    if (a_.init) a_.init(self);
  }
  void on(context& self, const tick& t) {
    const auto missed = missed_of(self);
    a_.into->push_back((missed != 0 ? "-" + std::to_string(missed) + " " : "") + std::to_string(t.number));
    if (a_.on_tick) a_.on_tick(t);
  }
  void on(context& self, const run_inside& r) { r.code(self); }
  void on(const note& n) { a_.into->push_back("n" + std::to_string(n.number)); }

 protected:
  args a_;
};
struct unaware : process<unaware, tick, run_inside, note>, slow_one<unaware> {
  using slow_one::on;
  using slow_one::slow_one;
  using args = slow_one::args;
};
struct aware : process<aware, tick, run_inside, note, gap, subscription_ended>, slow_one<aware> {
  using slow_one::on;
  using slow_one::slow_one;
  using args = slow_one::args;
  void on(const gap& g) {
    CHECK(g.topic == "t");
    a_.into->push_back("-" + std::to_string(g.missed));
  }
  void on(const subscription_ended& e) {
    CHECK(e.topic == "t");
    a_.into->push_back("!" + std::to_string(e.missed));
  }
};

/// One subscriber in a simulation, that can be kept busy while others publish.
template <class P>
struct bench {
  explicit bench(subscription_options options, child_options child_opts = {}, std::uint64_t seed = 1,
                 std::function<void(const tick&)> on_tick = {})
      : sim{seed},
        app{{.name = "root",
             .intensity = {100, std::chrono::seconds{1}},
             .children = {child<P>("p",
                                   {.into = &log,
                                    .init = [options](context& self) { subscribe<tick>(self, "t", options); },
                                    .on_tick = std::move(on_tick)},
                                   child_opts)}},
            simulated(sim, 1, &reports)} {
    app.start();
  }
  [[nodiscard]] ref<P> p() const { return app.template find<P>("p"); }
  /// Keeps it in a handler for a second of virtual time; its host goes on without it.
  void keep_busy() {
    p().cast(run_inside{[](context&) { simulation::stall(std::chrono::seconds{1}); }});
    sim.advance(std::chrono::milliseconds{500});
  }
  void let_go() {
    sim.advance(std::chrono::seconds{1});
    sim.run();
  }
  void publish(int from, int to) {
    for (int i = from; i <= to; ++i) bus{app}.broadcast("t", tick{i, i % 3}).value();
    sim.run();
  }
  simulation sim;
  diary log;
  std::vector<report> reports;
  application app;
};

std::size_t told(const std::vector<report>& reports, std::string_view part) {
  std::size_t count = 0;
  for (const auto& r : reports) count += r.text.find(part) != std::string::npos ? 1u : 0u;
  return count;
}

}  // namespace

TEST_CASE("B5: drop_newest keeps the oldest n and tells the gap at its place") {
  SUBCASE("with the next event") {
    bench<unaware> b{{.when_slow = policy::drop_newest(3)}};
    b.keep_busy();
    b.publish(1, 10);
    b.let_go();
    CHECK(b.log == diary{"1", "2", "3"});
    b.publish(11, 12);
    CHECK(b.log == diary{"1", "2", "3", "-7 11", "12"});
  }
  SUBCASE("as a message of its own, though no event follows") {
    bench<aware> b{{.when_slow = policy::drop_newest(3)}};
    b.keep_busy();
    b.publish(1, 10);
    b.let_go();
    CHECK(b.log == diary{"1", "2", "3", "-7"});
    b.publish(11, 12);
    CHECK(b.log == diary{"1", "2", "3", "-7", "11", "12"});
  }
}

TEST_CASE("B5: drop_oldest keeps the newest n and tells the gap before them") {
  SUBCASE("with the next event") {
    bench<unaware> b{{.when_slow = policy::drop_oldest(3)}};
    b.keep_busy();
    b.publish(1, 10);
    b.let_go();
    CHECK(b.log == diary{"-7 8", "9", "10"});
    b.publish(11, 11);
    CHECK(b.log == diary{"-7 8", "9", "10", "11"});
  }
  SUBCASE("as a message of its own") {
    bench<aware> b{{.when_slow = policy::drop_oldest(3)}};
    b.keep_busy();
    b.publish(1, 10);
    b.let_go();
    CHECK(b.log == diary{"-7", "8", "9", "10"});
  }
}

TEST_CASE("B5: keep_all loses what is beyond its bound, and reports it once a gap") {
  bench<aware> b{{.when_slow = policy::keep_all(4)}};
  b.keep_busy();
  b.publish(1, 10);
  b.let_go();
  CHECK(b.log == diary{"1", "2", "3", "4", "-6"});
  CHECK(told(b.reports, "loses events: 4 wait") == 1);
  b.keep_busy();
  b.publish(11, 16);
  b.let_go();
  CHECK(b.log == diary{"1", "2", "3", "4", "-6", "11", "12", "13", "14", "-2"});
  CHECK(told(b.reports, "loses events: 4 wait") == 2);
}

TEST_CASE("B5: latest_by keeps the last event of each key, in the order of the keys") {
  SUBCASE("with the next event") {
    bench<unaware> b{{.when_slow = policy::latest_by(&tick::publisher, 10)}};
    b.keep_busy();
    b.publish(1, 10);  // keys 1 2 0 1 2 0 1 2 0 1
    b.let_go();
    CHECK(b.log == diary{"-3 10", "-2 8", "-2 9"});
    b.publish(11, 11);
    CHECK(b.log.back() == "11");
  }
  SUBCASE("as a message of its own") {
    bench<aware> b{{.when_slow = policy::latest_by([](const tick& t) { return t.publisher; }, 10)}};
    b.keep_busy();
    b.publish(1, 10);
    b.let_go();
    CHECK(b.log == diary{"-3", "10", "-2", "8", "-2", "9"});
  }
  SUBCASE("of more keys than it may hold, the newest") {
    bench<unaware> b{{.when_slow = policy::latest_by(&tick::number, 3)}};
    b.keep_busy();
    b.publish(1, 10);
    b.let_go();
    CHECK(b.log == diary{"-7 8", "9", "10"});
  }
  SUBCASE("a single one") {
    bench<unaware> b{{.when_slow = policy::latest_by(&tick::number, 1)}};
    b.keep_busy();
    b.publish(1, 10);
    b.let_go();
    CHECK(b.log == diary{"-9 10"});
  }
}

TEST_CASE("B5: disconnect ends the subscription with a reason, after what waits") {
  SUBCASE("told") {
    bench<aware> b{{.when_slow = policy::disconnect(3)}};
    b.keep_busy();
    b.publish(1, 10);
    b.let_go();
    b.publish(11, 12);
    CHECK(b.log == diary{"1", "2", "3", "!1"});
  }
  SUBCASE("reported") {
    bench<unaware> b{{.when_slow = policy::disconnect(3)}};
    b.keep_busy();
    b.publish(1, 10);
    b.let_go();
    CHECK(b.log == diary{"1", "2", "3"});
    CHECK(bus{b.app}.subscribers("t").value().empty());
    CHECK(bus{b.app}.topics() == 0);
    CHECK(told(b.reports, "ended: more than 3 events waited") == 1);
    // It may come back.
    b.p().call(run_inside{[](context& self) { subscribe<tick>(self, "t"); }}).value();
    b.publish(20, 20);
    CHECK(b.log.back() == "20");
  }
}

TEST_CASE("B5: an idle subscriber with any policy gets everything") {
  const policy all[]{policy::keep_all(1), policy::drop_oldest(1), policy::drop_newest(1), policy::disconnect(1),
                     policy::latest_by(&tick::publisher, 1)};
  for (const auto& one : all) {
    bench<aware> b{{.when_slow = one}};
    diary expected;
    for (int i = 1; i <= 20; ++i) {
      b.publish(i, i);
      expected.push_back(std::to_string(i));
    }
    CHECK(b.log == expected);
  }
}

TEST_CASE("B5: bounded events and the mailbox's limit are apart") {
  // The policy's events do not use up the mailbox, and a full mailbox does not refuse them.
  bench<aware> b{{.when_slow = policy::drop_newest(5)}, {.mailbox = {.limit = 2}}};
  b.keep_busy();
  b.publish(1, 10);
  for (int i = 1; i <= 4; ++i) b.p().cast(note{i});
  b.let_go();
  CHECK(b.log == diary{"1", "2", "3", "4", "5", "-5", "n1", "n2"});
  b.log.clear();
  b.keep_busy();
  for (int i = 1; i <= 4; ++i) b.p().cast(note{i});
  b.publish(11, 13);
  b.let_go();
  CHECK(b.log == diary{"n1", "n2", "11", "12", "13"});
  // The limit is where it was.
  b.log.clear();
  b.keep_busy();
  for (int i = 1; i <= 9; ++i) b.p().cast(note{i});
  b.let_go();
  CHECK(b.log == diary{"n1", "n2"});
}

TEST_CASE("B5: events keep their place among the other messages of one sender") {
  bench<aware> b{{.when_slow = policy::drop_oldest(2)}};
  b.keep_busy();
  b.p().cast(note{1});
  b.publish(1, 3);
  b.p().cast(note{2});
  b.publish(4, 4);
  b.p().cast(note{3});
  b.publish(5, 5);
  b.let_go();
  // 1, 2 and 3 made room: the gap is where 1 waited.
  CHECK(b.log == diary{"n1", "-3", "n2", "4", "n3", "5"});
}

TEST_CASE("B5: subscriptions of one process are bounded one by one") {
  bench<unaware> b{{.key = "a", .when_slow = policy::drop_oldest(1)}};
  b.p().call(run_inside{[](context& self) {
     subscribe<tick>(self, "t", {.key = "b", .when_slow = policy::drop_newest(2)});
   }}).value();
  b.keep_busy();
  b.publish(1, 5);
  b.let_go();
  CHECK(b.log == diary{"1", "2", "-4 5"});
  b.publish(6, 6);
  CHECK(b.log == diary{"1", "2", "-4 5", "6", "-3 6"});
}

TEST_CASE("B5: what waits under a policy outlives a crash, and its gap is told once") {
  for (const bool conflating : {false, true}) {
    int crashes = 1;
    bench<unaware> b{{.when_slow = conflating ? policy::latest_by(&tick::number, 3) : policy::drop_oldest(3)}, {}, 1,
                     [&](const tick& t) {
                       if (t.number == 8 && crashes-- > 0) throw std::runtime_error{"on the way"};
                     }};
    b.keep_busy();
    b.publish(1, 10);
    b.let_go();
    CHECK(b.log == diary{"-7 8", "9", "10"});
    b.publish(11, 11);
    CHECK(b.log.back() == "11");
  }
}

TEST_CASE("B5: unsubscribing with values and a gap waiting leaves nothing") {
  bench<aware> b{{.when_slow = policy::latest_by(&tick::number, 3)}};
  b.keep_busy();
  b.publish(1, 10);
  b.p().cast(note{1});
  b.let_go();
  b.keep_busy();
  b.publish(11, 20);
  b.let_go();
  b.log.clear();
  // It unsubscribes in the very handler behind which the values wait.
  b.p().cast(run_inside{[](context& self) {
    simulation::stall(std::chrono::seconds{1});
    unsubscribe(self, "t");
  }});
  b.sim.advance(std::chrono::milliseconds{500});
  b.publish(21, 30);
  b.let_go();
  CHECK(bus{b.app}.topics() == 0);
  b.p().cast(note{2});
  b.sim.run();
  CHECK(b.log.back() == "n2");
}

TEST_CASE("B6: a subscriber that never handles anything costs bounded memory, and its gap is counted exactly") {
  struct weighed {
    explicit weighed(int* count) : alive{count} { ++*alive; }
    weighed(const weighed&) = delete;
    weighed& operator=(const weighed&) = delete;
    ~weighed() { --*alive; }
    int* alive;
  };
  struct heavy {
    int number = 0;
    std::shared_ptr<weighed> body;
  };
  struct sleeper : process<sleeper, heavy, run_inside> {
    struct args {
      policy when_slow;
      std::uint64_t* got;
      std::uint64_t* missed;
    };
    sleeper(context& self, args a) : a_{std::move(a)} { subscribe<heavy>(self, "t", {.when_slow = a_.when_slow}); }
    void on(context& self, const heavy&) {
      ++*a_.got;
      *a_.missed += missed_of(self);
    }
    void on(context& self, const run_inside& r) { r.code(self); }

   private:
    args a_;
  };
  constexpr int publishes = 20'000;
  const policy all[]{policy{}, policy::keep_all(100), policy::drop_oldest(100), policy::drop_newest(100),
                     policy::latest_by([](const heavy& h) { return h.number % 150; }, 100)};
  for (const auto& one : all) {
    CAPTURE(static_cast<int>(one.kind()));
    std::uint64_t got = 0, missed = 0;
    int alive = 0, most = 0;
    {
      simulation sim{1};
      const child_options mailbox{.mailbox = {.limit = 100}};
      application app{{.name = "root", .children = {child<sleeper>("p", {.when_slow = one, .got = &got, .missed = &missed}, mailbox)}}, simulated(sim, 1)};
      app.start();
      app.find<sleeper>("p").cast(run_inside{[](context&) { simulation::stall(std::chrono::seconds{1}); }});
      sim.advance(std::chrono::milliseconds{500});
      for (int i = 0; i < publishes; ++i) {
        bus{app}.broadcast("t", heavy{i, std::make_shared<weighed>(&alive)}).value();
        sim.run();
        most = std::max(most, alive);
      }
      CHECK(got == 0);
      CHECK(most <= 101);
      sim.advance(std::chrono::seconds{1});
      bus{app}.broadcast("t", heavy{publishes, std::make_shared<weighed>(&alive)}).value();
      sim.run();
      CHECK(got == 101);
      CHECK(got + missed == publishes + 1);
    }
    CHECK(alive == 0);
  }
}

TEST_CASE("an event that the host's inbox did not take is missed by those who were subscribed then, and by nobody else") {
  struct late : process<late, tick, run_inside> {
    struct args {
      diary* into;
      bool at_once;
    };
    late(context& self, args a) : a_{a} {
      if (a_.at_once) subscribe<tick>(self, "t");
    }
    void on(context& self, const tick& t) {
      const auto missed = missed_of(self);
      a_.into->push_back((missed != 0 ? "-" + std::to_string(missed) + " " : "") + std::to_string(t.number));
    }
    void on(context& self, const run_inside& r) { r.code(self); }

   private:
    args a_;
  };
  simulation sim{1};
  auto options = simulated(sim, 1);
  options.inbox_limit = 5;
  diary early_log, late_log;
  application app{{.name = "root", .children = {child<late>("early", {&early_log, true}), child<late>("late", {&late_log, false})}}, options};
  app.start();
  // While it computes, not long enough to lose the host, the inbox fills; then it subscribes, with the losses untold.
  app.find<late>("late").cast(run_inside{[](context& self) {
    simulation::stall(std::chrono::milliseconds{50});
    subscribe<tick>(self, "t");
  }});
  sim.advance(std::chrono::milliseconds{10});
  for (int i = 1; i <= 10; ++i) bus{app}.broadcast("t", tick{i}).value();
  CHECK(bus{app}.missed() == 5);
  sim.advance(std::chrono::milliseconds{50});
  bus{app}.broadcast("t", tick{11}).value();
  sim.run();
  CHECK(early_log == diary{"-5 1", "2", "3", "4", "5", "11"});
  // The losses came before its subscription, although it is served by the same fan-out.
  CHECK(late_log == diary{"1", "2", "3", "4", "5", "11"});
}
