#pragma once
// The problem: a handler asks several others, goes on with its own work, and wants the answers when it has time for them,
// or none after a while; a plain thread wants to ask twenty and then wait once. send_request asks without waiting. What it
// gives stands for the answer, which is kept until it is taken, and is never found as a stray message.
//
//   auto left = herald::send_request(left_, total{});
//   auto right = herald::send_request(right_, total{});
//   prepare();
//   left.receive(self, 500ms, [this](result<int> r) { ... });       // in a handler: as a continuation
//   auto r = co_await right.receive(self, 500ms);                   // in one that waits inside (coroutine.hpp)
//   auto r = right.receive(500ms);                                  // on a plain thread
//
// receive takes the answer and spends the request: at its limit the answer is timeout, and the request is given up. wait
// says none at its limit and may be asked again. check does not wait. Limits are durations or points in time. Many
// requests: request_collection.hpp.
//
// Answers are those of a call: the value, or down (the asked process ended or crashed with it), noproc, restarting,
// overload, unanswered, calling_self, closed; at once, whoever waits or does not. A late answer of a request that was given
// up, or dropped, vanishes. A request has no limit of its own, and holds nobody: dropping it is all there is to do.
//
// Thread safety: send_request: any thread, any handler. A request: one user at a time, who may be another process than the
// one that sent it; the blocking forms are for plain threads and answer would_block in a handler. Lifetime: it may outlive
// its application, and is answered (closed, noproc) at the latest when that ends.
// Errors: bad_option for a request that is empty, spent, or waited for already. The idea: gen_server:send_request,
// receive_response, wait_response and check_response.

#include <optional>
#include <utility>

#include <herald/context.hpp>
#include <herald/engine/request_state.hpp>

namespace herald {

template <class R>
class [[nodiscard]] sent_request {
 public:
  using value_type = R;
  sent_request() = default;
  sent_request(sent_request&&) noexcept = default;
  sent_request& operator=(sent_request&&) noexcept = default;

  /// Its answer can still be taken.
  explicit operator bool() const { return state_ != nullptr && !state_->spent(); }

  /// then(result<R>), within `limit`; the request is spent.
  template <class F>
  void receive(context& self, time_limit limit, F then) {
    auto state = std::exchange(state_, nullptr);
    engine::wait_in_handler(self, limit, engine::arm_request(state),
                            [state, then = std::move(then)](context& me, const result<void>& woken) mutable {
                              engine::tell(then, me, engine::answer_or_error(state, woken));
                            });
  }
  /// For co_await: a result<R>.
  [[nodiscard]] auto receive(context& self, time_limit limit) {
    auto state = std::exchange(state_, nullptr);
    return engine::wait_inside(self, limit, engine::arm_request(state),
                               [state](const result<void>& woken) { return engine::answer_or_error(state, woken); });
  }
  [[nodiscard]] result<R> receive(time_limit limit = default_call_limit) {
    if (engine::on_runner()) return engine::would_block_error();
    const auto state = std::exchange(state_, nullptr);
    if (!state) return engine::spent_request_error();
    return engine::answer_or_error(state, state->wait_for_answer(limit, state));
  }

  /// then(std::optional<result<R>>): the answer, which spends the request, or none at the limit.
  template <class F>
  void wait(context& self, time_limit limit, F then) {
    engine::wait_in_handler(self, limit, engine::arm_request(state_),
                            [state = state_, then = std::move(then)](context& me, const result<void>& woken) mutable {
                              engine::tell(then, me, engine::answer_or_none(state, woken));
                            });
  }
  /// For co_await: an optional of it.
  [[nodiscard]] auto wait(context& self, time_limit limit) {
    return engine::wait_inside(self, limit, engine::arm_request(state_), [state = state_](const result<void>& woken) {
      return engine::answer_or_none(state, woken);
    });
  }
  [[nodiscard]] std::optional<result<R>> wait(time_limit limit = default_call_limit) {
    if (engine::on_runner()) return result<R>{engine::would_block_error()};
    if (!state_) return result<R>{engine::spent_request_error()};
    return engine::answer_or_none(state_, state_->wait_for_answer(limit, state_));
  }
  /// The answer, if it is there.
  [[nodiscard]] std::optional<result<R>> check() {
    if (!*this) return result<R>{engine::spent_request_error()};
    return state_->take();
  }

  /// For what waits for several.
  explicit sent_request(engine::request_ptr<R> state) noexcept : state_{std::move(state)} {}
  [[nodiscard]] engine::request_ptr<R> release() noexcept { return std::exchange(state_, nullptr); }

 private:
  engine::request_ptr<R> state_;
};

/// Asks, and returns at once.
template <class P, class M>
  requires(engine::accepts<P, M> && engine::is_call<M>)
[[nodiscard]] sent_request<typename M::reply> send_request(const ref<P>& callee, M message) {
  return sent_request<typename M::reply>{engine::start_request<P>(callee.where(), std::move(message))};
}

}  // namespace herald
