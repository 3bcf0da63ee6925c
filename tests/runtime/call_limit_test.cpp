// Limits of calls: durations, points in time that several calls have in common; calls by path.

#include "task_support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

/// Accepts the same, and is somebody else.
struct owner_of_other_type : process<owner_of_other_type, life> {
  std::uint32_t on(const life&) { return 0; }
};

struct deadlines : world {
  explicit deadlines(std::uint64_t seed = 1) : world{seed} {
    start({.name = "top", .intensity = {100, 1s}, .children = {
      worker("a", {.placement = own_thread}), worker("b", {.placement = own_thread}), child<owner>("me"), child<inside>("waits", {.placement = spread})}});
    log.take();
  }
  void in(std::function<void(context&)> code) {
    app->find<owner>("me").cast(script{std::move(code)});
    sim.run();
  }
  void waiting_in(std::function<coroutine<>(context&)> code) {
    app->find<inside>("waits").cast(waiting_script{std::move(code)});
    sim.run();
  }
  auto note() {
    return [this](const auto& r) { log.write(text_of(r)); };
  }
};

}  // namespace

TEST_CASE("N202: calls with a deadline in common end together, or with their values before") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    deadlines w{seed};
    w.in([&](context& self) {
      const auto deadline = self.now() + 50ms;
      self.call(w.at("a"), slow_life{20ms}, deadline, w.note());
      self.send_after(30ms, script{[&, deadline](context& me) { me.call(w.at("b"), slow_life{30ms}, deadline, w.note()); }});
    });
    w.sim.advance(49ms);
    CHECK(w.log.text() == "1");
    w.sim.advance(1ms);
    CHECK(w.log.text() == "1 timeout");
    w.sim.advance(1s);
    CHECK(w.log.text() == "1 timeout");
  }
}

TEST_CASE("N202: a call whose deadline has passed is not sent") {
  deadlines w;
  w.in([&](context& self) {
    self.call(w.at("a"), crash_call{}, self.now(), [&](const result<int>& r) { w.log.write(r.error().to_string()); });
  });
  CHECK(w.log.text() == "runtime.timeout: nothing was sent: the deadline had passed before");
  CHECK(w.at("a").call(crash_call{}, w.sim.now() - 1s).is(errc::timeout));
  w.waiting_in([&](context& self) -> coroutine<> {
    const auto r = co_await self.call(w.at("a"), crash_call{}, self.now());
    CHECK(r.is(errc::timeout));
  });
  CHECK(w.life_of("a") == 1);
}

TEST_CASE("N202: a plain thread's deadline") {
  deadlines w;
  w.at("a").cast(stall_for{80ms});
  const auto deadline = w.sim.now() + 50ms;
  CHECK(w.at("a").call(life{}, deadline).is(errc::timeout));
  CHECK(w.sim.now() == deadline);
  CHECK(w.at("a").call(life{}, deadline + 100ms).value() == 1);
}

TEST_CASE("N202: a handler that waits inside has deadlines for calls and for what follows the protocol") {
  deadlines w;
  w.at("a").cast(stall_for{80ms});
  w.waiting_in([&](context& self) -> coroutine<> {
    const auto deadline = self.now() + 50ms;
    const auto [a, b] = co_await all(self.call(w.at("a"), life{}, deadline), self.call(w.at("b"), life{}, deadline));
    w.log.write(text_of(a) + " " + text_of(b));
    CHECK(self.now() == deadline);
  });
  w.sim.advance(1s);
  CHECK(w.log.text() == "timeout 1");
}

TEST_CASE("N206: a call by path finds the process, also after its restart; nobody there is noproc") {
  deadlines w;
  w.crash("b");
  w.log.take();
  w.in([&](context& self) {
    self.call<probe>("b", life{}, 1s, w.note());
    self.call<probe>("nobody", life{}, 1s, [&](const auto& r) { w.log.write(r.error().message()); });
    self.call<owner_of_other_type>("b", life{}, 1s, w.note());
  });
  w.waiting_in([&](context& self) -> coroutine<> {
    const auto there = co_await self.call<probe>("b", life{}, 1s);
    const auto none_there = co_await self.call<probe>("", life{}, 1s);
    w.log.write(text_of(there) + " " + none_there.error().message());
  });
  w.sim.run();
  auto lines = w.log.take();
  std::sort(lines.begin(), lines.end());
  const auto nobody = "there is no process of type " + std::string{engine::ops_of<probe>.name} + " at \"";
  CHECK(lines == std::vector<std::string>{"2", "2 " + nobody + "\"", "noproc", nobody + "nobody\""});
}
