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
#include <string>
#include <string_view>

#include <herald/engine/pending.hpp>
#include <herald/exit_reason.hpp>
#include <herald/ref.hpp>

namespace herald {

/// Names a timer of one incarnation. Never reused.
struct timer_id {
  std::uint64_t number = 0;
  friend bool operator==(const timer_id&, const timer_id&) = default;
};

/// Names a monitor of one incarnation. Never reused.
struct monitor_id {
  std::uint64_t number = 0;
  friend bool operator==(const monitor_id&, const monitor_id&) = default;
};

/// A monitored process, or the monitored life of it, is over. Comes after every message it sent.
struct down {
  monitor_id monitor;
  any_ref who;
  exit_reason reason;
};

/// A monitored process crashed and has come back as a new incarnation. Only monitors on a ref hear this.
struct restarted {
  monitor_id monitor;
  any_ref who;
  std::uint32_t incarnation = 0;
};

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

  /// Asks another process; `then` gets a result<M::reply> later, as a handler of this incarnation of its own.
  template <class P, class M, class F>
    requires(engine::accepts<P, M> && engine::is_call<M>)
  void call(const ref<P>& callee, M message, std::chrono::milliseconds limit, F then) {
    using continuation = engine::call_continuation<typename M::reply, F>;
    auto* pending = new continuation{std::move(then)};
    if (!begin(pending, limit)) return;
    const engine::reply_to back{self().where(), incarnation_, pending->id, nullptr};
    if (const auto why = refuse(callee.where())) return fail_call(pending->id, *why);
    engine::send(engine::make_node<engine::call_node<P, M>>(callee.where(), std::move(message), back));
  }

  /// Runs a function that blocks on the application's pool of plain threads; `then` gets its result<T> as a call's
  /// continuation does. Include <herald/offload.hpp>.
  template <class F, class Then>
  void offload(F fn, std::chrono::milliseconds limit, Then then);
  /// Asked to stop as soon as this process is, also while its handler runs, and at this incarnation's end: for long
  /// handlers of own_thread processes, and for what they hand on. Callbacks registered with it run on the thread that
  /// orders the stop: they must be short and must not throw.
  [[nodiscard]] std::stop_token stop_token() const;

  /// Sends `message` to this process after `delay` (0 up). It must be one that the process accepts.
  template <class M>
  timer_id send_after(std::chrono::nanoseconds delay, M message) {
    return arm<M>(delay, std::chrono::nanoseconds{0}, std::move(message));
  }
  /// Sends a copy of `message` every `period` (above 0), first after one period. A late one is not made up for.
  template <class M>
  timer_id send_every(std::chrono::nanoseconds period, M message) {
    return arm<M>(period, period, std::move(message));
  }
  /// True: it will not fire any more, and what it had sent and was not handled yet is gone too.
  bool cancel(timer_id which);

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
  context(engine::cell& c, std::uint32_t incarnation) noexcept : cell_{&c}, incarnation_{incarnation} {}

  [[nodiscard]] engine::address find_cell(std::string_view path, const engine::process_ops* type) const;
  [[nodiscard]] bool begin(engine::pending_call* record, std::chrono::milliseconds limit);
  [[nodiscard]] std::optional<error> refuse(engine::address callee) const;
  void fail_call(std::uint64_t id, error why);
  monitor_id watch(engine::address who, std::uint32_t incarnation, std::function<void(const down&)> then);

  using make_message = std::function<engine::envelope*(engine::address, std::uint64_t timer)>;
  timer_id arm_timer(std::chrono::nanoseconds delay, std::chrono::nanoseconds period, const engine::type_tag& type,
                     make_message make);
  template <class M>
  timer_id arm(std::chrono::nanoseconds delay, std::chrono::nanoseconds period, M message) {
    return arm_timer(delay, period, engine::tag_of<M>,
                     [m = std::make_shared<const M>(std::move(message))](engine::address to, std::uint64_t timer) {
                       return static_cast<engine::envelope*>(engine::make_node<engine::timer_node<M>>(to, timer, m));
                     });
  }

  engine::cell* cell_;
  std::uint32_t incarnation_;
};
static_assert(sizeof(context) == 16, "the slab keeps 16 bytes before each state");

}  // namespace herald
