// Section G: supervisors that end because their significant children have ended by themselves.

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

supervisor watched(world& w, auto_shutdown_t mode, restart_t type, bool significant) {
  return {.name = "root",
          .intensity = {100, 5s},
          .auto_shutdown = mode,
          .children = {w.worker("a", {.restart = type, .significant = significant}),
                       w.worker("b", {.restart = type, .significant = significant}), w.worker("c")}};
}

}  // namespace

TEST_CASE("G112, G113: the end of a child that is not significant never shuts its supervisor down") {
  for (const auto mode : std::vector{never, any_significant, all_significant})
    for (const auto type : std::vector{temporary, transient}) {
      world w;
      w.start(watched(w, mode, type, false));
      w.tell("a", end_with{exit_reason::normal});
      CHECK(w.app->kill("b"));
      w.sim.run();
      CHECK_FALSE(w.app->ended());
      if (type == transient) {
        CHECK(w.life_of("b") == 2);
      }
    }
}

TEST_CASE("G114, G116: with any_significant the own end of a significant child shuts the supervisor down; terminate_child does not") {
  for (const auto type : std::vector{temporary, transient}) {
    world w;
    w.start(watched(w, any_significant, type, true));
    CHECK(w.app->root().terminate_child("a"));
    w.sim.run();
    CHECK_FALSE(w.app->ended());
    w.crash("b");
    CHECK(w.app->ended() == (type == temporary));
    if (type == temporary) continue;
    CHECK(w.life_of("b") == 2);
    w.log.take();
    w.tell("b", end_with{exit_reason::normal});
    CHECK(w.app->ended());
    CHECK(w.log.text() == "-b normal ~b -c shutdown ~c");
    const auto end = w.app->stop();
    CHECK(end.reason == exit_reason{exit_reason::shutdown});
    CHECK_FALSE(end.gave_up);
  }
}

TEST_CASE("G115, G117: with all_significant the last significant child's end shuts the supervisor down") {
  for (const auto type : std::vector{temporary, transient}) {
    world w;
    w.start(watched(w, all_significant, type, true));
    w.tell("a", end_with{exit_reason::normal});
    CHECK_FALSE(w.app->ended());
    w.tell("b", end_with{exit_reason::shutdown});
    CHECK(w.app->ended());
  }
}

TEST_CASE("G117: a significant child that pauses before its restart has not ended") {
  world w;
  w.start({.name = "root",
           .intensity = {3, 5s},
           .auto_shutdown = all_significant,
           .children = {w.worker("a", {.restart = transient, .backoff = {100ms, 100ms, 0}, .significant = true}),
                        w.worker("b", {.restart = transient, .significant = true})}});
  w.crash("a");
  w.tell("b", end_with{exit_reason::normal});
  CHECK_FALSE(w.app->ended());
  w.sim.advance(100ms);
  CHECK(w.life_of("a") == 2);
  w.tell("a", end_with{exit_reason::normal});
  CHECK(w.app->ended());
}

TEST_CASE("a significant supervisor's end goes up: its parent ends by auto_shutdown, too") {
  world w;
  supervisor inner{.name = "s", .auto_shutdown = any_significant, .restart = transient, .significant = true,
                   .children = {w.worker("a", {.restart = transient, .significant = true})}};
  w.start({.name = "root", .auto_shutdown = any_significant, .children = {w.worker("z"), inner}});
  w.tell("s/a", end_with{exit_reason::normal});
  CHECK(w.app->ended());
  CHECK(w.log.text() == "+z +a -a normal ~a -z shutdown ~z");
}
