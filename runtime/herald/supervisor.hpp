#pragma once
// The problem: somebody must notice that a process has ended, know whether that is bad, and bring it back in the right
// order with its neighbours, but not for ever. A supervisor does that and nothing else: it runs no user code, never
// waits, and so cannot crash or hang. Trees of supervisors bound what a failure can take down.
//
// Thread safety: `supervisor` is a value; `supervisor_ref` may be used from any thread. Lifetime of a ref: as of `ref`.
// Errors: values, with OTP's answers as errc. Times are milliseconds in the restart window (OTP: whole seconds).
// The idea: Erlang/OTP's supervisor and Elixir's DynamicSupervisor.

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <herald/child_spec.hpp>
#include <herald/context.hpp>
#include <herald/engine/reply_once.hpp>

namespace herald {

/// Who is restarted with a child that is to be restarted.
enum class strategy_t : std::uint8_t {
  one_for_one,   ///< nobody else
  one_for_all,   ///< all its siblings, stopped in reverse start order, started in start order
  rest_for_one,  ///< those started after it, likewise
};
using enum strategy_t;

/// When a supervisor ends because its significant children have ended by themselves.
enum class auto_shutdown_t : std::uint8_t { never, any_significant, all_significant };
using enum auto_shutdown_t;

/// At most `restarts` within `period`; one more and the supervisor gives up: it stops its children and ends.
struct intensity_t {
  std::int64_t restarts = 1;             ///< 0 up; 0 allows none
  std::chrono::milliseconds period{5000};  ///< 1 ms up
  friend bool operator==(const intensity_t&, const intensity_t&) = default;
};

/// A supervisor and its children; nested, it is a child itself.
struct supervisor {
  std::string name;
  strategy_t strategy = one_for_one;
  intensity_t intensity{};
  auto_shutdown_t auto_shutdown = never;
  restart_t restart = permanent;                ///< as a child of another supervisor
  std::optional<shutdown_t> shutdown{};         ///< as a child; default infinity
  placement_t placement = spread;               ///< the host of the supervisor, and of its children by default
  bool significant = false;                     ///< as a child
  std::vector<child_spec> children{};           ///< started in this order, stopped in the reverse
};

/// Options of a supervisor whose children come and go at run time, all of one type.
struct dynamic_options {
  restart_t restart = permanent;  ///< of each child
  std::optional<shutdown_t> shutdown{};
  mailbox_t mailbox{};
  on_restart_t on_restart = keep;
  backoff_t backoff{};
  placement_t placement{};        ///< of each child; together: on the supervisor's host
  std::chrono::milliseconds start_timeout{0};
  intensity_t intensity{3, std::chrono::seconds{5}};
  std::uint32_t max_children = ~std::uint32_t{0};  ///< 1 up; children that are being restarted count
  via_name via{};  ///< a name for each child, from its arguments: registry::name_from
};

namespace detail {
[[nodiscard]] child_spec make_dynamic(std::string id, child_spec pattern, const dynamic_options& options);
}

/// A supervisor for any number of processes of type P, started with supervisor_ref::start_child<P>(args).
template <class P>
[[nodiscard]] child_spec dynamic(std::string id, dynamic_options options = {}) {
  child_spec pattern;
  pattern.ops = &engine::ops_of<P>;
  if constexpr (engine::has_args<P>) pattern.args_kind = &engine::args_ops_of<typename P::args>;
  return detail::make_dynamic(std::move(id), std::move(pattern), options);
}

/// The first thing wrong with a tree of specs, with a field for each fault; nothing is started with a wrong one.
[[nodiscard]] result<void> check_spec(const child_spec& spec);

enum class child_state_t : std::uint8_t { running, starting, restarting, stopped };

/// One child, as its supervisor sees it.
struct child_info {
  std::string id;  ///< empty for children of a dynamic supervisor
  any_ref who;     ///< empty when it has never run, or its temporary spec is gone
  std::uint32_t incarnation = 0;
  child_state_t state = child_state_t::stopped;
  bool supervisor = false;
  restart_t restart = permanent;
};

struct child_counts {
  std::size_t specs = 0, active = 0, supervisors = 0, workers = 0;
  friend bool operator==(const child_counts&, const child_counts&) = default;
};

/// The address of a supervisor. Each request has a blocking form for plain threads, with a limit (would_block inside a
/// handler), and a form for handlers, whose continuation gets the same result.
class supervisor_ref {
 public:
  supervisor_ref() = default;
  explicit supervisor_ref(engine::address where) noexcept : where_{where} {}
  explicit operator bool() const noexcept { return where_.cell != nullptr; }
  operator any_ref() const noexcept { return any_ref{where_}; }  // NOLINT: a supervisor is a process

  using ms = std::chrono::milliseconds;

  /// Adds a child and starts it. An init that says ignore answers an empty ref; the spec is kept unless temporary.
  [[nodiscard]] result<any_ref> start_child(child_spec spec, ms limit = default_call_limit) const {
    return ask<any_ref>(start(std::move(spec)), limit);
  }
  template <class F>
  void start_child(context& self, child_spec spec, ms limit, F then) const {
    ask<any_ref>(self, start(std::move(spec)), limit, std::move(then));
  }
  /// Starts a child of a dynamic supervisor made for P.
  template <class P>
    requires engine::has_args<P>
  [[nodiscard]] result<ref<P>> start_child(typename P::args args, ms limit = default_call_limit) const {
    auto r = ask<any_ref>(start_with<P>(std::move(args)), limit);
    if (!r) return r.error();
    return ref<P>{r->where()};
  }
  template <class P>
    requires(!engine::has_args<P>)
  [[nodiscard]] result<ref<P>> start_child(ms limit = default_call_limit) const {
    auto r = ask<any_ref>(start_dynamic(nullptr, &engine::ops_of<P>), limit);
    if (!r) return r.error();
    return ref<P>{r->where()};
  }
  template <class P, class F>
    requires engine::has_args<P>
  void start_child(context& self, typename P::args args, ms limit, F then) const {
    ask<any_ref>(self, start_with<P>(std::move(args)), limit, [then = std::move(then)](result<any_ref> r) mutable {
      if (!r) return then(result<ref<P>>{r.error()});
      then(result<ref<P>>{ref<P>{r->where()}});
    });
  }

