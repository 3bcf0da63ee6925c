#pragma once
// What raw CAF needs for the same work, written as a CAF user would write it well: prebuilt shared messages, anonymous
// sends, class-based actors, one worker a processor, and on 0.17 the `sharing` policy (its default policy is up to a
// hundred times slower on bursts). Handlers touch their state here as well.
//
// Only the caf_*.cpp beside this header include CAF; what its versions spell differently is in caf_environment.hpp.

#include "bench.hpp"

namespace bench::caf_baseline {

/// "CAF 0.17": for the column that says what the baseline is.
[[nodiscard]] std::string version();

/// A thread sends one prebuilt message to `subscribers` actors, `publishes` times back to back. ns per delivery.
[[nodiscard]] sample fan_out(std::int64_t subscribers, std::int64_t publishes);
/// A woken actor sends to an idle one: from the send to the handler, p50 in ns.
[[nodiscard]] sample idle_latency(std::int64_t rounds);
/// A plain thread sends to an idle actor: from the send to the handler, p50 in ns.
[[nodiscard]] sample idle_latency_thread(std::int64_t rounds);
/// One actor streams to another, two chunks of 4096 in flight at most. Millions of messages a second.
[[nodiscard]] sample cast(std::int64_t messages);
/// An actor requests from another, one call at a time. ns a round trip.
[[nodiscard]] sample call(std::int64_t calls);
/// An actor spawns one for each request, which ends with its answer. ns each.
[[nodiscard]] sample spawn_and_request(std::int64_t rounds);
/// An actor hands work to a plain thread, which answers by message. ns each.
[[nodiscard]] sample thread_round_trip(std::int64_t rounds);
/// A plain thread requests from an actor, one call at a time. ns a round trip.
[[nodiscard]] sample call_from_thread(std::int64_t calls);
/// A parent actor spawns and watches children. Millions a second.
[[nodiscard]] sample spawn(std::int64_t children);
/// A parent actor ends its children and hears of each one's end. ms.
[[nodiscard]] sample stop(std::int64_t children);
/// A child throws, its parent hears of it and spawns another: from the throw to the new one, µs at `fraction`.
[[nodiscard]] sample busy_stop(std::int64_t messages);
[[nodiscard]] sample restart(std::int64_t rounds, double fraction);
/// Resident memory of an idle actor with one counter.
[[nodiscard]] sample bytes_per_actor(std::int64_t actors);

}  // namespace bench::caf_baseline
