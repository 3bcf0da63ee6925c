#pragma once
// The problem: a message to oneself, later. Timers belong to one incarnation and die with it, so that a restarted process
// does not hear the clocks of its former life; cancelling one reaches the message that it has sent already, too.
//
// See context::send_after, send_at, send_every. Durations are counted on the steady clock; a time of the system clock is
// followed when that clock is set, within a minute. The idea: Erlang's timers, gen_statem's and Akka's named timers.

#include <cstdint>
#include <string>

namespace herald {

/// Names a timer of one incarnation. Never reused.
struct timer_id {
  std::uint64_t number = 0;
  friend bool operator==(const timer_id&, const timer_id&) = default;
};

/// How a periodic timer counts. Either way at most one of its messages waits: ticks do not pile up behind a slow handler.
enum class pace_t : std::uint8_t {
  fixed_rate,   ///< every period since it was set; what a slow handler or a late runner misses is left out
  fixed_delay,  ///< a period after the handler of the one before has returned
};
using enum pace_t;

struct timer_options {
  /// Where one is given: a timer of this name that runs already is replaced, and cancel and read_timer take the name.
  std::string name{};
  pace_t pace = fixed_rate;  ///< of send_every
};

}  // namespace herald
