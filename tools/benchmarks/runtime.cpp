// The runtime's rows of the table, each beside raw CAF doing the same.
#include "runtime.hpp"

#include <tuple>

#include "caf_baseline.hpp"

namespace bench {

void add_runtime_benchmarks(registry& all) {
  namespace raw = caf_baseline;
  using runtime::where;
  const std::string caf = "raw " + raw::version() + ", ";

  all.add({.name = "cast_idle_p50",
           .unit = "ns",
           .ours = {"process to idle process on another host",
                    [](const options& o) { return runtime::idle_latency(o.amount(5'000, 1'500)); }},
           .baseline = side{caf + "actor to idle actor",
                            [](const options& o) { return raw::idle_latency(o.amount(5'000, 1'500)); }}});
  all.add({.name = "cast_idle_thread_p50",
           .unit = "ns",
           .ours = {"thread to idle process",
                    [](const options& o) { return runtime::idle_latency_thread(o.amount(5'000, 1'500)); }},
           .baseline = side{caf + "thread to idle actor",
                            [](const options& o) { return raw::idle_latency_thread(o.amount(5'000, 1'500)); }}});

  const auto raw_cast =
      side{caf + "actor to actor", [](const options& o) { return raw::cast(o.amount(8'000'000, 2'000'000)); }};
  all.add({.name = "cast_same_host",
           .unit = "M/s",
           .direction = better::higher,
           .ours = {"stream to a neighbour",
                    [](const options& o) { return runtime::cast(o.amount(20'000'000, 5'000'000), where::same_host); }},
           .baseline = raw_cast});
  all.add({.name = "cast_cross_host",
           .unit = "M/s",
           .direction = better::higher,
           .ours = {"stream to another host",
                    [](const options& o) { return runtime::cast(o.amount(20'000'000, 5'000'000), where::other_host); }},
           .baseline = raw_cast});

  const auto raw_call =
      side{caf + "request/then", [](const options& o) { return raw::call(o.amount(1'000'000, 300'000)); }};
  all.add({.name = "call_same_host",
           .unit = "ns",
           .ours = {"call and continuation, neighbour",
                    [](const options& o) { return runtime::call(o.amount(2'000'000, 500'000), where::same_host); }},
           .baseline = raw_call});
  all.add({.name = "call_cross_host",
           .unit = "ns",
           .ours = {"call and continuation, other host",
                    [](const options& o) { return runtime::call(o.amount(2'000'000, 500'000), where::other_host); }},
           .baseline = raw_call});
  all.add({.name = "call_coroutine",
           .unit = "ns",
           .ours = {"co_await of a call, neighbour",
                    [](const options& o) { return runtime::call_coroutine(o.amount(2'000'000, 500'000)); }},
           .baseline = raw_call});
  all.add({.name = "reply_later",
           .unit = "ns",
           .ours = {"call answered by a later handler, neighbour",
                    [](const options& o) { return runtime::reply_later(o.amount(2'000'000, 500'000)); }},
           .baseline = raw_call});
  all.add({.name = "task_async_await",
           .unit = "ns",
           .ours = {"async and await, one at a time",
                    [](const options& o) { return runtime::task_async_await(o.amount(300'000, 100'000)); }},
           .baseline = side{caf + "spawn and request",
                            [](const options& o) { return raw::spawn_and_request(o.amount(300'000, 100'000)); }}});
  all.add({.name = "offload_round_trip",
           .unit = "ns",
           .ours = {"offload and its answer, one at a time",
                    [](const options& o) { return runtime::offload_round_trip(o.amount(50'000, 20'000)); }},
           .baseline = side{caf + "a plain thread's queue",
                            [](const options& o) { return raw::thread_round_trip(o.amount(50'000, 20'000)); }}});
  all.add({.name = "call_from_thread",
           .unit = "ns",
           .ours = {"call from a plain thread",
                    [](const options& o) { return runtime::call_from_thread(o.amount(50'000, 20'000)); }},
           .baseline = side{caf + "scoped_actor request",
                            [](const options& o) { return raw::call_from_thread(o.amount(50'000, 20'000)); }}});

  const auto raw_spawn = side{caf + "spawn and watch 100k", [](const options&) { return raw::spawn(100'000); }};
  all.add({.name = "spawn_supervised",
           .unit = "M/s",
           .direction = better::higher,
           .ours = {"start_child of 100k with init", [](const options&) { return runtime::spawn(100'000); }},
           .baseline = raw_spawn});
  all.add({.name = "spawn_supervised_static",
           .unit = "M/s",
           .direction = better::higher,
           .ours = {"100k named children, in order", [](const options&) { return runtime::spawn_static(100'000); }},
           .baseline = raw_spawn,
           .quick = false});
  const auto raw_stop = side{caf + "exit to all, down from all", [](const options&) { return raw::stop(100'000); }};
  all.add({.name = "stop_100k",
           .unit = "ms",
           .ours = {"children of a dynamic supervisor", [](const options&) { return runtime::stop(100'000); }},
           .baseline = raw_stop});
  all.add({.name = "stop_100k_static",
           .unit = "ms",
           .ours = {"100k named children, in order", [](const options&) { return runtime::stop_static(100'000); }},
           .baseline = raw_stop,
           .quick = false});
  for (const auto& [name, fraction] : {std::pair{"restart_p50", 0.5}, std::pair{"restart_p99", 0.99}})
    all.add({.name = name,
             .unit = "us",
             .ours = {"throw to new init returned, reports on",
                      [fraction = fraction](const options& o) {
                        return runtime::restart(o.amount(10'000, 2'000), fraction);
                      }},
             .baseline = side{caf + "throw, down, respawn", [fraction = fraction](const options& o) {
                                return raw::restart(o.amount(10'000, 2'000), fraction);
                              }}});

  all.add({.name = "busy_stop",
           .unit = "ms",
           .ours = {"300 messages of 1 ms wait", [](const options&) { return runtime::busy_stop(300); }},
           .baseline = side{caf + "exit, 300 messages of 1 ms wait", [](const options&) { return raw::busy_stop(300); }}});
  all.add({.name = "registry_register",
           .unit = "ns",
           .ours = {"1 M names, by one process", [](const options&) { return runtime::registry_register(1'000'000); }},
           .rounds = 3,
           .quick = false});
  all.add({.name = "registry_lookup",
           .unit = "ns",
           .ours = {"among 1 M names, from a thread",
                    [](const options&) { return runtime::registry_lookup(1'000'000, 2'000'000); }},
           .rounds = 3,
           .quick = false});
  all.add({.name = "one_for_all_100",
           .unit = "us",
           .ours = {"throw to the last of 100 new inits, reports on",
                    [](const options& o) { return runtime::one_for_all(100, o.amount(2'000, 500)); }}});
  all.add({.name = "monitor_down",
           .unit = "us",
           .ours = {"end to notice, same host, p50",
                    [](const options& o) { return runtime::monitor_down(o.amount(10'000, 2'000)); }}});
  for (const auto& [name, unit, pause] : {std::tuple{"snapshot_100k", "ms", false}, std::tuple{"snapshot_100k_pause", "us", true}})
    all.add({.name = name,
             .unit = unit,
             .ours = {pause ? "longest step of a host, 1 M messages/s flow" : "100k processes, 1 M messages/s flow",
                      [pause = pause](const options& o) {
                        return runtime::snapshot_under_load(100'000, static_cast<int>(o.amount(20, 8)), pause);
                      }},
             .rounds = 3});
  all.add({.name = "idle_cpu",
           .unit = "% core",
           .ours = {"100k processes, nothing happens",
                    [](const options& o) { return runtime::idle_cpu(100'000, std::chrono::milliseconds{o.amount(3'000, 1'000)}); }},
           .rounds = 3,
           .warm_up = false});

  // Memory is measured once, in a process that has done nothing before.
  const auto raw_bytes = side{caf + "idle actor", [](const options&) { return raw::bytes_per_actor(100'000); }};
  all.add({.name = "bytes_per_process",
           .unit = "B",
           .ours = {"idle, 8 B of state, child of a dynamic supervisor",
                    [](const options&) { return runtime::bytes_per_process(100'000); }},
           .baseline = raw_bytes,
           .rounds = 1,
           .warm_up = false});
  all.add({.name = "bytes_per_static_process",
           .unit = "B",
           .ours = {"idle, 8 B of state, with a spec of its own",
                    [](const options&) { return runtime::bytes_per_static_process(100'000); }},
           .baseline = raw_bytes,
           .rounds = 1,
           .warm_up = false,
           .quick = false});

  all.add(
      {.name = "compile_hello",
       .unit = "CPU s",
       .ours = {"20 lines with <herald/herald.hpp>", [](const options&) { return runtime::compile_hello(true); }},
       .baseline = side{"20 lines with four std headers", [](const options&) { return runtime::compile_hello(false); }},
       .rounds = 3});
}

}  // namespace bench
