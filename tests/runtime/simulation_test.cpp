// The simulation as a tool: what it refuses.

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

TEST_CASE("simulation: a blocking call in run_until's predicate may run others; a handler that stalls below it is an error") {
  world w;
  w.start({.name = "root", .children = {w.worker("a"), w.worker("b", {.placement = spread})}});
  CHECK(w.sim.run_until([&] { return w.life_of("a") == 1; }));
  w.at("b").cast(stall_for{50ms});
  w.sim.run();
  CHECK(w.sim.run_until([&] { return w.life_of("b") == 1; }));  // stalled before: it comes back meanwhile
  w.at("b").cast(stall_for{50ms});
  CHECK_THROWS_WITH_AS(static_cast<void>(w.sim.run_until([&] { return w.life_of("b") == 2; })),
                       "a handler stalls while a predicate of simulation::run_until (or a report sink) waits in a blocking "
                       "call; wanted: a predicate that only looks, and calls between two runs",
                       std::logic_error);
  w.sim.run();
  CHECK(w.life_of("b") == 1);
}
