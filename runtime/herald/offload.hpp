#pragma once
// The problem: a handler that reads a file, asks a resolver or calls a library that blocks keeps its whole host waiting.
// `offload` hands such a function to a bounded pool of plain threads, and its result comes back as a continuation of this
// incarnation, like a call's answer.
//
//   void on(context& self, const look_up& m) {
//     self.offload([name = m.name] { return resolve(name); }, 2s, [this](result<address> found) {
//       if (found) connect(*found); else give_up(found.error());
//     });
//   }
//
// The function takes nothing or a std::stop_token, which is asked to stop when the limit has passed, when the incarnation
// ends and when the application stops; a function that was not begun by then is not run. It must not touch the process's
// state (it runs beside it) nor its context; refs may be used, their blocking calls too. What it returns is copied or
// moved to the process; a result<T> arrives as it is.
//
// Ends with the value, or with exactly one of: failed (it threw; the text is the exception's), timeout (the limit, counted
// from the hand-over; the function may still run, and nobody hears of it), overload (the queue is full), closed.
//
// Pool: application_options::offload_threads threads, named herald-io-N, started when first needed; offload_queue functions
// may wait. At the application's stop all are asked; those that do not end within offload_stop_limit are left to
// themselves and named in stop_report::zombies. In a simulation the functions run on the driving thread, each a step
// in seeded order, in virtual time (simulation::stall for long ones).
// A handler that returns a coroutine may wait for it: `co_await self.offload(fn, limit)`.
//
// Thread safety: for a process's own init and handlers; does nothing elsewhere. Callbacks registered with the stop token
// run on the thread that asks: they must be short and must not throw.
// The idea: libuv's and tokio's blocking pools; Erlang's dirty schedulers.

#include <herald/context.hpp>
#include <herald/engine/offload_work.hpp>

namespace herald {

class application;

/// Runs `fn` on the pool; `then` gets a result<T> (or context&, result<T>) within `limit` (0 up).
template <class F, class Then>
  requires engine::offloadable<F>
void offload(context& self, F fn, time_limit limit, Then then) {
  using answer = engine::offload_value<F>;
  auto* pending = new engine::offload_continuation<answer, Then>{std::move(then)};
  auto work = std::make_unique<engine::offload_work<F, answer>>(std::move(fn), pending->stop);
  if (!engine::begin_call(self.cell(), self.incarnation(), pending, limit)) return;
  work->reply = engine::reply_once<answer>{{self.self().where(), self.incarnation(), pending->id, nullptr}};
  engine::submit_offload(self.cell(), std::move(work));
}

template <class F, class Then>
void context::offload(F fn, time_limit limit, Then then) {
  herald::offload(*this, std::move(fn), limit, std::move(then));
}

/// The pool at one moment.
struct offload_counts {
  unsigned threads = 0;       ///< started so far
  std::size_t running = 0;    ///< functions being run
  std::size_t waiting = 0;    ///< functions in the queue
  std::uint64_t done = 0;     ///< functions that have returned or thrown
  std::uint64_t refused = 0;  ///< turned away because the queue was full
};
[[nodiscard]] offload_counts count_offloads(const application& app);

}  // namespace herald
