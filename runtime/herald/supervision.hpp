#pragma once
// The words in which a supervisor is told what to do: who is restarted with whom, how often is too often, and when it is
// no longer needed. Thread safety: values. The idea: the supervisor flags of Erlang/OTP.

#include <chrono>
#include <cstdint>

namespace herald {

/// Who is restarted with a child that is to be restarted.
enum class strategy_t : std::uint8_t {
  one_for_one,   ///< nobody else
  one_for_all,   ///< all its siblings, stopped in reverse start order, started in start order
  rest_for_one,  ///< those started after it, likewise
};
using enum strategy_t;

/// When a supervisor ends because its significant children have ended by themselves.
enum class auto_shutdown_t : std::uint8_t { never, any_significant, all_significant };
using enum auto_shutdown_t;

/// At most `restarts` within `period`; one more and the supervisor gives up: it stops its children and ends.
struct intensity_t {
  std::int64_t restarts = 1;             ///< 0 up; 0 allows none
  std::chrono::milliseconds period{5000};  ///< 1 ms up
  friend bool operator==(const intensity_t&, const intensity_t&) = default;
};

}  // namespace herald
