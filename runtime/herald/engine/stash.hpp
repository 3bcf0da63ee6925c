#pragma once
// Messages of one process that wait outside of its mailbox: those it put away, and those that come before all others (a
// state machine's internal events). A handler only leaves word; what it asked for happens after it has returned
// (host::after_handler), so that the message in hand can be among them.

#include <cstdint>

#include <herald/engine/at_home.hpp>
#include <herald/engine/envelope.hpp>
#include <herald/engine/extras.hpp>

namespace herald::engine {

struct stash_room {
  envelope_queue stash;
  std::uint32_t count = 0;
  bool unstash = false;         ///< asked for by the handler in hand
  envelope* boxed = nullptr;    ///< the message in hand, when it was handled without ever being in a mailbox
  envelope_queue first;         ///< these go before all others
  std::uint32_t first_count = 0;
};

/// By the owner only.
[[nodiscard]] stash_room& stash_of(cell& c);
[[nodiscard]] inline std::uint32_t stashed_in(const cell& c) noexcept {
  return c.extras != nullptr && c.extras->stash != nullptr ? c.extras->stash->count : 0;
}

/// From the handler of that incarnation. False: the stash is full.
bool stash_in_hand(cell& c, std::uint32_t incarnation);
void unstash_all(cell& c, std::uint32_t incarnation);

}  // namespace herald::engine
