#pragma once
// Waiting for answers that are kept elsewhere, where both sides reach them (a task's, a request's). What wakes a waiter
// carries nothing: it takes the answer from where it is. So an answer that comes together with a limit is not lost, and
// one that comes after it finds nobody.

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include <herald/context.hpp>
#include <herald/engine/reply_once.hpp>

namespace herald::engine {

class answer_listener {
 public:
  answer_listener() = default;
  answer_listener(const answer_listener&) = delete;
  answer_listener& operator=(const answer_listener&) = delete;
  virtual ~answer_listener() = default;
  /// The answer is there: any thread, once, without a lock.
  virtual void ready(bool failed) noexcept = 0;
};

/// Wakes one waiter when so many answers are there, or as soon as one is an error.
class answer_group final : public answer_listener {
 public:
  answer_group(reply_once<void> to, std::size_t missing, bool fail_fast)
      : to_{std::move(to)}, missing_{missing}, fail_fast_{fail_fast} {
    if (missing == 0) to_.answer({});
  }
  void ready(bool failed) noexcept override;
  /// It is of no use to wait.
  void refuse(error why);

 private:
  std::mutex mutex_;
  reply_once<void> to_;
  std::size_t missing_;
  bool fail_fast_;
};

template <class F, class R>
void tell(F& then, context& self, R&& r) {
  if constexpr (std::is_invocable_v<F&, context&, R>) {
    then(self, std::forward<R>(r));
  } else {
    then(std::forward<R>(r));
  }
}

/// Lets a handler wait: `arm` gets who is to be woken, `then` (context&, result<void>) runs when it was, or at the limit.
template <class Arm, class F>
void wait_in_handler(context& self, const time_limit& limit, Arm&& arm, F then) {
  auto* pending = new call_continuation<void, F>{std::move(then)};
  if (!begin_call(self.cell(), self.incarnation(), pending, limit)) return;
  arm(reply_once<void>{reply_to{self.self().where(), self.incarnation(), pending->id, nullptr}});
}
/// The same for a plain thread.
template <class Arm>
[[nodiscard]] result<void> wait_on_thread(core& system, const time_limit& limit, Arm&& arm) {
  if (on_runner()) return would_block_error();
  const auto left = time_left(system, limit).value_or(std::chrono::milliseconds{0});
  auto* w = new waiter_for<result<void>>;
  const waiter_guard guard{*w};
  w->retain();
  arm(reply_once<void>{reply_to{{}, 0, 0, w}});
  if (!wait(system, *w, left)) return timeout_error(left);
  return w->take();
}

/// The same for a handler that waits inside: co_await gives what look(result<void>) makes of it. In awaiting.hpp.
template <class Arm, class Look>
class awaited_wake;
template <class Arm, class Look>
[[nodiscard]] awaited_wake<Arm, Look> wait_inside(context& self, const std::optional<time_limit>& limit, Arm arm,
                                                  Look look) {
  return {self, limit, std::move(arm), std::move(look)};
}

}  // namespace herald::engine
