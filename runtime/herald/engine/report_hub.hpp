#pragma once
// Reports on their way from hosts to sinks: a bounded queue and a thread; in a simulation the sinks are called at once.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <herald/report.hpp>

namespace herald::engine {

class report_hub {
 public:
  /// at_once: no thread, sinks run where the report arises.
  report_hub(std::vector<report_sink> sinks, bool at_once);
  report_hub(const report_hub&) = delete;
  report_hub& operator=(const report_hub&) = delete;
  ~report_hub();

  /// Does not wake the thread: on an idle machine that costs more than a restart. nudge() does, some ms later.
  void tell(report r);
  /// Called by the clock thread at each tick.
  void nudge();
  void add_sink(report_sink sink);
  /// Runs it on the sinks' thread, behind what was told before. For what is told by other means than reports.
  void later(std::function<void()> job);
  /// Everything told so far has reached the sinks when it returns.
  void flush();

 private:
  static constexpr std::size_t max_waiting = 10'000;
  void serve();
  void hand_out(const std::vector<report>& batch);

  std::mutex sinks_mutex_;
  std::vector<report_sink> sinks_;
  const bool at_once_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<report> waiting_;
  std::vector<std::function<void()>> jobs_;
  std::atomic<bool> untold_{false};  ///< something waits that the thread was not woken for
  std::uint64_t lost_ = 0;
  std::uint64_t told_ = 0;  ///< reports that were taken in
  std::uint64_t served_ = 0;  ///< ... and have reached the sinks
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace herald::engine
