#pragma once
// The problem: what goes wrong between processes goes wrong once in a million runs, and never again under a debugger. A
// simulation runs the same processes on one thread, in an order that a seed picks, in virtual time: a thousand different
// schedules a second, and the one that fails can be had again.
//
//   herald::simulation sim{seed};
//   herald::application app{tree, {.simulation = &sim}};
//   app.start();
//   sim.run();          // until nobody has anything to do
//   sim.advance(5s);    // virtual time, with everything that falls due in it
//
// What it controls: which host runs next and for how many messages, time, random numbers. What it cannot find: races on
// memory (ThreadSanitizer's job). Handlers that get stuck are simulated by simulation::stall.
//
// Thread safety: one thread drives it; `stall` is for handlers. Lifetime: it outlives its application. One application at
// a time. Blocking calls from the driving thread run the simulation until they are answered.
// The idea: FoundationDB's and TigerBeetle's deterministic simulation.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include <herald/clock.hpp>

namespace herald {

namespace engine {
class executor;
class simulation_executor;
}  // namespace engine

class simulation {
 public:
  explicit simulation(std::uint64_t seed);
  ~simulation();
  simulation(const simulation&) = delete;
  simulation& operator=(const simulation&) = delete;

  [[nodiscard]] std::uint64_t seed() const noexcept;
  /// Runs until nobody has anything to do now; time stands still. False: `max_steps` were not enough.
  bool run(std::uint64_t max_steps = 10'000'000);
  /// Runs at most this many steps; a step is one host for a few messages.
  std::uint64_t step(std::uint64_t steps = 1);
  /// Lets virtual time pass, and everything that falls due in it happen.
  void advance(std::chrono::nanoseconds time);
  /// Runs, letting time pass where needed, until `done` says so; false when nothing is left that could happen, or after
  /// `limit` of virtual time.
  bool run_until(const std::function<bool()>& done, std::chrono::nanoseconds limit = std::chrono::hours{1});

  [[nodiscard]] std::chrono::steady_clock::time_point now() const noexcept;
  /// Random numbers from the seed, apart from the ones that pick the schedule.
  [[nodiscard]] std::uint64_t random() noexcept;

  [[nodiscard]] herald::clock& clock() noexcept;
  [[nodiscard]] herald::entropy& entropy() noexcept;

  /// In a handler: behaves as if it computed for `time` of virtual time, while everything else goes on. Outside of a
  /// simulation it returns at once.
  static void stall(std::chrono::nanoseconds time);

  struct impl;
  [[nodiscard]] impl& inside() noexcept { return *impl_; }

 private:
  std::unique_ptr<impl> impl_;
};

}  // namespace herald
