#pragma once
// What a suspended handler can wait for besides calls and time: answers that are kept elsewhere (tasks, requests), functions
// on the pool, ends of processes. As awaiting.hpp's: in the coroutine's frame, begun once.

#include <optional>
#include <stop_token>
#include <utility>

#include <herald/engine/awaiting.hpp>
#include <herald/engine/wake.hpp>
#include <herald/offload.hpp>
#include <herald/stop.hpp>

namespace herald::engine {

/// An answer of type R, asked for by ask(reply_to).
template <class R, class Ask>
class awaited_order {
 public:
  using value_type = R;
  awaited_order(context& self, std::optional<time_limit> limit, Ask ask)
      : self_{&self}, limit_{std::move(limit)}, ask_(std::move(ask)) {}

  void begin(await_point& at) {
    record_.begin(at);
    if (!begin_await(*self_, record_, limit_)) return record_.fail(not_in_handler_error());
    ask_(reply_to{self_->self().where(), self_->incarnation(), record_.id, nullptr});
  }
  [[nodiscard]] result<R> take() { return std::move(*record_.value); }

 private:
  context* self_;
  std::optional<time_limit> limit_;
  Ask ask_;
  await_record<R> record_;
};

struct ask_to_stop {
  address who;
  exit_reason why;
  void operator()(const reply_to& back) const { order_stop_and_tell(who, why, back); }
};

template <class Arm>
struct ask_to_wake {
  Arm arm;
  void operator()(const reply_to& back) { arm(reply_once<void>{back}); }
};

template <class Arm, class Look>
class awaited_wake : awaited_order<void, ask_to_wake<Arm>> {
  using order = awaited_order<void, ask_to_wake<Arm>>;

 public:
  awaited_wake(context& self, const std::optional<time_limit>& limit, Arm arm, Look look)
      : order{self, limit, ask_to_wake<Arm>{std::move(arm)}}, look_(std::move(look)) {}
  using order::begin;
  [[nodiscard]] auto take() { return look_(order::take()); }

 private:
  Look look_;
};

template <class F>
class awaited_offload {
 public:
  using value_type = offload_value<F>;
  awaited_offload(context& self, F fn, time_limit limit) : self_{&self}, fn_(std::move(fn)), limit_{limit} {}
  awaited_offload(awaited_offload&&) noexcept = default;
  awaited_offload& operator=(awaited_offload&&) = delete;
  /// However the wait ended, the function is told.
  ~awaited_offload() { stop_.request_stop(); }

  void begin(await_point& at) {
    record_.begin(at);
    if (!begin_await(*self_, record_, limit_)) return record_.fail(not_in_handler_error());
    auto work = std::make_unique<offload_work<F, value_type>>(std::move(fn_), stop_);
    work->reply = reply_once<value_type>{{self_->self().where(), self_->incarnation(), record_.id, nullptr}};
    submit_offload(self_->cell(), std::move(work));
  }
  [[nodiscard]] result<value_type> take() { return std::move(*record_.value); }

 private:
  context* self_;
  F fn_;
  time_limit limit_;
  std::stop_source stop_;
  await_record<value_type> record_;
};

}  // namespace herald::engine

namespace herald {

template <class F>
engine::awaited_offload<F> context::offload(F fn, time_limit limit) {
  static_assert(engine::offloadable<F>, "herald: an offloaded function takes nothing or a std::stop_token");
  return {*this, std::move(fn), limit};
}

}  // namespace herald
