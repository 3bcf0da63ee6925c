#pragma once
// The problem: many callers ask for actions, a disk answers a few hundred times a second, and one writer must turn the first
// into the second without losing, doubling or reordering anything, over its own death too. The core is the part of a store
// that outlives its writer: the queue of actions, the batch in hand, and how far events have been handed over.
//
// Whoever calls execute() is the writer for that time (the writer process; a test; a benchmark): it takes what waits into one
// transaction, each action in a savepoint of its own, takes in what has come meanwhile, commits, answers the callers, and
// then hands the events over in order. While a batch waits for the disk, the next one gathers: load makes batches grow.
// Callers who have just been answered often ask again at once, and would always find a COMMIT under way that took only half of
// them along; so a batch that is smaller than the number of actions that were about a moment ago waits for the rest, for a
// part of the time that a COMMIT takes.
//
// A failing action is rolled back alone. A failure that ends the whole transaction (full disk, I/O error) makes every
// action of the batch run again in a transaction of its own, so an action may run twice before it is answered; a failed
// COMMIT is every caller's error. When an exception ends a writer, the batch goes back into the queue, and the next
// writer's recover() hands over what was committed and not handed over.
//
// Private. Thread safety: shared objects: safe, but on_commit is set before the first execute. Lifetime: by
// shared_ptr; actions still waiting at the end are answered `closed`. The idea: group commit; the transactional outbox.

#include "storage.hpp"

#include <herald/action.hpp>
#include <herald/store_options.hpp>

#include <atomic>
#include <concepts>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

namespace herald::detail {

/// An action on its way. `run` happens in a transaction and may happen again, when a batch or a writer failed; `done` happens
/// once, after COMMIT or failure, on the writer's thread, and must be short.
class job {
 public:
  /// `ticket`: by which it may be withdrawn; 0: not at all.
  explicit job(std::uint64_t ticket = 0) noexcept : ticket_{ticket} {}
  job(const job&) = delete;
  job& operator=(const job&) = delete;
  virtual ~job() = default;
  virtual result<action_outcome> run(transaction& tx) = 0;
  virtual void done(result<action_outcome> outcome) noexcept = 0;
  [[nodiscard]] std::uint64_t ticket() const noexcept { return ticket_; }

 private:
  std::uint64_t ticket_;
};

template <class Run, class Done>
class job_of final : public job {
 public:
  job_of(Run run, Done done, std::uint64_t ticket = 0) : job{ticket}, run_{std::move(run)}, done_{std::move(done)} {}
  result<action_outcome> run(transaction& tx) override { return run_(tx); }
  void done(result<action_outcome> outcome) noexcept override { done_(std::move(outcome)); }

 private:
  Run run_;
  Done done_;
};

class store_core {
 public:
  using commit_listener = std::function<void(std::span<const event_ptr>)>;

  store_core(std::shared_ptr<detail::storage> data, const store_options& options);
  store_core(const store_core&) = delete;
  store_core& operator=(const store_core&) = delete;
  ~store_core();

  [[nodiscard]] detail::storage& data() const noexcept { return *data_; }

  // For callers, any thread.
  /// Puts an action in line. `overload` when the queue is full, `closed` after close(); its done() is not called then.
  [[nodiscard]] result<void> submit(std::unique_ptr<job> action);
  template <std::invocable<transaction&> Run, std::invocable<result<action_outcome>> Done>
  [[nodiscard]] result<void> submit(Run run, Done done, std::uint64_t ticket = 0) {
    return submit(std::make_unique<job_of<Run, Done>>(std::move(run), std::move(done), ticket));
  }
  /// A ticket that no other action of this store has.
  [[nodiscard]] std::uint64_t new_ticket() noexcept { return tickets_.fetch_add(1, std::memory_order_relaxed) + 1; }
  /// Its caller does not want it any more. True: it was still in line and is gone, without its done(). False: it is answered, or
  /// in hand and will be; a writer that fails with it in hand answers it and does not leave it to the next one.
  [[nodiscard]] bool withdraw(std::uint64_t ticket);
  [[nodiscard]] bool idle() const;
  struct counts {
    std::uint64_t batches = 0, actions = 0, largest = 0, hook_troubles = 0;
  };
  [[nodiscard]] counts counted() const noexcept {
    return {batches_.load(std::memory_order_relaxed), actions_.load(std::memory_order_relaxed),
            largest_.load(std::memory_order_relaxed), hook_troubles_.load(std::memory_order_relaxed)};
  }
  /// A hook that ran after its transaction threw. What is committed stays so; the writer process tells it.
  void note_trouble(std::string what);
  /// What was noted since the last call, the newest 64.
  [[nodiscard]] std::vector<std::string> take_troubles();
  [[nodiscard]] const log_retention& retention() const noexcept { return retention_; }
  /// Wants the log's events up to this one gone; the writer drops them bit by bit when nothing else is to do.
  void trim_to(std::uint64_t sequence) noexcept;
  /// Refuses further actions and answers the waiting ones `closed`.
  void close();

