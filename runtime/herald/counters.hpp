#pragma once
// What an application has done since it was made, counted all the time. Nobody pays for it: hosts count for themselves,
// and whoever asks adds up. Figures of different hosts are some nanoseconds apart. Values; thread safety: any thread asks.

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include <herald/dead_letter.hpp>

namespace herald {

struct application_counters {
  std::uint64_t handled = 0;   ///< messages handled, replies and timers too
  std::uint64_t sent = 0;      ///< casts, calls and events that reached their receiver's host
  std::uint64_t restarts = 0;  ///< new incarnations after the first
  std::uint64_t crashes = 0;   ///< incarnations that ended with a failure
  std::array<std::uint64_t, 8> dropped{};  ///< dead letters by reason
  std::uint32_t hosts = 0;
  std::uint32_t threads = 0;   ///< that run hosts, with the clock's and the reports'; blocking work's come besides
  std::uint64_t timers = 0;    ///< waiting to fire

  [[nodiscard]] std::uint64_t dropped_for(dead_letter_reason why) const noexcept {
    return dropped[static_cast<std::size_t>(why)];
  }
};

/// How long handlers of one process type run, estimated from one message in about a thousand (the first of a turn).
struct handler_times {
  std::string_view process_type;  ///< "(others)" beyond 64 types a host
  std::uint64_t samples = 0;
  std::chrono::nanoseconds mean{0};
  std::chrono::nanoseconds p50{0}, p99{0};  ///< the upper ends of the buckets they lie in, a power of two each
  std::chrono::nanoseconds longest{0};
};

}  // namespace herald
