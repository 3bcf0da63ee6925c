#include <herald/leased_transaction.hpp>

#include <herald/detail/store_state.hpp>

#include <condition_variable>
#include <mutex>

namespace herald {

namespace detail {

/// What the writer and the holder of a lease share. The writer is inside `hold` from the first step to the last.
class lease_state {
 public:
  explicit lease_state(std::chrono::milliseconds limit) : limit_{limit} {}
  lease_state(const lease_state&) = delete;
  lease_state& operator=(const lease_state&) = delete;

  // The writer's side.
  result<action_outcome> hold(transaction& tx) {
    std::unique_lock lock{mutex_};
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
      }
      step_ = nullptr;
      changed_.notify_all();
    }
  }
  void done(result<action_outcome> outcome) {
    const std::lock_guard lock{mutex_};
    outcome_ = std::move(outcome);
    changed_.notify_all();
  }

  // The holder's side.
  /// Until the writer has begun, or has refused.
  [[nodiscard]] result<void> wait_for_writer() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return begun_ || outcome_; });
    return answer();
  }
  [[nodiscard]] result<void> step(const std::function<void(transaction&)>& function) {
    std::unique_lock lock{mutex_};
    if (auto open = answer(); !open) return open;
    step_ = &function;
    changed_.notify_all();
    changed_.wait(lock, [&] { return step_ == nullptr || outcome_; });
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
      changed_.wait(lock, [&] { return outcome_.has_value(); });
    }
    return *outcome_ ? result<void>{} : result<void>{outcome_->error()};
  }

 private:
  result<void> answer() const {
    if (!outcome_) return {};
    if (!*outcome_) return outcome_->error();
    return error{resource_errc::tx_expired, "this transaction has ended"};
  }
  result<action_outcome> expired() const {
    return error{resource_errc::tx_expired, "a leased transaction was open for more than " + std::to_string(limit_.count()) +
                                                " ms and was undone; do less in it, or use store::transact"};
  }
  static result<action_outcome> undone() { return error{resource_errc::tx_expired, "this transaction was rolled back"}; }

  const std::chrono::milliseconds limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void(transaction&)>* step_ = nullptr;
  std::optional<error> trouble_;
  bool begun_ = false;
  bool ending_ = false;
  bool commits_ = false;
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

result<leased_transaction> lease(const store& of, std::chrono::milliseconds limit) {
  if (engine::on_runner())
    return error{resource_errc::would_block, "a leased transaction was begun inside a handler; use store::transact with a continuation"};
  auto state = std::make_shared<detail::lease_state>(limit);
  auto& shared = of.state();
  auto taken = shared->core().submit([state](transaction& tx) { return state->hold(tx); },
                                     [state](result<action_outcome> outcome) noexcept { state->done(std::move(outcome)); });
  if (!taken) return taken.error();
  leased_transaction made{state};
  if (!shared->supervised()) {
    made.writer_ = std::thread{[shared] {
      const std::lock_guard lock{shared->direct()};
      while (shared->core().execute() != 0) {
      }
    }};
  }
  if (auto begun = state->wait_for_writer(); !begun) return begun.error();
  return made;
}

}  // namespace herald
