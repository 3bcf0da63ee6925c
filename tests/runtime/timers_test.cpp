// Timers with names, at points in time, at a rate or with a delay; and receive timeouts.

#include "support.hpp"

using namespace herald;
using namespace herald::test;

namespace {

struct tick {
  int number = 0;
};
struct run_code {
  std::function<void(context&)> code;
};

/// Runs what the test gives it, and notes when it heard what.
struct listener : process<listener, tick, timeout, run_code> {
  struct args {
    std::vector<std::string>* log;
    simulation* sim;
    std::shared_ptr<std::function<void(context&)>> init{};
    std::shared_ptr<std::chrono::nanoseconds> stall{};
  };
  listener(context& self, args a) : a_{std::move(a)}, self_{self} {
    if (a_.init && *a_.init) (*a_.init)(self);
  }
  void on(const tick& m) {
    note("tick" + std::to_string(m.number));
    if (a_.stall && a_.stall->count() > 0) simulation::stall(*a_.stall);
  }
  void on(const timeout&) { note("timeout"); }
  void on(context& self, const run_code& m) { m.code(self); }

 private:
  void note(const std::string& what) {
    const auto at = std::chrono::duration_cast<std::chrono::milliseconds>(a_.sim->now() - begin_);
    a_.log->push_back(what + "@" + std::to_string(at.count()));
  }
  args a_;
  context& self_;
  std::chrono::steady_clock::time_point begin_ = a_.sim->now();
};

struct timed : world {
  explicit timed(std::function<void(context&)> init = {}, std::uint64_t seed = 1) : world{seed} {
    start({.name = "root",
           .children = {child<listener>("l", {.log = &heard, .sim = &sim, .init = std::make_shared<std::function<void(context&)>>(std::move(init)), .stall = stall})}});
    l = app->find<listener>("l");
    begin = sim.now();
  }
  void in_handler(std::function<void(context&)> code) {
    l.cast(run_code{std::move(code)});
    sim.run();
  }
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const auto& line : heard) all.append(all.empty() ? "" : " ").append(line);
    return all;
  }
  std::vector<std::string> heard;
  std::shared_ptr<std::chrono::nanoseconds> stall = std::make_shared<std::chrono::nanoseconds>(0);
  ref<listener> l;
  std::chrono::steady_clock::time_point begin;
};

}  // namespace

TEST_CASE("setting a named timer again replaces it") {
  timed w;
  w.in_handler([](context& self) {
    self.send_after(10ms, tick{1}, {.name = "retry"});
    self.send_after(10ms, tick{2}, {.name = "other"});
    self.send_after(20ms, tick{3}, {.name = "retry"});
  });
  w.sim.advance(100ms);
  CHECK(w.text() == "tick2@10 tick3@20");
}

TEST_CASE("a named timer that has fired is replaced even when its message waits") {
  timed w;
  w.in_handler([&](context& self) {
    self.send_after(1ms, tick{1}, {.name = "t"});
    self.self().cast(run_code{[](context& me) {
      simulation::stall(10ms);
      CHECK(me.read_timer("t") == std::chrono::nanoseconds{0});
      me.send_after(5ms, tick{2}, {.name = "t"});
    }});
  });
  w.sim.advance(100ms);
  CHECK(w.text() == "tick2@15");
}

TEST_CASE("timers at a point in time, by either clock") {
  timed w;
  w.in_handler([&](context& self) {
    self.send_at(self.now() + 5ms, tick{1});
    self.send_at(self.now() - 5ms, tick{2});  // has passed: at once
    self.send_at(self.wall() + 7ms, tick{3});
    self.send_at(self.wall() - 7ms, tick{4});
    self.send_at(self.wall() + 150s, tick{5});  // looked at in steps of a minute
  });
  w.sim.advance(149s);
  CHECK(w.text() == "tick2@0 tick4@0 tick1@5 tick3@7");
  w.sim.advance(2s);
  CHECK(w.heard.back() == "tick5@150000");
}

