#pragma once
// The problem: a figure without its circumstances proves nothing. Every benchmark here runs beside the same work done
// by the thing it is compared with (raw CAF, a bare SQLite loop, plain standard headers), in the same run on the same
// machine; it is warmed up, repeated, and shown as the median with wall and CPU time, hosts and workers.
//
// Each side of a benchmark runs in a child process of its own: memory figures start from a clean heap, threads of one
// cannot disturb the next, and a crash or a hang costs that one line only.
//
// To add one: give it to the registry in the module's file (runtime.cpp, pubsub.cpp, resources.cpp). Handlers must
// touch their state, specs and processes must be real ones, and a body returns only when all the work it counts is
// done.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bench {

struct options {
  bool quick = false;
  /// How much work: `full` normally, less of it with --quick.
  [[nodiscard]] std::int64_t amount(std::int64_t full, std::int64_t quick_amount) const {
    return quick ? quick_amount : full;
  }
};

/// What one round measured. wall and cpu cover the measured part only (see `stopwatch`).
struct sample {
  double value = 0;
  double wall_s = 0;
  double cpu_s = 0;
  int hosts = 0;  ///< 0: has none (raw CAF, no actors at all)
  int workers = 0;
};

enum class better {
  lower,
  higher
};

struct side {
  std::string what;
  std::function<sample(const options&)> run;
};

struct benchmark {
  std::string name;
  std::string unit;
  better direction = better::lower;
  side ours;
  std::optional<side> baseline = std::nullopt;
  int rounds = 5;       ///< medians are taken over these; --quick takes 3 at most
  bool warm_up = true;  ///< one more round before, thrown away
  bool quick = true;    ///< part of --quick (unless named on the command line)
};

class registry {
 public:
  void add(benchmark entry) { entries_.push_back(std::move(entry)); }
  [[nodiscard]] const std::vector<benchmark>& entries() const noexcept { return entries_; }

 private:
  std::vector<benchmark> entries_;
};

void add_runtime_benchmarks(registry&);
void add_pubsub_benchmarks(registry&);
void add_resources_benchmarks(registry&);

/// Wall and CPU time (all threads) since its construction.
class stopwatch {
 public:
  stopwatch();
  /// A sample whose value the caller computes from its wall time.
  [[nodiscard]] sample stop() const;

 private:
  std::chrono::steady_clock::time_point wall_;
  double cpu_s_;
};

/// Waits until `count` events have been counted down by any threads; costs the counting side one atomic each.
class countdown {
 public:
  explicit countdown(std::int64_t count) : left_{count} {}
  void hit() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) left_.notify_all();
  }
  void wait() const {
    for (auto left = left_.load(std::memory_order_acquire); left > 0; left = left_.load(std::memory_order_acquire))
      left_.wait(left, std::memory_order_acquire);
  }
  void reset(std::int64_t count) { left_.store(count, std::memory_order_release); }

 private:
  std::atomic<std::int64_t> left_;
};

/// The value below which `fraction` (0..1) of the values lie; sorts a copy.
[[nodiscard]] double percentile(std::vector<double> values, double fraction);

/// Bytes of memory this process has resident.
[[nodiscard]] std::int64_t resident_bytes();

/// Nanoseconds of the steady clock, for stamps inside messages.
[[nodiscard]] std::int64_t now_ns();

/// Workers both sides get: one a processor.
[[nodiscard]] int worker_count();

/// Keeps a value from being optimized away.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

}  // namespace bench
