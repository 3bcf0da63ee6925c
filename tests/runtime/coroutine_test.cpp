// Handlers that wait inside.

#include <herald/coroutine.hpp>

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct total {
  using reply = int;
};
struct slow_total {
  std::chrono::nanoseconds time{50ms};
  using reply = int;
};
struct crashing {
  using reply = int;
};
struct nothing {
  using reply = void;
};

/// Whom the coroutines ask.
struct source : process<source, total, slow_total, crashing, nothing, boom> {
  struct args {
    int value = 0;
  };
  source(context& self, args a) : self_{self}, a_{a} {}
  int on(const total&) { return a_.value; }
  coroutine<int> on(const slow_total& m) {
    co_await self_.sleep(m.time);
    co_return a_.value;
  }
  int on(const crashing&) { throw std::runtime_error{"asked too much"}; }
  void on(const nothing&) {}
  void on(const boom& m) { throw std::runtime_error{m.text}; }

 private:
  context& self_;
  args a_;
};

/// Writes its life down, so that a test sees when a frame ends.
struct trace {
  journal* log;
  std::string name;
  trace(journal* to, std::string n) : log{to}, name{std::move(n)} { log->write("+" + name); }
  trace(const trace&) = delete;
  trace& operator=(const trace&) = delete;
  ~trace() { log->write("-" + name); }
};

struct sum_of_both {
  std::string text = "a text that does not fit into a small string";
  using reply = int;
};
struct sum_of_many {
  int times = 0;
  using reply = int;
};
struct nested_sum {
  using reply = int;
};
struct ask_dead {
  using reply = std::string;
};
struct ask_late {
  using reply = std::string;
};
struct ask_itself {
  using reply = std::string;
};
struct wait_long {
  std::string name;
};
struct wait_and_crash {};
struct wait_and_answer_later {
  using reply = int;
};
struct crash_at_once {
  using reply = int;
};
struct wait_and_crash_in_call {
  using reply = int;
};
struct inner_throws {
  using reply = std::string;
};
struct stall_while_resumed {
  std::chrono::nanoseconds before{0}, after{0};
  using reply = int;
};
struct stall_in_end {};
struct asks_and_goes_on {};
struct stop_inside {};
struct never_waits {
  using reply = int;
};
struct uses_protocol {
  bool drop = false;
  std::chrono::milliseconds limit{0};
  using reply = std::string;
};
struct timer_message {
  int n = 0;
};
struct arm_timer {};
struct who_sent {
  using reply = bool;
};

/// Of the protocol: somebody else answers it when the test wants.
struct promise_of_test {
  using value_type = int;
  std::vector<reply_to<int>>* where;
  void start(context&, reply_to<int> to) { where->push_back(std::move(to)); }
};

