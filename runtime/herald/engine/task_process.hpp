#pragma once
// The process a task's function runs in, and what it runs: a body that knows the function and where its answer goes.

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <herald/describe.hpp>
#include <herald/engine/offload_work.hpp>
#include <herald/engine/task_state.hpp>
#include <herald/offload.hpp>
#include <herald/process.hpp>
#include <herald/supervisor.hpp>
#include <herald/trace.hpp>

namespace herald {

/// What one task may have otherwise than its supervisor says.
struct task_options {
  /// start_child only: a task that is awaited is temporary.
  restart_t restart = temporary;
  std::optional<shutdown_t> shutdown{};
  /// own_thread for a function that blocks for long and wants its context.
  std::optional<placement_t> placement{};
  /// The function runs on the application's offload pool: for one that blocks, and takes nothing or a std::stop_token.
  bool offloaded = false;
  /// What it is, in words: in its reports, snapshots and inspections. Copied when the task is started; a stream's must
  /// outlive the stream. (A view: g++ 12 destroys what is not trivial in arguments within a co_await twice.)
  std::string_view label{};
};

namespace engine {

struct task_go {};

class task_body {
 public:
  explicit task_body(std::vector<any_ref> chain) : callers{std::move(chain)} {}
  task_body(const task_body&) = delete;
  task_body& operator=(const task_body&) = delete;
  virtual ~task_body() = default;
  /// In init.
  virtual void begin(context& self) { static_cast<void>(self); }
  virtual void run(context& self) = 0;
  const std::vector<any_ref> callers;
  const trace_context trace = trace_here();  ///< it was started within
  std::string_view function;  ///< its type
  std::string label;
};

struct task_process : process<task_process, task_go> {
  struct args {
    std::shared_ptr<task_body> body;
  };
  task_process(context& self, const args& a) : body_{a.body} {
    if (!body_->label.empty()) self.set_label(body_->label);
    body_->begin(self);
    std::optional<trace_scope> within;
    if (body_->trace) within.emplace(body_->trace);
    self.continue_with(task_go{});
  }
  void on(context& self, const task_go&) { body_->run(self); }
  void describe(description& d) const { d.add("function", body_->function); }
  [[nodiscard]] const task_body& body() const noexcept { return *body_; }

 private:
  std::shared_ptr<task_body> body_;
};

/// The chain for a task that `self` starts: itself, and its own callers when it is a task.
[[nodiscard]] std::vector<any_ref> callers_from(context& self);
/// Throws std::logic_error when an option is not allowed; `awaited`: by async.
void check_task_options(const task_options& o, bool awaited, bool can_be_offloaded);
/// Asks the supervisor to start it; `told` (may be null) hears when it does not.
void start_task(const supervisor_ref& sup, std::shared_ptr<task_body> body, const task_options& o,
                std::shared_ptr<task_base> told);
/// The same with the supervisor's answer for whoever `back` is.
void start_task_child(const supervisor_ref& sup, std::shared_ptr<task_body> body, const task_options& o,
                      engine::reply_to back);

template <class F>
concept takes_context = std::invocable<F&, context&>;
template <class F>
concept task_function = takes_context<F> || offloadable<F>;

template <class F>
auto run_task_function(F& fn, context& self) {
  if constexpr (takes_context<F>) {
    return value_of(fn, self);
  } else if constexpr (takes_stop_token<F>) {
    return value_of(fn, self.stop_token());
  } else {
    return value_of(fn);
  }
}
template <class F>
using task_value = typename decltype(run_task_function(std::declval<F&>(), std::declval<context&>()))::value_type;

inline constexpr std::chrono::milliseconds no_limit = std::chrono::hours{24 * 365};

/// Hands the function to the pool; `done` gets its result. What it throws ends the process like a crash of its own.
template <class F, class Done>
void offload_task_function(context& self, F fn, Done done) {
  herald::offload(self, std::move(fn), no_limit, [done = std::move(done)](context& me, auto r) mutable {
    if (r.is(errc::failed)) return me.stop(exit_reason{exit_reason::kind_t::crash, std::string{r.error().message()}});
    done(me, std::move(r));
  });
}

template <class Body>
[[nodiscard]] std::shared_ptr<Body> named_body(std::shared_ptr<Body> body, std::string_view function, const task_options& o) {
  body->function = function;
  body->label = std::string{o.label};
  return body;
}

/// Runs once and has an answer.
template <class F, class T>
class async_body final : public task_body {
 public:
  async_body(std::vector<any_ref> chain, F&& fn, std::shared_ptr<task_state<T>> state, bool offloaded)
      : task_body{std::move(chain)},
        fn_{std::in_place, std::move(fn)},
        state_{std::move(state)},
        offloaded_{offloaded} {}
  ~async_body() override {
    state_->fail(error{errc::noproc, "the task was not started: its supervisor is gone"}, exit_reason::kind_t::noproc);
  }
  void begin(context& self) override {
    if (state_->placed(self)) return;
    state_->fail(error{errc::down, "the task was stopped before it began"}, exit_reason::kind_t::shutdown);
    self.ignore();
  }
  void run(context& self) override {
    if constexpr (offloadable<F> && !takes_context<F>) {
      if (offloaded_)
        return offload_task_function(self, std::move(*fn_), [state = state_](context& me, result<T> r) {
          state->finish(std::move(r));
          me.stop();
        });
    }
    auto r = run_task_function(*fn_, self);
    fn_.reset();
    state_->finish(std::move(r));
    self.stop();
  }

 private:
  std::optional<F> fn_;
  std::shared_ptr<task_state<T>> state_;
  bool offloaded_;
};

/// Runs in each incarnation anew, and nobody waits for an answer. An error it returns is a failure.
template <class F>
class child_body final : public task_body {
 public:
  child_body(std::vector<any_ref> chain, F&& fn, bool offloaded)
      : task_body{std::move(chain)}, fn_{std::move(fn)}, offloaded_{offloaded} {}
  void run(context& self) override {
    const auto done = [](context& me, const auto& r) {
      if (r) return me.stop();
      me.stop(exit_reason{exit_reason::kind_t::custom, r.error().to_string()});
    };
    if constexpr (offloadable<F> && !takes_context<F>) {
      if (offloaded_) return offload_task_function(self, again(), done);
    }
    auto fn = again();
    done(self, run_task_function(fn, self));
  }

 private:
  F again() {
    if constexpr (std::is_copy_constructible_v<F>) {
      return fn_;
    } else {
      return std::move(fn_);
    }
  }
  F fn_;
  bool offloaded_;
};

}  // namespace engine

}  // namespace herald
