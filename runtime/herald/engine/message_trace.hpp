#pragma once
// How a trace (trace.hpp) travels with messages: a node that carries one is a little longer and has a bit set in its size;
// the trace lies at its end, whatever the node is or becomes (a call's node comes back as its reply). Others pay for a look
// at one thread-local pointer when they are made, and for a look at that bit when they are handled.

#include <cstddef>
#include <cstdint>

#include <herald/engine/fwd.hpp>

namespace herald {
struct trace_context;
}

namespace herald::engine {

struct envelope;

inline constexpr std::uint32_t traced_bit = std::uint32_t{1} << 31;  ///< in envelope::size
inline constexpr std::size_t trace_room = 32;                        ///< at the end of such a node

/// What is sent while this is in force belongs to a trace: a scope, or the message in hand.
struct trace_mark {
  const trace_context* trace;
  const frame* of;       ///< where it is meant: a simulation runs handlers on the thread that drives it
  const cell* process;   ///< null: whichever of that frame
  const trace_mark* outer;
};
extern thread_local const trace_mark* current_trace [[gnu::tls_model("initial-exec")]];

/// Puts a mark in force until its end, for code that runs in between on this thread.
class message_trace {
 public:
  /// None: what is in force stays.
  message_trace(const trace_context* trace, const frame* of, const cell* process) noexcept
      : mark_{trace, of, process, current_trace} {
    if (trace != nullptr) current_trace = &mark_;
  }
  ~message_trace() { current_trace = mark_.outer; }
  message_trace(const message_trace&) = delete;
  message_trace& operator=(const message_trace&) = delete;

 private:
  trace_mark mark_;
};

/// What is sent now belongs to this trace; null: to none. It stays while the scope or the message in hand does.
[[nodiscard]] const trace_context* trace_now(const frame* f) noexcept;
/// Writes the next step of the trace that is in force to the end of a node with room for it.
void stamp(envelope& e, const frame* f) noexcept;
/// Writes this trace there.
void stamp(envelope& e, const trace_context& trace) noexcept;
[[nodiscard]] const trace_context& trace_in(const envelope& e) noexcept;
/// Runs a message that carries a trace, or continues a handler whose message does.
void run_traced(envelope& e, cell& c, frame& f);

}  // namespace herald::engine
