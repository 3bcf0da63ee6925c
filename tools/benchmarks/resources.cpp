// The stores' rows of the table, beside bare SQLite doing the same.
#include "resources.hpp"

#include "caf_baseline.hpp"

#include <malloc.h>

namespace bench {

void add_resources_benchmarks(registry& to) {
  using namespace resources;
  to.add({.name = "store_sqlite_actions",
          .unit = "actions/s",
          .direction = better::higher,
          .ours = {"SQLite store, 64 in flight", [](const options& o) { return sqlite_actions(o.amount(100'000, 20'000), 64); }},
          .baseline = side{"bare SQLite loop, batches of 64",
                           [](const options& o) { return bare_actions(o.amount(100'000, 20'000), 64); }}});
  to.add({.name = "store_sqlite_actions_1",
          .unit = "actions/s",
          .direction = better::higher,
          .ours = {"SQLite store, one caller that waits", [](const options& o) { return sqlite_actions(o.amount(3'000, 500), 1); }},
          .baseline = side{"bare SQLite loop, one row and event a transaction",
                           [](const options& o) { return bare_actions(o.amount(3'000, 500), 1); }}});
  to.add({.name = "store_memory_actions",
          .unit = "actions/s",
          .direction = better::higher,
          .ours = {"memory store, 64 in flight", [](const options& o) { return memory_actions(o.amount(1'000'000, 200'000)); }},
          .baseline = side{"the same with one malloc arena", [](const options& o) {
                             ::mallopt(M_ARENA_MAX, 1);  // before this child has any other thread
                             return memory_actions(o.amount(1'000'000, 200'000));
                           }}});
  to.add({.name = "bulk_create",
          .unit = "rows/s",
          .direction = better::higher,
          .ours = {"store.bulk, batches of 500", [](const options& o) { return bulk_create(o.amount(200'000, 50'000), 500); }},
          .baseline = side{"bare SQLite loop, batches of 500",
                           [](const options& o) { return bare_actions(o.amount(200'000, 50'000), 500); }}});
  to.add({.name = "log_replay",
          .unit = "events/s",
          .direction = better::higher,
          .ours = {"from a file to a process, typed", [](const options& o) { return log_replay(o.amount(1'000'000, 200'000)); }},
          .baseline = side{"bare SQLite reads the rows",
                           [](const options& o) { return bare_log_read(o.amount(1'000'000, 200'000)); }},
          .rounds = 3});
  to.add({.name = "catch_up",
          .unit = "s",
          .ours = {"a durable consumer far behind, 10 k/s written", [](const options& o) { return catch_up(o.amount(1'000'000, 100'000)); }},
          .rounds = 1,
          .warm_up = false});
  to.add({.name = "commit_to_handler_p50",
          .unit = "us",
          .ours = {"COMMIT returned to a subscriber's handler", [](const options& o) { return commit_to_handler(o.amount(2'000, 500)); }},
          .baseline = side{"raw " + caf_baseline::version() + ", a thread's message to an idle actor",
                           [](const options& o) {
                             auto one = caf_baseline::idle_latency_thread(o.amount(2'000, 500));
                             one.value /= 1000;
                             return one;
                           }}});
  to.add({.name = "topic_expansion",
          .unit = "ns",
          .ours = {"one publication, two attributes", [](const options& o) { return topic_expansion(o.amount(5'000'000, 1'000'000)); }}});
  to.add({.name = "describe_20",
          .unit = "CPU s",
          .ours = {"20 resources of 12 attributes compiled", [](const options&) { return describe_20(); }},
          .rounds = 3});
  to.add({.name = "describe_20_memory",
          .unit = "MB",
          .ours = {"the compiler's memory for them", [](const options&) { return describe_20_memory(); }},
          .rounds = 1,
          .warm_up = false});
  to.add({.name = "bytes_per_event",
          .unit = "bytes",
          .ours = {"event and topic in a store's file", [](const options& o) { return bytes_per_event(o.amount(100'000, 20'000)); }},
          .baseline = side{"the payload in a table of its own", [](const options& o) { return bytes_per_payload(o.amount(100'000, 20'000)); }},
          .rounds = 1,
          .warm_up = false});
}

}  // namespace bench
