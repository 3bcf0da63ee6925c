#pragma once
// The problem: the parts of a running store (the handle its users hold, its writer, its notifier) come and go at their own
// times, and must find each other over restarts. The state is what they share and what outlives them all.
//
// Who implements what: `store` (handle) makes it; the writer process calls attach_writer(self) in its init (detach and dismiss at its end), the notifier
// attach_notifier(self); the core's commit listener sends each batch to the attached notifier.
//
// Private. Thread safety: shared objects: safe. Lifetime: by shared_ptr. While no writer process is attached, a plain
// thread that runs an action writes itself, under `direct`.

#include "publication_counters.hpp"
#include "store_core.hpp"

#include <herald/ref.hpp>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>

namespace herald::detail {

class consumer_state;
class follower;

/// Whose turn it is to be the writer, where there is no writer process; for std::unique_lock with a limit. It is what
/// std::timed_mutex is, but for the call behind that one, which ThreadSanitizer does not know.
class writers_turn {
 public:
  template <class Duration>
  [[nodiscard]] bool try_lock_for(const Duration& limit) {
    std::unique_lock lock{mutex_};
    if (!free_.wait_for(lock, limit, [this] { return !taken_; })) return false;
    taken_ = true;
    return true;
  }
  void unlock() {
    {
      const std::lock_guard lock{mutex_};
      taken_ = false;
    }
    free_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable free_;
  bool taken_ = false;
};

class store_state {
 public:
  store_state(std::shared_ptr<store_core> core, std::vector<const resource_table*> tables)
      : core_{std::move(core)}, tables_{std::move(tables)}, counters_{tables_}, told_{core_->data().head().sequence} {}

  /// What became of each publication.
  [[nodiscard]] publication_counters& publications() noexcept { return counters_; }
  [[nodiscard]] store_core& core() const noexcept { return *core_; }
  [[nodiscard]] storage& data() const noexcept { return core_->data(); }
  [[nodiscard]] const std::vector<const resource_table*>& tables() const noexcept { return tables_; }

  /// In the writer process's init.
  void attach_writer(any_ref writer) {
    const std::lock_guard lock{mutex_};
    writer_ = writer;
    supervised_ = true;
  }
  /// In its destructor: until the next init nobody writes, and callers wait.
  void detach_writer() noexcept {
    const std::lock_guard lock{mutex_};
    writer_ = {};
  }
  /// In its terminate, when it ends in good order: there will be no other.
  void dismiss_writer() noexcept {
    const std::lock_guard lock{mutex_};
    writer_ = {};
    supervised_ = false;
  }
  /// The writer process; empty while there is none.
  [[nodiscard]] any_ref writer() const {
    const std::lock_guard lock{mutex_};
    return writer_;
  }
  /// True when a writer process is there or will be again.
  [[nodiscard]] bool supervised() const {
    const std::lock_guard lock{mutex_};
    return supervised_;
  }
  void attach_notifier(any_ref notifier) {
    const std::lock_guard lock{mutex_};
    notifier_ = notifier;
  }
  /// In its destructor. What is committed until the next one's init, that one reads.
  void detach_notifier() noexcept { attach_notifier({}); }
  [[nodiscard]] any_ref notifier() const {
    const std::lock_guard lock{mutex_};
    return notifier_;
  }
  /// Subscriptions that follow the log; they outlive a notifier.
  void add_follower(std::shared_ptr<follower> one) {
    const std::lock_guard lock{mutex_};
    followers_.push_back(std::move(one));
  }
  void remove_follower(const std::shared_ptr<follower>& one) {
    const std::lock_guard lock{mutex_};
    std::erase(followers_, one);
  }
  [[nodiscard]] std::vector<std::shared_ptr<follower>> followers() const {
    const std::lock_guard lock{mutex_};
    return followers_;
  }
  /// Durable consumers that have subscribed since the store was opened; they outlive their processes.
  [[nodiscard]] std::shared_ptr<consumer_state> consumer_named(std::string_view name) const {
    const std::lock_guard lock{mutex_};
    const auto found = consumers_.find(name);
    return found == consumers_.end() ? nullptr : found->second;
  }
  /// Gives the one of that name that was there first.
  [[nodiscard]] std::shared_ptr<consumer_state> add_consumer(std::shared_ptr<consumer_state> one);
  void remove_consumer(std::string_view name) {
    const std::lock_guard lock{mutex_};
    if (const auto found = consumers_.find(name); found != consumers_.end()) consumers_.erase(found);
  }
  [[nodiscard]] std::vector<std::shared_ptr<consumer_state>> consumers() const;

  /// The newest event that has been handed to the bus.
  [[nodiscard]] std::uint64_t told() const noexcept { return told_.load(std::memory_order_acquire); }
  void set_told(std::uint64_t sequence) noexcept { told_.store(sequence, std::memory_order_release); }

  /// A batch could not be sent to the notifier; it has to read it.
  void note_untold() noexcept { untold_.store(true, std::memory_order_release); }
  [[nodiscard]] bool take_untold() noexcept { return untold_.exchange(false, std::memory_order_acq_rel); }

  [[nodiscard]] writers_turn& direct() noexcept { return direct_; }

 private:
  std::shared_ptr<store_core> core_;
  std::vector<const resource_table*> tables_;
  publication_counters counters_;
  mutable std::mutex mutex_;
  any_ref writer_;
  bool supervised_ = false;
  any_ref notifier_;
  std::vector<std::shared_ptr<follower>> followers_;
  std::map<std::string, std::shared_ptr<consumer_state>, std::less<>> consumers_;
  std::atomic<std::uint64_t> told_;
  std::atomic<bool> untold_{false};
  writers_turn direct_;
};

/// Sends each batch that the core commits to the notifier attached at that time.
void tell_notifier_of_commits(const std::shared_ptr<store_state>& state);

}  // namespace herald::detail
