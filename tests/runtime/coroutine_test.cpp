// Handlers that wait inside: what they wait for, and what waits for them.

#include "coroutine_support.hpp"

using namespace herald;
using namespace herald::test;
using namespace herald::test::coroutines;
using namespace std::chrono_literals;

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
