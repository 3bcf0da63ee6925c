#pragma once
// Threads that stand in where a worker's handler is stuck: started when a host waits and none is idle, up to a bound, and
// gone after two idle seconds, because who was stuck once is often stuck again.
//
// Thread safety: safe for all.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

#include <herald/engine/fwd.hpp>

namespace herald::engine {

class spare_threads {
 public:
  /// `run` executes a host; claimed: it is the caller's already.
  using body = std::function<void(host& h, bool claimed)>;
  spare_threads(unsigned most, body run) : most_{most}, run_{std::move(run)} {}
  spare_threads(const spare_threads&) = delete;
  spare_threads& operator=(const spare_threads&) = delete;

  void stand_in(host& h, bool claimed);
  /// By a thread that was stuck and has returned: where hosts wait because all the others are stuck, it runs one.
  void serve_waiting();
  /// How many hosts wait while every thread is stuck.
  [[nodiscard]] std::size_t starving();
  [[nodiscard]] std::size_t live() {
    const std::lock_guard lock{mutex_};
    return live_;
  }
  void nudge() { changed_.notify_all(); }
  /// False: one is itself stuck in a handler.
  [[nodiscard]] bool end();

 private:
  struct job {
    host* h;
    bool claimed;
  };
  void serve();

  const std::size_t most_;
  const body run_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<job> jobs_;
  std::size_t idle_ = 0;
  std::size_t live_ = 0;
  bool ending_ = false;
};

}  // namespace herald::engine
