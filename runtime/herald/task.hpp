#pragma once
// The problem: a handler has something to compute, or to ask for, that takes long and can go wrong, and it wants to go
// on meanwhile and have the answer later, or not at all. A task is a function in a process of its own under a task
// supervisor: it runs beside its owner, its crash is contained, and its answer is taken with await or yield, never
// found as a stray message in a mailbox.
//
//   app: task_supervisor("jobs", {.max_children = 100})
//   void on(context& self, const quote& q) {
//     auto priced = async(self, jobs_, [q](context&) { return price(q); });
//     priced.await(self, 2s, [this](result<money> m) { if (m) offer(*m); else decline(m.error()); });
//   }
//
// The function takes a context& (its own process's), a std::stop_token, or nothing. It runs on one of the hosts like a
// handler, so it must not block; for one that does, task_options say own_thread or offloaded. A result<T> it returns is
// its answer as it is.
//
// Owner rules: a task belongs to the life of the process that started it, or to plain threads; who else awaits it gets
// not_owner. async ties it to its owner: the owner's end stops it. async_nolink does not. A crash of the task reaches
// the owner only as the answer `down` with the reason; an owner that cannot live without the value says so by
// r.value().
//
// Answers: the value; down (the task crashed, was stopped or killed; the text says how); timeout; max_children,
// not_supported, noproc (it was not started); not_owner; bad_option (awaited before). await takes the answer, and its
// timeout gives the task up (a linked one is stopped); yield may be asked again. A handle that is dropped lets the task
// go on, and nobody hears of it.
//
// Wrong options throw std::logic_error at the call: a bug of the caller's. Thread safety: a task is used by its owner;
// the blocking forms are for plain threads and answer would_block in a handler. Lifetime: until the application is
// destroyed. The idea: Elixir's Task and Task.Supervisor.

#include <herald/engine/task_process.hpp>

