#pragma once
// The problem: /proc counts since boot, people ask per second. Two samples and the time between them give a rate; a
// counter that went backwards (a device was replaced, the machine slept) gives zero, never a wild number.
//
// Thread safety: free functions, safe. Units: percent, bytes per second, seconds as std::chrono.

#include "proc_host.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

namespace telemetry {

using seconds_f = std::chrono::duration<double>;

/// Busy time in percent of the time between two samples; zero when none passed.
[[nodiscard]] double busy_percent(const cpu_times& before, const cpu_times& after);

struct core_load {
  int core = 0;
  double percent = 0;
  friend bool operator==(const core_load&, const core_load&) = default;
};

/// One entry for each core of `after`; a core that was offline before reports zero.
[[nodiscard]] std::vector<core_load> core_loads(const cpu_sample& before, const cpu_sample& after);

/// Growth of a counter per second.
[[nodiscard]] double per_second(std::uint64_t before, std::uint64_t after, seconds_f elapsed);

/// CPU time of a process in percent of one core, from clock ticks.
[[nodiscard]] double process_percent(std::uint64_t ticks_before, std::uint64_t ticks_after, seconds_f elapsed,
                                     long ticks_per_second);

/// Share of `total` that is used, in percent.
[[nodiscard]] double used_percent(const memory_sample& memory);

}  // namespace telemetry
