// What a life owns and in which order it ends: timers, calls, monitors, mailboxes, the order of messages.

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct tick {
  int number = 0;
};
struct arm_it {
  std::chrono::nanoseconds delay;
  std::chrono::nanoseconds period{0};
};
struct cancel_it {};
struct end_it {};
struct send_notes {
  ref<probe> to;
  int from = 0;
  int count = 0;
  bool crashes = false;
};
struct who_sent {
  using reply = bool;
};

/// Arms timers, sends streams of notes, and arms one more thing wherever it should not be able to.
struct worker_bee : process<worker_bee, tick, arm_it, cancel_it, end_it, send_notes, who_sent, stall_for> {
  struct args {
    journal* log = nullptr;
    bool arms_at_the_end = false;
  };
  worker_bee(context& self, args a) : self_{self}, a_{a} {}
  ~worker_bee() {
    if (a_.arms_at_the_end) self_.send_after(10ms, tick{-2});
  }
  void on(const tick& m) {
    a_.log->write("tick " + std::to_string(m.number));
    if (cancels_in_tick_) a_.log->write(self_.cancel(timer_) ? "cancelled" : "not cancelled");
  }
  void on(const arm_it& m) {
    timer_ = m.period.count() > 0 ? self_.send_every(m.period, tick{++armed_}) : self_.send_after(m.delay, tick{++armed_});
    cancels_in_tick_ = m.delay == 77ms;
  }
  void on(const cancel_it&) { a_.log->write(self_.cancel(timer_) ? "cancelled" : "not cancelled"); }
  void on(const end_it&) { throw std::runtime_error{"end"}; }
  void on(const send_notes& m) {
    for (int i = m.from; i < m.from + m.count; ++i) m.to.cast(note{i});
    if (m.crashes) throw std::runtime_error{"sent"};
  }
  bool on(const who_sent&) { return static_cast<bool>(self_.sender()); }
  void on(const stall_for& m) { simulation::stall(m.time); }
  void terminate(const exit_reason&) {
    if (a_.arms_at_the_end) self_.send_after(10ms, tick{-1});
  }

 private:
  context& self_;
  args a_;
  timer_id timer_;
  int armed_ = 0;
  bool cancels_in_tick_ = false;
};

struct bee_world : world {
  explicit bee_world(bool arms_at_the_end = false, std::uint64_t seed = 1) : world{seed} {
    start({.name = "root", .intensity = {100, 5s}, .children = {child<worker_bee>("bee", {&log, arms_at_the_end}), worker("a", {.placement = spread})}});
    log.take();
  }
  [[nodiscard]] ref<worker_bee> bee() const { return app->find<worker_bee>("bee"); }
  template <class M>
  void to_bee(M m) {
    bee().cast(std::move(m));
    sim.run();
  }
};

}  // namespace

TEST_CASE("a timer fires once after its delay; a period again and again; cancel ends both") {
  bee_world w;
  w.to_bee(arm_it{50ms});
  w.sim.advance(49ms);
  CHECK(w.log.text().empty());
  w.sim.advance(1ms);
  CHECK(w.log.take_text() == "tick 1");
  w.to_bee(cancel_it{});
  CHECK(w.log.take_text() == "not cancelled");
  w.to_bee(arm_it{0ms, 10ms});
  w.sim.advance(35ms);
  CHECK(w.log.take_text() == "tick 2 tick 2 tick 2");
  w.to_bee(cancel_it{});
  w.sim.advance(1s);
  CHECK(w.log.text() == "cancelled");
}

TEST_CASE("cancel takes back a message that waits in the mailbox, of one-shots and of periods") {
  for (const auto period : std::vector{0ms, 10ms}) {
    bee_world w;
    w.to_bee(arm_it{10ms, period});
    w.bee().cast(stall_for{50ms});
    w.bee().cast(cancel_it{});
    w.sim.advance(5ms);
    w.sim.advance(100ms);
    CHECK(w.log.text() == "cancelled");
  }
}

TEST_CASE("a one-shot may be cancelled in its own handler, where it is over already") {
  bee_world w;
  w.to_bee(arm_it{77ms});
  w.sim.advance(100ms);
  CHECK(w.log.text() == "tick 1 not cancelled");
}

