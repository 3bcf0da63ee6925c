#pragma once
// The problem: to end one process and go on only when it has ended: its terminate has run, its names are free. A cast of
// "please stop" says neither when nor whether.
//
// Thread safety: the blocking form on plain threads (inside a handler it answers would_block), the other one in handlers.
// Errors: noproc when there is no such process or it has ended already, timeout when it has not ended within the limit;
// it then still will. What its supervisor does about the end is the supervisor's business: a permanent child comes back.
// The idea: gen_server:stop/3.

#include <chrono>

#include <herald/context.hpp>
#include <herald/ref.hpp>

namespace herald {

/// Asks the incarnation that lives now to stop with this reason, after the handler in hand, and waits for its end.
[[nodiscard]] result<void> stop(const any_ref& who, exit_reason why = exit_reason::normal,
                                std::chrono::milliseconds limit = default_call_limit);

namespace engine {
void order_stop_and_tell(address who, exit_reason why, reply_to back);
}

/// The same from a handler; then(result<void>) runs as a handler of the caller.
template <class F>
void stop(context& self, const any_ref& who, exit_reason why, std::chrono::milliseconds limit, F then) {
  auto* pending = new engine::call_continuation<void, F>{std::move(then)};
  if (!engine::begin_call(self.cell(), self.incarnation(), pending, limit)) return;
  engine::order_stop_and_tell(who.where(), std::move(why), {self.self().where(), self.incarnation(), pending->id, nullptr});
}

}  // namespace herald
