// Conformance, section L (tasks), under many seeds. The owner is a process that runs what the test hands it, so that each
// case reads from top to bottom.

#include <array>
#include <latch>

#include "task_support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct office : world {
  explicit office(std::uint64_t seed, task_supervisor_options o = {}) : world{seed} {
    start({.name = "top",
           .intensity = {100, 1s},
           .children = {task_supervisor("jobs", o), child<owner>("a", {.placement = spread}), child<owner>("b", {.placement = spread})}});
    jobs = app->find_supervisor("jobs");
  }
  ~office() {
    // Whatever happened, nobody found a message it did not expect.
    CHECK(app->dead_letters() == 0);
    app.reset();
  }
  void in(const std::string& who, std::function<void(context&)> code) { app->find<owner>(who).cast(script{std::move(code)}); }
  void play(const std::string& who, std::function<void(context&)> code) {
    in(who, std::move(code));
    sim.run();
  }
  [[nodiscard]] auto into(std::string& where) {
    return [&where](const auto& r) { where = text_of(r); };
  }
  supervisor_ref jobs;
};

auto after(std::chrono::nanoseconds time, int value) {
  return [time, value] {
    simulation::stall(time);
    return value;
  };
}

template <class F>
void seeds(int n, F&& f, task_supervisor_options o = {}) {
  for (int seed = 1; seed <= n; ++seed) {
    CAPTURE(seed);
    office w{static_cast<std::uint64_t>(seed), o};
    f(w);
  }
}

}  // namespace

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

TEST_CASE("L168: await's limit gives the task up, and nothing of it shows later") {
  seeds(50, [](office& w) {
    std::string got;
    int heard = 0, begun = 0;
    w.in("a", [&](context& self) {
      auto t = async(self, w.jobs, [&](std::stop_token stop) {
        ++begun;
        while (!stop.stop_requested()) simulation::stall(10ms);
        return 1;
      });
      t.await(self, 100ms, [&](const result<int>& r) {
        got = text_of(r);
        ++heard;
      });
    });
    w.sim.advance(5s);
    CHECK(got == "timeout");
    CHECK(heard == 1);
    CHECK(begun == 1);
    CHECK(w.counts("jobs").active == 0);  // it was tied to its owner, and has been stopped
  });
}

TEST_CASE("L169: what the task threw is the answer's reason") {
  seeds(30, [](office& w) {
    std::string got, own;
    w.play("a", [&](context& self) {
      auto t = async(self, w.jobs, []() -> int { throw std::runtime_error{"out of paper"}; });
      t.await(self, 1s, [&](const result<int>& r) { got = r.error().to_string(); });
      auto u = async(self, w.jobs, []() -> result<int> { return error{errc::overload, "not today"}; });
      u.await(self, 1s, [&](const result<int>& r) { own = r.error().to_string(); });
      auto v = async(self, w.jobs, [](context& me) {
        me.stop(exit_reason{exit_reason::custom, "enough"});
        throw std::logic_error{"and worse"};
      });
      v.await(self, 1s, [&](const result<void>& r) { CHECK(r.is(errc::down)); });
    });
    CHECK(got.find("out of paper") != std::string::npos);
    CHECK(got.find("runtime.down: the task ended with crash") == 0);
    CHECK(own == "runtime.overload: not today");
    // An owner that cannot live without it ends with it.
    w.play("a", [&](context& self) {
      auto t = async(self, w.jobs, []() -> int { throw std::runtime_error{"out of paper"}; });
      t.await(self, 1s, [&](const result<int>& r) { got = std::to_string(r.value()); });
    });
    CHECK(w.told(report::crashed, "a") == 1);
  });
}

TEST_CASE("L170: only its owner may await a task") {
  seeds(30, [](office& w) {
    std::string got, thread;
    task<int> t;
    w.play("a", [&](context& self) { t = async(self, w.jobs, after(0ms, 1)); });
    CHECK(text_of(t.yield(1s)) == "not_owner");
    w.play("b", [&](context& self) { t.yield(self, 1s, w.into(got)); });
    CHECK(got == "not_owner");
    w.play("b", [&](context& self) { t.await(self, 1s, w.into(got)); });
    CHECK(got == "not_owner");
    auto mine = async(w.jobs, after(0ms, 2));
    w.play("b", [&](context& self) { mine.yield(self, 1s, w.into(got)); });
    CHECK(got == "not_owner");
    w.play("b", [&](context&) {
      CHECK(mine.await(1s).is(errc::would_block));
      CHECK(text_of(mine.shutdown()) == "would_block");
      CHECK(start_child(w.jobs, [] {}).is(errc::would_block));
    });
    CHECK(mine.await(1s).value() == 2);
    CHECK(mine.await(1s).is(errc::bad_option));
    // The next life of the owner is another owner.
    w.play("a", [&](context& self) { t = async_nolink(self, w.jobs, after(0ms, 3)); });
    w.play("a", [](context&) { throw std::runtime_error{"end"}; });
    w.play("a", [&](context& self) { t.yield(self, 1s, w.into(got)); });
    CHECK(got == "not_owner");
  });
}

