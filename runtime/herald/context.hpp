#pragma once
// The problem: a process must reach its own timers, calls and monitors, and only its own; and what it started must end
// with it. The context is an incarnation's handle on the runtime: given to init and to handlers, and safe to keep as a
// member, because it is this incarnation's and nobody else's.
//
// Thread safety: to be used from this process's own handlers, init and terminate; from anywhere else its members do
// nothing (calls end with closed). After the incarnation's end, and in a handler that was fenced off, everything is a
// no-op. The idea: gen_server's self(), with timers, monitors and calls that cannot outlive their owner.

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <optional>
#include <string>
#include <string_view>

#include <herald/engine/pending.hpp>
#include <herald/exit_reason.hpp>
#include <herald/notices.hpp>
#include <herald/ref.hpp>
#include <herald/time_limit.hpp>
#include <herald/timers.hpp>

namespace herald {

namespace engine {
template <class P, class M>
class awaited_call;
template <class P, class M>
class awaited_call_at;
template <class F>
class awaited_offload;
class awaited_sleep;
}  // namespace engine

class context {
 public:
  context(const context&) = delete;
  context& operator=(const context&) = delete;

  /// This process's address; as<P>() when its type is wanted.
  [[nodiscard]] any_ref self() const noexcept;
  template <class P>
  [[nodiscard]] ref<P> as() const noexcept {
    return ref<P>{self().where()};
  }
  [[nodiscard]] incarnation_ref life() const noexcept { return {self(), incarnation_}; }
  [[nodiscard]] std::uint32_t incarnation() const noexcept { return incarnation_; }
  /// Its place in the tree, for example "alerts/mail"; the root's children have no prefix.
  [[nodiscard]] std::string path() const;
  /// The process at this path of the same application, empty when there is none or it is of another type.
  template <class P>
  [[nodiscard]] ref<P> find(std::string_view path) const {
    return ref<P>{find_cell(path, &engine::ops_of<P>)};
  }

  /// Ends this process after the handler in hand: terminate, destructor, then its supervisor decides.
  void stop(exit_reason why = exit_reason::normal);
  /// In init only: this process is not wanted now. The start is no error and no crash.
  [[noreturn]] void ignore();
  /// In init only: the start fails with this text, without a crash report.
  [[noreturn]] void fail(std::string why);

  /// Asks another process; `then` gets a result<M::reply> later, as a handler of this incarnation of its own. The limit is
  /// a duration or a point in time.
  template <class P, class M, class F>
    requires(engine::accepts<P, M> && engine::is_call<M>)
  void call(const ref<P>& callee, M message, time_limit limit, F then) {
    using continuation = engine::call_continuation<typename M::reply, F>;
    auto* pending = new continuation{std::move(then)};
    if (!begin(pending, limit)) return;
    const engine::reply_to back{self().where(), incarnation_, pending->id, nullptr};
    if (const auto why = refuse(callee.where(), limit)) return fail_call(pending->id, *why);
    engine::send(engine::make_node<engine::call_node<P, M>>(callee.where(), std::move(message), back));
  }

