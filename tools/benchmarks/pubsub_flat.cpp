// Herald: what coming and going costs beside many subscribers, and what the options of a subscription cost.
#include <deque>
#include <memory>
#include <stdexcept>
#include <thread>

#include "pubsub_audience.hpp"

namespace bench::pubsub {

namespace {

struct churn {
  std::int64_t times;
  bool subscribing;  // which of both is wanted
  using reply = std::int64_t;
};

struct churner : herald::process<churner, beat, churn> {
  explicit churner(herald::context&) {}
  /// Nanoseconds of all the subscribes, or all the unsubscribes.
  std::int64_t on(herald::context& self, const churn& m) {
    std::int64_t subscribing = 0, unsubscribing = 0;
    for (std::int64_t i = 0; i < m.times; ++i) {
      const auto before = now_ns();
      herald::subscribe<beat>(self, "beats");
      const auto between = now_ns();
      herald::unsubscribe(self, "beats");
      subscribing += between - before;
      unsubscribing += now_ns() - between;
    }
    return m.subscribing ? subscribing : unsubscribing;
  }
  void on(const beat& b) { sum_ += b.value; }

 private:
  std::int64_t sum_ = 0;
};

sample churned(std::int64_t subscribers, std::int64_t times, bool subscribing) {
  audience<member> all{subscribers};
  all.enter();
  const herald::ref<churner> one{all.app().root().start_child(herald::child<churner>("churner")).value().where()};
  const stopwatch watch;
  const auto ns = one.call(churn{times, subscribing}, 120s).value();
  auto result = finished(watch);
  result.value = static_cast<double>(ns) / static_cast<double>(times);
  return result;
}

struct leave {};

/// Ends when told to.
struct leaver : herald::process<leaver, beat, leave> {
  struct args {
    countdown* gone = nullptr;
  };
  leaver(herald::context& self, args a) : gone_{a.gone} { herald::subscribe<beat>(self, "beats"); }
  ~leaver() { gone_->hit(); }
  void on(const beat& b) { sum_ += b.value; }
  void on(herald::context& self, const leave&) { self.stop(); }

 private:
  std::int64_t sum_ = 0;
  countdown* gone_;
};

struct gather {
  herald::supervisor_ref crowd;
  std::int64_t count;
};
struct dismiss {
  std::int64_t count;
};

/// Starts leavers, a hundred requests in flight, and sends the oldest ones away.
struct host_of_leavers : herald::process<host_of_leavers, gather, dismiss> {
  struct args {
    countdown* come;
    countdown* gone;
  };
  host_of_leavers(herald::context& self, args a) : self_{self}, a_{a} {}
  void on(const gather& m) {
    crowd_ = m.crowd;
    left_ = m.count;
    for (int i = 0; i < 100; ++i) next();
  }
  void on(const dismiss& m) {
    for (std::int64_t i = 0; i < m.count; ++i) {
      here_.front().cast(leave{});
      here_.pop_front();
    }
  }

 private:
  void next() {
    if (left_ == 0) return;
    --left_;
    crowd_.start_child<leaver>(self_, leaver::args{a_.gone}, 60s, [this](const herald::result<herald::ref<leaver>>& started) {
      here_.push_back(started.value());
      a_.come->hit();
      next();
    });
  }
  herald::context& self_;
  args a_;
  herald::supervisor_ref crowd_;
  std::int64_t left_ = 0;
  std::deque<herald::ref<leaver>> here_;
};


/// Wants one event in a hundred.
struct chooser : herald::process<chooser, beat> {
  struct args {};
  chooser(herald::context& self, args) {
    herald::subscribe<beat>(self, "beats", {.filter = [](const beat& b) { return b.value % 100 == 0 || b.last; }});
  }
  void on(const beat& b) { sum_ += b.value; }

 private:
  std::int64_t sum_ = 0;
};

struct listener : herald::process<listener, beat> {
  struct args {
    countdown* done;
    std::string topic;
  };
  listener(herald::context& self, args a) : done_{a.done} { herald::subscribe<beat>(self, a.topic); }
  void on(const beat& b) {
    sum_ += b.value;
    if (b.last) done_->hit();
  }

