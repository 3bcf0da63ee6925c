#pragma once
// An answer that comes from elsewhere, on any thread, and is kept until it is taken; and who waits for it. A lock stands
// between the two sides.

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <herald/engine/wake.hpp>

namespace herald::engine {

class kept_answer {
 public:
  kept_answer() = default;
  kept_answer(const kept_answer&) = delete;
  kept_answer& operator=(const kept_answer&) = delete;
  virtual ~kept_answer() = default;

  void unlisten() noexcept;
  /// The answer is there, or was.
  [[nodiscard]] bool over() const;
  /// It was taken.
  [[nodiscard]] bool spent() const;

 protected:
  enum class heard { yes, taken, by_another };
  /// `l` hears when the answer is there, at once if it is.
  [[nodiscard]] heard tell_to(std::shared_ptr<answer_listener> l);
  /// Runs `store` unless there is an answer already, and wakes who waits.
  template <class F>
  void settle(bool failed, F&& store) {
    std::shared_ptr<answer_listener> listener;
    {
      const std::lock_guard lock{mutex_};
      if (over_) return;
      store();
      over_ = true;
      failed_ = failed;
      listener.swap(listener_);
    }
    if (listener) listener->ready(failed);
  }
  /// The answer, once; none when there is none yet.
  template <class R>
  [[nodiscard]] std::optional<R> take_once(std::optional<R>& answer) {
    std::optional<R> r;
    const std::lock_guard lock{mutex_};
    if (!over_ || taken_) return r;
    taken_ = true;
    r.swap(answer);
    return r;
  }
  mutable std::mutex mutex_;

 private:
  std::shared_ptr<answer_listener> listener_;
  bool over_ = false;
  bool failed_ = false;  ///< the answer is an error
  bool taken_ = false;
};

}  // namespace herald::engine