TEST_CASE("timers die with their incarnation, also those that terminate and the destructor armed") {
  bee_world w{true};
  w.to_bee(arm_it{20ms});
  w.to_bee(arm_it{0ms, 30ms});
  w.to_bee(end_it{});
  w.sim.advance(1s);
  CHECK(w.log.text().empty());
  w.to_bee(arm_it{20ms});
  w.sim.advance(1s);
  CHECK(w.log.text() == "tick 1");
}

TEST_CASE("a timer's message that waits when its incarnation ends does not reach the next one") {
  bee_world w;
  w.to_bee(arm_it{10ms});
  w.bee().cast(stall_for{50ms});
  w.bee().cast(end_it{});
  w.sim.advance(200ms);
  CHECK(w.log.text().empty());
}

TEST_CASE("a life ends in order: terminate, destructor, then the notices and the next init") {
  world w;
  w.start({.name = "root", .children = {w.worker("a")}});
  w.crash("a");
  CHECK(w.log.text() == "+a -a crash ~a +a");
}

TEST_CASE("messages of one sender arrive in order, over the receiver's and the sender's restarts") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    bee_world w{false, seed};
    std::string expected;
    for (int i = 0; i < 60; i += 10) {
      w.bee().cast(send_notes{w.at("a"), i, 10, i % 20 == 0});
      if (i == 30) w.at("a").cast(boom{});
      w.sim.step(w.sim.random() % 20);
    }
    w.sim.run();
    std::vector<std::string> notes;
    for (const auto& line : w.log.lines())
      if (line.starts_with("a:")) notes.push_back(line);
    REQUIRE(notes.size() == 60);
    for (int i = 0; i < 60; ++i) CHECK(notes[static_cast<std::size_t>(i)] == "a:" + std::to_string(i));
  }
}

TEST_CASE("with on_restart keep the mailbox waits for the next life; with drop casts go and calls are told restarting") {
  for (const auto mode : std::vector{keep, drop}) {
    world w;
    w.start({.name = "root", .children = {w.worker("a", {.on_restart = mode})}});
    w.log.take();
    const auto a = w.at("a");
    a.cast(boom{});
    a.cast(note{1});
    a.cast(note{2});
    const auto r = a.call(life{});
    if (mode == keep) {
      CHECK(w.log.text() == "-a crash ~a +a a:1 a:2");
      CHECK(r.value() == 2);
      CHECK(w.app->dead_letters() == 0);
    } else {
      CHECK(w.log.text() == "-a crash ~a +a");
      CHECK(r.is(errc::restarting));
      CHECK(w.app->dead_letters() == 2);
    }
  }
}

TEST_CASE("calls that wait get noproc when the supervisor does not restart the process") {
  world w;
  w.start({.name = "root", .intensity = {0, 5s}, .children = {w.worker("a")}});
  const auto a = w.at("a");
  a.cast(boom{});
  CHECK(a.call(life{}).is(errc::noproc));
  CHECK(w.app->ended());
  CHECK(a.call(life{}).is(errc::noproc));
}

TEST_CASE("two crashes in a row on one message type make the rest of that type dead letters, and nothing else") {
  world w;
  w.start({.name = "root", .intensity = {5, 5s}, .children = {w.worker("a")}});
  const auto a = w.at("a");
  for (int i = 0; i < 50; ++i) a.cast(boom{});
  a.cast(note{7});
  w.sim.run();
  CHECK_FALSE(w.app->ended());
  CHECK(w.life_of("a") == 3);
  CHECK(w.app->dead_letters() == 48);
  CHECK(w.log.text().find("a:7") != std::string::npos);
  w.crash("a");
  CHECK(w.life_of("a") == 4);
}

TEST_CASE("a busy process stops after the handler in hand, not after its backlog") {
  world w;
  w.start({.name = "root", .children = {w.worker("a")}});
  const auto a = w.at("a");
  w.log.take();
  for (int i = 0; i < 300; ++i) a.cast(stall_for{1ms});
  for (int i = 0; i < 5; ++i) w.sim.advance(1ms);
  const auto before = w.sim.now();
  CHECK(w.app->root().terminate_child("a"));
  CHECK(w.sim.now() - before <= 2ms);
  CHECK(w.log.text() == "-a shutdown ~a");
}

