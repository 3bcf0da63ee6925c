// The topics' rows of the table, beside raw CAF doing the same.
#include "pubsub.hpp"

#include "caf_baseline.hpp"

namespace bench {

void add_pubsub_benchmarks(registry& all) {
  namespace raw = caf_baseline;
  const std::string caf = "raw " + raw::version() + ", ";
  struct size {
    const char* name;
    std::int64_t subscribers, publishes, quick_publishes, baseline, quick_baseline;
  };
  for (const auto& s : {size{"fanout_1k", 1'000, 20'000, 5'000, 500, 100}, size{"fanout_100k", 100'000, 200, 50, 5, 2},
                        size{"fanout_1m", 1'000'000, 20, 5, 1, 1}})
    all.add({.name = s.name,
             .unit = "ns",
             .ours = {"publishes by handle, per delivery",
                      [s](const options& o) { return pubsub::fan_out(s.subscribers, o.amount(s.publishes, s.quick_publishes)); }},
             .baseline = side{caf + "one prebuilt message to each",
                              [s](const options& o) { return raw::fan_out(s.subscribers, o.amount(s.baseline, s.quick_baseline)); }},
             .rounds = s.subscribers > 500'000 ? 3 : 5,
             .warm_up = s.subscribers < 500'000});
  all.add({.name = "fanout_1m_idle",
           .unit = "ms",
           .ours = {"one event to a million idle", [](const options& o) { return pubsub::one_event(1'000'000, o.amount(10, 5)); }},
           .rounds = 1,
           .warm_up = false});
  all.add({.name = "topics_100k",
           .unit = "M/s",
           .direction = better::higher,
           .ours = {"broadcasts by handle to topics of one",
                    [](const options& o) { return pubsub::many_topics(100'000, o.amount(5'000'000, 1'000'000)); }},
           .rounds = 3});
  all.add({.name = "idle_latency_p50",
           .unit = "ns",
           .ours = {"process publishes, idle process on another host handles",
                    [](const options& o) { return pubsub::idle_latency(o.amount(5'000, 1'500), true); }},
           .baseline = side{caf + "actor to idle actor",
                            [](const options& o) { return raw::idle_latency(o.amount(5'000, 1'500)); }}});
  all.add({.name = "idle_latency_thread_p50",
           .unit = "ns",
           .ours = {"thread publishes, idle process handles",
                    [](const options& o) { return pubsub::idle_latency(o.amount(5'000, 1'500), false); }},
           .baseline = side{caf + "thread to idle actor",
                            [](const options& o) { return raw::idle_latency_thread(o.amount(5'000, 1'500)); }}});
  all.add({.name = "patterns_100k",
           .unit = "ns",
           .ours = {"publishes by handle, 100 000 patterns of which one matches",
                    [](const options& o) { return pubsub::one_pattern_matches(100'000, o.amount(1'000'000, 200'000)); }},
           .baseline = side{"the same with that one pattern",
                            [](const options& o) { return pubsub::one_pattern_matches(1, o.amount(1'000'000, 200'000)); }},
           .rounds = 3});
  all.add({.name = "publish_none",
           .unit = "ns",
           .ours = {"publishes by handle that nobody wants, beside 100 000 patterns",
                    [](const options& o) { return pubsub::publish_to_nobody(100'000, o.amount(20'000'000, 5'000'000)); }},
           .baseline = side{"the same without a pattern",
                            [](const options& o) { return pubsub::publish_to_nobody(0, o.amount(20'000'000, 5'000'000)); }},
           .rounds = 3});
  all.add({.name = "subscribe_unsubscribe",
           .unit = "ns",
           .ours = {"one of both, beside 100k subscribers",
                    [](const options& o) { return pubsub::subscribe_unsubscribe(100'000, o.amount(2'000'000, 500'000)); }},
           .rounds = 3});
  all.add({.name = "bytes_per_subscription",
           .unit = "B",
           .ours = {"1 000 000 to one topic", [](const options&) { return pubsub::bytes_per_subscription(1'000'000); }},
           .rounds = 1,
           .warm_up = false});
  all.add({.name = "bytes_per_topic",
           .unit = "B",
           .ours = {"with one subscriber, its subscription included",
                    [](const options&) { return pubsub::bytes_per_topic(500'000); }},
           .rounds = 1,
           .warm_up = false});
}

}  // namespace bench
