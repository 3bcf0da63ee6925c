#include <herald/engine/report_hub.hpp>

#include <chrono>
#include <utility>

#include <pthread.h>

namespace herald::engine {

report_hub::report_hub(std::vector<report_sink> sinks, bool at_once) : sinks_{std::move(sinks)}, at_once_{at_once} {
  if (at_once_) return;
  thread_ = std::thread{[this] { serve(); }};
  ::pthread_setname_np(thread_.native_handle(), "herald-reports");
}

report_hub::~report_hub() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock{mutex_};
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void report_hub::add_sink(report_sink sink) {
  const std::lock_guard lock{sinks_mutex_};
  sinks_.push_back(std::move(sink));
}

void report_hub::tell(report r) {
  if (at_once_) {
    hand_out({std::move(r)});
    return;
  }
  const std::lock_guard lock{mutex_};
  if (waiting_.size() >= max_waiting) {
    ++lost_;
    return;
  }
  waiting_.push_back(std::move(r));
  ++told_;
  untold_.store(true, std::memory_order_relaxed);
  // A flood does not wait for the clock.
  if (waiting_.size() == max_waiting / 4) changed_.notify_all();
}

void report_hub::later(std::function<void()> job) {
  if (at_once_) return job();
  const std::lock_guard lock{mutex_};
  if (jobs_.size() >= max_waiting) {
    ++lost_;
    return;
  }
  jobs_.push_back(std::move(job));
  ++told_;
  untold_.store(true, std::memory_order_relaxed);
}

void report_hub::nudge() {
  if (untold_.exchange(false, std::memory_order_relaxed)) changed_.notify_all();
}

void report_hub::flush() {
  if (at_once_) return;
  std::unique_lock lock{mutex_};
  // What comes meanwhile is not waited for: there may be no end of it.
  const auto so_far = told_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return served_ >= so_far || ending_; });
}

void report_hub::serve() {
  std::unique_lock lock{mutex_};
  for (;;) {
    changed_.wait(lock, [this] { return !waiting_.empty() || !jobs_.empty() || ending_; });
    if (waiting_.empty() && jobs_.empty()) return;
    auto batch = std::exchange(waiting_, {});
    const auto jobs = std::exchange(jobs_, {});
    const auto count = batch.size() + jobs.size();
    if (const auto lost = std::exchange(lost_, 0); lost != 0) {
      report r;
      r.kind = report::sink_lost;
      r.when = std::chrono::system_clock::now();
      r.text = std::to_string(lost) + " reports were lost: the sinks are slower than the reports come";
      batch.push_back(std::move(r));
    }
    lock.unlock();
    hand_out(batch);
    for (const auto& job : jobs) job();
    lock.lock();
    served_ += count;
    changed_.notify_all();
  }
}

void report_hub::hand_out(const std::vector<report>& batch) {
  const std::lock_guard lock{sinks_mutex_};
  for (const auto& r : batch) {
    for (const auto& sink : sinks_) {
      try {
        sink(r);
      } catch (...) {
        // A sink that throws has nobody to tell but itself.
      }
    }
  }
}

}  // namespace herald::engine