TEST_CASE("read_timer tells the time left, and nothing of timers that are over") {
  timed w;
  timer_id one{}, every{};
  w.in_handler([&](context& self) {
    one = self.send_after(10ms, tick{1});
    every = self.send_every(4ms, tick{2}, {.name = "every"});
    self.send_at(self.wall() + 1s, tick{3}, {.name = "wall"});
    CHECK(self.read_timer(one) == std::chrono::nanoseconds{10ms});
    CHECK(self.read_timer("wall") == std::chrono::nanoseconds{1s});
    CHECK(self.read_timer("nobody") == std::nullopt);
  });
  w.sim.advance(5ms);
  w.in_handler([&](context& self) {
    CHECK(self.read_timer(one) == std::chrono::nanoseconds{5ms});
    CHECK(self.read_timer("every") == std::chrono::nanoseconds{3ms});
    CHECK(self.read_timer(every) == std::chrono::nanoseconds{3ms});
  });
  w.sim.advance(6ms);
  w.in_handler([&](context& self) {
    CHECK(self.read_timer(one) == std::nullopt);
    CHECK(self.cancel("every"));
    CHECK_FALSE(self.cancel("every"));
    CHECK_FALSE(self.cancel(every));
    CHECK(self.read_timer("every") == std::nullopt);
  });
}

TEST_CASE("cancel_all_timers ends every timer of the process, and what they had sent") {
  timed w;
  w.in_handler([](context& self) {
    self.send_after(1ms, tick{1});
    self.send_every(1ms, tick{2}, {.name = "n"});
    self.send_after(50ms, tick{3});
    self.self().cast(run_code{[](context& me) {
      simulation::stall(10ms);
      me.cancel_all_timers();
      me.send_after(1ms, tick{4}, {.name = "n"});
    }});
  });
  w.sim.advance(1s);
  CHECK(w.text() == "tick4@11");
}

TEST_CASE("timers die with their incarnation, their names too") {
  timed w;
  w.in_handler([](context& self) {
    self.send_after(10ms, tick{1}, {.name = "n"});
    self.send_every(10ms, tick{2}, {.name = "m"});
  });
  w.in_handler([](context&) { throw std::runtime_error{"over"}; });
  w.in_handler([](context& self) {
    CHECK(self.read_timer("n") == std::nullopt);
    self.send_after(20ms, tick{3}, {.name = "n"});
  });
  w.sim.advance(1s);
  CHECK(w.text() == "tick3@20");
}

TEST_CASE("a fixed rate keeps its raster, leaves out what it misses, and never piles up") {
  timed w;
  *w.stall = 25ms;
  w.in_handler([](context& self) { self.send_every(10ms, tick{}); });
  w.sim.advance(100ms);
  // The first takes from 10 to 35; those of 20 and 30 are one. It is handled at 35, and lasts until 60.
  CHECK(w.text() == "tick0@10 tick0@35 tick0@60 tick0@85");
  *w.stall = 0ms;
  w.sim.advance(50ms);
  w.heard.clear();
  w.sim.advance(30ms);
  CHECK(w.text() == "tick0@160 tick0@170 tick0@180");
}

TEST_CASE("a fixed delay begins when the handler has returned") {
  timed w;
  *w.stall = 25ms;
  w.in_handler([](context& self) { self.send_every(10ms, tick{}, {.pace = fixed_delay}); });
  w.sim.advance(100ms);
  CHECK(w.text() == "tick0@10 tick0@45 tick0@80");
}

TEST_CASE("wrong times are refused") {
  timed w;
  std::string said;
  const auto says = [&](auto code) {
    said.clear();
    w.in_handler([&](context& self) {
      try {
        code(self);
      } catch (const std::logic_error& e) {
        said = e.what();
      }
    });
    return said;
  };
  CHECK(says([](context& s) { s.send_after(-1ms, tick{}); }).find("delay of -1000000 ns; wanted: 0 up") != std::string::npos);
  CHECK(says([](context& s) { s.send_every(0ms, tick{}); }).find("period of 0 ns; wanted: above 0") != std::string::npos);
  CHECK(says([](context& s) { s.receive_timeout(0ms); }).find("wanted: above 0") != std::string::npos);
  CHECK(says([](context& s) { s.send_after(1ms, 42); }).find("does not accept") != std::string::npos);
}

// --- receive timeouts -------------------------------------------------------------------------------------------------

