#pragma once
// The problem: actions of many callers must be written by one, which waits for disks and may crash or be killed at any
// moment. The writer is that one, as a supervised process: a batch of the core's queue a message, so that a stop or a kill is
// seen between batches. Everything that must outlive it is in the core; a new incarnation goes on where the old one was.
//
// SQLite blocks, so its writer lives on a thread of its own.
//
// Private. Thread safety: a process. Errors: while a forerunner is stuck inside an action (killed, but its code still
// runs), it does not start, the waiting callers are answered `unavailable`, and its supervisor decides.

#include "store_state.hpp"

#include <herald/context.hpp>
#include <herald/process.hpp>

namespace herald::detail {

/// Actions wait in the core.
struct work_waits {};

}  // namespace herald::detail

template <>
inline constexpr bool herald::engine::is_wake_up<herald::detail::work_waits> = true;

namespace herald::detail {

class writer_process : public process<writer_process, work_waits> {
 public:
  struct args {
    std::shared_ptr<store_state> state;
    friend bool operator==(const args&, const args&) = default;
  };

  writer_process(context& self, const args& with);
  ~writer_process();

  void on(context& self, const work_waits&);
  /// In good order: what waits now is still written.
  void terminate(const exit_reason& why);

 private:
  std::shared_ptr<store_state> state_;
};

}  // namespace herald::detail
