#include <herald/leased_transaction.hpp>

#include <herald/detail/store_state.hpp>

#include <condition_variable>
#include <mutex>

namespace herald {

namespace detail {

/// What the writer and the holder of a lease share. The writer is inside `hold` from the first step to the last.
class lease_state {
 public:
  lease_state(std::chrono::milliseconds limit, std::chrono::milliseconds wait) : limit_{limit}, wait_{wait} {}
  lease_state(const lease_state&) = delete;
  lease_state& operator=(const lease_state&) = delete;

  // The writer's side.
  result<action_outcome> hold(transaction& tx) {
    std::unique_lock lock{mutex_};
    auto ended = hold(tx, lock);
    left_ = true;  // no step will be taken any more, though the batch is not at its end
    if (!ended) why_left_ = ended.error();
    changed_.notify_all();
    return ended;
  }
  void done(result<action_outcome> outcome) {
    const std::lock_guard lock{mutex_};
    if (!outcome_) outcome_ = std::move(outcome);
    changed_.notify_all();
  }

  // The holder's side.
  /// Until the writer has begun, or has refused; whoever gives up waiting will not be begun.
  [[nodiscard]] result<void> wait_for_writer() {
    std::unique_lock lock{mutex_};
    if (!changed_.wait_for(lock, wait_, [&] { return begun_ || outcome_; })) {
      outcome_ = error{resource_errc::timeout, "the store's writer did not begin a leased transaction within " +
                                                   std::to_string(wait_.count()) + " ms; it will not be begun"};
    }
    return answer();
  }
  [[nodiscard]] result<void> step(const std::function<void(transaction&)>& function) {
    std::unique_lock lock{mutex_};
    if (auto open = answer(); !open) return open;
    step_ = &function;
    changed_.notify_all();
    // The writer waits for steps, or has left: it takes this one at once, or never.
    changed_.wait(lock, [&] { return step_ == nullptr || outcome_ || left_; });
    if (step_ != nullptr) {
      step_ = nullptr;
      return answer();
    }
    if (trouble_) return *trouble_;
    return {};
  }
  [[nodiscard]] result<void> end(bool commits) {
    std::unique_lock lock{mutex_};
    if (!outcome_) {
      ending_ = true;
      commits_ = commits;
      changed_.notify_all();
      if (!changed_.wait_for(lock, wait_, [&] { return outcome_.has_value(); }))
        return error{resource_errc::timeout, "the store did not answer the end of a leased transaction within " +
                                                 std::to_string(wait_.count()) + " ms; " +
                                                 (commits ? "it may still commit" : "it is not kept")};
    }
    return *outcome_ ? result<void>{} : result<void>{outcome_->error()};
  }

 private:
  result<action_outcome> hold(transaction& tx, std::unique_lock<std::mutex>& lock) {
    if (outcome_) return outcome_->error();  // nobody waits for it any more
    if (begun_)
      return error{resource_errc::unavailable, "a leased transaction's batch could not be kept, and its steps cannot be repeated; begin anew"};
    begun_ = true;
    changed_.notify_all();
    const auto end = std::chrono::steady_clock::now() + limit_;
    while (true) {
      if (!changed_.wait_until(lock, end, [&] { return step_ != nullptr || ending_; })) return expired();
      // A step that came at the last moment is too late as well: only an end may come then.
      if (!ending_ && std::chrono::steady_clock::now() >= end) return expired();
      if (ending_) return commits_ ? result<action_outcome>{action_outcome{}} : undone();
      try {
        (*step_)(tx);
        trouble_.reset();
      } catch (const std::exception& why) {
        trouble_ = error{resource_errc::hook_failed, std::string{"a step of a leased transaction threw: "} + why.what()};
      } catch (...) {
        trouble_ = error{resource_errc::hook_failed, "a step of a leased transaction threw something that is no std::exception"};
      }
      step_ = nullptr;
      changed_.notify_all();
    }
  }
  result<void> answer() const {
    if (!outcome_) return why_left_ ? result<void>{*why_left_} : result<void>{};
    if (!*outcome_) return outcome_->error();
    return error{resource_errc::tx_expired, "this transaction has ended"};
  }
  result<action_outcome> expired() const {
    return error{resource_errc::tx_expired, "a leased transaction was open for more than " + std::to_string(limit_.count()) +
                                                " ms and was undone; do less in it, or use store::transact"};
  }
  static result<action_outcome> undone() { return error{resource_errc::tx_expired, "this transaction was rolled back"}; }

  const std::chrono::milliseconds limit_;
  const std::chrono::milliseconds wait_;
  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void(transaction&)>* step_ = nullptr;
  std::optional<error> trouble_;
  bool begun_ = false;
  bool ending_ = false;
  bool commits_ = false;
  bool left_ = false;
  std::optional<error> why_left_;
  std::optional<result<action_outcome>> outcome_;
};

}  // namespace detail

leased_transaction::leased_transaction(leased_transaction&&) noexcept = default;

leased_transaction::~leased_transaction() {
  if (!state_) return;
  rollback();
  if (writer_.joinable()) writer_.join();
}

result<void> leased_transaction::step(const std::function<void(transaction&)>& function) { return state_->step(function); }

result<void> leased_transaction::commit() { return state_->end(true); }

void leased_transaction::rollback() { static_cast<void>(state_->end(false)); }

result<leased_transaction> lease(const store& of, std::chrono::milliseconds limit, std::chrono::milliseconds wait) {
  if (of.state()->core().executing_here())
    return error{resource_errc::would_block, "a leased transaction was begun inside an action, a hook or a transaction of the same store, and would "
                                             "wait for itself: use the transaction that is there"};
  if (engine::on_runner())
    return error{resource_errc::would_block, "a leased transaction was begun inside a handler; it waits for the writer at each step: use store.transact(self, ...) with a "
                                             "continuation, or lease inside self.offload"};
  auto state = std::make_shared<detail::lease_state>(limit, wait);
  auto& shared = of.state();
  const auto submit = [shared, state] {
    return shared->core().submit([state](transaction& tx) { return state->hold(tx); },
                                 [state](result<action_outcome> outcome) noexcept { state->done(std::move(outcome)); });
  };
  leased_transaction made{state};
  if (shared->supervised()) {
    if (auto taken = submit(); !taken) return taken.error();
  } else {
    // In line only once this thread is the writer: another one that runs an action here must not find itself holding the lease.
    made.writer_ = std::thread{[shared, state, submit, wait] {
      const std::unique_lock lock{shared->direct(), wait};
      if (!lock) return;
      if (auto taken = submit(); !taken) return state->done(taken.error());
      while (shared->core().execute() != 0) {
      }
    }};
  }
  if (auto begun = state->wait_for_writer(); !begun) return begun.error();
  return made;
}

}  // namespace herald
