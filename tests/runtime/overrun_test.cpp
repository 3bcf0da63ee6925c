// Handlers that overrun: their host goes on without them, they rejoin; stuck ones are fenced, reported and buried. In
// virtual time here; overrun_threads_test.cpp has the same on real threads.

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct go {};
struct late_things {
  std::chrono::nanoseconds stall;
  ref<probe> other;
};
struct tick {};

/// Asks for everything a context offers after it has overrun.
struct latecomer : process<latecomer, late_things, tick, down, go> {
  struct args {
    journal* log = nullptr;
    bool stalls_in_init = false;
  };
  latecomer(context& self, args a) : self_{self}, log_{a.log} {
    if (!a.stalls_in_init) return;
    simulation::stall(200ms);
    self_.send_after(10ms, tick{});
  }
  void on(const late_things& m) {
    const auto cancelled = self_.send_after(1ms, tick{});
    simulation::stall(m.stall);
    self_.send_after(10ms, tick{});
    log_->write(self_.cancel(cancelled) ? "cancelled" : "not cancelled");
    self_.monitor(m.other);
    self_.call(m.other, life{}, 100ms, [this](const result<std::uint32_t>& r) { log_->write("answer " + std::string{r ? "yes" : r.error().name()}); });
    m.other.cast(note{1});
    log_->write("path " + self_.path());
  }
  void on(const tick&) { log_->write("tick"); }
  void on(const down& m) { log_->write("down " + m.reason.to_string()); }
  void on(const go&) {
    simulation::stall(150ms);
    self_.stop({exit_reason::custom, "late"});
  }

 private:
  context& self_;
  journal* log_;
};

struct overrun_world : world {
  explicit overrun_world(child_options o = {}, std::uint64_t seed = 1) : world{seed} {
    start({.name = "root", .intensity = {100, 5s}, .children = {worker("a", o), worker("b")}});
    log.take();
  }
  void stall(std::chrono::nanoseconds time) { tell("a", stall_for{time}); }
};

}  // namespace

TEST_CASE("a handler that overruns is reported; its neighbours go on; it rejoins, and order is kept") {
  overrun_world w;
  w.stall(1s);
  w.at("a").cast(note{1});
  w.sim.advance(200ms);
  CHECK(w.told(report::overran, "a") == 1);
  CHECK(w.life_of("b") == 1);
  w.at("a").cast(note{2});
  w.sim.run();
  CHECK(w.log.text().empty());
  w.sim.advance(1s);
  CHECK(w.told(report::came_back, "a") == 1);
  CHECK(w.log.text() == "a:1 a:2");
  CHECK(w.life_of("a") == 1);
}

TEST_CASE("a handler below the limit is no overrun") {
  overrun_world w;
  w.stall(80ms);
  w.sim.advance(1s);
  CHECK(w.told(report::overran) == 0);
}

TEST_CASE("a process asked to stop while its handler overruns ends when the handler returns") {
  overrun_world w;
  w.stall(1s);
  w.at("a").cast(note{1});
  w.sim.advance(200ms);
  CHECK(w.app->root().terminate_child("a"));
  CHECK(w.log.text() == "-a shutdown ~a");
  CHECK(w.told(report::zombie) == 0);
}

TEST_CASE("a process killed while its handler overruns is fenced: a new life runs beside the zombie until it is buried") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    overrun_world w{{}, seed};
    w.stall(5s);
    w.at("a").cast(note{1});
    w.sim.advance(200ms);
    CHECK(w.app->kill("a"));
    w.sim.run();
    CHECK(w.told(report::zombie, "a") == 1);
    CHECK(w.log.text() == "+a a:1");
    CHECK(w.life_of("a") == 2);
    w.crash("a");
    CHECK(w.life_of("a") == 3);
    w.log.take();
    w.sim.advance(10s);
    CHECK(w.log.text() == "~a");
    CHECK(w.life_of("a") == 3);
    CHECK(w.app->stop().zombies.empty());
  }
}

TEST_CASE("a stuck process is fenced at its shutdown limit, and the stop goes on") {
  overrun_world w{{.shutdown = 2s}};
  w.stall(1h);
  w.sim.advance(200ms);
  const auto before = w.sim.now();
  CHECK(w.app->root().terminate_child("a", 10s));
  CHECK(w.sim.now() - before < 2200ms);
  CHECK(w.told(report::killed, "a") == 1);
  CHECK(w.told(report::zombie, "a") == 1);
  const auto end = w.app->stop();
  CHECK(end.zombies == std::vector<std::string>{"a"});
}

TEST_CASE("a caller whose call is in hand when the process is fenced gets down at once, and nothing later") {
  overrun_world w;
  int answers = 0;
  std::string why;
  struct caller : process<caller, go> {
    struct args {
      ref<probe> callee;
      int* answers;
      std::string* why;
    };
    caller(context& self, args a) : self_{self}, a_{a} {}
    void on(const go&) {
      self_.call(a_.callee, slow_life{3s}, 10s, [this](const result<std::uint32_t>& r) {
        ++*a_.answers;
        *a_.why = r ? "answered" : r.error().to_string();
      });
    }
    context& self_;
    args a_;
  };
  REQUIRE(w.app->root().start_child(child<caller>("caller", {w.at("a"), &answers, &why})));
  w.app->find<caller>("caller").cast(go{});
  w.sim.advance(200ms);
  CHECK(w.app->kill("a"));
  w.sim.run();
  CHECK(answers == 1);
  CHECK(why == "runtime.down: the call of type herald::test::slow_life was not answered: the process ended with killed");
  w.sim.advance(20s);
  CHECK(answers == 1);
}

