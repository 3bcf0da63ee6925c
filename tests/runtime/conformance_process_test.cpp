// Sections M (process life) and N (calls and casts), and the monitors' cases of Q.

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct begin {};
struct ask_it {};
struct watch_ref {
  any_ref who;
};
struct watch_life {
  incarnation_ref who;
};
struct unwatch {};

/// Calls and watches others, and writes down what it hears.
struct asker : process<asker, begin, ask_it, note, watch_ref, watch_life, unwatch, down, restarted> {
  struct args {
    journal* log = nullptr;
    ref<probe> callee;
    std::chrono::milliseconds limit{100};
  };
  asker(context& self, args a) : self_{self}, a_{a} {}
  void on(const begin&) {}
  void on(const ask_it&) { ask(a_.callee); }
  void on(const note& m) { a_.log->write("note " + std::to_string(m.number)); }
  void on(const watch_ref& m) { last_ = self_.monitor(m.who); }
  void on(const watch_life& m) { last_ = self_.monitor(m.who); }
  void on(const unwatch&) { self_.demonitor(last_); }
  void on(const down& m) {
    if (m.monitor == last_) a_.log->write("down " + m.reason.to_string());
  }
  void on(const restarted& m) { a_.log->write("restarted " + std::to_string(m.incarnation)); }
  void ask(const ref<probe>& callee) {
    self_.call(callee, life{}, a_.limit, [this](result<std::uint32_t> r) {
      a_.log->write(r ? "answer " + std::to_string(*r) : std::string{"error "} + std::string{r.error().name()});
    });
  }

 private:
  context& self_;
  args a_;
  monitor_id last_;
};

struct self_caller : process<self_caller, begin, life> {
  struct args {
    journal* log = nullptr;
  };
  self_caller(context& self, args a) : self_{self}, log_{a.log} {}
  void on(const begin&) {
    self_.call(self_.as<self_caller>(), life{}, 100ms, [this](const result<std::uint32_t>& r) {
      log_->write(std::string{r.error().name()});
    });
    const auto blocking = self_.as<self_caller>().call(life{});
    log_->write(std::string{blocking.error().name()});
  }
  std::uint32_t on(const life&) { return 0; }

 private:
  context& self_;
  journal* log_;
};

struct pair_world : world {
  pair_world() {
    start({.name = "root", .intensity = {100, 5s}, .children = {worker("a", {.placement = spread}), worker("b")}});
    REQUIRE(app->root().start_child(
        child<asker>("asker", {.log = &log, .callee = at("a")}, {.restart = temporary, .placement = spread})));
    log.take();
  }
  [[nodiscard]] ref<asker> ask() const { return app->find<asker>("asker"); }
  template <class M>
  void to_asker(M m) {
    ask().cast(std::move(m));
    sim.run();
  }
};

}  // namespace

TEST_CASE("M187: start answers the new process, and its name is taken then") {
  world w;
  w.start({.name = "root"});
  const auto r = w.app->root().start_child(w.worker("a"));
  REQUIRE(r);
  CHECK(*r == any_ref{w.at("a")});
  CHECK(w.app->root().start_child(w.worker("a")).is(errc::already_started));
}

TEST_CASE("M188: an init over its start_timeout fails the start, and the half-started process is gone") {
  world w;
  w.start({.name = "root"});
  w.how("a")->init_stall = 60s;
  const auto r = w.app->root().start_child(w.worker("a", {.start_timeout = 500ms}));
  REQUIRE_FALSE(r);
  CHECK(r.error().to_string() ==
        "runtime.start_failed: the child a did not start: killed: its init did not return within its start_timeout of 500 ms");
  CHECK(w.counts() == child_counts{0, 0, 0, 0});
  w.sim.advance(61s);
  CHECK(w.log.text() == "+a ~a");
}

TEST_CASE("M188: an init that is late but not stuck fails the start as well, and is not told as started") {
  world w;
  w.start({.name = "root"});
  w.how("a")->init_stall = 60ms;
  CHECK(w.app->root().start_child(w.worker("a", {.placement = by_key(1), .start_timeout = 20ms})).is(errc::start_failed));
  w.sim.run();
  CHECK(w.counts() == child_counts{0, 0, 0, 0});
  CHECK(w.log.text() == "+a ~a");
}