struct waiter_process
    : process<waiter_process, sum_of_both, sum_of_many, nested_sum, ask_dead, ask_late, ask_itself, wait_long, wait_and_crash,
              wait_and_answer_later, crash_at_once, wait_and_crash_in_call, inner_throws, stall_while_resumed, stall_in_end,
              asks_and_goes_on, stop_inside, never_waits, uses_protocol, timer_message, arm_timer, who_sent, note, life, down> {
  struct args {
    journal* log = nullptr;
    ref<source> left, right;
    std::vector<reply_to<int>>* promised = nullptr;
  };
  waiter_process(context& self, args a) : self_{self}, a_{std::move(a)} { a_.log->write("init"); }
  ~waiter_process() { a_.log->write("destroyed"); }
  void terminate(const exit_reason& why) { a_.log->write("terminate " + std::string{probe::word(why)}); }

  coroutine<int> on(context& self, const sum_of_both& m) {
    const trace t{a_.log, "frame"};
    const auto [left, right] = co_await all(self.call(a_.left, total{}, 1s), self.call(a_.right, slow_total{}, 1s));
    CHECK(m.text == sum_of_both{}.text);
    co_return left.value_or(-1000) + right.value_or(-1000);
  }
  coroutine<int> on(const sum_of_many& m) {
    std::vector<decltype(self_.call(a_.left, total{}))> calls;
    for (int i = 0; i < m.times; ++i) calls.push_back(self_.call(i % 2 == 0 ? a_.left : a_.right, total{}));
    int sum = 0;
    for (auto& r : co_await all(std::move(calls))) sum += r.value_or(-1000);
    co_return sum;
  }
  coroutine<int> on(const nested_sum&) {
    int sum = 0;
    for (int i = 0; i < 3; ++i) sum += co_await one_sum("inner" + std::to_string(i));
    co_return sum;
  }
  coroutine<int> one_sum(std::string name) {
    const trace t{a_.log, name};
    const auto left = co_await self_.call(a_.left, total{});
    const auto right = co_await self_.call(a_.right, total{});
    co_return *left + *right;
  }
  coroutine<std::string> on(const ask_dead&) {
    const auto nobody = co_await self_.call(ref<source>{}, total{});
    const auto crashed = co_await self_.call(a_.left, crashing{});
    co_return std::string{nobody.error().name()} + " " + std::string{crashed.error().name()};
  }
  coroutine<std::string> on(const ask_late&) {
    const auto late = co_await self_.call(a_.right, slow_total{500ms}, 100ms);
    const auto in_time = co_await self_.call(a_.right, slow_total{10ms}, 2s);
    co_return std::string{late.error().name()} + " " + std::to_string(in_time.value_or(-1));
  }
  coroutine<std::string> on(const ask_itself&) {
    const auto r = co_await self_.call(self_.as<waiter_process>(), life{});
    co_return std::string{r.error().name()};
  }
  std::uint32_t on(const life&) { return self_.incarnation(); }
  coroutine<> on(const wait_long& m) {
    const trace t{a_.log, m.name};
    co_await self_.sleep(1s);
    a_.log->write("through " + m.name);
  }
  coroutine<> on(const wait_and_crash&) {
    const trace t{a_.log, "frame"};
    co_await self_.sleep(10ms);
    throw std::runtime_error{"later"};
  }
  coroutine<> on(const wait_and_answer_later&, reply_to<int> to) {
    const auto r = co_await self_.call(a_.left, slow_total{});
    to.reply(*r + 1);
  }
  coroutine<int> on(const crash_at_once&) {
    const trace t{a_.log, "frame"};
    throw std::runtime_error{"at once"};
    co_return 0;
  }
  coroutine<int> on(const wait_and_crash_in_call&) {
    const trace t{a_.log, "frame"};
    static_cast<void>(co_await self_.call(a_.right, total{}));
    throw std::runtime_error{"in a call"};
  }
  coroutine<std::string> on(const inner_throws&) {
    try {
      co_await throwing();
    } catch (const std::exception& e) {
      co_return e.what();
    }
    co_return "not thrown";
  }
  coroutine<> throwing() {
    co_await self_.sleep(1ms);
    throw std::runtime_error{"inner"};
  }
  coroutine<int> on(const stall_while_resumed& m) {
    const trace t{a_.log, "frame"};
    simulation::stall(m.before);
    const auto r = co_await self_.call(a_.right, total{}, 10s);
    simulation::stall(m.after);
    co_return r.value_or(-1);
  }
  coroutine<> on(const stall_in_end&) {
    struct slow_end {
      journal* log;
      ~slow_end() {
        simulation::stall(300ms);
        log->write("slow end");
      }
    } const slow{a_.log};
    co_await self_.sleep(10s);
  }
  coroutine<> on(const asks_and_goes_on&) {
    self_.continue_with(note{99});
    co_await self_.sleep(10ms);
    a_.log->write("slept");
  }
  coroutine<> on(const stop_inside&) {
    const trace t{a_.log, "frame"};
    self_.stop(exit_reason::shutdown);
    a_.log->write("goes on");
    co_await self_.sleep(1ms);
    a_.log->write("never here");
  }
  coroutine<int> on(const never_waits&) { co_return 5; }
  coroutine<std::string> on(const uses_protocol& m) {
    promise_of_test promised{a_.promised};
    if (m.limit.count() > 0) co_return text_of(co_await within(m.limit, promised));
    co_return text_of(co_await promised);
  }
  static std::string text_of(const result<int>& r) { return r ? std::to_string(*r) : r.error().to_string(); }
  coroutine<> on(const timer_message& m) {
    co_await self_.sleep(1ms);
    a_.log->write("timer " + std::to_string(m.n));
  }
  void on(const arm_timer&) {
    self_.send_after(1ms, timer_message{7});
    self_.monitor(a_.left);
  }
  coroutine<> on(const down& m) {
    co_await self_.sleep(1ms);
    a_.log->write("down " + m.reason.to_string());
  }
  coroutine<bool> on(const who_sent&) {
    const auto before = self_.sender();
    co_await self_.sleep(1ms);
    co_return before == self_.sender();
  }
  void on(const note& m) { a_.log->write("note " + std::to_string(m.number)); }

 private:
  context& self_;
  args a_;
};

