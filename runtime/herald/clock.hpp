#pragma once
// The problem: code that reads the time or rolls dice from a global cannot be tested. Herald's parts are given a clock
// and a source of entropy; the simulation gives virtual and seeded ones.
//
// Thread safety: implementations must be safe for concurrent calls. Lifetime: they outlive the application.

#include <chrono>
#include <cstdint>

namespace herald {

class clock {
 public:
  virtual ~clock() = default;
  /// Monotonic; deadlines are measured with it.
  [[nodiscard]] virtual std::chrono::steady_clock::time_point now() const noexcept = 0;
  /// The time of day, UTC; what timestamps and uuid v7 are made of.
  [[nodiscard]] virtual std::chrono::system_clock::time_point wall() const noexcept = 0;
};

class entropy {
 public:
  virtual ~entropy() = default;
  /// 64 random bits.
  [[nodiscard]] virtual std::uint64_t next() noexcept = 0;
};

/// The machine's own clock and random numbers; no state worth destroying, valid for the whole program.
[[nodiscard]] clock& system_clock() noexcept;
[[nodiscard]] entropy& system_entropy() noexcept;

}  // namespace herald
