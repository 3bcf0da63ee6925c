// Calls that are answered later (N202, N214), and what a handler goes on with.

#include <herald/reply_to.hpp>

#include <thread>

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct ask {
  int number = 0;
  using reply = int;
};
struct ask_nothing {
  using reply = void;
};
struct answer_all {
  int value = 0;
};
struct forget_all {};
struct hand_over {
  any_ref to;
  bool bind = false;
};
struct take_this {
  reply_to<int> to;
  bool bind = false;
};
struct fail_all {};
struct crash_with_it {
  using reply = int;
};
struct twice {};

/// Puts the calls it gets away, and answers them when told.
struct desk : process<desk, ask, ask_nothing, answer_all, forget_all, hand_over, take_this, fail_all, crash_with_it, boom,
                      stall_for, twice> {
  struct args {
    journal* log = nullptr;
  };
  desk(context& self, args a) : self_{self}, log_{a.log} {}
  void on(const ask&, reply_to<int> to) { waiting_.push_back(std::move(to)); }
  void on(context&, const ask_nothing&, reply_to<void> to) { to.reply(); }
  void on(const answer_all& m) {
    for (auto& to : std::exchange(waiting_, {})) log_->write(to.reply(m.value) ? "answered" : "too late");
  }
  void on(const forget_all&) { waiting_.clear(); }
  void on(const fail_all&) {
    for (auto& to : std::exchange(waiting_, {})) to.fail(error{errc::not_found, "not here"});
  }
  void on(const hand_over& m) {
    for (auto& to : std::exchange(waiting_, {})) {
      to.detach();
      m.to.cast(take_this{std::move(to), m.bind});
    }
  }
  void on(const take_this& m) {
    waiting_.push_back(m.to);
    if (m.bind) waiting_.back().bind(self_);
  }
  void on(const crash_with_it&, reply_to<int>) { throw std::runtime_error{"with a call in hand"}; }
  void on(const boom& m) { throw std::runtime_error{m.text}; }
  void on(const stall_for& m) { simulation::stall(m.time); }
  void on(const twice&) {
    auto copy = waiting_.back();
    log_->write(waiting_.back().reply(1) ? "first" : "not first");
    log_->write(copy.reply(2) ? "second" : "not second");
    log_->write(copy ? "owed" : "settled");
    waiting_.clear();
  }

 private:
  context& self_;
  journal* log_;
  std::vector<reply_to<int>> waiting_;
};

struct go {};
/// Calls a desk and writes down how that ended.
struct client : process<client, go> {
  struct args {
    journal* log = nullptr;
    ref<desk> callee;
    std::chrono::milliseconds limit{100};
  };
  client(context& self, args a) : self_{self}, a_{a} {}
  void on(const go&) {
    self_.call(a_.callee, ask{1}, a_.limit, [this](const result<int>& r) {
      a_.log->write(r ? "got " + std::to_string(*r) : r.error().to_string());
    });
  }

 private:
  context& self_;
  args a_;
};

struct desks : world {
  explicit desks(std::uint64_t seed = 1) : world{seed} {
    start({.name = "root", .intensity = {100, 5s}, .children = {
      child<desk>("desk", {&log}), child<desk>("other", {&log}, {.placement = spread}),
      child<desk>("third", {&log}, {.placement = spread})}});
    for (const auto* name : {"near", "far"})
      REQUIRE(app->root().start_child(child<client>(
          name, {.log = &log, .callee = at_desk("desk"), .limit = 100ms},
          {.placement = name[0] == 'n' ? together : spread})));
  }
  [[nodiscard]] ref<desk> at_desk(const std::string& path) const { return app->find<desk>(path); }
  void ask_it(const std::string& who = "near") {
    app->find<client>(who).cast(go{});
    sim.run();
  }
  template <class M>
  void tell_desk(M m, const std::string& which = "desk") {
    at_desk(which).cast(std::move(m));
    sim.run();
  }
};

const std::string not_answered = "the call of type ask was not answered: ";
std::string ended_with(const std::string& reason) {
  return "runtime.down: " + not_answered + "the process ended with " + reason;
}

}  // namespace

TEST_CASE("N202, N214: a call is answered later, from another handler, to near and far callers, in any order") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    desks w{seed};
    w.ask_it("near");
    w.ask_it("far");
    CHECK(w.log.text().empty());
    w.tell_desk(answer_all{42});
    auto lines = w.log.lines();
    std::sort(lines.begin(), lines.end());
    CHECK(lines == std::vector<std::string>{"answered", "answered", "got 42", "got 42"});
    CHECK(w.at_desk("desk").call(ask_nothing{}));
  }
}