struct waiters : world {
  explicit waiters(std::uint64_t seed = 1, child_options options = {}) : world{seed} {
    start({.name = "root", .intensity = {100, 5s}, .children = {child<source>("left", {40}),
                                                                child<source>("right", {2}, {.placement = spread})}});
    options.placement = spread;
    REQUIRE(app->root().start_child(child<waiter_process>(
        "w", {.log = &log, .left = app->find<source>("left"), .right = app->find<source>("right"), .promised = &promised},
        options)));
    log.take();
  }
  ~waiters() { promised.clear(); }
  [[nodiscard]] ref<waiter_process> it() const { return app->find<waiter_process>("w"); }
  template <class M>
  void to_it(M m) {
    it().cast(std::move(m));
    sim.run();
  }
  std::vector<reply_to<int>> promised;
};

}  // namespace

TEST_CASE("a handler awaits several calls at once, and replies when it is through") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    waiters w{seed};
    CHECK(w.it().call(sum_of_both{}).value() == 42);
    CHECK(w.log.text() == "+frame -frame");
    CHECK(w.it().call(sum_of_many{11}).value() == 6 * 40 + 5 * 2);
    CHECK(w.it().call(sum_of_many{0}).value() == 0);
    CHECK(w.it().call(never_waits{}).value() == 5);
  }
}

TEST_CASE("coroutines are parts of a handler; what they throw, it may catch") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    waiters w{seed};
    CHECK(w.it().call(nested_sum{}).value() == 126);
    CHECK(w.log.text() == "+inner0 -inner0 +inner1 -inner1 +inner2 -inner2");
    CHECK(w.it().call(inner_throws{}).value() == "inner");
  }
}

TEST_CASE("a handler that awaits gets every end of a call as a value") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    waiters w{seed};
    CHECK(w.it().call(ask_dead{}).value() == "noproc down");
    CHECK(w.it().call(ask_late{}).value() == "timeout 2");
    CHECK(w.it().call(ask_itself{}).value() == "calling_self");
  }
}

TEST_CASE("a handler that waits holds its mailbox: messages, timers and notices come after it, in order") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    waiters w{seed};
    w.it().cast(wait_long{"a"});
    for (int i = 1; i <= 3; ++i) w.it().cast(note{i});
    w.sim.run();
    CHECK(w.log.text() == "+a");
    w.sim.advance(999ms);
    CHECK(w.log.text() == "+a");
    w.sim.advance(1ms);
    CHECK(w.log.text() == "+a through a -a note 1 note 2 note 3");
  }
}

TEST_CASE("timers' messages and down notices may be awaited over, too") {
  waiters w;
  w.to_it(arm_timer{});
  w.sim.advance(10ms);
  CHECK(w.log.take_text() == "timer 7");
  CHECK(w.app->root().terminate_child("left"));
  w.sim.advance(10ms);
  CHECK(w.log.text() == "down shutdown");
}

TEST_CASE("what a handler that waits goes on with comes after it, and before everything else") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    waiters w{seed};
    w.it().cast(asks_and_goes_on{});
    w.it().cast(note{1});
    w.sim.advance(20ms);
    CHECK(w.log.text() == "slept note 99 note 1");
  }
}

TEST_CASE("the sender of the message in hand stays known over a wait") {
  waiters w;
  CHECK(w.it().call(who_sent{}).value());
}