  /// Actions that wait for the writer.
  [[nodiscard]] std::size_t waiting() const;
  /// Answers the actions that wait now; for a store that has no writer and will not have one soon.
  void refuse_waiting(const error& why);

  /// Called from submit when the writer may be asleep; each writer sets its own.
  void on_work(std::function<void()> wake);
  /// Set once, before the first execute. Called by the writer with what was committed, in order, each event once. What it throws ends the writer.
  void on_commit(commit_listener listener);

  // For the writer, one at a time.
  /// Runs one batch. Gives how many actions it answered; 0 when nothing waits (then the next submit wakes). To be called
  /// again until it gives 0. Throws what the listener throws, and std::bad_alloc; nothing is lost by it.
  [[nodiscard]] std::size_t execute();
  /// This thread is the writer, inside an action or a hook: what waits for the writer here would wait for itself.
  [[nodiscard]] bool executing_here() const noexcept { return executing_.load(std::memory_order_relaxed) == std::this_thread::get_id(); }
  /// A new writer's first step: rolls back what its forerunner left, and hands over what that one did not.
  /// `unavailable` while a forerunner is still inside an action.
  [[nodiscard]] result<void> recover();
  /// The newest event that has been handed over.
  [[nodiscard]] std::uint64_t handed_over() const noexcept { return handed_over_.load(std::memory_order_acquire); }

 private:
  struct entry {
    std::unique_ptr<job> action;
    result<action_outcome> outcome;
  };

  [[nodiscard]] bool take_waiting();
  [[nodiscard]] bool wait_for_more();
  void put_back();
  void run_batch();
  void run_singly();
  [[nodiscard]] result<action_outcome> run_in_savepoint(job& action);
  void fail_batch(const error& why);
  void answer_batch() noexcept;
  void take_hooks();
  void hand_over_committed();
  [[nodiscard]] result<void> hand_over_from_log();
  void trim_some();
  void trim_while_busy(std::size_t committed);
  [[nodiscard]] bool trim_page();
  [[nodiscard]] std::uint64_t may_go() const;
  [[nodiscard]] std::uint64_t needed_after() const;
  [[nodiscard]] std::uint64_t aged_to(std::uint64_t floor, std::uint64_t head) const;

  std::shared_ptr<detail::storage> data_;
  std::size_t batch_limit_;
  std::size_t queue_limit_;
  log_retention retention_;
  std::size_t since_look_ = 0;  // events committed since the log was last looked at
  commit_listener listener_;

  mutable std::mutex queue_mutex_;
  std::deque<std::unique_ptr<job>> queue_;
  std::vector<std::uint64_t> unwanted_;  // withdrawn while in hand
  std::atomic<std::uint64_t> tickets_ = 0;
  std::shared_ptr<const std::function<void()>> wake_;
  std::condition_variable arrived_;
  std::size_t wanted_ = 0;    // the writer waits for so many; 0: it does not
  std::size_t expected_ = 1;  // actions that were waiting or in hand at the last COMMIT
  bool awake_ = false;   // a wake-up is under way, or the writer is at work
  bool closed_ = false;

  std::mutex writer_mutex_;  // held while someone is the writer
  std::atomic<std::thread::id> executing_;
  std::vector<entry> batch_;
  std::vector<event_ptr> committed_;  // by the batch in hand, to be handed over
  std::vector<std::function<void()>> hooks_;  // of what the batch in hand committed
  std::atomic<std::uint64_t> handed_over_;
  std::atomic<std::uint64_t> trim_to_ = 0;
  std::atomic<std::uint64_t> batches_ = 0, actions_ = 0, largest_ = 0, hook_troubles_ = 0;  // the writer's
  std::vector<std::string> troubles_;  // under queue_mutex_
};

[[nodiscard]] result<std::shared_ptr<storage>> open_memory(std::vector<const resource_table*> tables,
                                                           const memory_options& options);
[[nodiscard]] result<std::shared_ptr<storage>> open_sqlite(std::vector<const resource_table*> tables,
                                                           const sqlite_options& options);

}  // namespace herald::detail
