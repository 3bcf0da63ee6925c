#pragma once
// A handler that waits inside (a coroutine): what the engine knows of it. While one of its parts runs it is in the hands
// of the runner (frame::suspended and frame::kept); in between it is parked in its cell's extras, and the cell's bit
// busy_awaiting keeps every message in the mailbox but those it waits for (envelope_kind::awaited).
//
// Whoever calls a handler looks at frame::suspended afterwards: not null means that the message must live on until its
// envelope is finished (envelope_ops::finish).

#include <herald/engine/envelope.hpp>

namespace herald::engine {

struct suspension {
  envelope* in_hand = nullptr;     ///< its message; null until the first part is over, then the envelope that was run
  const void* delivery = nullptr;  ///< what a higher floor told with it (frame::delivery); lives as long as in_hand
  bool finished = false;
  /// Destroys its frames without running them further, and with them this object. User code.
  void (*destroy)(suspension& self) noexcept = nullptr;
};

/// From inside the handler that was just started: it waits now.
void suspend_handler(suspension& s) noexcept;
/// From inside, after one of its later parts: ends it if that was the last one.
void end_if_finished() noexcept;
/// Ends an envelope whose handler has returned, or crashed. Null is nothing.
void end_envelope(envelope* e, frame& by, frame* owned, const exit_reason* crash) noexcept;

}  // namespace herald::engine
