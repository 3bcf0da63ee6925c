// Section Q: what a backoff can do (Pekko's BackoffSupervisor), as options of a child.

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct backoff_world : world {
  backoff_world(backoff_t b, restart_t r = permanent, std::int64_t intensity = 1000, std::uint64_t seed = 1) : world{seed} {
    start({.name = "root",
           .intensity = {intensity, std::chrono::hours{24}},
           .children = {worker("a", {.restart = r, .backoff = b}), worker("b")}});
    log.take();
  }
  /// How long a crash keeps "a" away.
  std::chrono::milliseconds pause() {
    const auto before = sim.now();
    const auto lives = told(report::restarted, "a");
    crash("a");
    REQUIRE(sim.run_until([&] { return told(report::restarted, "a") > lives; }));
    return std::chrono::duration_cast<std::chrono::milliseconds>(sim.now() - before);
  }
};

}  // namespace

TEST_CASE("Q250: a limit of 0 stops the child at its first failure, and nobody else") {
  backoff_world w{{.reset_after = 1s, .max_restarts = 0}};
  w.crash("a");
  CHECK(w.list() == "b a(stopped)");
  CHECK(w.life_of("b") == 1);
  CHECK(w.told(report::gave_up, "a") == 1);
}

TEST_CASE("Q250: at its limit of restarts in a row a child stays stopped; a life of reset_after starts the count over") {
  backoff_world w{{.reset_after = 10s, .max_restarts = 2}};
  for (int round = 0; round < 3; ++round) {
    w.crash("a");
    w.crash("a");
    CHECK(w.list() == "b a");
    w.sim.advance(10s);
  }
  for (int i = 0; i < 3; ++i) w.crash("a");
  CHECK(w.list() == "b a(stopped)");
  // It can be started by hand, and has all its restarts again.
  CHECK(w.app->root().restart_child("a"));
  w.crash("a");
  w.crash("a");
  CHECK(w.list() == "b a");
  w.crash("a");
  CHECK(w.list() == "b a(stopped)");
}

TEST_CASE("Q250: a child that cannot start again stays stopped at its limit, and its siblings in a group come up") {
  for (const auto strategy : std::vector{one_for_one, one_for_all, rest_for_one}) {
    world w;
    w.start({.name = "root", .strategy = strategy, .intensity = {1000, 1h},
             .children = {w.worker("a"), w.worker("b", {.backoff = {10ms, 20ms, 0, 0ms, 3}}), w.worker("c")}});
    w.how("b")->failing_inits = 100;
    w.crash("b");
    w.sim.advance(1s);
    CHECK(w.list() == "c b(stopped) a");
    CHECK(w.how("b")->failing_inits == 97);
    CHECK(w.life_of("c") != 0);
  }
}

TEST_CASE("Q252: reset_after sets the time after which pauses start over, by_hand that they never do") {
  backoff_world early{{100ms, 10s, 0, 50ms}};
  CHECK(early.pause() == 100ms);
  early.sim.advance(40ms);
  CHECK(early.pause() == 200ms);
  early.sim.advance(50ms);
  CHECK(early.pause() == 100ms);
  backoff_world never{{100ms, 10s, 0, backoff_t::by_hand}};
  CHECK(never.pause() == 100ms);
  never.sim.advance(1h);
  CHECK(never.pause() == 200ms);
  never.sim.advance(1h);
  CHECK(never.pause() == 400ms);
}

TEST_CASE("Q252: the random share of a pause is at most its jitter, and differs") {
  std::vector<std::chrono::milliseconds> seen;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    backoff_world w{{1000ms, 1000ms, 0.5}, permanent, 1000, seed};
    seen.push_back(w.pause());
    CHECK(seen.back() >= 1000ms);
    CHECK(seen.back() <= 1500ms);
  }
  std::sort(seen.begin(), seen.end());
  CHECK(seen.front() < 1150ms);
  CHECK(seen.back() > 1350ms);
}

TEST_CASE("Q255: a first start that fails is an error; with first_start it is tried again after the pause") {
  world w;
  const backoff_t again{100ms, 400ms, 0, 0ms, 5, true};
  w.how("a")->failing_inits = 3;
  w.make({.name = "root", .intensity = {1000, 1h}, .children = {w.worker("a", {.backoff = {100ms, 400ms, 0}})}});
  CHECK(w.app->try_start().is(errc::start_failed));
  w.log.take();
  w.how("a")->failing_inits = 3;
  w.make({.name = "root", .intensity = {1000, 1h}, .children = {w.worker("a", {.backoff = again}), w.worker("b")}});
  const auto before = w.sim.now();
  CHECK(w.app->try_start());
  CHECK(w.sim.now() - before == 700ms);
  CHECK(w.log.text() == "!a !a !a +a +b");
  // By start_child, static and dynamic, and with a limit.
  w.how("c")->failing_inits = 2;
  CHECK(w.app->root().start_child(w.worker("c", {.backoff = again})));
  CHECK(w.life_of("c") == 3);
  w.how("d")->failing_inits = 100;
  CHECK(w.app->root().start_child(w.worker("d", {.backoff = again})).is(errc::start_failed));
  CHECK(w.list() == "c b a");
  CHECK(w.how("d")->failing_inits == 94);
}