TEST_CASE("M189: ignore and fail in init are no crashes; fail is an error with its text") {
  world w;
  w.start({.name = "root"});
  w.how("a")->refusing_inits = 1;
  CHECK(w.app->root().start_child(w.worker("a")).error().message() == "the child a did not start: custom: a is not ready");
  w.how("b")->ignores = true;
  CHECK(w.app->root().start_child(w.worker("b")));
  CHECK(w.told(report::crashed) == 0);
}

TEST_CASE("M191: failing starts may be repeated") {
  world w;
  w.start({.name = "root"});
  w.how("a")->failing_inits = 5;
  for (int i = 0; i < 5; ++i) CHECK(w.app->root().start_child(w.worker("a")).is(errc::start_failed));
  CHECK(w.app->root().start_child(w.worker("a")));
}

TEST_CASE("M193: a stopped process answers noproc, a stop waits for the end") {
  pair_world w;
  const auto a = w.at("a");
  CHECK(w.app->root().terminate_child("a"));
  CHECK(w.log.text() == "-a shutdown ~a");
  CHECK(a.call(life{}).is(errc::noproc));
}

TEST_CASE("M197: terminate runs for stops and crashes, never for kill") {
  pair_world w;
  w.crash("a");
  CHECK(w.log.take_text() == "-a crash ~a +a");
  w.tell("a", odd_boom{});
  CHECK(w.log.take_text() == "-a crash ~a +a");
  w.tell("a", end_with{exit_reason::normal});
  CHECK(w.log.take_text() == "-a normal ~a +a");
  CHECK(w.app->kill("a"));
  w.sim.run();
  CHECK(w.log.take_text() == "~a +a");
}

TEST_CASE("M198: a process without terminate passes any reason on") {
  pair_world w;
  CHECK(w.app->root().start_child(child<asker>("plain", {.log = &w.log, .callee = {}}, {.restart = temporary})));
  w.to_asker(watch_ref{w.app->find<asker>("plain")});
  CHECK(w.app->root().terminate_child("plain"));
  w.sim.run();
  CHECK(w.log.text() == "down shutdown");
}

TEST_CASE("M199: when terminate throws, the process ends with that") {
  pair_world w;
  w.to_asker(watch_life{{w.at("a"), 1}});
  w.how("a")->throws_in_terminate = true;
  w.tell("a", end_with{exit_reason::normal});
  CHECK(w.log.text() == "-a normal ~a +a down crash: std::runtime_error: terminate of a");
}

TEST_CASE("M201, N207: a handler that throws in a call gives its caller the reason, at once") {
  pair_world w;
  const auto before = w.sim.now();
  const auto r = w.at("a").call(crash_call{});
  REQUIRE_FALSE(r);
  CHECK(r.error().to_string() ==
        "runtime.down: the call of type herald::test::crash_call was not answered: the process ended with crash: "
        "std::runtime_error: in a call");
  CHECK(w.sim.now() == before);
  CHECK(w.life_of("a") == 2);
}

TEST_CASE("N202: a call gets the handler's reply, from a thread and from a process") {
  pair_world w;
  CHECK(w.at("a").call(life{}).value() == 1);
  w.to_asker(ask_it{});
  CHECK(w.log.text() == "answer 1");
}

TEST_CASE("N205: a process that calls itself gets calling_self, a blocking call in a handler would_block") {
  world w;
  w.start({.name = "root", .children = {child<self_caller>("s", {&w.log})}});
  w.app->find<self_caller>("s").cast(begin{});
  w.sim.run();
  CHECK(w.log.text() == "would_block calling_self");
}

TEST_CASE("N206: a call to nobody gets noproc, from a thread and from a process") {
  pair_world w;
  CHECK(ref<probe>{}.call(life{}).is(errc::noproc));
  CHECK(w.app->root().terminate_child("a"));
  CHECK(w.at("a").call(life{}).is(errc::noproc));
  w.log.take();
  w.to_asker(ask_it{});
  CHECK(w.log.text() == "error noproc");
}

