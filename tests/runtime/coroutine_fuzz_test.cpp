// Many processes that await each other, under misfortunes.

#include "coroutine_support.hpp"

using namespace herald;
using namespace herald::test;
using namespace herald::test::coroutines;
using namespace std::chrono_literals;

namespace {

/// Waits here and there among many others that crash and are killed; every call ends exactly once.
struct tangled : process<tangled, note, total, slow_total, boom> {
  struct args {
    std::shared_ptr<std::vector<ref<tangled>>> all;
    int* ended = nullptr;
    int* begun = nullptr;
  };
  tangled(context& self, args a) : self_{self}, a_{std::move(a)} {}
  coroutine<> on(const note& m) {
    struct mark {
      int* ended;
      ~mark() { ++*ended; }
    } const at_end{a_.ended};
    ++*a_.begun;
    for (int i = 0; i < m.number % 4; ++i) {
      auto& whom = (*a_.all)[self_.random() % a_.all->size()];
      const auto r = co_await self_.call(whom, slow_total{std::chrono::milliseconds{self_.random() % 3}}, 20ms);
      if (!r && m.number % 5 == 0) throw std::runtime_error{"unlucky"};
    }
  }
  int on(const total&) { return 1; }
  coroutine<int> on(const slow_total& m) {
    if (self_.random() % 16 == 0) throw std::runtime_error{"asked"};
    if (self_.random() % 16 == 0) simulation::stall(150ms);
    co_await self_.sleep(m.time);
    if (self_.random() % 16 == 0) throw std::runtime_error{"asked and waited"};
    co_return 1;
  }
  void on(const boom& m) { throw std::runtime_error{m.text}; }

 private:
  context& self_;
  args a_;
};

}  // namespace

TEST_CASE("many processes that await each other, crash, stall and are killed: no frame is lost, and everything ends") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    int begun = 0;
    int ended = 0;
    world w{seed};
    auto everybody = std::make_shared<std::vector<ref<tangled>>>();
    supervisor root{.name = "root", .intensity = {1'000'000, 1s}};
    for (int i = 0; i < 6; ++i)
      root.children.push_back(child<tangled>("t" + std::to_string(i), {everybody, &ended, &begun},
                                             {.shutdown = 1s, .placement = by_key(static_cast<std::uint64_t>(i))}));
    w.start(std::move(root));
    for (int i = 0; i < 6; ++i) everybody->push_back(w.app->find<tangled>("t" + std::to_string(i)));
    for (int i = 0; i < 60; ++i) {
      (*everybody)[w.sim.random() % 6].cast(note{static_cast<int>(w.sim.random() % 20)});
      if (i % 10 == 9) static_cast<void>(w.app->kill("t" + std::to_string(w.sim.random() % 6)));
      if (i % 13 == 0) (*everybody)[w.sim.random() % 6].cast(boom{});
      w.sim.advance(std::chrono::milliseconds{w.sim.random() % 5});
    }
    w.sim.advance(5s);
    for (const auto& t : *everybody) CHECK(t.call(total{}, 1s).value_or(0) == 1);
    CHECK(w.app->stop().zombies.empty());
    CHECK(begun == ended);
    CHECK(begun > 20);
  }
}
