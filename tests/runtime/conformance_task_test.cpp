// Conformance, section L (tasks), under many seeds: how tasks start, whom they belong to, where they run. What becomes of
// their answers: conformance_answer_test.cpp. The owner is a process that runs what the test hands it, so that each case
// reads from top to bottom.

#include <array>
#include <latch>

#include "task_support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

TEST_CASE("L161: async runs under its supervisor, tied to its caller; the answer comes once, and the task ends normally") {
  seeds(50, [](office& w) {
    std::string got, second;
    task<int> t;
    w.in("a", [&](context& self) {
      t = async(self, w.jobs, after(50ms, 7), {.placement = own_thread});
      t.await(self, 1s, w.into(got));
      CHECK(!t);
      t.await(self, 1s, w.into(second));
    });
    w.sim.run();
    CHECK(w.counts("jobs").active == 1);
    CHECK(got.empty());
    w.sim.advance(1s);
    CHECK(got == "7");
    CHECK(second == "bad_option");
    CHECK(w.counts("jobs") == child_counts{1, 0, 0, 0});
    CHECK(w.told(report::crashed) == 0);

    // The caller's end is the task's.
    int finished = 0;
    w.in("a", [&](context& self) {
      CHECK(!async(self, w.jobs, [&](context& me) {
               while (!me.stop_token().stop_requested()) simulation::stall(10ms);
               ++finished;
             }, {.placement = own_thread}).ignore());
    });
    w.sim.advance(50ms);
    w.play("a", [&](context& self) {
      auto other = async(self, w.jobs, [&](context& me) {
        while (!me.stop_token().stop_requested()) simulation::stall(10ms);
        ++finished;
      });
      other.await(self, 1h, [&](const result<void>&) { finished += 100; });
    });
    w.sim.advance(50ms);
    CHECK(finished == 0);
    w.play("a", [](context&) { throw std::runtime_error{"the caller ends"}; });
    w.sim.advance(1s);
    CHECK(finished == 1);
    CHECK(w.counts("jobs").active == 1);  // the ignored one goes on ...
    w.app->stop();
    CHECK(finished == 2);  // ... until its supervisor ends
  });
}

TEST_CASE("L162: async_nolink outlives its caller, whose next life hears nothing of it") {
  seeds(50, [](office& w) {
    int finished = 0;
    std::string got;
    w.in("a", [&](context& self) {
      auto t = async_nolink(self, w.jobs, [&] {
        simulation::stall(100ms);
        ++finished;
      });
      t.await(self, 1s, w.into(got));
    });
    w.sim.advance(20ms);
    w.play("a", [](context&) { throw std::runtime_error{"the caller ends"}; });
    w.sim.advance(1s);
    CHECK(finished == 1);
    CHECK(got.empty());
    // A crash of the task is an answer and not the caller's end.
    w.play("a", [&](context& self) {
      auto t = async_nolink(self, w.jobs, []() -> int { throw std::runtime_error{"boom"}; });
      t.await(self, 1s, w.into(got));
    });
    CHECK(got == "down");
    CHECK(w.told(report::crashed, "a") == 1);
  });
}

TEST_CASE("L163: start_child has no owner and no answer; temporary by default, permanent runs again") {
  seeds(50, [](office& w) {
    int runs = 0, heard = 0;
    w.play("a", [&](context& self) {
      start_child(self, w.jobs, [&] { ++runs; }, {}, 1s, [&](const result<any_ref>& r) { heard += r ? 1 : 100; });
    });
    CHECK(runs == 1);
    CHECK(heard == 1);
    CHECK(start_child(w.jobs, [&] { throw std::runtime_error{"boom"}; }));
    w.sim.run();
    CHECK(w.told(report::crashed) == 1);
    CHECK(w.counts("jobs").active == 0);
    int lives = 0;
    CHECK(start_child(w.jobs, [&](context& self) {
      if (++lives == 3) simulation::stall(1h);
      self.stop(exit_reason::shutdown);
    }, {.restart = permanent}));
    w.sim.advance(1s);
    CHECK(lives == 3);
    // Transient: an error that the function returns counts as a failure.
    int tries = 0;
    CHECK(start_child(w.jobs, [&]() -> result<void> {
      if (++tries == 1) return error{errc::not_found, "not yet"};
      return {};
    }, {.restart = transient}));
    w.sim.run();
    CHECK(tries == 2);
  }, {.intensity = {10, 5s}});
}