TEST_CASE("N209: a cast always returns, and one to nobody is a dead letter") {
  pair_world w;
  CHECK(w.app->root().terminate_child("a"));
  w.at("a").cast(note{1});
  ref<probe>{}.cast(note{2});
  w.sim.run();
  CHECK(w.app->dead_letters() == 1);
  CHECK(std::any_of(w.reports.begin(), w.reports.end(), [](const report& r) {
    return r.kind == report::dead_letter &&
           r.text == "a message of type herald::test::note was not delivered: there is no such process (the 1. of this kind)";
  }));
}

TEST_CASE("N211: a message the process does not accept is a dead letter and harms nobody") {
  pair_world w;
  any_ref{w.at("a")}.cast(begin{});
  w.sim.run();
  CHECK(w.app->dead_letters() == 1);
  CHECK(w.life_of("a") == 1);
}

TEST_CASE("N202: a call from a handler ends with timeout when its limit passes, and a late reply vanishes") {
  pair_world w;
  w.at("a").cast(stall_for{300ms});
  w.ask().cast(ask_it{});
  w.sim.advance(150ms);
  CHECK(w.log.text() == "error timeout");
  w.sim.advance(1s);
  CHECK(w.log.text() == "error timeout");
}

TEST_CASE("N202: a call from a thread ends with timeout when its limit passes") {
  pair_world w;
  w.at("a").cast(stall_for{300ms});
  const auto r = w.at("a").call(life{}, 100ms);
  REQUIRE_FALSE(r);
  CHECK(r.error().to_string() == "runtime.timeout: no answer within 100 ms");
  w.sim.advance(1s);
  CHECK(w.life_of("a") == 1);
}

TEST_CASE("N206: a call to a process that is stopped before it was asked gets noproc") {
  pair_world w;
  w.at("a").cast(stall_for{50ms});
  w.ask().cast(ask_it{});
  w.sim.run();
  CHECK(w.app->root().terminate_child("a"));
  w.sim.run();
  CHECK(w.log.text() == "-a shutdown ~a error noproc");
}

TEST_CASE("Q265: monitoring a process that is gone gives down with noproc at once") {
  pair_world w;
  const auto a = w.at("a");
  CHECK(w.app->root().terminate_child("a"));
  w.log.take();
  w.to_asker(watch_ref{a});
  CHECK(w.log.take_text() == "down noproc");
  CHECK(w.app->root().delete_child("a"));
  w.to_asker(watch_ref{a});
  CHECK(w.log.take_text() == "down noproc");
  w.to_asker(watch_ref{any_ref{}});
  CHECK(w.log.take_text() == "down noproc");
  w.to_asker(watch_life{{w.at("b"), 7}});
  CHECK(w.log.take_text() == "down noproc");
}

TEST_CASE("a monitor on a ref hears of restarts, and of the end once") {
  pair_world w;
  w.to_asker(watch_ref{w.at("a")});
  w.crash("a");
  CHECK(w.log.take_text() == "-a crash ~a +a restarted 2");
  w.crash("a");
  CHECK(w.log.take_text() == "-a crash ~a +a restarted 3");
  CHECK(w.app->root().terminate_child("a"));
  w.sim.run();
  CHECK(w.log.take_text() == "-a shutdown ~a down shutdown");
  CHECK(w.app->root().restart_child("a"));
  w.sim.run();
  CHECK(w.log.text() == "+a");
}

TEST_CASE("Q248: a monitor on one life hears of its end, with the cause, and of nothing else") {
  pair_world w;
  w.to_asker(watch_life{{w.at("a"), 1}});
  w.crash("a");
  CHECK(w.log.text().find("down crash: std::runtime_error: boom") != std::string::npos);
  CHECK(w.log.text().find("restarted") == std::string::npos);
  w.log.take();
  w.crash("a");
  CHECK(w.log.text() == "-a crash ~a +a");
}

TEST_CASE("after demonitor no notice comes, also when one was on its way") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    pair_world w;
    w.to_asker(watch_ref{w.at("a")});
    CHECK(w.app->kill("a"));
    w.ask().cast(unwatch{});
    w.sim.run();
    w.log.take();
    CHECK(w.app->root().terminate_child("a"));
    w.sim.run();
    CHECK(w.log.text() == "-a shutdown ~a");
  }
}
