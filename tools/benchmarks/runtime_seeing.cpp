// Herald: what it costs to look at a hundred thousand processes, and what they cost while nothing happens.
#include <algorithm>
#include <thread>

#include "runtime.hpp"
#include "runtime_environment.hpp"

namespace bench::runtime {

namespace {

using namespace std::chrono_literals;

struct add {
  std::int64_t value;
};
struct counter : herald::process<counter, add> {
  void on(const add& m) { sum_ += m.value; }

 private:
  std::int64_t sum_ = 0;
};

struct beat {};
/// Sends so many messages a second, a portion every millisecond or so, each to another process.
struct sender : herald::process<sender, beat> {
  struct args {
    std::vector<herald::ref<counter>>* crowd;
    std::size_t first;
    double a_second;
  };
  sender(herald::context& self, args a) : self_{self}, a_{a}, next_{a.first}, begin_{self.now()} {
    self.send_every(1ms, beat{});
  }
  void on(const beat&) {
    const std::chrono::duration<double> time = self_.now() - begin_;
    for (const auto due = static_cast<std::int64_t>(time.count() * a_.a_second); sent_ < due; ++sent_) {
      next_ = (next_ + 7919) % a_.crowd->size();
      (*a_.crowd)[next_].cast(add{1});
    }
  }

 private:
  herald::context& self_;
  args a_;
  std::size_t next_;
  std::chrono::steady_clock::time_point begin_;
  std::int64_t sent_ = 0;
};

/// A hundred supervisors, spread over the hosts, each with its share of named children.
herald::supervisor groups(std::int64_t processes) {
  herald::supervisor top{.name = "top"};
  const auto each = processes / 100;
  for (int g = 0; g < 100; ++g) {
    herald::supervisor group{.name = "group-" + std::to_string(g), .placement = herald::spread};
    for (std::int64_t i = 0; i < each; ++i) group.children.push_back(herald::child<counter>("worker-" + std::to_string(i)));
    top.children.push_back(std::move(group));
  }
  return top;
}

}  // namespace

sample snapshot_under_load(std::int64_t processes, int snapshots, bool pause) {
  std::vector<herald::ref<counter>> crowd;
  herald::application app{groups(processes), size_of_application()};
  app.start();
  for (int g = 0; g < 100; ++g)
    for (std::int64_t i = 0; i < processes / 100; ++i)
      crowd.push_back(app.find<counter>("group-" + std::to_string(g) + "/worker-" + std::to_string(i)));
  for (std::size_t s = 0; s < 4; ++s)
    (void)app.root().start_child(herald::child<sender>("sender-" + std::to_string(s), {&crowd, s * 25'000, 250'000}, {.placement = herald::spread})).value();
  const auto handled = [&] {
    std::uint64_t sum = 0;
    for (const auto& h : app.snapshot().value().hosts) sum += h.handled;
    return sum;
  };
  const auto before = handled();
  std::vector<double> times;
  double longest_us = 0;
  const stopwatch watch;
  for (int i = 0; i < snapshots; ++i) {
    std::this_thread::sleep_for(50ms);
    const auto begin = now_ns();
    const auto s = app.snapshot(1s).value();
    times.push_back(static_cast<double>(now_ns() - begin) / 1e6);
    if (s.processes.size() < static_cast<std::size_t>(processes)) throw std::runtime_error{"processes are missing"};
    for (const auto& h : s.hosts) longest_us = std::max(longest_us, static_cast<double>(h.longest_step.count()));
  }
  auto result = finished(watch);
  if (static_cast<double>(handled() - before) < 0.8e6 * result.wall_s) throw std::runtime_error{"less than 0.8 M messages/s flowed"};
  result.value = pause ? longest_us : percentile(times, 0.5);
  app.stop();
  return result;
}

sample idle_cpu(std::int64_t processes, std::chrono::milliseconds time) {
  herald::application app{groups(processes), size_of_application()};
  app.start();
  app.flush_reports();
  std::this_thread::sleep_for(200ms);
  const stopwatch watch;
  std::this_thread::sleep_for(time);
  auto result = finished(watch);
  result.value = 100 * result.cpu_s / result.wall_s;
  return result;
}

}  // namespace bench::runtime
