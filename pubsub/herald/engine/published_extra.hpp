#pragma once
// What only few events carry: what dispatchers have encoded, who has had its one copy, the trace it belongs to.

#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include <herald/engine/published.hpp>
#include <herald/trace.hpp>

namespace herald::engine {

class topic_table;

/// Through which subscription a process got its one copy of an event (`once`).
struct copy_claim {
  std::uint32_t generation;  ///< of the process's cell
  std::uint32_t life;        ///< the incarnation
  std::uint32_t id;          ///< of the subscription in its host's table
  std::uint32_t generation_of_id;
};

struct published_extra {
  std::mutex mutex;
  std::vector<std::pair<const type_tag*, std::shared_ptr<const void>>> encoded;
  std::unordered_map<const cell*, copy_claim> copies;  ///< of `once`; what ended is swept out when there are many
  std::size_t sweep_at = 64;
  trace_context trace;  ///< fixed before anybody else sees the event
};

/// Made by whoever needs it first, on whatever host.
[[nodiscard]] published_extra& extra_of(published& event);
/// The trace the event belongs to; null: none.
[[nodiscard]] inline const trace_context* trace_of(const published& event) noexcept {
  const auto* more = event.more.load(std::memory_order_acquire);
  return more != nullptr && more->trace ? &more->trace : nullptr;
}
/// The process gets this event for the first time through a subscription that says `once`.
[[nodiscard]] bool first_copy(published& event, const cell& c, const copy_claim& mine);
/// The same of an event that its topic keeps, handed to one who comes late: a copy that another life had, or a subscription
/// that has gone, is no copy. `table`: the host's, null where it may not be read.
[[nodiscard]] bool first_kept_copy(published& event, const cell& c, const copy_claim& mine, topic_table* table);
/// The copy is this one's now.
void hold_copy(published& event, const cell& c, const copy_claim& mine);

}  // namespace herald::engine
