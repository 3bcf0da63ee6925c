#pragma once
// The problem: when something is slow or wrong, one wants to follow one request through all that it set off. A trace
// context names the whole (trace id) and the step (span id), in the form of W3C Trace Context, so that it can come in with
// a request and go out with the next one. What is sent within a trace carries it: events, casts, calls and their replies,
// timers, tasks and offloaded functions; and what their handlers send belongs to it, too, each message with a span of its own
// (a reply has its call's). What a handler waits for comes back to it in its own trace and span: the limit of a call that
// passed, an answer to a request, a monitor's notices. A timer that repeats would carry it for ever: arm it within a
// trace_scope of no trace. A receive timeout belongs to none. Messages outside of a trace pay nothing.
//
//   const herald::trace_scope scope{herald::trace_context::parse(header).value()};     // this thread's, or this handler's
//   bus.broadcast("orders", order_placed{...});
//   ...
//   void on(herald::context& self, const order_placed& o) { log(herald::trace_of(self).traceparent()); }
//
// Thread safety: contexts are values; a scope belongs to the thread, or the handler, that makes it, and ends before it does.
// Errors: parse answers bad_trace with what is wrong. The idea: https://www.w3.org/TR/trace-context/

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <herald/engine/fwd.hpp>
#include <herald/engine/message_trace.hpp>
#include <herald/error.hpp>

namespace herald {

class context;

struct trace_context {
  std::array<std::uint8_t, 16> trace_id{};  ///< all zero: no trace
  std::array<std::uint8_t, 8> span_id{};
  std::uint8_t flags = 0;  ///< 1: sampled

  /// "00-<32 hex digits>-<16 hex digits>-<2 hex digits>"; empty without a trace.
  [[nodiscard]] std::string traceparent() const;
  [[nodiscard]] static result<trace_context> parse(std::string_view traceparent);
  /// A new trace, with the bits given as its ids; one that is all zero is no trace.
  [[nodiscard]] static trace_context begin(std::uint64_t high, std::uint64_t low, std::uint64_t span, std::uint8_t flags = 1) noexcept;
  /// The next step of the same trace.
  [[nodiscard]] trace_context child(std::uint64_t span) const noexcept;

  [[nodiscard]] explicit operator bool() const noexcept { return trace_id != std::array<std::uint8_t, 16>{}; }
  friend bool operator==(const trace_context&, const trace_context&) = default;
};

/// What is sent while it lives belongs to this trace, on this thread; in a handler instead of the trace of the message
/// in hand.
class trace_scope {
 public:
  explicit trace_scope(trace_context trace) noexcept;
  ~trace_scope();
  trace_scope(const trace_scope&) = delete;
  trace_scope& operator=(const trace_scope&) = delete;
  [[nodiscard]] const trace_context& trace() const noexcept { return trace_; }

 private:
  trace_context trace_;
  engine::message_trace in_force_;
};

/// Of the scope, else of the message in hand; none when that carries none.
[[nodiscard]] trace_context trace_of(const context& self) noexcept;
/// The same of whatever runs now, also on a plain thread: of the scope, or of the offloaded function.
[[nodiscard]] trace_context trace_here() noexcept;

}  // namespace herald
