#pragma once
// What waits of a subscription with a policy, and what is done when one more event comes than it allows.

#include <cstdint>
#include <memory>

#include <herald/engine/conflation.hpp>

namespace herald::engine {

class topic_table;
struct event_entry;
struct value_token;

struct backlog {
  event_entry* oldest = nullptr;
  event_entry* newest = nullptr;
  std::uint32_t waiting = 0;
  conflation values;             ///< of latest_by
  value_token* token = nullptr;  ///< stands in the mailbox for them

  void append(event_entry& entry) noexcept;
  /// It leaves the mailbox; nearly always it is the oldest.
  void remove(event_entry& entry) noexcept;
  [[nodiscard]] bool empty() const noexcept { return waiting == 0 && token == nullptr; }
};

/// The entry is in hand, or ends: it is none of those that wait under its subscription's policy any more.
void leave(event_entry& entry, topic_table& table) noexcept;

/// Lets an event wait for its process, as the subscription's policy says. `missed`: lost just before it, and to be told.
/// False: the host was lost in the key of latest_by.
[[nodiscard]] bool let_wait(fan_out& n, cell& c, std::uint32_t id, const handler_entry& handler, topic_table& table,
                            frame& f, std::uint64_t missed);

}  // namespace herald::engine
