#pragma once
// The problem: a handler needs what other processes know before it can go on. Continuations cut such a handler to pieces,
// and between the pieces other messages change the state under it. A handler that returns a coroutine may wait inside: it
// holds its mailbox meanwhile, so its state is its own from its first line to its last.
//
//   herald::coroutine<int> on(herald::context& self, const total_of_both&) {          // total_of_both::reply is int
//     const auto [left, right] = co_await herald::all(self.call(left_, total{}, 1s), self.call(right_, total{}, 1s));
//     if (!left || !right) throw std::runtime_error{"one of them is not there"};      // a crash, as in any handler
//     co_return *left + *right;                                                       // the reply
//   }
//
// What can be awaited: self.call(ref, message, limit), self.sleep(time), self.offload(fn, limit), stop(self, ref, reason,
// limit), suspend and resume of a process, a task's await(self, limit) and yield, await_many and yield_many of several,
// receive and wait of requests; several at once with all(...); another
// coroutine (a part of the same handler); and whatever follows the protocol: a type A with
//     using value_type = T;
//     void start(herald::context& self, herald::reply_to<T> to);    // hand `to` to whoever answers it, from any thread
// gives a result<T>; within(limit, a) gives it an end.
//
// While it waits no other message of this process is handled; timers and events queue, and answers to continuations too.
// Control passes: a stop, a kill or a supervisor's restart destroys the frames without running them further (destructors
// of locals run), in this order: timers and pending calls off, frames, terminate, destructor; and the caller it had not
// answered yet gets down(reason). self.stop() takes effect when the handler waits next, or ends. What a resumed part throws
// is a crash on the message in hand. Two processes that wait for each other wait until a limit passes.
//
// g++ 12 destroys what a co_await inside of `?:` gives twice: write if and else (a bug of that compiler).
//
// Thread safety: to be awaited in handlers only. Errors: values, as with calls. The message is alive until the handler is
// through; parameters other than it and the context are the coroutine's own. The idea: gen_server's handlers, which may
// call others; C++20's coroutines for it, as Seastar uses them.

#include <coroutine>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <herald/context.hpp>
#include <herald/engine/awaited_work.hpp>
#include <herald/engine/awaiting.hpp>
#include <herald/reply_to.hpp>

namespace herald {

/// What a handler that waits inside returns: coroutine<> for a cast or an event, coroutine<M::reply> for a call. Begins to
/// run when the engine, or another coroutine's co_await, wants it; never by itself.
template <class R>
class [[nodiscard]] coroutine {
 public:
  using promise_type = engine::promise<R>;

  explicit coroutine(std::coroutine_handle<promise_type> whole) noexcept : whole_{whole} {}
  coroutine(coroutine&& other) noexcept : whole_{std::exchange(other.whole_, nullptr)} {}
  coroutine& operator=(coroutine&& other) noexcept {
    std::swap(whole_, other.whole_);
    return *this;
  }
  ~coroutine() {
    if (whole_) whole_.destroy();
  }

  /// For the engine: hands the frames over.
  [[nodiscard]] std::coroutine_handle<promise_type> take() noexcept { return std::exchange(whole_, nullptr); }

 private:
  std::coroutine_handle<promise_type> whole_;
};

inline coroutine<void> engine::promise<void>::get_return_object() noexcept {
  return coroutine<void>{std::coroutine_handle<promise>::from_promise(*this)};
}

/// Awaits several at once; gives a tuple of what each gives. They begin in this order and run side by side.
template <engine::awaiting... As>
[[nodiscard]] auto all(As... parts) {
  return engine::awaited_all<As...>{std::move(parts)...};
}
/// The same for as many as there are at run time: a vector of results, in the same order.
template <engine::awaiting A>
[[nodiscard]] auto all(std::vector<A> parts) {
  return engine::awaited_each<A>{std::move(parts)};
}

/// stop.hpp's for co_await: a result<void> when the process has ended.
[[nodiscard]] inline auto stop(context& self, const any_ref& who, exit_reason why = exit_reason::normal,
                               time_limit limit = default_call_limit) {
  return engine::awaited_order<void, engine::ask_to_stop>{self, limit, {who.where(), std::move(why)}};
}

/// Something of the protocol with an end: after `limit` it gives timeout, and an answer that comes later is lost.
template <engine::awaitable A>
[[nodiscard]] auto within(time_limit limit, A what) {
  return engine::awaited_answer<A>{std::move(what), limit};
}

}  // namespace herald
