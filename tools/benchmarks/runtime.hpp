#pragma once
// The runtime's own side of its benchmarks; each mirrors the function of caf_baseline.hpp beside it.

#include "bench.hpp"

namespace bench::runtime {

enum class where {
  same_host,
  other_host
};

[[nodiscard]] sample idle_latency(std::int64_t rounds);
[[nodiscard]] sample idle_latency_thread(std::int64_t rounds);
[[nodiscard]] sample cast(std::int64_t messages, where receiver);
[[nodiscard]] sample call(std::int64_t calls, where callee);
[[nodiscard]] sample call_from_thread(std::int64_t calls);
/// A handler that awaits its calls; a callee that answers each call from its next handler.
[[nodiscard]] sample call_coroutine(std::int64_t calls);
[[nodiscard]] sample reply_later(std::int64_t calls);
/// A handler starts a task and awaits it, hands a function to the pool and waits for it; one after the other.
[[nodiscard]] sample task_async_await(std::int64_t rounds);
[[nodiscard]] sample offload_round_trip(std::int64_t rounds);
/// Children of a dynamic supervisor, which share one spec; and children with a spec and a name of their own each.
[[nodiscard]] sample spawn(std::int64_t children);
[[nodiscard]] sample spawn_static(std::int64_t children);
[[nodiscard]] sample stop(std::int64_t children);
[[nodiscard]] sample stop_static(std::int64_t children);
[[nodiscard]] sample bytes_per_process(std::int64_t processes);
[[nodiscard]] sample bytes_per_static_process(std::int64_t processes);
[[nodiscard]] sample restart(std::int64_t rounds, double fraction);
/// From the order to stop to the end of a process with so many messages of 1 ms waiting.
[[nodiscard]] sample busy_stop(std::int64_t messages);
/// One process registers `count` names; a plain thread looks names up, all of them there, in no order.
[[nodiscard]] sample registry_register(std::int64_t count);
[[nodiscard]] sample registry_lookup(std::int64_t count, std::int64_t looks);
/// From the throw to the last sibling's new init; and from an end to the notice, on one host.
[[nodiscard]] sample one_for_all(std::int64_t siblings, std::int64_t rounds);
[[nodiscard]] sample monitor_down(std::int64_t rounds);
/// Milliseconds of a snapshot while a million messages a second flow; or the longest step of one host, in us.
[[nodiscard]] sample snapshot_under_load(std::int64_t processes, int snapshots, bool pause);
/// Percent of one core while nothing happens.
[[nodiscard]] sample idle_cpu(std::int64_t processes, std::chrono::milliseconds time);
/// CPU seconds of compiling 20 lines of user code, with the umbrella header or with four standard ones only.
[[nodiscard]] sample compile_hello(bool with_herald);

}  // namespace bench::runtime