  /// Stops a child by its shutdown; it is not restarted. Its spec stays unless temporary.
  [[nodiscard]] result<void> terminate_child(std::string id, ms limit = default_call_limit) const {
    return ask<void>(terminate(std::move(id)), limit);
  }
  [[nodiscard]] result<void> terminate_child(any_ref who, ms limit = default_call_limit) const {
    return ask<void>(terminate(who), limit);
  }
  template <class Key, class F>
  void terminate_child(context& self, Key key, ms limit, F then) const {
    ask<void>(self, terminate(std::move(key)), limit, std::move(then));
  }
  /// Starts a stopped child again.
  [[nodiscard]] result<any_ref> restart_child(std::string id, ms limit = default_call_limit) const {
    return ask<any_ref>(restart(std::move(id)), limit);
  }
  /// Forgets a stopped child.
  [[nodiscard]] result<void> delete_child(std::string id, ms limit = default_call_limit) const {
    return ask<void>(remove(std::move(id)), limit);
  }
  /// Newest first, as OTP lists them.
  [[nodiscard]] result<std::vector<child_info>> which_children(ms limit = default_call_limit) const {
    return ask<std::vector<child_info>>(which(), limit);
  }
  template <class F>
  void which_children(context& self, ms limit, F then) const {
    ask<std::vector<child_info>>(self, which(), limit, std::move(then));
  }
  [[nodiscard]] result<child_counts> count_children(ms limit = default_call_limit) const {
    return ask<child_counts>(count(), limit);
  }
  [[nodiscard]] result<child_spec> get_childspec(std::string id, ms limit = default_call_limit) const {
    return ask<child_spec>(spec_of(std::move(id)), limit);
  }
  [[nodiscard]] result<child_spec> get_childspec(any_ref who, ms limit = default_call_limit) const {
    return ask<child_spec>(spec_of(who), limit);
  }
  /// Ends a child of this supervisor by force, as a test or an operator may: its restart type decides what follows.
  [[nodiscard]] result<void> kill_child(any_ref who, ms limit = default_call_limit) const {
    return ask<void>(kill(who), limit);
  }

  friend bool operator==(const supervisor_ref&, const supervisor_ref&) = default;

 private:
  template <class R>
  using request = std::function<void(engine::supervisor_state&, engine::frame&, engine::reply_once<R>)>;

  template <class P>
  static request<any_ref> start_with(typename P::args args) {
    return start_dynamic(std::make_shared<const typename P::args>(std::move(args)), &engine::ops_of<P>);
  }
  static request<any_ref> start(child_spec spec);
  static request<any_ref> start_dynamic(std::shared_ptr<const void> args, const engine::process_ops* type);
  static request<void> terminate(std::string id);
  static request<void> terminate(any_ref who);
  static request<any_ref> restart(std::string id);
  static request<void> remove(std::string id);
  static request<void> kill(any_ref who);
  static request<std::vector<child_info>> which();
  static request<child_counts> count();
  static request<child_spec> spec_of(std::string id);
  static request<child_spec> spec_of(any_ref who);

  template <class R>
  void post(request<R> r, engine::reply_to back) const;
  template <class R>
  [[nodiscard]] result<R> ask(request<R> r, ms limit) const {
    if (where_.cell == nullptr) return engine::noproc_error();
    if (engine::on_runner()) return engine::would_block_error();
    auto* w = new engine::waiter_for<result<R>>;
    const engine::waiter_guard guard{*w};
    w->retain();
    post<R>(std::move(r), engine::reply_to{{}, 0, 0, w});
    if (!engine::wait(engine::system_of(*where_.cell), *w, limit)) return engine::timeout_error(limit, *where_.cell);
    return w->take();
  }
  template <class R, class F>
  void ask(context& self, request<R> r, ms limit, F then) const {
    using continuation = engine::call_continuation<R, F>;
    auto* pending = new continuation{std::move(then)};
    if (!engine::begin_call(self.cell(), self.incarnation(), pending, limit)) return;
    const engine::reply_to back{self.self().where(), self.incarnation(), pending->id, nullptr};
    if (where_.cell == nullptr) return engine::fail_call(self.cell(), self.incarnation(), pending->id, engine::noproc_error());
    post<R>(std::move(r), back);
  }
  engine::address where_;
};

extern template void supervisor_ref::post<any_ref>(request<any_ref>, engine::reply_to) const;
extern template void supervisor_ref::post<void>(request<void>, engine::reply_to) const;
extern template void supervisor_ref::post<child_counts>(request<child_counts>, engine::reply_to) const;
extern template void supervisor_ref::post<child_spec>(request<child_spec>, engine::reply_to) const;
extern template void supervisor_ref::post<std::vector<child_info>>(request<std::vector<child_info>>,
                                                                   engine::reply_to) const;

}  // namespace herald