  /// Runs a function that blocks on the application's pool of plain threads; `then` gets its result<T> as a call's
  /// continuation does. Include <herald/offload.hpp>.
  template <class F, class Then>
  void offload(F fn, time_limit limit, Then then);
  /// The same for co_await: a result<T>. Include <herald/coroutine.hpp>.
  template <class F>
  [[nodiscard]] engine::awaited_offload<F> offload(F fn, time_limit limit = default_call_limit);
  /// Asked to stop as soon as this process is, also while its handler runs, and at this incarnation's end: for long
  /// handlers of own_thread processes, and for what they hand on. Callbacks registered with it run on the thread that
  /// orders the stop: they must be short and must not throw.
  [[nodiscard]] std::stop_token stop_token() const;
  /// The same for a handler that returns a coroutine: `co_await self.call(...)` gives the result (coroutine.hpp).
  template <class P, class M>
    requires(engine::accepts<P, M> && engine::is_call<M>)
  [[nodiscard]] auto call(const ref<P>& callee, M message, time_limit limit = default_call_limit) {
    return engine::awaited_call<P, M>{*this, callee, std::move(message), limit};
  }
  /// Both for the process at `path` of this application, which must be a P: `self.call<cache>("market/cache", ...)`. noproc
  /// when there is none, and says the path.
  template <class P, class M, class F>
    requires(engine::accepts<P, M> && engine::is_call<M>)
  void call(std::string_view path, M message, time_limit limit, F then) {
    if (const auto callee = find<P>(path)) return call(callee, std::move(message), limit, std::move(then));
    auto* pending = new engine::call_continuation<typename M::reply, F>{std::move(then)};
    if (begin(pending, limit)) fail_call(pending->id, engine::nobody_at(path, engine::ops_of<P>));
  }
  template <class P, class M>
    requires(engine::accepts<P, M> && engine::is_call<M>)
  [[nodiscard]] auto call(std::string_view path, M message, time_limit limit = default_call_limit) {
    return engine::awaited_call_at<P, M>{*this, find<P>(path), std::move(message), limit, path};
  }
  /// `co_await self.sleep(d)`: the handler goes on after `time` (0 up); its mailbox waits, control passes.
  [[nodiscard]] engine::awaited_sleep sleep(std::chrono::nanoseconds time);

  /// This process handles `message`, which must be one that it accepts, before any other message; from init: as the first
  /// of this life, after the start was acknowledged. gen_server's handle_continue.
  template <class M>
  void continue_with(M message) {
    go_on(engine::tag_of<M>, engine::make_node<engine::continued_node<M>>(self().where(), std::move(message)));
  }

  /// Sends `message` to this process after `delay` (0 up). It must be one that the process accepts.
  template <class M>
  timer_id send_after(std::chrono::nanoseconds delay, M message, timer_options options = {}) {
    return arm_timer(now() + check_delay(delay), {}, {}, engine::tag_of<M>, sender_of(std::move(message)), std::move(options));
  }
  /// The same at a time; one that has passed means at once.
  template <class M>
  timer_id send_at(std::chrono::steady_clock::time_point when, M message, timer_options options = {}) {
    return arm_timer(when, {}, {}, engine::tag_of<M>, sender_of(std::move(message)), std::move(options));
  }
  template <class M>
  timer_id send_at(std::chrono::system_clock::time_point when, M message, timer_options options = {}) {
    return arm_timer({}, {}, when, engine::tag_of<M>, sender_of(std::move(message)), std::move(options));
  }
  /// Sends `message` every `period` (above 0), first after one period. What is late is not made up for (see pace_t).
  template <class M>
  timer_id send_every(std::chrono::nanoseconds period, M message, timer_options options = {}) {
    return arm_timer(now() + period, check_period(period), {}, engine::tag_of<M>, sender_of(std::move(message)),
                     std::move(options));
  }
  /// True: it will not fire any more, and what it had sent and was not handled yet is gone too.
  bool cancel(timer_id which);
  bool cancel(std::string_view name);
  void cancel_all_timers();
  /// Time until it fires next, 0 when its message is under way; nothing when there is no such timer.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> read_timer(timer_id which) const;
  [[nodiscard]] std::optional<std::chrono::nanoseconds> read_timer(std::string_view name) const;

  /// From now on, whenever no message has come for `quiet` (above 0): on(const timeout&). Counted from the moment the
  /// mailbox ran empty; timers and replies are messages, an inspection from outside is none.
  void receive_timeout(std::chrono::nanoseconds quiet);
  /// Only the next time, and not at all when a message comes before.
  void receive_timeout_once(std::chrono::nanoseconds quiet);
  void receive_timeout_at(std::chrono::steady_clock::time_point when);
  /// Calls off whichever of these was set last.
  void no_receive_timeout();