TEST_CASE("a handler may wait and answer through a reply_to") {
  waiters w;
  CHECK(w.it().call(wait_and_answer_later{}).value() == 41);
}

TEST_CASE("a stop ends a handler that waits: frames, terminate, destructor; its caller gets down at once") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    waiters w{seed};
    w.it().cast(wait_long{"a"});
    w.it().cast(note{1});
    w.sim.run();
    CHECK(w.app->root().terminate_child("w"));
    CHECK(w.log.text() == "+a -a terminate shutdown destroyed");
    w.sim.advance(5s);
    CHECK(w.log.text() == "+a -a terminate shutdown destroyed");
  }
}

TEST_CASE("a kill ends a handler that waits without terminate, and the next life takes the rest of the mailbox") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    waiters w{seed};
    w.it().cast(wait_long{"a"});
    w.it().cast(note{1});
    w.sim.run();
    CHECK(w.app->kill("w"));
    w.sim.advance(5s);
    CHECK(w.log.text() == "+a -a destroyed init note 1");
  }
}

TEST_CASE("the caller of a handler that is ended while it waits gets down with the reason, at once") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    waiters w{seed};
    struct asking : process<asking, note> {
      struct args {
        journal* log;
        ref<waiter_process> whom;
      };
      asking(context& self, args a) : self_{self}, a_{a} {}
      void on(const note&) {
        self_.call(a_.whom, stall_while_resumed{}, 10s, [this](const result<int>& r) {
          a_.log->write(r ? "got it" : r.error().to_string());
        });
      }

     private:
      context& self_;
      args a_;
    };
    CHECK(w.app->root().start_child(child<asking>("asking", {&w.log, w.it()})));
    CHECK(w.app->root().terminate_child("right"));
    CHECK(w.app->root().restart_child("right"));
    w.app->find<source>("right").cast(boom{});  // its host is busy, so the call below is on its way when the kill comes
    w.app->find<asking>("asking").cast(note{});
    w.sim.step(seed % 7);
    CHECK(w.app->kill("w"));
    w.sim.advance(1s);
    const auto text = w.log.text();
    const bool told = text.find("got it") != std::string::npos || text.find("ended with killed") != std::string::npos;
    CHECK_MESSAGE(told, text);
  }
}

TEST_CASE("a crash of a resumed part is a crash on the message in hand") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    waiters w{seed};
    const auto r = w.it().call(wait_and_crash_in_call{});
    CHECK(r.is(errc::down));
    CHECK(r.error().message().find("in a call") != std::string::npos);
    w.sim.run();
    CHECK(w.log.take_text() == "+frame -frame terminate crash destroyed init");
    CHECK(w.it().call(crash_at_once{}).is(errc::down));
    w.sim.run();
    CHECK(w.log.take_text() == "+frame -frame terminate crash destroyed init");
  }
}

TEST_CASE("two crashes in a row on one type are poison, also when its handler waits before it throws") {
  waiters w;
  for (int i = 0; i < 3; ++i) w.it().cast(wait_and_crash{});
  w.it().cast(note{1});
  for (int i = 0; i < 3; ++i) w.it().cast(wait_and_crash{});
  w.it().cast(note{2});
  w.sim.advance(1s);
  CHECK(w.log.text() ==
        "+frame -frame terminate crash destroyed init +frame -frame terminate crash destroyed init note 1 note 2");
  CHECK(w.app->dead_letters() == 4);
}

TEST_CASE("a stop from inside takes effect when the handler waits next") {
  waiters w;
  w.to_it(stop_inside{});
  CHECK(w.log.text() == "+frame goes on -frame terminate shutdown destroyed init");
}

TEST_CASE("a part that overruns keeps its handler, before it waits and after") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    for (const auto& m : {stall_while_resumed{300ms, 0ms}, stall_while_resumed{0ms, 300ms}, stall_while_resumed{300ms, 300ms}}) {
      waiters w{seed};
      w.it().cast(note{0});
      CHECK(w.it().call(m).value() == 2);
      w.to_it(note{1});
      CHECK(w.log.text() == "note 0 +frame -frame note 1");
      CHECK(w.told(report::overran, "w") >= 1);
    }
  }
}

