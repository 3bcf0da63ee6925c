#pragma once
// What executes hosts: CAF's workers in earnest, one seeded loop in a simulation. The same hosts and cells under both.

#include <chrono>
#include <functional>
#include <optional>

#include <herald/engine/host.hpp>
#include <herald/engine/waiter.hpp>

namespace herald::engine {

class caf_seam;

class executor {
 public:
  virtual ~executor() = default;
  /// A new host, before its first wake-up. own_thread: its runner is a thread of its own.
  virtual void add(host& h, bool own_thread) = 0;
  /// The host has work and nobody runs it (its state is `scheduled`).
  virtual void schedule(host& h, frame* by) = 0;
  /// The host was taken from its runner and needs another, now.
  virtual void run_seized(host& h) = 0;
  /// A runner that had lost its host has come back.
  virtual void returned(host& h) noexcept = 0;
  /// A host's earliest deadline has become `when`.
  virtual void alarm(host& h, time_point when) = 0;
  /// Blocks a plain thread until `w` is done; drives the loop in a simulation.
  [[nodiscard]] virtual bool wait(waiter& w, std::optional<std::chrono::steady_clock::duration> limit) = 0;
  /// In a simulation only: runs `work`, which belongs to no host, as a step of its own. Others have threads for that.
  virtual void post_step(std::function<void()> work) { work(); }
  /// In a simulation only: asks `poll` between steps whether the world outside has something; true when it had.
  virtual void add_source(std::function<bool()> poll) { static_cast<void>(poll); }
  /// What it has of CAF; null in a simulation, which has none.
  [[nodiscard]] virtual caf_seam* seam() noexcept { return nullptr; }
  /// Threads that run hosts or the clock, now.
  [[nodiscard]] virtual unsigned threads() noexcept { return 1; }
  /// Ends all runners. False: some never came back (zombies), and nothing they might touch may be freed.
  [[nodiscard]] virtual bool shut_down() = 0;
};

}  // namespace herald::engine
