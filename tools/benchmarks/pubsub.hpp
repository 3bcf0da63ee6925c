#pragma once
// The topics' own side of their benchmarks.

#include "bench.hpp"

namespace bench::pubsub {

/// A thread publishes by handle, back to back, until all subscribers have handled all of it. ns per delivery.
[[nodiscard]] sample fan_out(std::int64_t subscribers, std::int64_t publishes);
/// One event to subscribers that were all idle: from the publish to the last handler, ms.
[[nodiscard]] sample one_event(std::int64_t subscribers, std::int64_t rounds);
/// A thread publishes to `topics` topics of one subscriber, by handle, in turn. Million broadcasts a second.
[[nodiscard]] sample many_topics(std::int64_t topics, std::int64_t publishes);
/// From the publish to the handler of an idle process on another host; p50 in ns.
[[nodiscard]] sample idle_latency(std::int64_t rounds, bool through_process);
/// A thread publishes by handle to a topic that one of `patterns` patterns matches, until its subscriber has all. ns.
[[nodiscard]] sample one_pattern_matches(std::int64_t patterns, std::int64_t publishes);
/// A thread publishes by handle to a topic that nobody wants, beside `patterns` patterns that do not match. ns.
[[nodiscard]] sample publish_to_nobody(std::int64_t patterns, std::int64_t publishes);
/// A process subscribes to one topic again and again, and unsubscribes; ns for one of both.
[[nodiscard]] sample subscribe_unsubscribe(std::int64_t subscribers, std::int64_t times);
[[nodiscard]] sample bytes_per_subscription(std::int64_t subscribers);
/// Topics with one subscriber each, that subscription included.
[[nodiscard]] sample bytes_per_topic(std::int64_t topics);

}  // namespace bench::pubsub
