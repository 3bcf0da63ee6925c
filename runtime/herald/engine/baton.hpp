#pragma once
// One thread at a time: whoever holds the baton runs, everybody else waits. Holder 0 is the thread that drives.

#include <condition_variable>
#include <mutex>

namespace herald::engine {

class baton {
 public:
  void give(unsigned to) {
    {
      const std::lock_guard lock{mutex_};
      holder_ = to;
    }
    changed_.notify_all();
  }
  void await(unsigned me) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return holder_ == me; });
  }
  void pass(unsigned to, unsigned me) {
    give(to);
    await(me);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned holder_ = 0;
};

}  // namespace herald::engine
