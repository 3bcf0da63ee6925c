#pragma once
// The problem: a thousand things are to be done, each by a task, but not all at once. A stream starts tasks for the
// elements of a range, at most so many at a time, and hands over their answers one by one, in order or as they come.
//
//   async_stream(self, jobs_, std::move(urls), [](const url& u) { return fetch(u); },
//                {.max_concurrency = 8, .on_timeout = stream_timeout_t::kill_task},
//                [this](const url& u, result<page> p) { if (p) keep(u, *p); },
//                [this](result<void> over) { finished(over); });
//
// `each` gets the answer, or the element and the answer (so a failure tells what it was about); when it returns a bool,
// false ends the stream. `over` gets nothing when all elements are through or `each` said false; timeout when a task
// took longer than it may and the stream does not go on without it; not_supported or noproc when tasks cannot be
// started. A plain thread's form blocks and returns what `over` would get.
//
// Bounds: max_concurrency tasks run or wait to be handed over at any time, so an ordered stream behind one slow task
// keeps no more than that. The range is moved in and read one element ahead at most. Rules and thread safety as for one
// task (task.hpp); the tasks are tied to their owner, whose end stops them all. Wrong options throw std::logic_error.
// The idea: Elixir's Task.async_stream; its zip_input_on_exit is the second form of `each`.

#include <deque>
#include <ranges>

#include <herald/engine/stream_run.hpp>

namespace herald {

/// Runs `fn` (element, or context&, element) for each element of `items`.
template <std::ranges::input_range Range, class F, class Each, class Over>
void async_stream(context& self, const supervisor_ref& sup, Range items, F fn, const stream_options& o, Each each,
                  Over over) {
  engine::check_stream_options(o);
  auto run = std::make_shared<engine::stream_run<Range, F, Each, Over>>(sup, std::move(items), std::move(fn), o,
                                                                        std::move(each), std::move(over));
  run->begin(self);
}

/// The same on a plain thread, which gets the answers itself.
template <std::ranges::input_range Range, class F, class Each>
[[nodiscard]] result<void> async_stream(const supervisor_ref& sup, Range items, F fn, const stream_options& o,
                                        Each each) {
  engine::check_stream_options(o);
  if (!sup) return engine::noproc_error();
  if (engine::on_runner()) return engine::would_block_error();
  engine::stream_window<Range, F> window{sup, std::move(items), std::move(fn), o};
  return engine::run_stream(window, each);
}

/// A stream that is made here and consumed elsewhere: in another process (send it in a message), on a plain thread, later.
/// The tasks belong to who consumes it. Consumed once, and no task starts before.
template <std::ranges::input_range Range, class F>
class [[nodiscard]] task_stream {
 public:
  task_stream(supervisor_ref sup, Range items, F fn, stream_options o = {})
      : sup_{std::move(sup)}, items_{std::move(items)}, fn_{std::move(fn)}, options_{std::move(o)} {
    engine::check_stream_options(options_);
  }
  template <class Each, class Over>
  void run(context& self, Each each, Over over) && {
    async_stream(self, sup_, std::move(items_), std::move(fn_), options_, std::move(each), std::move(over));
  }
  template <class Each>
  [[nodiscard]] result<void> run(Each each) && {
    return async_stream(sup_, std::move(items_), std::move(fn_), options_, std::move(each));
  }

 private:
  supervisor_ref sup_;
  Range items_;
  F fn_;
  stream_options options_;
};

}  // namespace herald
