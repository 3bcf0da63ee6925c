#include <herald/store_statistics.hpp>

#include <herald/detail/store_state.hpp>

namespace herald {

result<store_statistics> statistics_of(const store& of) {
  auto consumers = consumers_of(of);
  if (!consumers) return consumers.error();
  const auto& state = *of.state();
  const auto& core = state.core();
  store_statistics is;
  is.head = state.data().head();
  is.floor = state.data().floor();
  is.compacted = state.data().compacted();
  is.told = state.told();
  is.waiting = core.waiting();
  const auto counted = core.counted();
  is.batches = counted.batches;
  is.actions = counted.actions;
  is.largest_batch = counted.largest;
  is.hook_troubles = counted.hook_troubles;
  is.followers = state.followers().size();
  is.consumers = *std::move(consumers);
  return is;
}

}  // namespace herald
