// Conformance, section L (tasks), under many seeds: a task's answer, awaited, asked for, given up.

#include "task_support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

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
