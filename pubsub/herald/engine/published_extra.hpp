#pragma once
// What only few events carry: what dispatchers have encoded, who has had its one copy, the trace it belongs to.

#include <memory>
#include <mutex>
#include <unordered_set>
#include <utility>
#include <vector>

#include <herald/engine/published.hpp>
#include <herald/trace.hpp>

namespace herald::engine {

struct published_extra {
  std::mutex mutex;
  std::vector<std::pair<const type_tag*, std::shared_ptr<const void>>> encoded;
  std::unordered_set<const cell*> served;  ///< through subscriptions with `once`
  trace_context trace;                     ///< fixed before anybody else sees the event
};

/// Made by whoever needs it first, on whatever host.
[[nodiscard]] published_extra& extra_of(published& event);
/// The trace the event belongs to; null: none.
[[nodiscard]] inline const trace_context* trace_of(const published& event) noexcept {
  const auto* more = event.more.load(std::memory_order_acquire);
  return more != nullptr && more->trace ? &more->trace : nullptr;
}
/// The process gets this event for the first time through a subscription that says `once`.
[[nodiscard]] bool first_copy(published& event, const cell& c);

}  // namespace herald::engine
