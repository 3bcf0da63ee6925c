#pragma once
// One function on its way to the pool and back: what the pool knows of it, and the process's side, which waits for it as
// for a call's answer and asks it to stop when it waits no longer.

#include <concepts>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

#include <herald/engine/pending.hpp>
#include <herald/engine/reply_once.hpp>
#include <herald/trace.hpp>

namespace herald {
struct child_spec;
}

namespace herald::engine {

class offload_job {
 public:
  explicit offload_job(std::stop_source s) noexcept : stop{std::move(s)} {}
  offload_job(const offload_job&) = delete;
  offload_job& operator=(const offload_job&) = delete;
  virtual ~offload_job() = default;
  virtual void run() noexcept = 0;               ///< on the pool's thread; keeps what came of it
  virtual void answer() noexcept = 0;            ///< sends that
  virtual void refuse(error why) noexcept = 0;   ///< it will not be run
  /// The process that handed it over, as the zombies' list names it.
  [[nodiscard]] std::string owner() const;

  const trace_context trace = trace_here();  ///< it was handed over within
  std::stop_source stop;
  std::shared_ptr<const child_spec> spec;
  std::shared_ptr<const std::string> parent_path;
};

/// Puts a job into the pool of the application of `c`, whose handler calls this; answers overload or closed when it may not.
void submit_offload(cell& c, std::unique_ptr<offload_job> job);
/// Within a catch block: the error that stands for what a function threw.
[[nodiscard]] error failed_error() noexcept;

template <class F>
concept takes_stop_token = std::invocable<F&, std::stop_token>;
template <class F>
concept offloadable = takes_stop_token<F> || std::invocable<F&>;

template <class T>
struct unwrapped {
  using type = std::decay_t<T>;
};
template <class T>
struct unwrapped<result<T>> {
  using type = T;
};
template <>
struct unwrapped<void> {
  using type = void;
};
/// What comes out of a function: a result<T> counts as its T.
template <class T>
using unwrapped_t = typename unwrapped<std::remove_cvref_t<T>>::type;

/// The function's value or result as a result; its void as an empty one.
template <class F, class... Args>
auto value_of(F& fn, Args&&... args) -> result<unwrapped_t<std::invoke_result_t<F&, Args...>>> {
  if constexpr (std::is_void_v<std::invoke_result_t<F&, Args...>>) {
    fn(std::forward<Args>(args)...);
    return {};
  } else {
    return fn(std::forward<Args>(args)...);
  }
}
template <class F>
auto value_under(F& fn, const std::stop_token& token) {
  if constexpr (takes_stop_token<F>) {
    return value_of(fn, token);
  } else {
    return value_of(fn);
  }
}
template <class F>
using offload_value =
    typename decltype(value_under(std::declval<F&>(), std::declval<const std::stop_token&>()))::value_type;

template <class F, class T>
class offload_work final : public offload_job {
 public:
  offload_work(F&& fn, std::stop_source s) : offload_job{std::move(s)}, fn_{std::in_place, std::move(fn)} {}
  void run() noexcept override {
    try {
      outcome_.emplace(value_under(*fn_, stop.get_token()));
      fn_.reset();
    } catch (...) {
      outcome_.emplace(failed_error());
    }
  }
  void answer() noexcept override { reply.answer(std::move(*outcome_)); }
  void refuse(error why) noexcept override { reply.answer(std::move(why)); }

  reply_once<T> reply;

 private:
  std::optional<F> fn_;
  std::optional<result<T>> outcome_;
};

/// The waiting process's record. However it ends (answer, limit, the incarnation's end), the function is told.
template <class T, class Then>
struct offload_continuation final : pending_call {
  explicit offload_continuation(Then t) : then{std::move(t)} {}
  ~offload_continuation() override { stop.request_stop(); }
  std::stop_source stop;
  Then then;
  void resume(context& self, void* answer, const error* why) override {
    auto r = answer != nullptr ? std::move(*static_cast<result<T>*>(answer)) : result<T>{*why};
    if constexpr (std::is_invocable_v<Then&, context&, result<T>>) {
      then(self, std::move(r));
    } else {
      then(std::move(r));
    }
  }
};

}  // namespace herald::engine