 private:
  std::int64_t sum_ = 0;
  countdown* done_;
};

}  // namespace

sample subscribe_flat(std::int64_t subscribers, std::int64_t times) { return churned(subscribers, times, true); }
sample unsubscribe_flat(std::int64_t subscribers, std::int64_t times) { return churned(subscribers, times, false); }

sample death_flat(std::int64_t subscribers, std::int64_t rounds) {
  constexpr std::int64_t at_once = 500;
  countdown come{0}, gone{0};
  herald::application app{
      {.name = "leaving",
       .children = {herald::dynamic<leaver>("members", {.restart = herald::temporary, .placement = herald::spread}),
                    herald::child<host_of_leavers>("host", {&come, &gone})}},
      size_of_application()};
  app.start();
  const auto host = app.find<host_of_leavers>("host");
  const auto members = app.find_supervisor("members");
  const auto fill_up = [&](std::int64_t count) {
    come.reset(count);
    host.cast(gather{members, count});
    come.wait();
  };
  fill_up(subscribers);
  sample result;
  for (std::int64_t i = 0; i < rounds; ++i) {
    gone.reset(at_once);
    const stopwatch watch;
    host.cast(dismiss{at_once});
    gone.wait();
    const auto one = finished(watch);
    result.hosts = one.hosts;
    result.workers = one.workers;
    result.wall_s += one.wall_s;
    result.cpu_s += one.cpu_s;
    fill_up(at_once);
  }
  if (herald::bus{app}.statistics("beats").value().subscribers != static_cast<std::size_t>(subscribers))
    throw std::runtime_error{"some who ended are still subscribed"};
  gone.reset(subscribers + 1);  // nobody waits for those that the application ends
  result.value = result.wall_s * 1e9 / static_cast<double>(rounds * at_once);
  return result;
}

sample publish_retained(bool retained, std::int64_t publishes) {
  audience<member> all{0};
  all.enter();
  const auto to = all.topic();
  const stopwatch watch;
  // In portions that an inbox takes.
  constexpr std::int64_t portion = 10'000;
  for (std::int64_t sent = 0; sent < publishes; sent += portion) {
    if (retained) {
      for (std::int64_t i = 1; i < portion; ++i) to.broadcast(beat{1, false}, herald::retain);
    } else {
      for (std::int64_t i = 1; i < portion; ++i) to.broadcast(beat{1, false});
    }
    all.publish(to, 1);
  }
  return ns_per(watch, static_cast<double>(publishes));
}

sample filtered(std::int64_t publishes) {
  audience<chooser> all{1'000};
  all.enter();
  const auto to = all.topic();
  all.publish(to, 3);
  const stopwatch watch;
  all.publish(to, publishes);
  return ns_per(watch, static_cast<double>(all.members() * publishes));
}

sample publishers(int threads, std::int64_t publishes, int each) {
  countdown done{0};
  herald::supervisor top{.name = "publishers"};
  for (int t = 0; t < threads; ++t)
    for (int i = 0; i < each; ++i)
      top.children.push_back(herald::child<listener>(std::to_string(t) + "." + std::to_string(i),
                                                     {&done, "of:" + std::to_string(t)}, {.placement = herald::spread}));
  herald::application app{std::move(top), size_of_application()};
  app.start();
  done.reset(threads * each);
  std::vector<std::thread> all;
  const stopwatch watch;
  for (int t = 0; t < threads; ++t)
    all.emplace_back([&, t] {
      const auto to = herald::bus{app}.topic("of:" + std::to_string(t)).value();
      for (std::int64_t i = 1; i <= publishes; ++i) to.broadcast(beat{1, i == publishes});
    });
  for (auto& one : all) one.join();
  done.wait();
  return million_per_second(watch, static_cast<double>(publishes * threads * each));
}

}  // namespace bench::pubsub
