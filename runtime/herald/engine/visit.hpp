#pragma once
// Code of somebody else's that runs on a process's state between two of its messages.

#include <atomic>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>

#include <herald/engine/api.hpp>
#include <herald/engine/pending.hpp>
#include <herald/engine/process_ops.hpp>
#include <herald/engine/reply_once.hpp>
#include <herald/ref.hpp>

namespace herald::engine {

/// Waits until `code(state)` has run on the process, or was withdrawn at the limit, so that it never runs afterwards.
/// What the code throws is answered as `failed`.
[[nodiscard]] result<void> visit(address who, const process_ops* type, const std::function<void(void* state)>& code,
                                 std::chrono::milliseconds limit);

template <class T>
struct value_of_result {
  using type = T;
};
template <class T>
struct value_of_result<result<T>> {
  using type = T;
};
template <class P, class F>
using visit_value = typename value_of_result<std::remove_cvref_t<std::invoke_result_t<F&, P&>>>::type;

/// f on the state; where it fails, the state is as before if that can be had.
template <class P, class F>
result<visit_value<P, F>> run_on_state(P& state, F& f) {
  using returned = std::remove_cvref_t<std::invoke_result_t<F&, P&>>;
  constexpr bool returns_value = std::is_same_v<returned, visit_value<P, F>>;
  constexpr bool reads_only = std::is_invocable_v<F&, const P&>;
  constexpr bool restores = !reads_only && std::is_copy_constructible_v<P> && std::is_copy_assignable_v<P>;
  std::optional<std::conditional_t<restores, P, char>> before;
  if constexpr (restores) before.emplace(state);
  const auto restore = [&] {
    if constexpr (restores) state = *before;
  };
  try {
    if constexpr (std::is_void_v<returned>) {
      f(state);
      return {};
    } else if constexpr (returns_value) {
      return f(state);
    } else {
      auto r = f(state);
      if (!r) restore();
      return r;
    }
  } catch (...) {
    restore();
    throw;
  }
}

/// A visit that a handler has ordered: it owns its code, and is withdrawn when nobody waits for its answer any more, unless
/// it has begun.
class visit_order {
 public:
  visit_order() = default;
  visit_order(const visit_order&) = delete;
  visit_order& operator=(const visit_order&) = delete;
  virtual ~visit_order() = default;
  /// True once, and not after withdraw().
  [[nodiscard]] bool begin() noexcept { return open_.exchange(false, std::memory_order_acq_rel); }
  void withdraw() noexcept { open_.store(false, std::memory_order_release); }
  virtual void run(void* state) = 0;
  virtual void refuse(error why) noexcept = 0;

 private:
  std::atomic<bool> open_{true};
};

template <class P, class F>
class visit_order_of final : public visit_order {
 public:
  visit_order_of(F f, reply_to back) : f_(std::move(f)), reply_{back} {}
  void run(void* state) override { reply_.answer(run_on_state<P>(*static_cast<P*>(state), f_)); }
  void refuse(error why) noexcept override { reply_.answer(std::move(why)); }

 private:
  F f_;
  reply_once<visit_value<P, F>> reply_;
};
void order_visit(address who, const process_ops* type, std::shared_ptr<visit_order> visit);

/// Suspends the process, or resumes it, and answers when it is so.
void ask_suspended(const any_ref& who, bool suspended, reply_once<void> reply);
[[nodiscard]] inline auto arm_suspended(const any_ref& who, bool suspended) {
  return [who, suspended](reply_once<void> reply) { ask_suspended(who, suspended, std::move(reply)); };
}

/// The caller's side.
template <class T, class Then>
struct visit_continuation final : call_continuation_base<T, Then> {
  using call_continuation_base<T, Then>::call_continuation_base;
  ~visit_continuation() override {
    if (const auto open = visit.lock()) open->withdraw();
  }
  std::weak_ptr<visit_order> visit;  ///< an order that finds nobody ends it, and that is its answer
};

}  // namespace herald::engine