TEST_CASE("a handler that overran reaches its own timers, calls and monitors all the same") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    world w{seed};
    w.start({.name = "root", .children = {child<latecomer>("late", {.log = &w.log}), w.worker("a", {.placement = spread})}});
    w.log.take();
    w.app->find<latecomer>("late").cast(late_things{300ms, w.at("a")});
    w.sim.advance(290ms);
    CHECK(w.told(report::overran, "late") == 1);
    w.sim.advance(1s);
    CHECK(w.app->root().terminate_child("a"));
    w.sim.run();
    auto lines = w.log.take();
    std::sort(lines.begin(), lines.end());
    CHECK(lines == std::vector<std::string>{"-a shutdown", "a:1", "answer yes", "cancelled", "down shutdown", "path late", "tick", "~a"});
  }
}

TEST_CASE("stop in a handler that overran ends the process with its reason") {
  world w;
  w.start({.name = "root", .children = {child<latecomer>("late", {.log = &w.log})}});
  w.app->find<latecomer>("late").cast(go{});
  w.sim.advance(1s);
  CHECK(std::any_of(w.reports.begin(), w.reports.end(), [](const report& r) { return r.kind == report::crashed && r.reason == exit_reason{exit_reason::custom, "late"}; }));
  CHECK(w.told(report::restarted, "late") == 1);
}

TEST_CASE("what a fenced handler still asks for does not happen") {
  world w;
  w.start({.name = "root", .children = {child<latecomer>("late", {.log = &w.log}), w.worker("a")}});
  w.log.take();
  w.app->find<latecomer>("late").cast(late_things{3s, w.at("a")});
  w.sim.advance(200ms);
  CHECK(w.app->kill("late"));
  w.sim.advance(10s);
  CHECK(w.log.text() == "not cancelled path late");
  CHECK(w.told(report::restarted, "late") == 1);
}

TEST_CASE("an init that overruns delays nobody else, and what it asks for holds") {
  world w;
  w.start({.name = "root", .children = {w.worker("a"), child<latecomer>("late", {.log = &w.log, .stalls_in_init = true})}});
  w.sim.advance(1s);
  CHECK(w.log.text() == "+a tick");
}

TEST_CASE("a stuck init is fenced at its start_timeout, and restarts go on") {
  overrun_world w{{.start_timeout = 1s}};
  w.how("a")->init_stall = 20s;
  w.crash("a");
  w.sim.advance(500ms);
  w.how("a")->init_stall = 0s;
  w.sim.advance(1s);
  CHECK(w.told(report::zombie, "a") == 1);
  CHECK(w.life_of("a") == 3);
  w.sim.advance(30s);
  CHECK(w.life_of("a") == 3);
  CHECK(w.app->stop().zombies.empty());
}

TEST_CASE("terminate and destructors may overrun, too") {
  for (const bool kill : std::vector{false, true}) {
    overrun_world w{{.shutdown = 2s}};
    w.how("a")->terminate_stall = kill ? 10s : 300ms;
    w.how("a")->destructor_stall = 300ms;
    CHECK(w.app->root().terminate_child("a", 20s));
    CHECK(w.life_of("b") == 1);
    CHECK(w.told(report::zombie) == (kill ? 1 : 0));
    w.how("a")->terminate_stall = w.how("a")->destructor_stall = 0s;
    w.sim.advance(20s);
    CHECK(w.log.text() == "-a shutdown ~a");
  }
}

TEST_CASE("a zombie's destructor that overruns harms neither its host nor the next life") {
  overrun_world w;
  w.stall(2s);
  w.sim.advance(200ms);
  CHECK(w.app->kill("a"));
  w.sim.run();
  w.how("a")->destructor_stall = 5s;
  w.sim.advance(3s);
  w.how("a")->destructor_stall = 0s;
  CHECK(w.life_of("a") == 2);
  CHECK(w.life_of("b") == 1);
  w.sim.advance(10s);
  w.crash("a");
  CHECK(w.life_of("a") == 3);
}

TEST_CASE("a dynamic child that is freed while its zombie runs on leaves its room to nobody before it is buried") {
  world w;
  w.start({.name = "root", .children = {dynamic<probe>("d", {.restart = temporary})}});
  const auto d = w.app->find_supervisor("d");
  for (int i = 0; i < 10; ++i) {
    const auto r = d.start_child<probe>({.name = "z", .log = &w.log}).value();
    r.cast(stall_for{std::chrono::milliseconds{1000 + 300 * i}});
    w.sim.advance(150ms);
    CHECK(d.kill_child(r));
    w.sim.run();
  }
  CHECK(w.counts("d") == child_counts{1, 0, 0, 0});
  w.sim.advance(10s);
  const auto lines = w.log.lines();
  CHECK(std::count(lines.begin(), lines.end(), "+z") == 10);
  CHECK(std::count(lines.begin(), lines.end(), "~z") == 10);
}

TEST_CASE("the second stop request of a process that does not end is a kill, by force") {
  overrun_world w{{.shutdown = infinity}};
  w.stall(1h);
  w.sim.advance(200ms);
  CHECK(w.app->root().terminate_child("a", 1s).is(errc::timeout));
  CHECK(w.app->kill("a"));
  w.sim.run();
  CHECK(w.list() == "b a(stopped)");
}
