// What a handler can wait for besides calls and time: tasks, functions on the pool, the end of a process.

#include "task_support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct works : world {
  explicit works(std::uint64_t seed = 1) : world{seed} {
    start({.name = "top", .intensity = {100, 1s}, .children = {
      task_supervisor("jobs"), worker("a", {.restart = temporary}), child<inside>("waits", {.placement = spread})}});
    jobs = app->find_supervisor("jobs");
    log.take();
  }
  void waiting_in(std::function<coroutine<>(context&)> code) {
    app->find<inside>("waits").cast(waiting_script{std::move(code)});
  }
  template <class R>
  void note(const R& r) {
    log.write(text_of(r));
  }
  supervisor_ref jobs;
};

}  // namespace

TEST_CASE("L168, L169: a handler waits inside for a task: its value, its crash, its limit") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    works w{seed};
    w.waiting_in([&](context& self) -> coroutine<> {
      const auto value = co_await async(self, w.jobs, [] { return 42; }).await(self, 1s);
      w.note(value);
      const auto crash = co_await async_nolink(self, w.jobs, []() -> int { throw std::runtime_error{"no"}; }).await(self, 1s);
      w.note(crash);
      const auto late = co_await async(self, w.jobs, [] {
                                   simulation::stall(80ms);
                                   return 1;
                                 }, {.placement = own_thread}).await(self, self.now() + 20ms);
      w.note(late);
    });
    w.sim.advance(1s);
    CHECK(w.log.text() == "42 down timeout");
    CHECK(w.counts("jobs").active == 0);
  }
}

TEST_CASE("L171: yield inside gives none at its limit and may be asked again; several tasks are awaited at once") {
  works w;
  w.waiting_in([&](context& self) -> coroutine<> {
    auto slow = async(self, w.jobs, [](context& me) {
      static_cast<void>(me);
      simulation::stall(50ms);
      return 7;
    });
    const auto early = co_await slow.yield(self, 10ms);
    w.note(early);
    const auto then = co_await slow.yield(self, 1s);
    w.note(then);
    const auto [a, b] = co_await all(async(self, w.jobs, [] { return 1; }).await(self, 1s),
                                     async(self, w.jobs, [] { return 2; }).await(self, 1s));
    w.log.write(text_of(a) + "," + text_of(b));
  });
  w.sim.advance(1s);
  CHECK(w.log.text() == "none 7 1,2");
}

TEST_CASE("L172, L173: a handler waits inside for many tasks: all values in order, the first failure, as many as are enough") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    works w{seed};
    const auto after = [&w](context& self, std::chrono::milliseconds time, int value) {
      return async(self, w.jobs, [time, value] {
        simulation::stall(time);
        return value;
      }, {.placement = own_thread});
    };
    w.waiting_in([&](context& self) -> coroutine<> {
      std::vector<task<int>> three;
      for (int i = 1; i <= 3; ++i) three.push_back(after(self, (4 - i) * 10ms, i));
      const auto values = co_await await_many(self, std::move(three), 1s);
      w.log.write(std::to_string(values.value()[0] * 100 + values.value()[1] * 10 + values.value()[2]));
      const auto nothing = co_await await_many(self, std::vector<task<int>>{}, 1s);
      w.log.write(nothing && nothing->empty() ? "empty" : "?");
      std::vector<task<int>> bad;
      bad.push_back(after(self, 500ms, 1));
      bad.push_back(async_nolink(self, w.jobs, []() -> int { throw std::runtime_error{"no"}; }));
      const auto begun = self.now();
      const auto failed = co_await await_many(self, std::move(bad), 1s);
      w.log.write(failed.is(errc::down) && self.now() - begun < 100ms ? "down" : "?");
      std::vector<task<int>> some;
      some.push_back(after(self, 500ms, 1));
      some.push_back(after(self, 10ms, 2));
      const auto first = co_await yield_many(self, some, {.limit = 1s, .enough = 1, .on_timeout = on_timeout_t::kill});
      w.log.write(first[0].has_value() ? "?" : "none");
      w.log.write(std::to_string(first[1].value().value()));
    });
    w.sim.advance(3s);
    CHECK(w.log.text() == "123 empty down none 2");
    CHECK(w.counts("jobs").active == 0);
  }
}

TEST_CASE("a task that is awaited inside ends with the handler that waits") {
  works w;
  bool ran_on = false;
  w.waiting_in([&](context& self) -> coroutine<> {
    const auto r = co_await async(self, w.jobs, [](context&) {
                                simulation::stall(50ms);
                                return 1;
                              }).await(self, 1s);
    ran_on = true;
    w.note(r);
  });
  w.sim.advance(10ms);
  CHECK(w.app->kill("waits"));
  w.sim.advance(1s);
  CHECK_FALSE(ran_on);
  CHECK(w.counts("jobs").active == 0);
  CHECK(w.log.size() == 0);
}

TEST_CASE("a handler waits inside for a function on the pool, and its mailbox waits with it") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    works w{seed};
    w.waiting_in([&](context& self) -> coroutine<> {
      const auto value = co_await self.offload([] { return 42; }, 1s);
      w.note(value);
      const auto thrown = co_await self.offload([]() -> int { throw std::runtime_error{"no"}; }, 1s);
      w.note(thrown);
      const auto failure = co_await self.offload([]() -> result<void> { return error{errc::not_found, "not here"}; });
      w.note(failure);
    });
    w.waiting_in([&](context&) -> coroutine<> {
      w.log.write("next");
      co_return;
    });
    w.sim.run();
    CHECK(w.log.text() == "42 failed not_found next");
  }
}

TEST_CASE("a function that is waited for is told when nobody waits any more: at its limit, and at the end of the life") {
  works w;
  int told = 0;
  const auto slow = [&](const std::stop_token& stop) {
    simulation::stall(100ms);
    told += stop.stop_requested() ? 1 : 0;
    return 1;
  };
  w.waiting_in([&](context& self) -> coroutine<> {
    const auto late = co_await self.offload(slow, 20ms);
    w.note(late);
    const auto never = co_await self.offload(slow, 1s);
    w.note(never);
  });
  w.sim.advance(110ms);  // the second one runs from 20 ms to 120 ms
  CHECK(w.log.text() == "timeout");
  CHECK(told == 1);
  CHECK(w.app->kill("waits"));
  w.sim.advance(1s);
  CHECK(w.log.text() == "timeout");
  CHECK(told == 2);
}

TEST_CASE("M193: a handler waits inside for the end of a process") {
  works w;
  w.waiting_in([&](context& self) -> coroutine<> {
    const auto a = w.at("a");
    const auto ended = co_await stop(self, a, exit_reason::shutdown, 1s);
    w.log.write("ended " + text_of(ended));
    const auto again = co_await stop(self, a);
    w.note(again);
  });
  w.sim.run();
  CHECK(w.log.text() == "-a shutdown ~a ended done noproc");
}

TEST_CASE("M193: ... and no longer than its limit") {
  works w;
  w.how("a")->terminate_stall = 200ms;
  w.waiting_in([&](context& self) -> coroutine<> {
    const auto ended = co_await stop(self, w.at("a"), exit_reason::shutdown, 50ms);
    w.note(ended);
  });
  w.sim.advance(1s);
  CHECK(w.log.text() == "timeout -a shutdown ~a");
}
