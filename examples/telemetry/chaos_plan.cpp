#include "chaos_plan.hpp"

#include <algorithm>
#include <cmath>

namespace telemetry {

// The standard's distributions differ between libraries; a seed shall mean the same everywhere.
double chaos_plan::draw() { return static_cast<double>(random_() >> 11U) * 0x1.0p-53; }

std::chrono::microseconds chaos_plan::pause() {
  const auto mean = 1'000'000.0 / rate_;
  const auto wait = std::min(-std::log(1.0 - draw()) * mean, 10 * mean);
  return std::chrono::microseconds{std::llround(wait)};
}

std::size_t chaos_plan::victim(std::size_t count) {
  return std::min(count - 1, static_cast<std::size_t>(draw() * static_cast<double>(count)));
}

}  // namespace telemetry