TEST_CASE("Q255: who waits for a first start that is tried again may be told to stop, or its siblings may restart") {
  for (const auto strategy : std::vector{one_for_one, one_for_all, rest_for_one}) {
    world w;
    w.start({.name = "root", .strategy = strategy, .intensity = {1000, 1h}, .children = {w.worker("a"), w.worker("b")}});
    const auto root = w.app->root();
    w.how("z")->failing_inits = 2;
    CHECK(root.start_child(w.worker("z", {.backoff = {1s, 1s, 0, 0ms, 5, true}})));
    CHECK(w.life_of("b") == 1);  // its retries concern nobody else
    CHECK(root.terminate_child("z"));
    CHECK(root.delete_child("z"));
    w.how("c")->failing_inits = 1;
    CHECK(root.start_child(w.worker("c", {.backoff = {1s, 1s, 0, 0ms, 5, true}}), 100ms).is(errc::timeout));
    CHECK(w.list() == "c(restarting) b a");
    CHECK(root.terminate_child("c"));
    CHECK(w.list() == "b a");
    w.how("c")->failing_inits = 1;
    CHECK(root.start_child(w.worker("c", {.backoff = {1s, 1s, 0, 0ms, 5, true}}), 100ms).is(errc::timeout));
    w.crash("a");
    CHECK(w.life_of("b") == (strategy == one_for_one ? 1 : 2));
    w.sim.advance(2s);
    CHECK(w.list() == "c b a");
    CHECK(w.life_of("b") == (strategy == one_for_one ? 1 : 2));
  }
}

TEST_CASE("Q255: an application whose first start never succeeds does not start, and says why") {
  world w;
  w.how("a")->failing_inits = 1000;
  w.make({.name = "root", .intensity = {1000, 1h}, .children = {w.worker("a", {.backoff = {10ms, 20ms, 0, 0ms, 4, true}})}});
  const auto r = w.app->try_start();
  REQUIRE(r.is(errc::start_failed));
  CHECK(r.error().message().find("a cannot start") != std::string::npos);
  CHECK(w.how("a")->failing_inits == 995);
}

TEST_CASE("Q257: a child that stops by itself is restarted after its pause, too") {
  backoff_world w{{100ms, 400ms, 0}};
  w.tell("a", end_with{exit_reason::normal});
  CHECK(w.list() == "b a(restarting)");
  w.sim.advance(100ms);
  CHECK(w.life_of("a") == 2);
}

TEST_CASE("Q257: an end with the final_stop reason is final, under every restart type and strategy") {
  const exit_reason final{exit_reason::custom, "work is done"};
  for (const auto r : std::vector{permanent, transient, temporary})
    for (const auto strategy : std::vector{one_for_one, one_for_all, rest_for_one}) {
      world w;
      w.start({.name = "root", .strategy = strategy, .intensity = {1000, 1h},
               .children = {w.worker("a", {.restart = r, .final_stop = final}), w.worker("b")}});
      w.tell("a", end_with{final});
      CHECK(w.list() == (r == temporary ? "b" : "b a(stopped)"));
      CHECK(w.life_of("b") == 1);
    }
  world w;
  w.start({.name = "root", .children = {w.worker("a", {.final_stop = final})}});
  w.tell("a", end_with{exit_reason{exit_reason::custom, "something else"}});
  CHECK(w.life_of("a") == 2);
}

TEST_CASE("Q257: reset_backoff forgets the restarts so far, and ends a pause") {
  backoff_world w{{100ms, 10s, 0, backoff_t::by_hand}};
  CHECK(w.pause() == 100ms);
  CHECK(w.pause() == 200ms);
  CHECK(w.app->root().reset_backoff("a"));
  CHECK(w.pause() == 100ms);
  CHECK(w.pause() == 200ms);
  w.crash("a");
  CHECK(w.list() == "b a(restarting)");
  CHECK(w.app->root().reset_backoff("a"));
  w.sim.run();
  CHECK(w.life_of("a") == 6);
  CHECK(w.pause() == 100ms);
  CHECK(w.app->root().reset_backoff("nobody").is(errc::not_found));
}

TEST_CASE("Q257: reset_backoff ends the pause of a whole group") {
  for (const auto strategy : std::vector{one_for_all, rest_for_one}) {
    world w;
    w.start({.name = "root", .strategy = strategy, .intensity = {10, 24h},
             .children = {w.worker("a", {.backoff = {1min, 1min, 0}}), w.worker("b")}});
    w.crash("a");
    CHECK(w.list() == "b(restarting) a(restarting)");
    CHECK(w.app->root().reset_backoff("a"));
    w.sim.run();
    CHECK(w.list() == "b a");
  }
}

TEST_CASE("Q252: a pause ends with its supervisor: nobody is started while the others end") {
  world w;
  w.how("b")->terminate_stall = 90ms;
  w.start({.name = "root", .intensity = {10, 24h}, .children = {w.worker("a", {.backoff = {50ms, 50ms, 0}}), w.worker("b", {.placement = spread})}});
  w.crash("a");
  w.log.take();
  CHECK(w.app->stop().zombies.empty());
  CHECK(w.log.text() == "-b shutdown ~b");
}

TEST_CASE("Q252: pauses count against the supervisor's intensity all the same") {
  backoff_world w{{10ms, 20ms, 0}, permanent, 3};
  w.how("a")->failing_inits = 100;
  w.crash("a");
  w.sim.advance(1s);
  CHECK(w.app->ended());
  CHECK(w.how("a")->failing_inits == 97);
}
