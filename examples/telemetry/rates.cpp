#include "rates.hpp"

#include <algorithm>

namespace telemetry {

double busy_percent(const cpu_times& before, const cpu_times& after) {
  if (after.total <= before.total || after.busy < before.busy) return 0;
  const auto busy = static_cast<double>(after.busy - before.busy);
  const auto total = static_cast<double>(after.total - before.total);
  return std::min(100.0, 100.0 * busy / total);
}

std::vector<core_load> core_loads(const cpu_sample& before, const cpu_sample& after) {
  std::vector<core_load> loads;
  loads.reserve(after.cores.size());
  for (const auto& now : after.cores) {
    const auto then = std::find_if(before.cores.begin(), before.cores.end(),
                                   [&](const core_times& one) { return one.core == now.core; });
    loads.push_back({now.core, then == before.cores.end() ? 0 : busy_percent(then->times, now.times)});
  }
  return loads;
}

double per_second(std::uint64_t before, std::uint64_t after, seconds_f elapsed) {
  if (after <= before || elapsed.count() <= 0) return 0;
  return static_cast<double>(after - before) / elapsed.count();
}

double process_percent(std::uint64_t ticks_before, std::uint64_t ticks_after, seconds_f elapsed,
                       long ticks_per_second) {
  if (ticks_per_second <= 0) return 0;
  return 100.0 * per_second(ticks_before, ticks_after, elapsed) / static_cast<double>(ticks_per_second);
}

double used_percent(const memory_sample& memory) {
  if (memory.total == 0 || memory.available >= memory.total) return 0;
  return 100.0 * static_cast<double>(memory.total - memory.available) / static_cast<double>(memory.total);
}

}  // namespace telemetry
