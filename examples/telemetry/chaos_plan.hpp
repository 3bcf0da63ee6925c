#pragma once
// The problem: killing at random is only a test when the same kills can be seen again. The plan turns a seed and a rate
// into moments and victims; the n-th kill of a seed is always the same draw, whatever the machine does meanwhile.
//
// Thread safety: distinct objects: safe; shared objects: unsafe.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>

namespace telemetry {

class chaos_plan {
 public:
  /// `rate` is in kills a second, more than zero. The seed decides everything else.
  chaos_plan(double rate, std::uint64_t seed) : rate_{rate}, random_{seed} {}

  /// How long to wait before the next kill: on average 1/rate, never regular, since what fails does not keep time
  /// either. At most ten times the average, so that a short run sees its kills.
  [[nodiscard]] std::chrono::microseconds pause();

  /// Which of `count` processes dies; `count` must not be zero.
  [[nodiscard]] std::size_t victim(std::size_t count);

 private:
  [[nodiscard]] double draw();  ///< in [0, 1)

  double rate_;
  std::mt19937_64 random_;
};

}  // namespace telemetry