TEST_CASE("L164: at max_children, async and start_child say so") {
  seeds(50, [](office& w) {
    std::string first, second;
    w.play("a", [&](context& self) {
      auto t = async(self, w.jobs, after(100ms, 1), {.placement = own_thread});
      auto u = async(self, w.jobs, after(100ms, 2));
      t.await(self, 1s, w.into(first));
      u.await(self, 1s, w.into(second));
    });
    CHECK(second == "max_children");
    CHECK(start_child(w.jobs, [] {}, {}, 50ms).is(errc::max_children));
    w.sim.advance(1s);
    CHECK(first == "1");
    CHECK(start_child(w.jobs, [] {}));
  }, {.max_children = 1});
}

TEST_CASE("L165: a task with brutal_kill does not hold its supervisor's end up") {
  seeds(20, [](office& w) {
    std::string got;
    w.in("a", [&](context& self) {
      auto t = async_nolink(self, w.jobs, after(10s, 1), {.shutdown = brutal_kill});
      t.await(self, 1h, w.into(got));
    });
    w.sim.run();
    CHECK(w.counts("jobs").active == 1);
    const auto before = w.sim.now();
    w.app->stop();
    CHECK(w.sim.now() - before < 1s);
  });
}

TEST_CASE("L166: nested tasks know the chain of their callers, nearest first") {
  seeds(30, [](office& w) {
    std::vector<any_ref> chain, inner_self;
    any_ref a;
    w.play("a", [&](context& self) {
      a = self.self();
      CHECK(callers(self).empty());
      static_cast<void>(start_child(self, w.jobs, [&](context& outer) {
        auto t = async_nolink(outer, w.jobs, [&](context& inner) { chain = callers(inner); });
        inner_self = {outer.self()};
        simulation::stall(10ms);
      }, {}, 1s, [](const result<any_ref>&) {}), 0);
    });
    w.sim.advance(1s);
    REQUIRE(chain.size() == 2);
    CHECK(chain[0] == inner_self[0]);
    CHECK(chain[1] == a);
  });
}

TEST_CASE("L167: terminate_child ends a task; a second time it is not found") {
  seeds(30, [](office& w) {
    std::string got;
    task<int> t;
    w.in("a", [&](context& self) { t = async_nolink(self, w.jobs, after(100ms, 1)); });
    CHECK(w.sim.run_until([&] { return static_cast<bool>(t) && static_cast<bool>(t.who()); }));
    const auto who = t.who();
    CHECK(w.jobs.terminate_child(who));
    CHECK(w.jobs.terminate_child(who).is(errc::not_found));
    w.play("a", [&](context& self) { t.await(self, 1s, w.into(got)); });
    CHECK((got == "1" || got == "down"));  // it was in its function, and had answered when it ended
  });
}

TEST_CASE("L183: wrong options are told at the call, before anything starts") {
  office w{1};
  const auto says = [](auto&& f) -> std::string {
    try {
      f();
    } catch (const std::logic_error& e) {
      return e.what();
    }
    return "nothing";
  };
  CHECK(says([&] { static_cast<void>(async(w.jobs, [] {}, {.restart = permanent})); }) ==
        "the options of a task are wrong: a task that is awaited runs once; wanted: restart temporary, or start_child");
  CHECK(says([&] { static_cast<void>(async(w.jobs, [] {}, {.shutdown = -1ms})); }) ==
        "the options of a task are wrong: shutdown is -1 ms; wanted: 0 up, infinity or brutal_kill");
  CHECK(says([&] { static_cast<void>(async(w.jobs, [](context&) {}, {.offloaded = true})); }) ==
        "the options of a task are wrong: offloaded, but the function takes a context; wanted: one that takes nothing or a "
        "std::stop_token");
  CHECK(says([&] { static_cast<void>(yield_many(std::vector<task<int>>{}, {.limit = -1ms})); }) ==
        "yield_many: the limit is -1 ms; wanted: 0 up");
  CHECK(says([&] { static_cast<void>(yield_many(std::vector<task<int>>{}, {.enough = 0})); }) ==
        "yield_many: enough is 0; wanted: 1 up");
  CHECK(says([&] {
          static_cast<void>(async_stream(w.jobs, std::array{1}, [](int i) { return i; }, {.max_concurrency = 0}, [](const result<int>&) {}));
        }) == "async_stream: max_concurrency is 0; wanted: 1 up");
  CHECK(w.counts("jobs").active == 0);
  CHECK(async(supervisor_ref{w.app->root()}, [] {}).await(1s).is(errc::not_supported));
}