TEST_CASE("N214: another process answers, whose host is another") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    desks w{seed};
    w.ask_it("near");
    w.tell_desk(hand_over{w.at_desk("other")});
    w.tell_desk(answer_all{7}, "other");
    CHECK(w.log.text().find("got 7") != std::string::npos);
  }
}

TEST_CASE("N214: the second answer is told so, by every copy") {
  desks w;
  w.ask_it();
  w.tell_desk(twice{});
  CHECK(w.log.text() == "first not second settled got 1");
}

TEST_CASE("N214: an answer after the caller's limit vanishes") {
  desks w;
  w.ask_it();
  w.sim.advance(200ms);
  CHECK(w.log.take_text() == "runtime.timeout: no answer within 100 ms");
  w.tell_desk(answer_all{1});
  CHECK(w.log.text() == "answered");
}

TEST_CASE("N214: a reply_to that is let go of answers its caller at once") {
  desks w;
  w.ask_it();
  w.tell_desk(forget_all{});
  CHECK(w.log.text() == "runtime.unanswered: " + not_answered + "its handler let go of the reply_to without an answer");
}

TEST_CASE("N214: an error is an answer, too") {
  desks w;
  w.ask_it();
  w.tell_desk(fail_all{});
  CHECK(w.log.text() == "runtime.not_found: not here");
}

TEST_CASE("N201, N207: a handler that throws with the call in hand gives its caller the reason") {
  desks w;
  const auto r = w.at_desk("desk").call(crash_with_it{});
  REQUIRE_FALSE(r);
  CHECK(r.error().message() == "the call of type crash_with_it was not answered: the process ended with crash: "
                               "std::runtime_error: with a call in hand");
}

TEST_CASE("N207: the end of the process that was asked ends the calls it has not answered, with its reason") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    desks w{seed};
    w.ask_it("near");
    w.ask_it("far");
    w.tell_desk(boom{});
    CHECK(w.log.take() == std::vector<std::string>(2, ended_with("crash: std::runtime_error: boom")));
    w.ask_it();
    CHECK(w.app->root().terminate_child("desk"));
    w.sim.run();
    CHECK(w.log.take_text() == ended_with("shutdown"));
    CHECK(w.app->root().restart_child("desk"));
    w.ask_it();
    CHECK(w.app->kill("desk"));
    w.sim.run();
    CHECK(w.log.take_text() == ended_with("killed"));
  }
}

TEST_CASE("N207: a call that was handed over does not end with the process that was asked, but with who took it on") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    desks w{seed};
    w.ask_it();
    w.tell_desk(hand_over{w.at_desk("other")});
    w.tell_desk(boom{});
    CHECK(w.log.text().empty());
    w.tell_desk(hand_over{w.at_desk("third"), true}, "other");
    w.tell_desk(boom{}, "other");
    CHECK(w.log.text().empty());
    w.tell_desk(boom{"of the third"}, "third");
    CHECK(w.log.text() == ended_with("crash: std::runtime_error: of the third"));
  }
}

TEST_CASE("N214: a call that was handed over and not taken on is let go of by a crash") {
  desks w;
  w.ask_it();
  w.tell_desk(hand_over{w.at_desk("other")});
  w.tell_desk(boom{}, "other");
  CHECK(w.log.text().find("runtime.unanswered: ") == 0);
}

TEST_CASE("N214: a handler that was left behind takes its call along; killed, its caller gets down, once") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    desks w{seed};
    w.ask_it("near");
    w.at_desk("desk").cast(stall_for{1s});
    w.sim.advance(200ms);  // the clock has taken the host by now
    CHECK(w.log.take_text() == "runtime.timeout: no answer within 100 ms");
    w.ask_it("near");
    CHECK(w.app->kill("desk"));
    w.sim.run();
    w.sim.advance(2s);
    CHECK(w.log.lines().size() == 1);
  }
}

