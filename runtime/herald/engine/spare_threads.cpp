#include <herald/engine/spare_threads.hpp>

#include <chrono>
#include <thread>

#include <pthread.h>

namespace herald::engine {

void spare_threads::stand_in(host& h, bool claimed) {
  const std::lock_guard lock{mutex_};
  jobs_.push_back({&h, claimed});
  if (idle_ < jobs_.size() && !ending_ && live_ < most_) {
    ++live_;
    std::thread t{[this] { serve(); }};
    ::pthread_setname_np(t.native_handle(), "herald-spare");
    t.detach();
  }
  changed_.notify_one();
}

void spare_threads::serve() {
  std::unique_lock lock{mutex_};
  ++idle_;
  for (;;) {
    if (!changed_.wait_for(lock, std::chrono::seconds{2}, [&] { return !jobs_.empty() || ending_; }) || (ending_ && jobs_.empty()))
      break;
    const auto next = jobs_.front();
    jobs_.pop_front();
    --idle_;
    lock.unlock();
    run_(*next.h, next.claimed);
    lock.lock();
    ++idle_;
  }
  --idle_;
  --live_;
  changed_.notify_all();
}

void spare_threads::serve_waiting() {
  job next{};
  {
    const std::lock_guard lock{mutex_};
    if (jobs_.empty() || idle_ != 0 || live_ < most_) return;
    next = jobs_.front();
    jobs_.pop_front();
  }
  run_(*next.h, next.claimed);
}

std::size_t spare_threads::starving() {
  const std::lock_guard lock{mutex_};
  return idle_ == 0 && live_ >= most_ ? jobs_.size() : 0;
}

bool spare_threads::end() {
  std::unique_lock lock{mutex_};
  ending_ = true;
  changed_.notify_all();
  return changed_.wait_for(lock, std::chrono::milliseconds{200}, [&] { return live_ == 0; });
}

}  // namespace herald::engine
