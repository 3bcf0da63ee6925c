#pragma once
// The problem: one process of many does something at the wrong time, or does not. A trace tells what it receives, what it
// handles and for how long, and what it sends meanwhile, while everything goes on; other processes pay nothing for it.
//
//   auto t = herald::trace(desk, [](const herald::trace_event& e) { std::puts(e.to_string().c_str()); });
//   ...                                   // until `t` ends, over restarts too
//
// Events come in order, gathered for about 10 ms, each batch when its peers' paths are known. `received`: it reached the
// mailbox; `handling`: its handler begins; `handled`: it has returned (after a crash or an overrun this does not come); `sent`: by a
// handler of this process, by cast or call. Replies, timers and notices are received and handled like messages.
//
// Thread safety: any thread; the sink is called by one thread at a time, not by a process's. Lifetime: the handle may
// outlive the process and the application; once it ended, the sink is not called any more. Bounds: see trace_options.
// A process that is away in a handler is traced when that handler has returned. The idea: Erlang's sys:trace and dbg.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <herald/ref.hpp>
#include <herald/sink_handle.hpp>

namespace herald {

struct trace_event {
  enum class kind_t : std::uint8_t { received, handling, handled, sent };
  using enum kind_t;

  kind_t kind = received;
  std::chrono::system_clock::time_point when{};
  std::chrono::nanoseconds time{0};  ///< handled: how long the handler ran
  std::string_view message;          ///< its type
  any_ref peer;                      ///< who sent it, or whom it goes to; empty: a plain thread, a timer, a notice
  std::string peer_path;             ///< empty when the peer is gone by now
  std::uint64_t skipped = 0;         ///< events left out before this one, because they came too fast

  /// "14:05:01.000123 handled order from shop/desk in 12 us".
  [[nodiscard]] std::string to_string() const;
};
[[nodiscard]] std::string_view name_of(trace_event::kind_t kind) noexcept;

struct trace_options {
  std::uint64_t limit = 100'000;      ///< events; then the trace is over by itself
  std::uint32_t per_second = 10'000;  ///< events; more are left out and counted
};

using trace_sink = std::function<void(const trace_event&)>;

/// Begins at once, as an order in the control lane. An empty or dead ref is never heard of.
[[nodiscard]] sink_handle trace(const any_ref& who, trace_sink sink, trace_options options = {});

}  // namespace herald
