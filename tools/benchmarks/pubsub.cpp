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
  for (const auto& s : {size{"fanout_1k", 1'000, 20'000, 5'000, 500, 100}, size{"fanout_10k", 10'000, 2'000, 500, 50, 10},
                        size{"fanout_100k", 100'000, 200, 50, 5, 2}, size{"fanout_1m", 1'000'000, 20, 5, 1, 1}})
    all.add({.name = s.name,
             .unit = "ns",
             .ours = {"publishes by handle, per delivery",
                      [s](const options& o) { return pubsub::fan_out(s.subscribers, o.amount(s.publishes, s.quick_publishes)); }},
             .baseline = side{caf + "one prebuilt message to each",
                              [s](const options& o) { return raw::fan_out(s.subscribers, o.amount(s.baseline, s.quick_baseline)); }},
             .rounds = s.subscribers > 500'000 ? 3 : 5,
             .warm_up = s.subscribers < 500'000});
  const auto bare = [](const options& o) { return pubsub::fan_out(100'000, o.amount(200, 50)); };
  all.add({.name = "fanout_100k_bounded",
           .unit = "ns",
           .ours = {"the same with metadata and a policy",
                    [](const options& o) { return pubsub::fan_out_bounded(100'000, o.amount(200, 50)); }},
           .baseline = side{"the same bare", bare}});
  all.add({.name = "fanout_100k_cold",
           .unit = "ns",
           .ours = {"each publish after all have handled the one before",
                    [](const options& o) { return pubsub::fan_out_cold(100'000, o.amount(200, 50)); }},
           .baseline = side{"back to back", bare}});
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
  struct flat {
    const char* name;
    sample (*run)(std::int64_t subscribers, std::int64_t times);
    std::int64_t times, quick_times;
  };
  for (const auto& f : {flat{"subscribe_flat", pubsub::subscribe_flat, 1'000'000, 200'000},
                        flat{"unsubscribe_flat", pubsub::unsubscribe_flat, 1'000'000, 200'000},
                        flat{"death_flat", pubsub::death_flat, 50, 20}})
    all.add({.name = f.name,
             .unit = "ns",
             .ours = {"beside a million subscribers", [f](const options& o) { return f.run(1'000'000, o.amount(f.times, f.quick_times)); }},
             .baseline = side{"beside a thousand", [f](const options& o) { return f.run(1'000, o.amount(f.times, f.quick_times)); }},
             .rounds = 3,
             .warm_up = false});
  all.add({.name = "retained",
           .unit = "ns",
           .ours = {"publishes by handle, each kept for those who come late",
                    [](const options& o) { return pubsub::publish_retained(true, o.amount(2'000'000, 500'000)); }},
           .baseline = side{"the same, not kept",
                            [](const options& o) { return pubsub::publish_retained(false, o.amount(2'000'000, 500'000)); }},
           .rounds = 3});
  all.add({.name = "filter",
           .unit = "ns",
           .ours = {"per subscription whose filter takes one in a hundred",
                    [](const options& o) { return pubsub::filtered(o.amount(20'000, 5'000)); }},
           .baseline = side{"per delivery without a filter",
                            [](const options& o) { return pubsub::fan_out(1'000, o.amount(20'000, 5'000)); }}});
  all.add({.name = "publishers_2",
           .unit = "M/s",
           .direction = better::higher,
           .ours = {"two threads, a topic of 100 each", [](const options& o) { return pubsub::publishers(2, o.amount(500'000, 100'000), 100); }},
           .baseline = side{"one thread", [](const options& o) { return pubsub::publishers(1, o.amount(500'000, 100'000), 100); }}});
  all.add({.name = "publishers_2_small",
           .unit = "M/s",
           .direction = better::higher,
           .ours = {"two threads, a topic of 2 each", [](const options& o) { return pubsub::publishers(2, o.amount(1'000'000, 300'000), 2); }},
           .baseline = side{"one thread", [](const options& o) { return pubsub::publishers(1, o.amount(1'000'000, 300'000), 2); }}});
  all.add({.name = "presence_track",
           .unit = "ns",
           .ours = {"track and untrack of one key beside 100 000 present",
                    [](const options& o) { return pubsub::presence_track(100'000, o.amount(500'000, 100'000)); }},
           .baseline = side{"beside 100", [](const options& o) { return pubsub::presence_track(100, o.amount(500'000, 100'000)); }},
           .rounds = 3,
           .warm_up = false});
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
