// Events whose handlers wait inside.

#include <herald/coroutine.hpp>

#include <doctest/doctest.h>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;
using namespace std::chrono_literals;

namespace {

struct patient : process<patient, tick, text, crash_now> {
  struct args {
    seen* into = nullptr;
    std::chrono::milliseconds stall{0};
  };
  patient(context& self, args a) : self_{self}, a_{a} {
    ++a_.into->inits;
    subscribe<tick>(self, "ticks");
    subscribe<text>(self, "ticks");
  }
  coroutine<> on(const tick& t) {
    const auto publisher = self_.sender();
    simulation::stall(a_.stall);
    co_await self_.sleep(10ms);
    a_.into->numbers.push_back(t.number);  // the event is still there
    a_.into->topics.push_back(std::string{topic_of(self_).topic});
    if (publisher == self_.sender()) ++a_.into->publishers.emplace_back(0);
    if (t.publisher == 1) throw std::runtime_error{"unlucky event"};
  }
  void on(const text&) {}
  void on(const crash_now&) { throw std::runtime_error{"boom"}; }

 private:
  context& self_;
  args a_;
};

struct bench {
  explicit bench(std::uint64_t seed, std::chrono::milliseconds stall = 0ms) : sim{seed} {
    application_options o;
    o.simulation = &sim;
    o.hosts = 2;
    o.sinks = {[](const report&) {}};
    supervisor root{.name = "root", .intensity = {100, 5s}};
    for (int i = 0; i < 4; ++i)
      root.children.push_back(child<patient>("p" + std::to_string(i), {&all[i], stall}, {.placement = spread}));
    app = std::make_unique<application>(std::move(root), o);
    app->start();
  }
  simulation sim;
  seen all[4];
  std::unique_ptr<application> app;
};

}  // namespace

TEST_CASE("a handler that waits keeps its event, its topic and its order, called inline or from the mailbox") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    bench b{seed, seed % 3 == 0 ? 150ms : 0ms};
    const auto ticks = bus{*b.app}.topic("ticks").value();
    std::vector<int> wanted;
    for (int n = 0; n < 5; ++n) {
      ticks.broadcast(tick{n});
      wanted.push_back(n);
      b.sim.step(b.sim.random() % 4);
    }
    b.sim.advance(5s);
    for (const auto& s : b.all) {
      CHECK(s.numbers == wanted);
      CHECK(s.topics == std::vector<std::string>(5, "ticks"));
      CHECK(s.publishers.size() == 5);
    }
  }
}

TEST_CASE("a crash and a kill while an event's handler waits end it there, and the rest comes to the next life") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    bench b{seed};
    const auto ticks = bus{*b.app}.topic("ticks").value();
    ticks.broadcast(tick{0, 1});
    ticks.broadcast(tick{1});
    ticks.broadcast(tick{2});
    if (seed % 2 == 0) {
      b.sim.advance(std::chrono::milliseconds{seed % 10});
      CHECK(b.app->kill("p0"));
    }
    b.sim.advance(5s);
    for (int i = 1; i < 4; ++i) {
      CHECK(b.all[i].numbers == std::vector<int>{0, 1, 2});
      CHECK(b.all[i].inits == 2);
    }
    if (seed % 2 == 0) {
      CHECK(b.all[0].inits == 2);
      CHECK(b.all[0].numbers == std::vector<int>{1, 2});
    }
  }
}
