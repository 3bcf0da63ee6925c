#pragma once
// One message on its way: the node is allocated once and is linked in turn into an inbox, a host's queue and a mailbox.
// Whoever holds it must end it, by running or by discarding it, exactly once.

#include <herald/engine/fwd.hpp>
#include <herald/engine/type_tag.hpp>
#include <herald/exit_reason.hpp>

namespace herald::engine {

/// Why a message was not handled; also the text of dead letters and the error of calls.
enum class discard_reason : std::uint8_t {
  noproc,      ///< nobody there
  overflow,    ///< mailbox or inbox full
  restarting,  ///< dropped by on_restart = drop, or while backing off
  poison,      ///< two crashes in a row on this message type
  closed,      ///< the application is stopped
  unhandled,   ///< the process accepts no message of this type
  stale,       ///< meant for an incarnation that has ended; not a dead letter
  down,        ///< the process ended with this message waiting or in hand
};

enum class envelope_kind : std::uint8_t {
  cast,     ///< counted against the mailbox limit
  call,     ///< counted; a caller waits
  event,    ///< from a topic: counted
  notice,   ///< replies, down notices, timers: normal lane, never dropped for lack of room
  awaited,  ///< what a suspended handler waits for: before every other message, also while it holds its mailbox
  continued,  ///< what a handler goes on with (continue_with): before every other message
  control,  ///< handled by the host as soon as it is seen, before any mailbox
};

/// What can be done with an envelope. `run` is user code: it destroys the message, also when it throws, and leaves the
/// node; then the host calls `finish` (null: the memory is freed as it is). Host operations and control envelopes are
/// not user code: their `run` ends the node itself. `discard` ends a node that was never run.
struct envelope_ops {
  void (*run)(envelope* self, cell* to, frame& by);
  void (*finish)(envelope* self, frame& by, const exit_reason* crash) noexcept;
  void (*discard)(envelope* self, discard_reason why, const exit_reason* because) noexcept;
  void (*abandon)(envelope* self, const exit_reason& why) noexcept;  ///< answer its caller, keep the node: it is in use
  const type_tag* type;
  envelope_kind kind;
  /// It may be put away while it is in hand (context::stash): run leaves the message whole when frame::keep says so.
  bool stashable = false;
  /// For a stashable one whose node cannot be kept (a fan-out's, on the runner's stack): makes another for `c`, or null.
  envelope* (*box)(const envelope& in_hand, cell& c, frame& by) = nullptr;
};

struct alignas(16) envelope {
  envelope(const envelope_ops& operations, address receiver, std::uint32_t for_incarnation = 0) noexcept
      : ops{&operations}, to{receiver.cell}, generation{receiver.generation}, incarnation{for_incarnation} {}
  envelope(const envelope&) = delete;
  envelope& operator=(const envelope&) = delete;

  envelope* next = nullptr;
  const envelope_ops* ops;
  cell* to;  ///< null: the host itself is meant
  cell* from = nullptr;
  std::uint32_t generation;
  std::uint32_t incarnation;  ///< 0: whichever is alive
  std::uint32_t from_generation = 0;
  std::uint32_t size = 0;  ///< of the node, for the pool it came from; the top bit: a trace is at its end (message_trace.hpp)

 protected:
  ~envelope() = default;
};

/// A first-in-first-out chain of envelopes, owned by one thread.
struct envelope_queue {
  envelope* head = nullptr;
  envelope* tail = nullptr;

  [[nodiscard]] bool empty() const noexcept { return head == nullptr; }
  void push(envelope* e) noexcept {
    e->next = nullptr;
    if (tail != nullptr) {
      tail->next = e;
    } else {
      head = e;
    }
    tail = e;
  }
  /// Puts all of another chain behind this one, without looking at what is in it.
  void append(const envelope_queue& other) noexcept {
    if (other.empty()) return;
    (tail != nullptr ? tail->next : head) = other.head;
    tail = other.tail;
  }
  envelope* pop() noexcept {
    auto* e = head;
    head = e->next;
    if (head == nullptr) tail = nullptr;
    return e;
  }
};

}  // namespace herald::engine