TEST_CASE("O221: a receive timeout set in init or in a handler comes once when no message does") {
  SUBCASE("in init") {
    timed w{[](context& self) { self.receive_timeout_once(500ms); }};
    w.sim.advance(10s);
    CHECK(w.text() == "timeout@500");
  }
  SUBCASE("in a handler") {
    timed w;
    w.sim.advance(100ms);
    w.in_handler([](context& self) { self.receive_timeout_once(500ms); });
    w.sim.advance(10s);
    CHECK(w.text() == "timeout@600");
  }
}

TEST_CASE("O221: any message that comes first calls it off") {
  for (const bool by_timer : {false, true}) {
    timed w{[](context& self) { self.receive_timeout_once(500ms); }};
    w.sim.advance(400ms);
    if (by_timer) {
      w.in_handler([](context& self) {
        self.receive_timeout_once(500ms);
        self.send_after(400ms, tick{1});
      });
      w.sim.advance(10s);
      CHECK(w.text() == "tick1@800");
    } else {
      w.l.cast(tick{1});
      w.sim.advance(10s);
      CHECK(w.text() == "tick1@400");
    }
  }
}

TEST_CASE("O221: a message that waits when it is set calls it off, too") {
  timed w;
  w.l.cast(run_code{[](context& self) { self.receive_timeout_once(5ms); }});
  w.l.cast(tick{1});
  w.sim.advance(1s);
  CHECK(w.text() == "tick1@0");
}

TEST_CASE("a standing receive timeout counts from when the mailbox ran empty, again and again") {
  timed w{[](context& self) { self.receive_timeout(100ms); }};
  w.sim.advance(60ms);
  w.l.cast(tick{1});
  w.sim.advance(60ms);
  w.l.cast(tick{2});
  w.sim.advance(330ms);
  CHECK(w.text() == "tick1@60 tick2@120 timeout@220 timeout@320 timeout@420");
  w.heard.clear();
  w.in_handler([](context& self) { self.no_receive_timeout(); });
  w.sim.advance(1s);
  CHECK(w.text().empty());
}

TEST_CASE("a handler that overruns is not quiet: the time begins when it has returned") {
  timed w{[](context& self) { self.receive_timeout(100ms); }};
  w.sim.advance(50ms);
  *w.stall = 300ms;
  w.l.cast(tick{1});
  w.sim.advance(1s);
  REQUIRE(w.heard.size() > 1);
  CHECK(w.heard[0] == "tick1@50");
  CHECK(w.heard[1] == "timeout@450");
}

TEST_CASE("O223: the limit may be a point in time; a message before it calls it off") {
  timed w{[](context& self) { self.receive_timeout_at(self.now() + 70ms); }};
  w.sim.advance(1s);
  CHECK(w.text() == "timeout@70");
  w.heard.clear();
  w.in_handler([](context& self) { self.receive_timeout_at(self.now() + 70ms); });
  w.l.cast(tick{1});
  w.sim.advance(1s);
  CHECK(w.text() == "tick1@1000");
}

TEST_CASE("O224: a look from outside does not call it off, a request does") {
  timed w{[](context& self) { self.receive_timeout_once(500ms); }};
  w.sim.advance(300ms);
  CHECK(w.counts().active == 1);  // asks the supervisor, and the process's cell, but not the process
  CHECK(w.app->find<listener>("l"));
  w.sim.advance(1s);
  CHECK(w.text() == "timeout@500");
}

TEST_CASE("setting a receive timeout again replaces the one before; it ends with its incarnation") {
  timed w;
  w.in_handler([](context& self) {
    self.receive_timeout(10ms);
    self.receive_timeout_once(50ms);
  });
  w.sim.advance(1s);
  CHECK(w.text() == "timeout@50");
  w.heard.clear();
  w.in_handler([](context& self) { self.receive_timeout(10ms); });
  w.in_handler([](context&) { throw std::runtime_error{"over"}; });
  w.sim.advance(1s);
  CHECK(w.text().empty());
}

TEST_CASE("a process that does not accept herald::timeout cannot ask for it") {
  struct deaf : process<deaf, tick> {
    deaf(context& self) { self.receive_timeout(1s); }
    void on(const tick&) {}
  };
  world w;
  w.make({.name = "root", .children = {child<deaf>("d")}});
  CHECK_THROWS_WITH(w.app->start(), doctest::Contains("does not accept herald::timeout"));
}
