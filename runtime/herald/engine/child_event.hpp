#pragma once
// What a child's host tells the child's supervisor, in the control lane.

#include <herald/engine/cell.hpp>

namespace herald::engine {

enum class child_event_kind : std::uint8_t {
  placed,        ///< its cell is made; init comes next
  started,       ///< init has returned
  ignored,       ///< init said ignore; no incarnation, the cell rests
  start_failed,  ///< init failed
  down,          ///< the incarnation is over, its state destroyed (or fenced off)
};

struct child_event {
  child_event_kind kind;
  address who;
  std::uint32_t incarnation;
  exit_reason why;
  void* cookie;
};

/// Sends the event to the parent of `c`; the root's goes to the application.
void tell_parent(cell& c, child_event_kind kind, const exit_reason& why, frame* owned);

[[nodiscard]] envelope* make_event_node(cell& c, child_event event);

/// A supervisor's orders to its children's hosts.
void order_start(cell& c, frame* owned);                                    ///< a further incarnation in place
void order_stop(address c, const exit_reason& why, bool kill, frame* owned);
void order_rest(address c, frame* owned);                                   ///< not restarted now; may be later
void order_release(address c, frame* owned);                                ///< gone for good
void order_adopt(address c, void* cookie, frame* owned);                    ///< its supervisor has a new record of it

}  // namespace herald::engine
