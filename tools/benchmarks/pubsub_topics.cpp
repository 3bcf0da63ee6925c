// Herald: events from publishers to subscribers, and what topics and subscriptions weigh.
#include <malloc.h>

#include <stdexcept>
#include <thread>

#include "pubsub_audience.hpp"

namespace bench::pubsub {

namespace {

struct begin {};

struct idler : herald::process<idler, begin> {
  struct args {};
  idler(herald::context&, args) {}
  void on(const begin&) { ++sum_; }

 private:
  std::int64_t sum_ = 0;
};

/// No figure without the work: what was to be delivered must have been handled. Hosts count at the end of a fan-out.
void check_handled(const std::function<std::int64_t()>& handled, std::int64_t wanted) {
  for (int i = 0; i < 200 && handled() < wanted; ++i) std::this_thread::sleep_for(10ms);
  if (handled() < wanted)
    throw std::runtime_error{"only " + std::to_string(handled()) + " of " + std::to_string(wanted) + " deliveries were handled"};
}


template <class P>
sample fan_out_to(std::int64_t subscribers, std::int64_t publishes, std::int64_t at_once) {
  audience<P> all{subscribers};
  all.enter();
  const auto to = all.topic();
  all.publish(to, 3);
  const auto before = all.handled();
  const stopwatch watch;
  for (std::int64_t sent = 0; sent < publishes; sent += at_once) all.publish(to, at_once);
  const auto work = all.members() * publishes;
  auto result = ns_per(watch, static_cast<double>(work));
  check_handled([&] { return all.handled() - before; }, work);
  return result;
}

/// With all that a subscription may have and every delivery must respect.
struct bounded_member : herald::process<bounded_member, beat> {
  struct args {};
  bounded_member(herald::context& self, args) {
    herald::subscribe<beat>(self, "beats", {.metadata = std::int64_t{42}, .when_slow = herald::policy::drop_oldest(1'000)});
  }
  void on(const beat& b) { sum_ += b.value; }

 private:
  std::int64_t sum_ = 0;
};

}  // namespace

sample fan_out(std::int64_t subscribers, std::int64_t publishes) {
  return fan_out_to<member>(subscribers, publishes, publishes);
}
sample fan_out_bounded(std::int64_t subscribers, std::int64_t publishes) {
  return fan_out_to<bounded_member>(subscribers, publishes, publishes);
}
sample fan_out_cold(std::int64_t subscribers, std::int64_t publishes) {
  return fan_out_to<member>(subscribers, publishes, 1);
}

sample one_event(std::int64_t subscribers, std::int64_t rounds) {
  audience<member> all{subscribers};
  all.enter();
  const auto to = herald::bus{all.app()}.topic("beats").value();
  std::vector<double> times;
  sample result;
  for (std::int64_t i = 0; i < rounds; ++i) {
    std::this_thread::sleep_for(50ms);
    const stopwatch watch;
    all.publish(to, 1);
    result = finished(watch);
    times.push_back(result.wall_s * 1e3);
  }
  result.value = percentile(times, 0.5);
  return result;
}

namespace {

struct subscribe_all {
  std::int64_t from;
  std::int64_t to;
  using reply = void;
};

/// Subscribes to many topics of its own.
struct collector : herald::process<collector, beat, subscribe_all> {
  struct args {
    countdown* done;
  };
  collector(herald::context&, args a) : done_{a.done} {}
  void on(herald::context& self, const subscribe_all& m) {
    for (auto i = m.from; i < m.to; ++i) herald::subscribe<beat>(self, "topic:" + std::to_string(i));
  }
  void on(const beat& b) {
    sum_ += b.value;
    if (b.last) done_->hit();
  }

 private:
  std::int64_t sum_ = 0;
  countdown* done_;
};

/// A collector on each host, each with its share of the topics.
class collectors {
 public:
  explicit collectors(std::int64_t topics) : done_{0}, app_{tree(), size_of_application()}, topics_{topics} { app_.start(); }
  void enter() {
    for (int i = 0; i < hosts(); ++i)
      app_.find<collector>(std::to_string(i)).call(subscribe_all{share(i), share(i + 1)}, 60s).value();
  }
  [[nodiscard]] std::int64_t share(int i) const { return topics_ * i / hosts(); }
  [[nodiscard]] static int hosts() { return worker_count() * hosts_per_worker; }
  [[nodiscard]] herald::application& app() { return app_; }
  [[nodiscard]] countdown& done() { return done_; }

 private:
  herald::supervisor tree() {
    herald::supervisor top{.name = "collectors"};
    for (int i = 0; i < hosts(); ++i)
      top.children.push_back(herald::child<collector>(std::to_string(i), {&done_}, {.placement = herald::spread}));
    return top;
  }
  countdown done_;
  herald::application app_;
  std::int64_t topics_;
};

}  // namespace

sample many_topics(std::int64_t topics, std::int64_t publishes) {
  collectors all{topics};
  all.enter();
  const herald::bus bus{all.app()};
  std::vector<herald::topic> to;
  for (std::int64_t i = 0; i < topics; ++i) to.push_back(bus.topic("topic:" + std::to_string(i)).value());
  all.done().reset(collectors::hosts());
  const stopwatch watch;
  for (std::int64_t i = 0; i < publishes; ++i) to[static_cast<std::size_t>(i % topics)].broadcast(beat{1, false});
  for (int i = 0; i < collectors::hosts(); ++i) to[static_cast<std::size_t>(all.share(i))].broadcast(beat{1, true});
  all.done().wait();
  return million_per_second(watch, static_cast<double>(publishes));
}

namespace {

struct stamp {
  std::int64_t sent;
};

struct stamp_reader : herald::process<stamp_reader, stamp> {
  struct args {
    std::vector<double>* ages;
    countdown* done;
  };
  stamp_reader(herald::context& self, args a) : a_{a} { herald::subscribe<stamp>(self, "stamps"); }
  void on(const stamp& m) {
    a_.ages->push_back(static_cast<double>(now_ns() - m.sent));
    a_.done->hit();
  }

 private:
  args a_;
};

struct stamp_publisher : herald::process<stamp_publisher, begin> {
  explicit stamp_publisher(herald::context& self) : to_{herald::bus{self}.topic("stamps").value()} {}
  void on(const begin&) { to_.broadcast(stamp{now_ns()}); }

 private:
  herald::topic to_;
};

}  // namespace

sample idle_latency(std::int64_t rounds, bool through_process) {
  std::vector<double> ages;
  ages.reserve(static_cast<std::size_t>(rounds));
  countdown done{0};
  herald::application app{
      {.name = "latency",
       .children = {herald::child<stamp_reader>("reader", {&ages, &done}, {.placement = herald::spread}),
                    herald::child<stamp_publisher>("publisher", {.placement = herald::spread})}},
      size_of_application()};
  app.start();
  const auto publisher = app.find<stamp_publisher>("publisher");
  const auto to = herald::bus{app}.topic("stamps").value();
  const stopwatch watch;
  for (std::int64_t round = 0; round < rounds; ++round) {
    done.reset(1);
    std::this_thread::sleep_for(200us);  // all are idle again, workers asleep
    if (through_process)
      publisher.cast(begin{});
    else
      to.broadcast(stamp{now_ns()});
    done.wait();
  }
  auto result = finished(watch);
  result.value = percentile(ages, 0.5);
  return result;
}

namespace {

std::int64_t settled_bytes(herald::application& app) {
  app.flush_reports();
  ::malloc_trim(0);
  return resident_bytes();
}

template <class P>
std::int64_t bytes_of_audience(std::int64_t count) {
  audience<P> all{count};
  const auto before = settled_bytes(all.app());
  all.enter();
  return settled_bytes(all.app()) - before;
}

}  // namespace

sample bytes_per_subscription(std::int64_t subscribers) {
  const stopwatch watch;
  const auto without = bytes_of_audience<idler>(subscribers);
  const auto with = bytes_of_audience<member>(subscribers);
  auto result = finished(watch);
  result.value = static_cast<double>(with - without) / static_cast<double>(subscribers);
  return result;
}

sample bytes_per_topic(std::int64_t topics) {
  collectors all{topics};
  const auto before = settled_bytes(all.app());
  const stopwatch watch;
  all.enter();
  auto result = finished(watch);
  result.value = static_cast<double>(settled_bytes(all.app()) - before) / static_cast<double>(topics);
  return result;
}

}  // namespace bench::pubsub