TEST_CASE("stop in init lets the start succeed, and ends the process right after") {
  world w;
  w.how("a")->stops_in_init = true;
  w.start({.name = "root", .children = {w.worker("a", {.restart = transient}), w.worker("b")}});
  w.sim.run();
  CHECK(w.log.text() == "+a -a normal ~a +b");
  CHECK(w.list() == "b a(stopped)");
}

TEST_CASE("exceptions that are no std::exception are crashes with their type's name") {
  world w;
  w.start({.name = "root", .children = {w.worker("a")}});
  w.tell("a", odd_boom{});
  CHECK(std::any_of(w.reports.begin(), w.reports.end(), [](const report& r) { return r.kind == report::crashed && r.reason.text() == "an exception of type int"; }));
}

TEST_CASE("a full mailbox does what its policy says") {
  const auto fill = [](overflow_t policy, auto&& look) {
    world w;
    w.start({.name = "root", .intensity = {9, 5s}, .children = {w.worker("a", {.mailbox = {3, policy}})}});
    const auto a = w.at("a");
    w.log.take();
    a.cast(stall_for{20ms});
    w.sim.run();
    for (int i = 1; i <= 5; ++i) a.cast(note{i});
    w.sim.advance(1s);
    look(w);
  };
  fill(drop_newest, [](world& w) {
    CHECK(w.log.text() == "a:1 a:2 a:3");
    CHECK(w.app->dead_letters() == 2);
  });
  fill(drop_oldest, [](world& w) {
    CHECK(w.log.text() == "a:3 a:4 a:5");
    CHECK(w.app->dead_letters() == 2);
  });
  fill(unbounded, [](world& w) { CHECK(w.log.text() == "a:1 a:2 a:3 a:4 a:5"); });
  fill(stop_process, [](world& w) {
    CHECK(w.log.lines().front() == "-a custom");
    CHECK(w.life_of("a") == 2);
  });
}

TEST_CASE("a full mailbox answers overload to calls and to try_cast") {
  world w;
  w.start({.name = "root", .children = {w.worker("a", {.mailbox = {2, drop_newest}})}});
  const auto a = w.at("a");
  a.cast(stall_for{500ms});
  w.sim.advance(150ms);  // its host goes on without it, and sorts what comes
  CHECK(a.try_cast(note{1}));
  CHECK(a.try_cast(note{2}));
  w.sim.run();
  CHECK(a.try_cast(note{3}).is(errc::overload));
  CHECK(a.call(life{}, 10ms).is(errc::overload));
  CHECK(w.app->dead_letters() == 0);  // both senders were told
  w.sim.advance(1s);
  CHECK(w.app->root().terminate_child("a"));
  CHECK(w.app->root().delete_child("a"));
  w.sim.run();
  CHECK(a.try_cast(note{4}).is(errc::noproc));
}

TEST_CASE("a message to one life does not reach the next") {
  world w;
  w.start({.name = "root", .children = {w.worker("a")}});
  const incarnation_ref first{w.at("a"), 1};
  first.cast(note{1});
  w.crash("a");
  first.cast(note{2});
  w.sim.run();
  CHECK(w.log.text() == "+a a:1 -a crash ~a +a");
  CHECK(w.app->dead_letters() == 0);
}

TEST_CASE("the sender is empty for plain threads") {
  bee_world w;
  CHECK_FALSE(w.bee().call(who_sent{}).value());
}

TEST_CASE("an application may be destroyed without a start, is started once, and stops as often as one likes") {
  world w;
  w.make({.name = "root", .children = {w.worker("a")}});
  w.app.reset();
  CHECK(w.log.text().empty());
  w.start({.name = "root", .children = {w.worker("a")}});
  CHECK(w.app->try_start().is(errc::already_started));
  CHECK(w.app->stop().reason == w.app->stop().reason);
  CHECK(w.app->ended());
  w.make({.name = "root"});
  CHECK(w.app->stop().zombies.empty());
  CHECK(w.app->try_start().is(errc::already_started));
}