namespace herald {

struct task_supervisor_options {
  std::uint32_t max_children = ~std::uint32_t{0};     ///< tasks at a time, 1 up
  std::optional<shutdown_t> shutdown{};               ///< of each task, default 5 s
  placement_t placement = spread;                     ///< of each task
  intensity_t intensity{3, std::chrono::seconds{5}};  ///< for those started with a restart type
};
/// A supervisor for tasks.
[[nodiscard]] child_spec task_supervisor(std::string id, task_supervisor_options options = {});

template <class T>
class [[nodiscard]] task {
 public:
  using value_type = T;
  task() = default;
  task(task&&) noexcept = default;
  task& operator=(task&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~task() {
    if (state_) state_->abandon();
  }

  /// False for an empty one and after await.
  explicit operator bool() const noexcept { return state_ != nullptr; }
  /// Its process, empty before it has begun.
  [[nodiscard]] any_ref who() const { return state_ ? state_->who() : any_ref{}; }

  /// `then` gets the answer, result<T>, within `limit`. The task is spent.
  template <class F>
  void await(context& self, time_limit limit, F then) {
    auto state = std::exchange(state_, nullptr);
    engine::wait_in_handler(self, limit, engine::arm_one(state, engine::owner_of(self)),
                            [state, then = std::move(then)](context& me, const result<void>& woken) mutable {
                              engine::tell(then, me, answer_of(state, woken));
                            });
  }
  /// For co_await (coroutine.hpp): a result<T>.
  [[nodiscard]] auto await(context& self, time_limit limit = default_call_limit) {
    auto state = std::exchange(state_, nullptr);
    return engine::wait_inside(self, limit, engine::arm_one(state, engine::owner_of(self)),
                               [state](const result<void>& woken) { return answer_of(state, woken); });
  }
  [[nodiscard]] result<T> await(time_limit limit = default_call_limit) {
    if (engine::on_runner()) return engine::would_block_error();
    const auto state = std::exchange(state_, nullptr);
    if (!state) return engine::spent_task_error();
    return answer_of(state, engine::wait_on_thread(state->system(), limit, engine::arm_one(state, {})));
  }

  /// `then` gets an optional<result<T>>: the answer, which spends the task, or none at the limit; it may be asked
  /// again.
  template <class F>
  void yield(context& self, time_limit limit, F then) {
    engine::wait_in_handler(self, limit, engine::arm_one(state_, engine::owner_of(self)),
                            [state = state_, then = std::move(then)](context& me, const result<void>& woken) mutable {
                              engine::tell(then, me, look_at(state, woken));
                            });
  }
  /// For co_await: an optional of it.
  [[nodiscard]] auto yield(context& self, time_limit limit) {
    return engine::wait_inside(self, limit, engine::arm_one(state_, engine::owner_of(self)),
                               [state = state_](const result<void>& woken) { return look_at(state, woken); });
  }
  [[nodiscard]] std::optional<result<T>> yield(time_limit limit = default_call_limit) {
    if (!state_) return result<T>{engine::spent_task_error()};
    return look_at(state_, engine::wait_on_thread(state_->system(), limit, engine::arm_one(state_, {})));
  }

  /// Ends the task, by force when it has not ended within its limit, and spends it. `then` gets the answer if it had
  /// one or gave one on the way, down if it crashed by itself, otherwise none.
  template <class F>
  void shutdown(context& self, shutdown_t how, F then) {
    end(self, std::exchange(state_, nullptr), how.kind() == shutdown_t::kind_t::brutal, limit_of(how), std::move(then));
  }
  [[nodiscard]] std::optional<result<T>> shutdown(shutdown_t how = std::chrono::seconds{5}) {
    if (engine::on_runner()) return result<T>{engine::would_block_error()};
    const auto state = std::exchange(state_, nullptr);
    if (!state) return result<T>{engine::spent_task_error()};
    for (bool kill = how.kind() == shutdown_t::kind_t::brutal;; kill = true) {
      const auto limit = kill ? engine::no_limit : limit_of(how);
      const auto woken = engine::wait_on_thread(state->system(), limit, arm_end(state, {}, kill));
      if (kill || !woken.is(errc::timeout)) return last_of(state, woken);
      state->unlisten();
    }
  }

  /// Lets it go on, also beyond its owner's end; its answer, if it is there already. Spends it.
  std::optional<result<T>> ignore() {
    const auto state = std::exchange(state_, nullptr);
    if (!state) return std::nullopt;
    auto r = state->take();
    state->unlisten();
    state->unlink();
    return r;
  }

  /// For what waits for several.
  explicit task(std::shared_ptr<engine::task_state<T>> state) noexcept : state_{std::move(state)} {}
  [[nodiscard]] const std::shared_ptr<engine::task_state<T>>& inside() const noexcept { return state_; }

 private:
  using shared = std::shared_ptr<engine::task_state<T>>;

  static result<T> answer_of(const shared& state, const result<void>& woken) {
    if (state && (woken || woken.is(errc::timeout))) {
      if (auto r = state->take()) return std::move(*r);
      if (!woken) state->give_up();
    } else if (state) {
      state->abandon();
    }
    return woken ? engine::spent_task_error() : woken.error();
  }
  static std::optional<result<T>> look_at(const shared& state, const result<void>& woken) {
    if (state && (woken || woken.is(errc::timeout))) {
      if (auto r = state->take()) return r;
      state->unlisten();
      if (!woken) return std::nullopt;
    }
    return result<T>{woken ? engine::spent_task_error() : woken.error()};
  }
  static std::optional<result<T>> last_of(const shared& state, const result<void>& woken) {
    if (!state || !woken) return result<T>{woken ? engine::spent_task_error() : woken.error()};
    const auto ended = state->ended();
    auto r = state->take();
    // What we did to it is no answer of its.
    if (r && !*r && (ended.kind() == exit_reason::kind_t::shutdown || ended.kind() == exit_reason::kind_t::killed))
      return std::nullopt;
    return r;
  }
  static std::chrono::milliseconds limit_of(const shutdown_t& how) {
    return how.kind() == shutdown_t::kind_t::limit ? how.limit() : engine::no_limit;
  }
  static auto arm_end(const shared& state, engine::task_owner by, bool kill) {
    return [state, by, kill](engine::reply_once<void> to) {
      engine::arm_one(state, by)(std::move(to));
      if (state) state->stop(kill);
    };
  }
  /// What a shutdown in a handler does next: force at the limit, or the answer.
  template <class F>
  struct ending {
    shared state;
    bool kill;
    F then;
    void operator()(context& me, const result<void>& woken) {
      if (kill || !woken.is(errc::timeout)) return engine::tell(then, me, last_of(state, woken));
      state->unlisten();
      end(me, state, true, engine::no_limit, std::move(then));
    }
  };
  template <class F>
  static void end(context& self, const shared& state, bool kill, std::chrono::milliseconds limit, F then) {
    engine::wait_in_handler(self, kill ? engine::no_limit : limit, arm_end(state, engine::owner_of(self), kill),
                            ending<F>{state, kill, std::move(then)});
  }
  shared state_;
};

namespace engine {
template <class F>
auto make_task(const supervisor_ref& sup, core& system, task_owner owner, std::vector<any_ref> callers, F fn,
               const task_options& o, context* linked) {
  using answer = task_value<F>;
  check_task_options(o, true, !takes_context<F>);
  auto state = std::make_shared<task_state<answer>>(system, owner);
  if (linked != nullptr) state->link(*linked);
  auto body = std::make_shared<async_body<F, answer>>(std::move(callers), std::move(fn), state, o.offloaded);
  start_task(sup, named_body(std::move(body), type_name<F>(), o), o, state);
  return task<answer>{std::move(state)};
}
}  // namespace engine

/// Starts a task that ends with this process's life.
template <class F>
  requires engine::task_function<F>
[[nodiscard]] auto async(context& self, const supervisor_ref& sup, F fn, const task_options& o = {}) {
  return engine::make_task(sup, engine::system_of(self.cell()), engine::owner_of(self), engine::callers_from(self),
                           std::move(fn), o, &self);
}
/// Starts a task that may outlive it.
template <class F>
  requires engine::task_function<F>
[[nodiscard]] auto async_nolink(context& self, const supervisor_ref& sup, F fn, const task_options& o = {}) {
  return engine::make_task(sup, engine::system_of(self.cell()), engine::owner_of(self), engine::callers_from(self),
                           std::move(fn), o, nullptr);
}
/// Starts a task from a plain thread. `sup` must not be empty.
template <class F>
  requires engine::task_function<F>
[[nodiscard]] auto async(const supervisor_ref& sup, F fn, const task_options& o = {}) {
  return engine::make_task(sup, engine::system_of(*any_ref{sup}.where().cell), {}, {}, std::move(fn), o, nullptr);
}

/// Fire and forget: no owner, no answer. With restart permanent or transient it runs again as the supervisor decides
/// (the function is copied each time); an error that it returns counts as a failure. The answer is its process.
template <class F>
  requires engine::task_function<F>
[[nodiscard]] result<any_ref> start_child(const supervisor_ref& sup, F fn, const task_options& o = {},
                                          std::chrono::milliseconds limit = default_call_limit) {
  engine::check_task_options(o, false, !engine::takes_context<F>);
  if (!sup) return engine::noproc_error();
  if (engine::on_runner()) return engine::would_block_error();
  auto& system = engine::system_of(*any_ref{sup}.where().cell);
  auto* w = new engine::waiter_for<result<any_ref>>;
  const engine::waiter_guard guard{*w};
  w->retain();
  auto body = std::make_shared<engine::child_body<F>>(std::vector<any_ref>{}, std::move(fn), o.offloaded);
  engine::start_task_child(sup, engine::named_body(std::move(body), engine::type_name<F>(), o), o,
                           engine::reply_to{{}, 0, 0, w});
  if (!engine::wait(system, *w, limit))
    return error{errc::timeout, "no answer within " + std::to_string(limit.count()) + " ms"};
  return w->take();
}
template <class F, class Then>
  requires engine::task_function<F>
void start_child(context& self, const supervisor_ref& sup, F fn, const task_options& o, std::chrono::milliseconds limit,
                 Then then) {
  engine::check_task_options(o, false, !engine::takes_context<F>);
  auto body = engine::named_body(
      std::make_shared<engine::child_body<F>>(engine::callers_from(self), std::move(fn), o.offloaded),
      engine::type_name<F>(), o);
  auto* pending = new engine::call_continuation<any_ref, Then>{std::move(then)};
  if (!engine::begin_call(self.cell(), self.incarnation(), pending, limit)) return;
  engine::start_task_child(sup, std::move(body), o,
                           engine::reply_to{self.self().where(), self.incarnation(), pending->id, nullptr});
}

/// In a task: who started it, then who started that one, and so on; nearest first. Not its supervisors. Empty
/// elsewhere.
[[nodiscard]] std::vector<any_ref> callers(context& self);

}  // namespace herald
