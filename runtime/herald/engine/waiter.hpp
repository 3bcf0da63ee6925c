#pragma once
// A plain thread that waits for an answer from the processes. Shared by both sides: the thread may give up and leave
// before the answer comes, and the answer then finds nobody.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include <herald/engine/fwd.hpp>

namespace herald::engine {

class waiter {
 public:
  waiter() = default;
  waiter(const waiter&) = delete;
  waiter& operator=(const waiter&) = delete;

  void retain() noexcept { users_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  [[nodiscard]] bool done() const noexcept { return done_.load(std::memory_order_acquire); }
  /// Blocks until done or until the time has passed; false at the time.
  [[nodiscard]] bool block(std::optional<std::chrono::steady_clock::duration> limit) {
    std::unique_lock lock{mutex_};
    const auto ready = [this] { return done(); };
    if (limit) return ready_.wait_for(lock, *limit, ready);
    ready_.wait(lock, ready);
    return true;
  }

 protected:
  virtual ~waiter() = default;
  /// Runs `set` unless an answer came before.
  template <class F>
  void finish(F&& set) {
    {
      const std::lock_guard lock{mutex_};
      if (done()) return;
      set();
      done_.store(true, std::memory_order_release);
    }
    ready_.notify_all();
  }

 private:
  std::atomic<int> users_{1};
  std::atomic<bool> done_{false};
  std::mutex mutex_;
  std::condition_variable ready_;
};

template <class T>
class waiter_for final : public waiter {
 public:
  void set(T value) {
    if (tell) return tell(std::move(value));
    finish([&] { value_.emplace(std::move(value)); });
  }
  [[nodiscard]] const T& peek() const { return *value_; }
  /// Only after done().
  [[nodiscard]] T take() { return std::move(*value_); }
  /// Instead of a thread that waits: this is told, on whichever thread the answer comes. Set before it is asked.
  std::function<void(T)> tell;

 private:
  std::optional<T> value_;
};

/// Drops one user of a waiter at the end of a scope.
template <class W>
class waiter_guard {
 public:
  explicit waiter_guard(W& w) noexcept : waiter_{&w} {}
  ~waiter_guard() { waiter_->release(); }
  waiter_guard(const waiter_guard&) = delete;
  waiter_guard& operator=(const waiter_guard&) = delete;

 private:
  W* waiter_;
};

}  // namespace herald::engine