TEST_CASE("L171: yield gives the answer, or none at its limit and may be asked again, or how it ended") {
  seeds(50, [](office& w) {
    std::vector<std::string> got;
    const auto note = [&](const auto& r) { got.push_back(text_of(r)); };
    task<int> t, u;
    w.in("a", [&](context& self) {
      t = async(self, w.jobs, after(250ms, 5));
      t.yield(self, 100ms, [&](context& me, const std::optional<result<int>>& r) {
        note(r);
        t.yield(me, 100ms, [&](context& again, const std::optional<result<int>>& second) {
          note(second);
          t.yield(again, 100ms, note);
        });
      });
    });
    w.sim.advance(1s);
    CHECK(got == std::vector<std::string>{none, none, "5"});
    got.clear();
    w.play("a", [&](context& self) {
      u = async(self, w.jobs, []() -> int { throw std::runtime_error{"boom"}; });
      u.yield(self, 100ms, note);
    });
    CHECK(got == std::vector<std::string>{"down"});
    // Two at a time cannot both have it.
    got.clear();
    w.in("a", [&](context& self) {
      t = async(self, w.jobs, after(50ms, 6));
      t.yield(self, 1s, note);
      t.yield(self, 1s, note);
    });
    w.sim.advance(1s);
    CHECK(got == std::vector<std::string>{"bad_option", "6"});
  });
}

TEST_CASE("L172: yield_many ends when enough have answered, or at its limit, and does with the rest what it is told") {
  seeds(40, [](office& w) {
    for (const auto rest : {on_timeout_t::nothing, on_timeout_t::ignore, on_timeout_t::kill}) {
      std::string got;
      int begun = 0, finished = 0;
      std::vector<task<int>> all;
      w.in("a", [&, rest](context& self) {
        for (int i = 1; i <= 3; ++i)
          all.push_back(async(self, w.jobs, [&, i] {
            ++begun;
            simulation::stall(i * 200ms);
            ++finished;
            return i;
          }));
        yield_many(self, all, {.limit = 300ms, .on_timeout = rest}, [&](const std::vector<std::optional<result<int>>>& r) {
          for (const auto& one : r) got += text_of(one) + " ";
        });
      });
      w.sim.advance(310ms);
      CHECK(got == "1 none none ");
      if (rest == on_timeout_t::kill) {
        w.sim.advance(150ms);
        CHECK(w.counts("jobs").active == 0);
      }
      w.sim.advance(1s);
      CHECK(begun == 3);
      got.clear();
      w.play("a", [&](context& self) {
        yield_many(self, all, {.limit = 1s}, [&](const std::vector<std::optional<result<int>>>& r) {
          for (const auto& one : r) got += text_of(one) + " ";
        });
      });
      CHECK(got == "bad_option bad_option bad_option ");  // the first is spent
      got.clear();
      all.erase(all.begin());
      w.play("a", [&](context& self) {
        yield_many(self, all, {.limit = 1s, .enough = 1}, [&](const std::vector<std::optional<result<int>>>& r) {
          for (const auto& one : r) got += text_of(one) + " ";
        });
      });
      CHECK(got == (rest == on_timeout_t::kill ? "down down " : "2 3 "));
      w.play("a", [&](context&) { all.clear(); });
    }
    // So many are enough.
    std::string got;
    std::vector<task<int>> all;
    w.in("a", [&](context& self) {
      for (int i = 1; i <= 3; ++i) all.push_back(async(self, w.jobs, after(i * 200ms, i)));
      yield_many(self, all, {.limit = 1h, .enough = 2}, [&](const std::vector<std::optional<result<int>>>& r) {
        for (const auto& one : r) got += text_of(one) + " ";
      });
      yield_many(self, std::vector<task<int>>{}, {}, [&](const std::vector<std::optional<result<int>>>& r) {
        CHECK(r.empty());
        got += "empty ";
      });
    });
    w.sim.advance(1s);
    CHECK(got == "empty 1 2 none ");
  });
}

