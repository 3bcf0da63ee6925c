#pragma once
// The problem: a running supervisor must be asked things (start this child, end that one, who is there?) by operators,
// tests and other processes, and asking must neither race with its restarts nor block a handler.
//
// Each request has a blocking form for plain threads, with a limit (would_block inside a handler), and a form for
// handlers, whose continuation gets the same result. While a supervisor starts or restarts a group it puts requests that
// would get in its way off, at most max_deferred_requests of them; one more answers overload.
//
// Thread safety: a value; every member from any thread. Lifetime: as of `ref`. Errors: OTP's answers as errc; noproc when
// the supervisor does not exist (any more). The idea: the administration calls of Erlang/OTP's supervisor.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <herald/child_spec.hpp>
#include <herald/context.hpp>
#include <herald/engine/reply_once.hpp>

namespace herald {

/// Requests that a supervisor puts off while it is occupied; one more answers overload.
inline constexpr std::size_t max_deferred_requests = 10'000;

enum class child_state_t : std::uint8_t { running, starting, restarting, stopped };

/// One child, as its supervisor sees it.
struct child_info {
  std::string id;  ///< may be empty, or the same for many, under a dynamic supervisor
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

/// Names one child of a supervisor: by its id, or by its ref (children of a dynamic supervisor only by ref).
class child_key {
 public:
  child_key(std::string id) : id_{std::move(id)} {}                    // NOLINT: an id is a key
  child_key(std::string_view id) : id_{id} {}                          // NOLINT
  child_key(const char* id) : id_{id} {}                               // NOLINT
  child_key(any_ref who) noexcept : who_{who}, by_ref_{true} {}        // NOLINT: a ref is a key
  template <class P>
  child_key(const ref<P>& who) noexcept : who_{who}, by_ref_{true} {}  // NOLINT

  [[nodiscard]] bool by_ref() const noexcept { return by_ref_; }
  [[nodiscard]] const std::string& id() const noexcept { return id_; }
  [[nodiscard]] any_ref who() const noexcept { return who_; }

 private:
  std::string id_;
  any_ref who_;
  bool by_ref_ = false;
};

/// The address of a supervisor.
class supervisor_ref {
 public:
  supervisor_ref() = default;
  explicit supervisor_ref(engine::address where) noexcept : where_{where} {}
  explicit operator bool() const noexcept { return where_.cell != nullptr; }
  operator any_ref() const noexcept { return any_ref{where_}; }  // NOLINT: a supervisor is a process

  using ms = std::chrono::milliseconds;

  /// Adds a child and starts it. An init that says ignore answers an empty ref; the spec is kept unless temporary. A
  /// wrong spec answers bad_spec before the supervisor hears of it. Under dynamic("name") ids may be empty or repeat.
  [[nodiscard]] result<any_ref> start_child(child_spec spec, ms limit = default_call_limit) const {
    if (const auto wrong = refused(spec)) return *wrong;
    return ask<any_ref>(start(std::move(spec)), limit);
  }
  template <class F>
  void start_child(context& self, child_spec spec, ms limit, F then) const {
    auto wrong = refused(spec);
    ask<any_ref>(self, start(std::move(spec)), limit, std::move(then), std::move(wrong));
  }
  /// Starts a child of a dynamic supervisor: of the type it was made for, or of any where it was made for none.
  template <class P>
    requires engine::has_args<P>
  [[nodiscard]] result<ref<P>> start_child(typename P::args args, ms limit = default_call_limit) const {
    return typed<P>(ask<any_ref>(start_with<P>(std::move(args)), limit));
  }
  template <class P>
    requires(!engine::has_args<P>)
  [[nodiscard]] result<ref<P>> start_child(ms limit = default_call_limit) const {
    return typed<P>(ask<any_ref>(start_dynamic(nullptr, &engine::ops_of<P>), limit));
  }
  template <class P, class F>
    requires engine::has_args<P>
  void start_child(context& self, typename P::args args, ms limit, F then) const {
    ask<any_ref>(self, start_with<P>(std::move(args)), limit,
                 [then = std::move(then)](result<any_ref> r) mutable { then(typed<P>(std::move(r))); });
  }
  template <class P, class F>
    requires(!engine::has_args<P>)
  void start_child(context& self, ms limit, F then) const {
    ask<any_ref>(self, start_dynamic(nullptr, &engine::ops_of<P>), limit,
                 [then = std::move(then)](result<any_ref> r) mutable { then(typed<P>(std::move(r))); });
  }