TEST_CASE("killed while a part overruns: fenced, its caller told, its frame gone when it comes back") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    for (const auto& m : {stall_while_resumed{1s, 0ms}, stall_while_resumed{0ms, 1s}}) {
      waiters w{seed};
      std::optional<result<int>> got;
      struct asking : process<asking, note> {
        struct args {
          std::optional<result<int>>* into;
          ref<waiter_process> whom;
          stall_while_resumed what;
        };
        asking(context& self, args a) : self_{self}, a_{a} {}
        void on(const note&) {
          self_.call(a_.whom, a_.what, 10s, [into = a_.into](result<int> r) { into->emplace(std::move(r)); });
        }

       private:
        context& self_;
        args a_;
      };
      CHECK(w.app->root().start_child(child<asking>("asking", {&got, w.it(), m})));
      w.app->find<asking>("asking").cast(note{});
      w.sim.advance(300ms);
      CHECK(w.app->kill("w"));
      w.sim.run();
      REQUIRE(got);
      CHECK(got->is(errc::down));
      CHECK(w.it().call(never_waits{}).value() == 5);
      CHECK(w.log.text() == "+frame init");
      w.sim.advance(2s);
      CHECK(w.log.text() == "+frame init -frame destroyed");
      CHECK(w.app->stop().zombies.empty());
    }
  }
}

TEST_CASE("frames that take long to go hold nobody else up, and what comes after them waits") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    waiters w{seed};
    w.to_it(stall_in_end{});
    CHECK(w.app->root().terminate_child("w"));
    CHECK(w.log.take_text() == "slow end terminate shutdown destroyed");
    CHECK(w.app->root().restart_child("w"));
    w.log.take();
    w.to_it(stall_in_end{});
    CHECK(w.app->kill("w"));
    w.sim.advance(5s);
    CHECK(w.log.text() == "slow end destroyed init");
  }
}

TEST_CASE("what follows the protocol is awaited like a call: a value, an error, a drop, a limit") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    waiters w{seed};
    struct start_it {
      uses_protocol m;
    };
    struct asking : process<asking, start_it> {
      struct args {
        journal* log;
        ref<waiter_process> whom;
      };
      asking(context& self, args a) : self_{self}, a_{a} {}
      void on(const start_it& m) {
        self_.call(a_.whom, m.m, 10s, [this](const result<std::string>& r) { a_.log->write(r.value_or("no answer")); });
      }

     private:
      context& self_;
      args a_;
    };
    CHECK(w.app->root().start_child(child<asking>("asking", {&w.log, w.it()})));
    const auto ask = [&](uses_protocol m) {
      w.app->find<asking>("asking").cast(start_it{m});
      w.sim.run();
      REQUIRE(w.promised.size() == 1);
    };
    ask({});
    CHECK(w.promised[0].reply(8));
    w.sim.run();
    CHECK(w.log.take_text() == "8");
    CHECK_FALSE(w.promised[0].reply(9));
    w.promised.clear();
    ask({});
    w.promised[0].fail({errc::not_found, "none"});
    w.sim.run();
    CHECK(w.log.take_text() == "runtime.not_found: none");
    w.promised.clear();
    ask({});
    w.promised.clear();
    w.sim.run();
    CHECK(w.log.take_text().find("runtime.unanswered") == 0);
    ask({.limit = 100ms});
    w.sim.advance(200ms);
    CHECK(w.log.take_text() == "runtime.timeout: no answer within 100 ms");
    w.promised[0].reply(1);  // late: it finds nobody
    w.promised.clear();
    ask({});
    CHECK(w.app->kill("w"));  // the frame goes; an answer after that finds nobody
    w.sim.run();
    auto lines = w.log.take();  // two hosts: in either order
    std::sort(lines.begin(), lines.end());
    CHECK(lines == std::vector<std::string>{"destroyed", "init", "no answer"});
    w.promised[0].reply(1);
    w.sim.run();
    CHECK(w.it().call(never_waits{}).value() == 5);
  }
}