TEST_CASE("L173: await_many gives the values in the order of the tasks; an empty list at once; a failure at once") {
  seeds(50, [](office& w) {
    std::vector<int> got;
    std::string empty, failed, done;
    std::chrono::steady_clock::time_point failed_at;
    const auto begin = w.sim.now();
    w.in("a", [&](context& self) {
      std::vector<task<int>> all, bad;
      for (int i = 0; i < 4; ++i) all.push_back(async(self, w.jobs, after((4 - i) * 50ms, i)));
      await_many(self, std::move(all), 1s, [&](result<std::vector<int>> r) { got = *std::move(r); });
      await_many(self, std::vector<task<int>>{}, 1s, [&](const result<std::vector<int>>& r) { empty = r && r->empty() ? "empty" : "?"; });
      bad.push_back(async(self, w.jobs, after(400ms, 1)));
      bad.push_back(async(self, w.jobs, []() -> int { throw std::runtime_error{"boom"}; }));
      await_many(self, std::move(bad), 1s, [&](context& me, const result<std::vector<int>>& r) {
        failed = text_of(r.is(errc::down) ? result<void>{r.error()} : result<void>{});
        failed_at = me.now();
      });
      std::vector<task<void>> plain;
      for (int i = 0; i < 3; ++i) plain.push_back(async(self, w.jobs, [] {}));
      await_many(self, std::move(plain), 1s, w.into(done));
    });
    w.sim.advance(2s);
    CHECK(got == std::vector<int>{0, 1, 2, 3});
    CHECK(empty == "empty");
    CHECK(failed == "down");
    CHECK(failed_at - begin < 400ms);
    CHECK(done == "done");
    CHECK(w.counts("jobs").active == 0);
  });
}

TEST_CASE("L174: shutdown gives the answer if there was one, nothing if it had to end it, and how it crashed") {
  seeds(50, [](office& w) {
    std::string early, late, crashed, brutal, stubborn;
    w.in("a", [&](context& self) {
      auto has = async(self, w.jobs, after(0ms, 1));
      auto crash = async(self, w.jobs, []() -> int { throw std::runtime_error{"boom"}; });
      struct rest {
        task<int> has, crash;
      };
      auto kept = std::make_shared<rest>(rest{std::move(has), std::move(crash)});
      auto slow = async(self, w.jobs, [](context& me) {
        while (!me.stop_token().stop_requested()) simulation::stall(10ms);
        simulation::stall(10ms);
        throw std::runtime_error{"interrupted"};
      });
      auto polite = async(self, w.jobs, [](std::stop_token stop) {
        while (!stop.stop_requested()) simulation::stall(10ms);
        return 9;
      });
      auto stuck = async(self, w.jobs, after(5s, 1));
      auto stuck_too = async(self, w.jobs, after(5s, 1));
      static_cast<void>(slow.ignore());
      auto wait = async(self, w.jobs, after(100ms, 0));
      wait.await(self, 1s, [&, kept, polite = std::make_shared<task<int>>(std::move(polite)),
                            stuck = std::make_shared<task<int>>(std::move(stuck)),
                            stuck_too = std::make_shared<task<int>>(std::move(stuck_too))](context& me, const result<int>&) {
        kept->has.shutdown(me, 1s, w.into(early));
        kept->crash.shutdown(me, 1s, w.into(crashed));
        polite->shutdown(me, 1s, w.into(late));
        stuck->shutdown(me, brutal_kill, w.into(brutal));
        stuck_too->shutdown(me, 300ms, w.into(stubborn));
      });
    });
    w.sim.advance(2s);
    CHECK(early == "1");
    CHECK(crashed == "down");
    CHECK(late == "9");
    CHECK(brutal == none);
    CHECK(stubborn == none);
    w.sim.advance(10s);
    // Before it has begun, it is not begun.
    int begun = 0;
    std::string got;
    w.play("a", [&](context& self) {
      auto t = async(self, w.jobs, [&] { return ++begun; });
      t.shutdown(self, 1s, w.into(got));
    });
    CHECK(got == (begun == 1 ? "1" : none));
  });
}

TEST_CASE("L175: of an ignored task nothing is heard, neither early nor late, neither value nor failure") {
  seeds(50, [](office& w) {
    std::string early;
    w.in("a", [&](context& self) {
      auto t = std::make_shared<task<int>>(async(self, w.jobs, after(0ms, 1)));
      auto late = async(self, w.jobs, after(100ms, 2));
      auto bad = async(self, w.jobs, []() -> int { throw std::runtime_error{"boom"}; });
      CHECK(!late.ignore());
      static_cast<void>(bad.ignore());
      auto dropped = async(self, w.jobs, after(50ms, 3));
      auto wait = async(self, w.jobs, after(50ms, 0));
      wait.await(self, 1s, [&, t](const result<int>&) { early = text_of(t->ignore()); });
    });
    w.sim.advance(1s);
    CHECK(early == "1");
    CHECK(w.counts("jobs").active == 0);
    CHECK(w.told(report::crashed, "a") == 0);
  });
}

TEST_CASE("tasks: wrong options are told at the call, before anything starts") {
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