  /// Stops a child by its shutdown; it is not restarted. Its spec stays unless temporary or dynamic.
  [[nodiscard]] result<void> terminate_child(child_key child, ms limit = default_call_limit) const {
    return ask<void>(terminate(std::move(child)), limit);
  }
  template <class F>
  void terminate_child(context& self, child_key child, ms limit, F then) const {
    ask<void>(self, terminate(std::move(child)), limit, std::move(then));
  }
  /// Starts a stopped child again.
  [[nodiscard]] result<any_ref> restart_child(child_key child, ms limit = default_call_limit) const {
    return ask<any_ref>(restart(std::move(child)), limit);
  }
  template <class F>
  void restart_child(context& self, child_key child, ms limit, F then) const {
    ask<any_ref>(self, restart(std::move(child)), limit, std::move(then));
  }
  /// Forgets a stopped child.
  [[nodiscard]] result<void> delete_child(child_key child, ms limit = default_call_limit) const {
    return ask<void>(remove(std::move(child)), limit);
  }
  template <class F>
  void delete_child(context& self, child_key child, ms limit, F then) const {
    ask<void>(self, remove(std::move(child)), limit, std::move(then));
  }
  /// Ends a child of this supervisor by force, as a test or an operator may: its restart type decides what follows.
  [[nodiscard]] result<void> kill_child(child_key child, ms limit = default_call_limit) const {
    return ask<void>(kill(std::move(child)), limit);
  }
  template <class F>
  void kill_child(context& self, child_key child, ms limit, F then) const {
    ask<void>(self, kill(std::move(child)), limit, std::move(then));
  }
  /// Forgets how often a child with a backoff was restarted; one that waits for its pause is restarted now.
  [[nodiscard]] result<void> reset_backoff(child_key child, ms limit = default_call_limit) const {
    return ask<void>(reset(std::move(child)), limit);
  }
  template <class F>
  void reset_backoff(context& self, child_key child, ms limit, F then) const {
    ask<void>(self, reset(std::move(child)), limit, std::move(then));
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
  template <class F>
  void count_children(context& self, ms limit, F then) const {
    ask<child_counts>(self, count(), limit, std::move(then));
  }
  [[nodiscard]] result<child_spec> get_childspec(child_key child, ms limit = default_call_limit) const {
    return ask<child_spec>(spec_of(std::move(child)), limit);
  }
  template <class F>
  void get_childspec(context& self, child_key child, ms limit, F then) const {
    ask<child_spec>(self, spec_of(std::move(child)), limit, std::move(then));
  }

  /// Gives the running supervisor a new definition, as OTP's code change does: its flags hold from now on; a known
  /// child's new spec holds from its next start; a new child is not started (restart_child does); one that is missing
  /// stays. Children are not touched. Of `definition` (a `supervisor`, or what dynamic() gives) only flags and children
  /// count. A faulty one answers bad_spec and changes nothing. A dynamic supervisor stays one.
  [[nodiscard]] result<void> change(child_spec definition, ms limit = default_call_limit) const {
    return ask<void>(redefine(std::move(definition)), limit);
  }
  template <class F>
  void change(context& self, child_spec definition, ms limit, F then) const {
    ask<void>(self, redefine(std::move(definition)), limit, std::move(then));
  }

  friend bool operator==(const supervisor_ref&, const supervisor_ref&) = default;

 private:
  friend class partition_base;
  template <class R>
  using request = std::function<void(engine::supervisor_state&, engine::frame&, engine::reply_once<R>)>;

  template <class P>
  static result<ref<P>> typed(result<any_ref> r) {
    if (!r) return r.error();
    return ref<P>{r->where()};
  }
  template <class P>
  static request<any_ref> start_with(typename P::args args) {
    return start_dynamic(engine::share_args(std::move(args)), &engine::ops_of<P>);
  }
  static std::optional<error> refused(const child_spec& spec);
  static request<any_ref> start(child_spec spec);
  static request<any_ref> start_dynamic(std::shared_ptr<const void> args, const engine::process_ops* type);
  static request<void> terminate(child_key child);
  static request<any_ref> restart(child_key child);
  static request<void> remove(child_key child);
  static request<void> kill(child_key child);
  static request<void> reset(child_key child);
  static request<void> redefine(child_spec definition);
  static request<void> resize(std::size_t partitions);
  static request<std::vector<child_info>> which();
  static request<child_counts> count();
  static request<child_spec> spec_of(child_key child);

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
    if (!engine::wait(engine::system_of(*where_.cell), *w, limit)) return engine::timeout_error(limit);
    return w->take();
  }
  template <class R, class F>
  void ask(context& self, request<R> r, ms limit, F then, std::optional<error> wrong = {}) const {
    using continuation = engine::call_continuation<R, F>;
    auto* pending = new continuation{std::move(then)};
    if (!engine::begin_call(self.cell(), self.incarnation(), pending, limit)) return;
    const engine::reply_to back{self.self().where(), self.incarnation(), pending->id, nullptr};
    if (!wrong && where_.cell == nullptr) wrong = engine::noproc_error();
    if (wrong) return engine::fail_call(self.cell(), self.incarnation(), pending->id, *wrong);
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
