#pragma once
// A task as both sides share it: its answer, who waits for it, whether it is still wanted. The task's process writes it
// on its host, the owner reads it on another or on a plain thread.
//
// What wakes a waiter carries nothing: the waiter takes the answer from here. So an answer that comes together with a
// limit is not lost, and one that comes after it finds nobody.

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <herald/context.hpp>
#include <herald/engine/kept_answer.hpp>

namespace herald::engine {

/// Who may wait: one life of a process, or (empty) plain threads.
struct task_owner {
  address who;
  std::uint32_t incarnation = 0;
  friend bool operator==(const task_owner&, const task_owner&) = default;
};
[[nodiscard]] inline task_owner owner_of(const context& self) { return {self.self().where(), self.incarnation()}; }

class task_base : public kept_answer, public std::enable_shared_from_this<task_base> {
 public:
  task_base(core& system, task_owner owner) noexcept : system_{&system}, owner_{owner} {}

  // --- the task's process -----------------------------------------------------------------------------------------
  /// In its init: from now on it can be stopped, and its end is an answer. False: it is not wanted any more.
  [[nodiscard]] bool placed(context& self);
  /// There is no value, and why; nothing when there is an answer already.
  void fail(error why, const exit_reason& ended) noexcept;

  // --- the owner --------------------------------------------------------------------------------------------------
  /// In the owner's handler: the task ends with the owner's life.
  void link(context& self);
  void unlink() noexcept;
  /// `l` hears when the answer is there, at once if it is. Otherwise the error says why `by` may not listen.
  [[nodiscard]] std::optional<error> listen(const task_owner& by, std::shared_ptr<answer_listener> l);
  /// Asks its process to end, or ends it; before it has begun, it will not.
  void stop(bool kill) noexcept;
  /// Nobody can take its answer any more.
  void abandon() noexcept;
  /// Nobody will wait for it any more after a limit: a linked one is stopped.
  void give_up() noexcept;
  [[nodiscard]] any_ref who() const;
  [[nodiscard]] core& system() const noexcept { return *system_; }
  /// How its process ended, when it ended without a value.
  [[nodiscard]] exit_reason ended() const;

 protected:
  virtual void store_failure(error why) noexcept = 0;
  template <class F>
  void settle_task(bool failed, F&& store) noexcept {
    settle(failed, std::forward<F>(store));
    if (orphaned_.load()) unlink();
  }

 private:
  friend struct task_link;
  core* system_;
  const task_owner owner_;
  address where_;
  exit_reason ended_;
  bool unwanted_ = false;
  std::atomic<bool> orphaned_{false};
  bool linked_ = false;
  std::atomic<bool> unlinking_{false};
  struct task_link* link_ = nullptr;  ///< touched on the owner's host only
};

template <class T>
class task_state final : public task_base {
 public:
  using task_base::task_base;
  void finish(result<T> r) noexcept {
    const bool failed = !r;
    settle_task(failed, [&] { answer_.emplace(std::move(r)); });
  }
  /// The answer, once; none when there is none yet.
  [[nodiscard]] std::optional<result<T>> take() {
    auto r = take_once(answer_);
    if (r) unlink();
    return r;
  }

 private:
  void store_failure(error why) noexcept override { answer_.emplace(std::move(why)); }
  std::optional<result<T>> answer_;
};

[[nodiscard]] error spent_task_error();

/// Waits for one task.
[[nodiscard]] inline auto arm_one(std::shared_ptr<task_base> task, task_owner by) {
  return [task = std::move(task), by](reply_once<void> to) {
    auto group = std::make_shared<answer_group>(std::move(to), 1, false);
    if (!task) return group->refuse(spent_task_error());
    if (const auto why = task->listen(by, group)) group->refuse(*why);
  };
}

}  // namespace herald::engine
