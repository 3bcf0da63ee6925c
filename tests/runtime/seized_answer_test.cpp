// A host that is taken between a message and the look at what it answers: answers, notices and ticks come again, or go on.

#include <herald/testing/faults.hpp>

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct ask_a {};
struct watch_a {};
struct tick_often {};
struct tick {};

/// Asks, watches and ticks; its next message of a kind finds its host taken before it is looked at.
struct asker : process<asker, ask_a, watch_a, tick_often, tick, down> {
  struct args {
    journal* log = nullptr;
  };
  asker(context& self, args a) : self_{self}, log_{a.log} {}
  void on(const ask_a&) {
    self_.call(self_.find<probe>("a"), life{}, 2s, [this](const result<std::uint32_t>& r) {
      log_->write(r ? "life " + std::to_string(*r) : std::string{r.error().name()});
    });
  }
  void on(const watch_a&) { self_.monitor(self_.find<probe>("a").operator any_ref()); }
  void on(const tick_often&) { self_.send_every(100ms, tick{}, {.pace = fixed_rate}); }
  void on(const tick&) { log_->write("tick"); }
  void on(const down& d) { log_->write("down " + std::string{probe::word(d.reason)}); }

 private:
  context& self_;
  journal* log_;
};

struct seized_world : world {
  using world::world;
  testing::faults faults;
  void begin() {
    auto o = options();
    o.faults = &faults;
    app = std::make_unique<application>(
        supervisor{.name = "top", .intensity = {100, 1s}, .children = {worker("a", {.placement = spread}), child<asker>("me", {&log}),
                                                                       worker("neighbour")}},
        o);
    app->start();
    log.take();
  }
  ~seized_world() { app.reset(); }
  [[nodiscard]] ref<asker> me() const { return app->find<asker>("me"); }
};

}  // namespace

TEST_CASE("an answer whose continuation finds its host taken comes again, once") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    seized_world w{seed};
    w.faults.stall<result<std::uint32_t>>("me", 300ms, testing::first(1));
    w.begin();
    w.me().cast(ask_a{});
    w.sim.advance(250ms);
    CHECK(w.told(report::overran, "me") == 1);
    CHECK(w.log.size() == 0);
    w.sim.advance(1s);
    CHECK(w.log.text() == "life 1");
    CHECK(w.told(report::came_back, "me") == 1);
  }
}

TEST_CASE("an answer that comes again does so for its own life only") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    seized_world w{seed};
    w.faults.stall<result<std::uint32_t>>("me", 300ms, testing::first(1));
    w.begin();
    w.me().cast(ask_a{});
    w.sim.advance(250ms);
    CHECK(w.app->kill("me"));
    w.sim.advance(1s);
    CHECK(w.log.size() == 0);
    w.me().cast(ask_a{});
    w.sim.advance(1s);
    CHECK(w.log.text() == "life 1");
  }
}

TEST_CASE("a down notice that finds its host taken comes again, once") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    seized_world w{seed};
    w.faults.stall<down>("me", 300ms, testing::first(1));
    w.begin();
    w.me().cast(watch_a{});
    w.sim.run();
    CHECK(w.app->root().terminate_child("a"));
    w.sim.advance(1s);
    CHECK(w.log.text() == "-a shutdown ~a down shutdown");
  }
}

TEST_CASE("a periodic timer whose message finds its host taken goes on ticking") {
  seized_world w;
  w.faults.stall<tick>("me", 150ms, testing::first(1));
  w.begin();
  w.me().cast(tick_often{});
  w.sim.advance(1s);
  CHECK(w.log.size() >= 8);
}