TEST_CASE("N214: a plain thread answers, and drops, while the process that was asked comes and goes") {
  application_options o;
  o.sinks = {[](const report&) {}};
  std::mutex mutex;
  std::vector<reply_to<int>> held;
  struct lender : process<lender, ask, boom> {
    struct args {
      std::mutex* mutex;
      std::vector<reply_to<int>>* held;
    };
    explicit lender(args a) : a_{a} {}
    void on(const ask&, reply_to<int> to) {
      const std::lock_guard lock{*a_.mutex};
      a_.held->push_back(std::move(to));
    }
    void on(const boom& m) { throw std::runtime_error{m.text}; }

   private:
    args a_;
  };
  std::atomic<bool> stop{false};
  std::thread answering{[&] {
    for (int n = 0; !stop.load(); ++n) {
      std::vector<reply_to<int>> mine;
      {
        const std::lock_guard lock{mutex};
        mine.swap(held);
      }
      for (auto& to : mine)
        if (n % 5 != 0) to.reply(n);
      std::this_thread::yield();
    }
  }};
  {
    application app{{.name = "t", .intensity = {1'000'000, 1s}, .children = {child<lender>("a", {&mutex, &held})}}, o};
    app.start();
    const auto a = app.find<lender>("a");
    int answered = 0, dropped = 0, ended = 0;
    for (int i = 0; i < 3000; ++i) {
      if (i % 7 == 0) a.cast(boom{});
      const auto r = a.call(ask{i}, 10s);
      if (r) ++answered;
      if (r.is(errc::unanswered)) ++dropped;
      if (r.is(errc::down)) ++ended;
    }
    CHECK((answered + dropped + ended) == 3000);
    CHECK(answered > 0);
    CHECK(dropped > 0);
    // What is still out when everything ends: the callers are told, and the handles may outlive the application.
    std::vector<reply_to<int>> outlives;
    std::thread late{[&] {
      const auto r = a.call(ask{0}, 10s);
      CHECK(r.value_or(0) != 12345);
    }};
    app.stop();
    late.join();
  }
  stop = true;
  answering.join();
}

// --- continue_with ----------------------------------------------------------------------------------------------------

namespace {

struct go_on {
  std::string word;
};
struct say {
  std::string word;
};
struct wrong {};

struct starter : process<starter, go_on, say, note, boom> {
  struct args {
    journal* log = nullptr;
    bool crash_in_continue = false;
  };
  starter(context& self, args a) : self_{self}, a_{a} {
    a_.log->write("init");
    self.continue_with(go_on{"one"});
    self.continue_with(go_on{"two"});
  }
  void on(const go_on& m) {
    a_.log->write("continue " + m.word);
    if (m.word == "one") self_.continue_with(go_on{"three"});
    if (a_.crash_in_continue) throw std::runtime_error{"no"};
  }
  void on(const say& m) {
    a_.log->write(m.word);
    if (m.word == "a") self_.continue_with(go_on{"after a"});
  }
  void on(const note&) { self_.continue_with(wrong{}); }
  void on(const boom& m) { throw std::runtime_error{m.text}; }

 private:
  context& self_;
  args a_;
};

}  // namespace

TEST_CASE("a process goes on before any other message, from init after the start was acknowledged, and from handlers") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    world w{seed};
    w.start({.name = "root", .children = {child<starter>("s", {&w.log})}});
    const auto s = w.app->find<starter>("s");
    s.cast(say{"a"});
    s.cast(say{"b"});
    w.sim.run();
    CHECK(w.log.text() == "init continue one continue two continue three a continue after a b");
  }
}

TEST_CASE("the first of a new life is what its init goes on with, before what waited in the mailbox") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    world w{seed};
    w.start({.name = "root", .children = {child<starter>("s", {&w.log})}});
    w.sim.run();
    w.log.take();
    const auto s = w.app->find<starter>("s");
    s.cast(boom{});
    s.cast(say{"waited"});
    w.sim.run();
    CHECK(w.log.text() == "init continue one continue two continue three waited");
  }
}

TEST_CASE("going on with a crash is a crash, and the rest of it ends with that life") {
  world w;
  w.make({.name = "root", .intensity = {0, 1s}, .children = {child<starter>("s", {&w.log, true})}});
  w.app->start();
  w.sim.run();
  CHECK(w.log.text() == "init continue one");
  CHECK(w.app->ended());
}

TEST_CASE("going on with a message that the process does not accept is a bug, and says so") {
  world w;
  w.start({.name = "root", .children = {child<starter>("s", {&w.log})}});
  w.sim.run();
  w.app->find<starter>("s").cast(note{});
  w.sim.run();
  REQUIRE(w.told(report::crashed, "s") == 1);
  const auto crashed = std::find_if(w.reports.begin(), w.reports.end(), [](const report& r) { return r.kind == report::crashed; });
  CHECK(crashed->reason.text() ==
        "std::logic_error: the process s would go on with a message of type wrong, which it does not accept");
}