  /// Puts the message in hand away, to be handled again after unstash_all; what the handler returns does not count. False:
  /// the stash is full (mailbox_t::stash); the message becomes a dead letter, a call answers overload. When the process
  /// crashes, what is put away goes back to the front of its mailbox and on_restart decides, as about the rest.
  bool stash();
  /// Brings back what was put away, in order and before everything that waits, as soon as this handler returns.
  void unstash_all();

  /// What this process is, in words, shown behind its path. Stays over restarts until it is set again.
  void set_label(std::string text);

  /// Watches a process over its restarts: `restarted` messages, and one `down` when it is gone for good.
  /// A process that is gone already gives `down` with noproc at once.
  monitor_id monitor(const any_ref& who) { return watch(who.where(), 0, nullptr); }
  /// Watches one life: one `down` at its end.
  monitor_id monitor(const incarnation_ref& who) { return watch(who.who().where(), who.incarnation(), nullptr); }
  /// The same, told to a function instead of to on(const down&).
  monitor_id monitor(const any_ref& who, std::function<void(const down&)> then) {
    return watch(who.where(), 0, std::move(then));
  }
  monitor_id monitor(const incarnation_ref& who, std::function<void(const down&)> then) {
    return watch(who.who().where(), who.incarnation(), std::move(then));
  }
  /// No notice of this monitor comes after it.
  void demonitor(monitor_id which);

  /// Who sent the message in hand; empty for plain threads, timers and notices.
  [[nodiscard]] any_ref sender() const noexcept;
  [[nodiscard]] std::chrono::steady_clock::time_point now() const noexcept;
  [[nodiscard]] std::chrono::system_clock::time_point wall() const noexcept;
  /// 64 random bits, from the application's entropy (seeded in a simulation).
  [[nodiscard]] std::uint64_t random() const noexcept;

  /// For higher floors: the cell and host behind this context.
  [[nodiscard]] engine::cell& cell() const noexcept { return *cell_; }

 private:
  friend class engine::host;
  template <class P, class M>
  friend class engine::awaited_call;
  context(engine::cell& c, std::uint32_t incarnation) noexcept : cell_{&c}, incarnation_{incarnation} {}

  [[nodiscard]] engine::address find_cell(std::string_view path, const engine::process_ops* type) const;
  void go_on(const engine::type_tag& type, engine::envelope* first);
  [[nodiscard]] bool begin(engine::pending_call* record, const time_limit& limit);
  [[nodiscard]] std::optional<error> refuse(engine::address callee, const time_limit& limit) const;
  void fail_call(std::uint64_t id, error why);
  monitor_id watch(engine::address who, std::uint32_t incarnation, std::function<void(const down&)> then);

  using make_message = std::function<engine::envelope*(engine::address, std::uint64_t timer)>;
  timer_id arm_timer(std::chrono::steady_clock::time_point when, std::chrono::nanoseconds period,
                     std::chrono::system_clock::time_point wall, const engine::type_tag& type, make_message make,
                     timer_options options);
  std::chrono::nanoseconds check_delay(std::chrono::nanoseconds delay) const;    ///< throws below 0
  std::chrono::nanoseconds check_period(std::chrono::nanoseconds period) const;  ///< throws at 0, too
  template <class M>
  static make_message sender_of(M message) {
    return [m = std::make_shared<const M>(std::move(message))](engine::address to, std::uint64_t timer) {
      return static_cast<engine::envelope*>(engine::make_node<engine::timer_node<M>>(to, timer, m));
    };
  }
  void quiet_timeout(std::chrono::nanoseconds quiet, std::chrono::steady_clock::time_point when, bool once);

  engine::cell* cell_;
  std::uint32_t incarnation_;
};
static_assert(sizeof(context) == 16, "the slab keeps 16 bytes before each state");

}  // namespace herald
