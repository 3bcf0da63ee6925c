#pragma once
// What a process waits for: the end of a call, a down notice. Each is found again by number, belongs to one incarnation,
// and is wiped with it; an answer that comes later finds nobody.

#include <memory>
#include <utility>

#include <herald/engine/cell.hpp>
#include <herald/engine/timer_heap.hpp>
#include <herald/error.hpp>
#include <herald/time_limit.hpp>
#include <herald/trace.hpp>

namespace herald::engine {

struct expectation : attachment {
  std::uint64_t id = 0;
  bool in_frame = false;  ///< of a coroutine: nobody deletes it, and resume may end the frame
  std::unique_ptr<const trace_context> trace;  ///< in which it was asked for; null for most
  void keep_trace();
  /// User code. `answer` is what the notice carries; null means `why` says why there is none. The record is out of the
  /// tables; whoever calls this disposes of it, unless it is in a frame.
  virtual void resume(context& self, void* answer, const error* why) = 0;
  virtual void forget(host& home) noexcept = 0;  ///< takes itself out of the host's tables
  virtual void dispose() noexcept { delete this; }
  void wipe(host& home) noexcept override {
    forget(home);
    dispose();
  }
};

/// Ends a record that was taken out of the tables.
struct expectation_end {
  void operator()(expectation* e) const noexcept { e->dispose(); }
};

template <class T>
using owned_expectation = std::unique_ptr<T, expectation_end>;

/// `when` is the end of the wait; time_point::max(): there is none.
struct pending_call : expectation, timer {
  std::chrono::milliseconds limit{0};  ///< as the caller gave it, for the error's text
  bool awaited = false;                ///< by a handler that waits inside: answers come before other messages
  void fire(host& home) override;
  void forget(host& home) noexcept override;
  [[nodiscard]] attachment_kind kind() const noexcept override { return attachment_kind::call; }
};

template <class R, class F>
struct call_continuation_base : pending_call {
  explicit call_continuation_base(F f) : then{std::move(f)} {}
  F then;
  void resume(context& self, void* answer, const error* why) override {
    if (answer != nullptr) return go_on(self, std::move(*static_cast<result<R>*>(answer)));
    go_on(self, result<R>{*why});
  }

 private:
  void go_on(context& self, result<R> r) {
    if constexpr (std::is_invocable_v<F&, context&, result<R>>) {
      then(self, std::move(r));
    } else {
      then(std::move(r));
    }
  }
};
template <class R, class F>
struct call_continuation final : call_continuation_base<R, F> {
  using call_continuation_base<R, F>::call_continuation_base;
};

/// Registers a pending call of the calling handler's process, under the number by which the answer finds it
/// (record->id). False, and the record is gone: no handler of this incarnation runs here.
[[nodiscard]] bool begin_call(cell& self, std::uint32_t incarnation, pending_call* record,
                              const time_limit& limit);
/// The same without an end of its own: record->when says.
[[nodiscard]] bool begin_wait(cell& self, std::uint32_t incarnation, pending_call* record);
/// Ends a pending call at once with an error, through the mailbox like any other answer.
void fail_call(cell& self, std::uint32_t incarnation, std::uint64_t id, error why);

}  // namespace herald::engine
