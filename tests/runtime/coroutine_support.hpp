#pragma once
// Handlers that wait inside, for the tests of them: whom they ask, what they are asked, and the process they run in.

#include <herald/coroutine.hpp>

#include "support.hpp"

namespace herald::test::coroutines {

using namespace std::chrono_literals;


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
struct frame_mark {
  journal* log;
  std::string name;
  frame_mark(journal* to, std::string n) : log{to}, name{std::move(n)} { log->write("+" + name); }
  frame_mark(const frame_mark&) = delete;
  frame_mark& operator=(const frame_mark&) = delete;
  ~frame_mark() { log->write("-" + name); }
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
    const frame_mark t{a_.log, "frame"};
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
    const frame_mark t{a_.log, name};
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
    const frame_mark t{a_.log, m.name};
    co_await self_.sleep(1s);
    a_.log->write("through " + m.name);
  }
  coroutine<> on(const wait_and_crash&) {
    const frame_mark t{a_.log, "frame"};
    co_await self_.sleep(10ms);
    throw std::runtime_error{"later"};
  }
  coroutine<> on(const wait_and_answer_later&, reply_to<int> to) {
    const auto r = co_await self_.call(a_.left, slow_total{});
    to.reply(*r + 1);
  }
  coroutine<int> on(const crash_at_once&) {
    const frame_mark t{a_.log, "frame"};
    throw std::runtime_error{"at once"};
    co_return 0;
  }
  coroutine<int> on(const wait_and_crash_in_call&) {
    const frame_mark t{a_.log, "frame"};
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
    const frame_mark t{a_.log, "frame"};
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
    const frame_mark t{a_.log, "frame"};
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

}  // namespace herald::test::coroutines
