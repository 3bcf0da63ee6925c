#include "store_core.hpp"

#include "memory_storage.hpp"
#include "sqlite_storage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <stdexcept>

namespace herald::detail {

namespace {

constexpr std::size_t max_troubles = 64;
constexpr std::size_t page_size = 1000;  // events read or trimmed in one go

error closed_error(const storage& data) {
  return {resource_errc::closed, fmt::format("{} is closed, so the action was not run", data.name())};
}

error ended_unasked(const storage& data) {
  return {resource_errc::io_error,
          fmt::format("{}: the transaction of an action was ended by a failure that the action overlooked", data.name())};
}

}  // namespace

store_core::store_core(std::shared_ptr<detail::storage> data, const store_options& options)
    : data_{std::move(data)},
      batch_limit_{std::clamp<std::size_t>(options.batch_limit, 1, 4096)},
      queue_limit_{std::max<std::size_t>(options.queue_limit, 1)},
      retention_{options.retention},
      handed_over_{data_->head().sequence} {
  batch_.reserve(batch_limit_);
}

store_core::~store_core() { close(); }

result<void> store_core::submit(std::unique_ptr<job> action) {
  std::shared_ptr<const std::function<void()>> wake;
  bool gathered = false;
  {
    const std::lock_guard lock{queue_mutex_};
    if (closed_) return closed_error(*data_);
    if (queue_.size() >= queue_limit_) {
      return error{resource_errc::overload,
                   fmt::format("{} has {} actions waiting, and no more than that may wait; send fewer at once", data_->name(),
                               queue_.size())};
    }
    queue_.push_back(std::move(action));
    if (!std::exchange(awake_, true)) wake = wake_;
    gathered = wanted_ != 0 && queue_.size() >= wanted_;
  }
  if (gathered) arrived_.notify_one();
  if (wake) (*wake)();
  return {};
}

bool store_core::withdraw(std::uint64_t ticket) {
  std::unique_ptr<job> gone;  // ends outside of the lock
  const std::lock_guard lock{queue_mutex_};
  const auto at = std::find_if(queue_.begin(), queue_.end(), [&](const auto& one) { return one->ticket() == ticket; });
  if (at == queue_.end()) {
    unwanted_.push_back(ticket);
    return false;
  }
  gone = std::move(*at);
  queue_.erase(at);
  return true;
}

bool store_core::idle() const {
  const std::lock_guard lock{queue_mutex_};
  return queue_.empty() && !awake_;
}

void store_core::trim_to(std::uint64_t sequence) noexcept {
  auto known = trim_to_.load(std::memory_order_relaxed);
  while (known < sequence && !trim_to_.compare_exchange_weak(known, sequence)) {
  }
}

std::size_t store_core::waiting() const {
  const std::lock_guard lock{queue_mutex_};
  return queue_.size();
}

void store_core::refuse_waiting(const error& why) {
  std::deque<std::unique_ptr<job>> left;
  {
    const std::lock_guard lock{queue_mutex_};
    left.swap(queue_);
  }
  for (const auto& action : left) action->done(why);
}

void store_core::close() {
  {
    const std::lock_guard lock{queue_mutex_};
    closed_ = true;
  }
  refuse_waiting(closed_error(*data_));
}

void store_core::on_work(std::function<void()> wake) {
  const std::lock_guard lock{queue_mutex_};
  wake_ = wake ? std::make_shared<const std::function<void()>>(std::move(wake)) : nullptr;
}
void store_core::on_commit(commit_listener listener) { listener_ = std::move(listener); }

bool store_core::take_waiting() {
  const std::lock_guard lock{queue_mutex_};
  if (batch_.empty()) unwanted_.clear();  // of batches that are through
  bool took = false;
  while (!queue_.empty() && batch_.size() < batch_limit_) {
    batch_.push_back({std::move(queue_.front()), action_outcome{}});
    queue_.pop_front();
    took = true;
  }
  // Said under the lock: either the writer sees an action here, or its submit sees the writer asleep.
  if (batch_.empty()) awake_ = false;
  return took;
}

bool store_core::wait_for_more() {
  const auto patience = data_->patience();
  {
    std::unique_lock lock{queue_mutex_};
    if (patience.count() > 0 && batch_.size() < expected_ && batch_.size() < batch_limit_) {
      wanted_ = std::min(expected_, batch_limit_) - batch_.size();
      arrived_.wait_for(lock, patience, [&] { return queue_.size() >= wanted_; });
      wanted_ = 0;
    }
    expected_ = batch_.size() + queue_.size();
  }
  return take_waiting();
}

void store_core::put_back() {
  std::vector<std::unique_ptr<job>> left;
  {
    const std::lock_guard lock{queue_mutex_};
    for (auto at = batch_.rbegin(); at != batch_.rend(); ++at) {
      const bool wanted = std::find(unwanted_.begin(), unwanted_.end(), at->action->ticket()) == unwanted_.end();
      if (wanted) {
        queue_.push_front(std::move(at->action));
      } else {
        left.push_back(std::move(at->action));
      }
    }
    batch_.clear();
    unwanted_.clear();
  }
  for (const auto& action : left) {
    action->done(error{resource_errc::unavailable,
                       fmt::format("{}: the writer failed with the action in hand, and its caller did not wait any more; nothing "
                                   "of it was kept",
                                   data_->name())});
  }
}

std::size_t store_core::execute() {
  const std::unique_lock turn{writer_mutex_, std::try_to_lock};
  if (!turn) return 0;
  if (!take_waiting()) {
    trim_some();
    return 0;
  }
  committed_.clear();
  hooks_.clear();
  struct mark {
    explicit mark(std::atomic<std::thread::id>& who) noexcept : who_{who} { who_.store(std::this_thread::get_id(), std::memory_order_relaxed); }
    mark(const mark&) = delete;
    mark& operator=(const mark&) = delete;
    ~mark() { who_.store({}, std::memory_order_relaxed); }
    std::atomic<std::thread::id>& who_;
  };
  const mark here{executing_};
  try {
    run_batch();
  } catch (...) {
    data_->rollback();
    put_back();
    throw;
  }
  const auto count = batch_.size();
  answer_batch();
  batches_.fetch_add(1, std::memory_order_relaxed);
  actions_.fetch_add(count, std::memory_order_relaxed);
  if (count > largest_.load(std::memory_order_relaxed)) largest_.store(count, std::memory_order_relaxed);
  const auto written = committed_.size();
  hand_over_committed();
  trim_while_busy(written);
  return count;
}

void store_core::run_batch() {
  if (auto begun = data_->begin(); !begun) return fail_batch(begun.error());
  data_->writing().commit_hooks().clear();
  std::size_t next = 0;
  do {
    for (; next < batch_.size(); ++next) {
      batch_[next].outcome = run_in_savepoint(*batch_[next].action);
      if (data_->in_transaction()) continue;
      data_->rollback();
      return run_singly();
    }
    // Whoever came while these ran spares a COMMIT by coming along.
  } while (take_waiting() || wait_for_more());
  if (auto written = data_->write_events(); !written) return run_singly();
  const auto written = data_->written();
  committed_.assign(written.begin(), written.end());
  if (auto committed = data_->commit(); !committed) {
    committed_.clear();
    fail_batch(committed.error());
  } else {
    take_hooks();
  }
}

void store_core::run_singly() {
  for (auto& [action, outcome] : batch_) {
    if (auto begun = data_->begin(); !begun) {
      outcome = begun.error();
      continue;
    }
    data_->writing().commit_hooks().clear();
    outcome = run_in_savepoint(*action);
    if (!outcome) {
      data_->rollback();
      continue;
    }
    auto committed = data_->in_transaction() ? data_->write_events() : result<void>{ended_unasked(*data_)};
    const std::vector<event_ptr> written{data_->written().begin(), data_->written().end()};
    if (committed) committed = data_->commit();
    if (committed) {
      committed_.insert(committed_.end(), written.begin(), written.end());
      take_hooks();
    } else {
      data_->rollback();
      outcome = committed.error();
    }
  }
}

result<action_outcome> store_core::run_in_savepoint(job& action) {
  auto& tx = data_->writing();
  if (auto made = tx.savepoint(); !made) return made.error();
  const std::size_t hooks = tx.commit_hooks().size();
  result<action_outcome> outcome{action_outcome{}};
  try {
    outcome = action.run(tx);
  } catch (const std::exception& thrown) {
    outcome = error{resource_errc::hook_failed,
                    fmt::format("{}: an action threw, which is a bug in it, and was rolled back: {}", data_->name(),
                                thrown.what())};
  } catch (...) {
    outcome = error{resource_errc::hook_failed,
                    fmt::format("{}: an action threw something that is no exception, and was rolled back", data_->name())};
  }
  tx.set_running(nullptr);
  tx.depth() = 0;
  tx.leaving().clear();
  if (!outcome) tx.commit_hooks().resize(hooks);
  // Where the transaction is gone, so is the savepoint; the caller sees to that.
  if (!data_->in_transaction()) return outcome;
  auto ended = outcome ? tx.release() : tx.rollback_to();
  if (!ended) return ended.error();
  return outcome;
}

void store_core::fail_batch(const error& why) {
  for (auto& waiting : batch_) {
    // An action that failed by itself keeps its own answer.
    if (waiting.outcome) waiting.outcome = why;
  }
}

void store_core::take_hooks() {
  auto& made = data_->writing().commit_hooks();
  hooks_.insert(hooks_.end(), std::make_move_iterator(made.begin()), std::make_move_iterator(made.end()));
  made.clear();
}

void store_core::answer_batch() noexcept {
  for (const auto& hook : hooks_) {
    try {
      hook();
    } catch (const std::exception& why) {  // what is committed is committed
      note_trouble(why.what());
    } catch (...) {
      note_trouble("something that is no std::exception");
    }
  }
  hooks_.clear();
  for (auto& waiting : batch_) waiting.action->done(std::move(waiting.outcome));
  batch_.clear();
}

void store_core::note_trouble(std::string what) {
  hook_troubles_.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock{queue_mutex_};
  if (troubles_.size() == max_troubles) troubles_.erase(troubles_.begin());
  troubles_.push_back(std::move(what));
}

std::vector<std::string> store_core::take_troubles() {
  const std::lock_guard lock{queue_mutex_};
  return std::exchange(troubles_, {});
}

void store_core::hand_over_committed() {
  if (committed_.empty()) return;
  if (committed_.front()->at.sequence != handed_over() + 1) {
    // A listener that threw left events behind.
    auto caught_up = hand_over_from_log();
    if (!caught_up) throw std::runtime_error{caught_up.error().to_string()};
    return;
  }
  if (listener_) listener_(committed_);
  handed_over_.store(committed_.back()->at.sequence, std::memory_order_release);
}

result<void> store_core::hand_over_from_log() {
  const auto head = data_->head();
  while (handed_over() < head.sequence) {
    // What a bounded log has dropped meanwhile shows as a gap in the sequences.
    const auto from = std::max(handed_over(), data_->floor() - 1);
    auto page = data_->read({head.epoch, from}, page_size, std::nullopt);
    if (!page) return page.error();
    if (listener_ && !page->events.empty()) listener_(page->events);
    handed_over_.store(page->last.sequence, std::memory_order_release);
  }
  return {};
}

result<void> store_core::recover() {
  const std::unique_lock turn{writer_mutex_, std::try_to_lock};
  if (!turn) {
    return error{resource_errc::unavailable,
                 fmt::format("{}: the writer before this one is still inside an action, and holds the store until that returns",
                             data_->name())};
  }
  return hand_over_from_log();
}

result<std::shared_ptr<storage>> open_memory(std::vector<const resource_table*> tables, const memory_options& options) {
  return memory_storage::open(std::move(tables), options);
}

result<std::shared_ptr<storage>> open_sqlite(std::vector<const resource_table*> tables, const sqlite_options& options) {
  return sqlite_storage::open(std::move(tables), options);
}

}  // namespace herald::detail