TEST_CASE("tasks: offloaded and own_thread ones answer like any other, and plain threads may own tasks") {
  seeds(30, [](office& w) {
    std::string got;
    w.in("a", [&](context& self) {
      std::vector<task<int>> all;
      all.push_back(async(self, w.jobs, after(20ms, 1), {.offloaded = true}));
      all.push_back(async(self, w.jobs, after(20ms, 2), {.placement = own_thread}));
      all.push_back(async(self, w.jobs, []() -> int { throw std::runtime_error{"no disk"}; }, {.offloaded = true}));
      yield_many(self, all, {.limit = 1s}, [&](const std::vector<std::optional<result<int>>>& r) {
        for (const auto& one : r) got += text_of(one) + " ";
      });
    });
    w.sim.advance(1s);
    CHECK(got == "1 2 down ");
    CHECK(count_offloads(*w.app).done == 2);
    auto t = async(w.jobs, after(100ms, 4));
    CHECK(!t.yield(50ms));
    CHECK(text_of(t.yield(1s)) == "4");
    CHECK(async(w.jobs, after(100ms, 4)).await(50ms).is(errc::timeout));
    CHECK(!async(w.jobs, after(2s, 4)).shutdown(100ms));
    w.sim.advance(5s);
    std::vector<task<int>> all;
    for (int i = 0; i < 3; ++i) all.push_back(async(w.jobs, after((3 - i) * 10ms, i)));
    CHECK(await_many(std::move(all), 1s).value() == std::vector<int>{0, 1, 2});
    CHECK(await_many(std::vector<task<int>>{}).value().empty());
  });
}

TEST_CASE("tasks: the application's stop answers whoever waits") {
  seeds(20, [](office& w) {
    auto t = async(w.jobs, [](std::stop_token stop) {
      while (!stop.stop_requested()) simulation::stall(10ms);
      throw std::runtime_error{"stopped"};
    });
    w.sim.advance(50ms);
    CHECK(w.app->stop().zombies.empty());
    CHECK(t.await(1s).is(errc::down));
    CHECK(async(w.jobs, [] { return 1; }).await(1s).is(errc::noproc));
  });
}

TEST_CASE("tasks: on real threads, many owners await many tasks") {
  constexpr int owners = 4, rounds = 300;
  application_options o;
  o.workers = 2;
  o.sinks = {[](const report&) {}};
  supervisor top{.name = "top", .children = {task_supervisor("jobs")}};
  for (int i = 0; i < owners; ++i) top.children.push_back(child<owner>(std::to_string(i), {.placement = spread}));
  application app{std::move(top), o};
  app.start();
  const auto jobs = app.find_supervisor("jobs");
  std::latch done{owners * rounds};
  std::atomic<int> wrong{0};
  for (int round = 0; round < rounds; ++round)
    for (int i = 0; i < owners; ++i)
      app.find<owner>(std::to_string(i)).cast(script{[&, round](context& self) {
        auto t = async(self, jobs, [round] { return round; }, {.offloaded = round % 10 == 0});
        t.await(self, 20s, [&, round](const result<int>& r) {
          if (!r || *r != round) ++wrong;
          done.count_down();
        });
        if (round % 3 == 0) static_cast<void>(async(self, jobs, [] {}).ignore());
        if (round % 7 == 0) async(self, jobs, [] {}).shutdown(self, 1s, [](const std::optional<result<void>>&) {});
      }});
  for (int i = 0; i < 50; ++i) CHECK(async(jobs, [i] { return i; }).await(20s).value() == i);
  done.wait();
  CHECK(wrong == 0);
  CHECK(app.stop().zombies.empty());
  CHECK(app.dead_letters() == 0);
}
