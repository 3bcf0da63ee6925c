#pragma once
// The topics' own side of their benchmarks.

#include "bench.hpp"

namespace bench::pubsub {

/// A thread publishes by handle, back to back, until all subscribers have handled all of it. ns per delivery.
[[nodiscard]] sample fan_out(std::int64_t subscribers, std::int64_t publishes);
/// The same to subscriptions with metadata and a policy.
[[nodiscard]] sample fan_out_bounded(std::int64_t subscribers, std::int64_t publishes);
/// The same, each publish only after everybody has handled the one before.
[[nodiscard]] sample fan_out_cold(std::int64_t subscribers, std::int64_t publishes);
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
/// One process subscribes to a topic that has so many subscribers; ns, the look at the clock included.
[[nodiscard]] sample subscribe_flat(std::int64_t subscribers, std::int64_t times);
[[nodiscard]] sample unsubscribe_flat(std::int64_t subscribers, std::int64_t times);
/// Subscribers of a topic that has so many end by themselves, `rounds` times 500 of them; ns from the order to the last
/// destructor, for one, the message that tells it and its supervisor's work included.
[[nodiscard]] sample death_flat(std::int64_t subscribers, std::int64_t rounds);
/// A thread publishes by handle to one subscriber, each event kept in place of the one before, or none. ns.
[[nodiscard]] sample publish_retained(bool retained, std::int64_t publishes);
/// Publishes to 1 000 subscriptions whose filters take one event in a hundred; ns per subscription and event.
[[nodiscard]] sample filtered(std::int64_t publishes);
/// Threads publish at the same time to topics of their own with so many subscribers each; million deliveries a second, until all
/// are handled.
[[nodiscard]] sample publishers(int threads, std::int64_t publishes, int each);
/// One process tracks itself under one key and untracks it, in a topic where so many are present; ns for both, told to nobody.
[[nodiscard]] sample presence_track(std::int64_t present, std::int64_t times);
[[nodiscard]] sample bytes_per_subscription(std::int64_t subscribers);
/// Topics with one subscriber each, that subscription included.
[[nodiscard]] sample bytes_per_topic(std::int64_t topics);

}  // namespace bench::pubsub
