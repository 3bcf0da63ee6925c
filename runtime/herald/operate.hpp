#pragma once
// The problem: an operator wants to hold one process for a while, and a test wants to look at its state, without the
// process having a message for that.
//
//   suspend(cache);                                            // messages wait, in order; the program goes on
//   auto size = with_state<quote_cache>(cache, [](const quote_cache& c) { return c.size(); });
//   resume(cache);
//
// A suspended process handles nothing, timers and replies neither; it can be stopped, killed, inspected and visited. It
// is suspended until resumed, or until the end of this incarnation: the next one runs. Twice suspended is suspended.
//
// Thread safety: any thread. Blocking forms are for plain threads; inside a handler they answer would_block, and the forms
// with a context return at once. Errors: noproc, timeout (also when the process is busy in a handler: the text says in
// which and since when), not_supported (supervisors), failed (the function threw).
// The idea: Erlang's sys:suspend, sys:get_state and sys:replace_state.

#include <functional>

#include <herald/context.hpp>
#include <herald/engine/awaited_work.hpp>
#include <herald/engine/visit.hpp>
#include <herald/engine/wake.hpp>

namespace herald {

/// Returns when it is so: the handler in hand, if any, has ended.
[[nodiscard]] result<void> suspend(const any_ref& who, std::chrono::milliseconds limit = default_call_limit);
[[nodiscard]] result<void> resume(const any_ref& who, std::chrono::milliseconds limit = default_call_limit);
/// From a handler: comes before everything that this process sends to it from now on. A process may suspend itself.
void suspend(context& self, const any_ref& who);
void resume(context& self, const any_ref& who);
/// The same with an answer: then(result<void>) when it is so, or why it is not. Of the process itself it comes when another
/// has resumed it.
template <class Then>
void suspend(context& self, const any_ref& who, time_limit limit, Then then) {
  engine::wait_in_handler(self, limit, engine::arm_suspended(who, true), std::move(then));
}
template <class Then>
void resume(context& self, const any_ref& who, time_limit limit, Then then) {
  engine::wait_in_handler(self, limit, engine::arm_suspended(who, false), std::move(then));
}
/// For co_await (coroutine.hpp): a result<void>.
[[nodiscard]] inline auto suspend(context& self, const any_ref& who, time_limit limit) {
  return engine::wait_inside(self, limit, engine::arm_suspended(who, true), std::identity{});
}
[[nodiscard]] inline auto resume(context& self, const any_ref& who, time_limit limit) {
  return engine::wait_inside(self, limit, engine::arm_suspended(who, false), std::identity{});
}

/// Runs f(P&) or f(const P&) on the state of the process between two messages, also while it is suspended, as a handler
/// is run: in the crash shell, under the overrun watch. Answers what f returns (a value, a result, nothing), or `failed`
/// with the text of what it threw. When f fails, by exception or by an error, the state is what it was before where P can
/// be copied and assigned; other states are left as f left them. At the limit f is withdrawn if it has not begun.
template <class P, class F>
[[nodiscard]] auto with_state(const ref<P>& who, F f, std::chrono::milliseconds limit = default_call_limit)
    -> result<engine::visit_value<P, F>> {
  if (engine::on_runner()) return engine::would_block_error();
  std::optional<result<engine::visit_value<P, F>>> answer;
  const auto code = [&](void* state) {
    answer.emplace(engine::run_on_state<P>(*static_cast<P*>(state), f));
  };
  if (auto done = engine::visit(who.where(), &engine::ops_of<P>, code, limit); !done) return done.error();
  return std::move(*answer);
}

/// The same from a handler, which owns f; then(result<T>) runs as a handler of the caller. At the limit, and when the
/// caller's life ends, f is withdrawn if it has not begun. A process may so look at itself between two messages.
template <class P, class F, class Then>
void with_state(context& self, const ref<P>& who, F f, time_limit limit, Then then) {
  using answer = engine::visit_value<P, F>;
  auto* pending = new engine::visit_continuation<answer, Then>{std::move(then)};
  if (!engine::begin_call(self.cell(), self.incarnation(), pending, limit)) return;
  if (!who) return engine::fail_call(self.cell(), self.incarnation(), pending->id, engine::noproc_error());
  auto visit = std::make_shared<engine::visit_order_of<P, F>>(
      std::move(f), engine::reply_to{self.self().where(), self.incarnation(), pending->id, nullptr});
  pending->visit = visit;
  engine::order_visit(who.where(), &engine::ops_of<P>, std::move(visit));
}

}  // namespace herald
