#pragma once
// The problem: whoever runs a store must see whether its writer keeps up, how long its log is, and who is behind. One call gives
// all of it; it costs a few reads and disturbs nobody.
//
// Thread safety: any thread. Errors: what the store says when it cannot read its consumers' cursors. What resources, actions and publications there are: store::tables(), <herald/reference.hpp>.

#include <herald/consumer.hpp>

namespace herald {

struct store_statistics {
  offset head;                      ///< the newest event
  std::uint64_t floor = 0;          ///< the lowest sequence that the log still has
  std::uint64_t compacted = 0;      ///< up to here superseded events may be missing
  std::uint64_t told = 0;           ///< the newest event that was handed to the bus
  std::size_t waiting = 0;          ///< actions that wait for the writer
  std::uint64_t batches = 0;        ///< transactions of the writer since the store was opened
  std::uint64_t actions = 0;        ///< that were answered in them, failed ones too
  std::uint64_t largest_batch = 0;
  std::uint64_t hook_troubles = 0;  ///< hooks that threw after their commit; each is a report of the writer as well
  std::size_t followers = 0;        ///< subscriptions that follow the log, durable ones too
  std::vector<consumer_status> consumers;
};

[[nodiscard]] result<store_statistics> statistics_of(const store& of);

}  // namespace herald
