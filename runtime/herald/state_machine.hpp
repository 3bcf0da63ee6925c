#pragma once
// The problem: a process whose answer to a message depends on what happened before drowns in flags: every handler asks
// which of them are set, and a new one has to be thought of everywhere. A state machine names its states, gives each the
// data that only it has, and says for each state what it does with each message. What it does not say, the compiler asks.
//
//   struct locked { int wrong = 0; };
//   struct open {};
//
//   struct door : herald::state_machine<door, herald::states<locked, open>, code, push, is_open> {
//     explicit door(args a) : state_machine{locked{}}, secret_{a.secret} {}                  // the initial state
//     transition on(locked& s, const code& c) {
//       if (c.digits == secret_) return next(open{}).state_timeout(10s);
//       return ++s.wrong < 3 ? keep() : stop(herald::exit_reason{herald::exit_reason::custom, "three wrong codes"});
//     }
//     transition on(const open&, const herald::state_timeout&) { return next(locked{}); }
//     bool on(const locked&, const is_open&) { return false; }                               // a call: keep, and reply
//     answer<bool> on(const open&, const is_open&) { return next(locked{}).reply(true); }
//     void enter(const open&) { light_.on(); }                                               // optional, as is leave
//     using ignores = herald::rules<herald::in<locked, push>>;                               // said, so it is no mistake
//     using postpones = herald::rules<herald::in<open, code>>;                               // comes again in the next state
//   };
//
// Handlers: on(S&, const M&) for a state, on(const M&) for all that have none of their own, both with a context& in front
// where wanted. They return a transition; nothing (keep); a call's a reply (keep, and reply) or an answer<R>. One that takes
// a reply_to<R> besides, on(S&, const M&, reply_to<R>), answers later, from any state and from anywhere (reply_to.hpp), and
// returns a transition or nothing; it cannot postpone the call it has taken.
// `postpones`, `ignores`, `refuses` (a call gets errc::refused) name pairs without a handler; in_any<M...> means all states.
//
// The order of things after a handler, which is gen_statem's: the message is put away if it postponed; leave(old);
// the state changes, its state timeout is off, and what was put away stands in front again; timeouts are set; enter(new),
// or enter(new, const Old&) where that exists; internal messages (then) stand in front of everything. A timeout of 0 comes
// behind what waits already. It is a change when the state's type changes, or its value where that can be compared:
// next() to an equal state is keep(). repeat() leaves and enters again without being a change.
//
// It is a process like any other: supervised, found, called, monitored. Thread safety, lifetime, errors: as process.hpp.
// The stash bounds what is postponed (mailbox_t::stash). The idea: Erlang/OTP's gen_statem, with a compiler.

#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

#include <herald/engine/machine.hpp>
#include <herald/transition.hpp>

namespace herald {

template <class... S>
struct states {};

template <class Self, class States, class... Messages>
class state_machine;

template <class Self, class... S, class... Messages>
class state_machine<Self, states<S...>, Messages...> {
 public:
  /// What may be sent to it. The timeouts are for its own.
  using accepts = engine::type_list<Messages..., state_timeout, event_timeout>;
  using machine_states = states<S...>;
  template <class M>
  static constexpr bool accepts_message = engine::in_list<M, accepts>;

  using transition = machine_transition<state_machine>;
  /// enter may return it: set().state_timeout(10s).
  using entry = machine_entry<state_machine>;
  template <class R>
  using answer = machine_answer<state_machine, R>;

  /// It is in state T now.
  template <class T>
  [[nodiscard]] bool is() const noexcept {
    return std::holds_alternative<T>(state_);
  }
  /// The state's data, null in another.
  template <class T>
  [[nodiscard]] const T* state() const noexcept {
    return std::get_if<T>(&state_);
  }
  [[nodiscard]] std::string_view state_name() const noexcept {
    static constexpr std::string_view names[]{engine::type_name<S>()...};
    return names[state_.index()];
  }

  /// Handles `message` next, before everything that waits: what a call's continuation uses to come back into the machine.
  template <class M>
  void raise(context& self, M message) {
    static_assert(accepts_message<M>, "herald: an internal message must be one that the machine accepts");
    engine::send_first(self.cell(), self.incarnation(),
                       engine::make_node<engine::any_node<M, engine::envelope_kind::notice>>(self.self().where(),
                                                                                          std::move(message)));
  }

  // For the engine. `owe` makes the reply_to of the call in hand; without it nobody waits for one.
  template <class M, class... Owe>
  auto take_message(context& self, const M& message, Owe&&... owe) {
    return take(self, message, owe...);
  }
  template <class M>
  static constexpr bool answers_later() {
    return (engine::machine_pair_later<Self, S, M> || ...);
  }
  void begin_machine(context& self) {
    if (first_) apply(self, *first_, [] {});
    first_.reset();
    enter_state(self, nullptr);
  }
  void note_timer(std::string_view name) noexcept {
    if (name == engine::state_timer) state_timed_ = true;
    if (name == engine::event_timer) event_timed_ = true;
  }

 protected:
  explicit state_machine(std::variant<S...> initial) : state_{std::move(initial)} {
    static_assert((std::is_nothrow_move_constructible_v<S> && ...) && (std::is_nothrow_move_assignable_v<S> && ...),
                  "herald: a state must move without exceptions: a change of state must not fail halfway");
    static_assert((all_messages<S>() && ...));
  }
  ~state_machine() = default;
  state_machine(const state_machine&) = delete;
  state_machine& operator=(const state_machine&) = delete;

  [[nodiscard]] transition keep() const { return transition{engine::machine_step::keep}; }
  template <class T>
    requires(std::same_as<T, S> || ...)
  [[nodiscard]] transition next(T state) {
    next_.emplace(std::move(state));
    return transition{engine::machine_step::next};
  }
  [[nodiscard]] transition repeat() const { return transition{engine::machine_step::repeat}; }
  [[nodiscard]] transition stop() const { return transition{engine::machine_step::stop}; }
  [[nodiscard]] transition stop(exit_reason why) const {
    return transition{engine::machine_step::stop, std::move(why)};
  }
  [[nodiscard]] transition postpone() const { return keep().postpone(); }
  [[nodiscard]] entry set() const { return {}; }
  /// In the constructor: timeouts and internal messages to begin with, for example start_with(keep().then(connect{})).
  void start_with(transition t) { first_ = std::move(t); }

 private:
  using state_type = std::variant<S...>;

  template <class T>
  static constexpr bool all_messages() {
    return (engine::machine_pair<Self, T, Messages>::checked && ...);
  }
  [[nodiscard]] Self& self_of() noexcept { return static_cast<Self&>(*this); }

  /// A cast: void. A call: std::optional<result<R>>, empty when there is no answer now.
  template <class M, class... Owe>
  auto take(context& self, const M& message, Owe&... owe) {
    if (std::exchange(event_timed_, false)) self.cancel(engine::event_timer);
    return std::visit([&](auto& state) { return in_state(self, state, message, owe...); }, state_);
  }

  template <class T, class M, class... Owe>
  auto in_state(context& self, T& state, const M& message, Owe&... owe) {
    const auto put_away = [&] {
      if constexpr (std::is_copy_constructible_v<M> && !engine::is_call<M>) {
        if (!engine::in_hand_stashable(self.cell()))
          return engine::stash_copy(self.cell(), self.incarnation(),
                                    engine::make_node<engine::any_node<M, engine::envelope_kind::notice>>(
                                        self.self().where(), M(message)));
      }
      static_cast<void>(self.stash());
    };
    constexpr bool handled = engine::on_in_state<Self, T, M> ||
                             (engine::on_anywhere<Self, M> && engine::machine_pair_declared<Self, T, M> == 0);
    if constexpr (engine::is_call<M>) {
      using R = typename M::reply;
      std::optional<result<R>> reply;
      if constexpr (handled && engine::machine_pair_later<Self, T, M>) {
        auto t = transition_of(self, state, message, reply_to<R>(owe()...));
        if (t.postponed_)
          throw std::logic_error{"a state machine postponed a call of type " + std::string{engine::type_name<M>()} +
                                 " after it had taken its reply_to; wanted: postponed by a rule, or in another state"};
        apply(self, t, put_away);
      } else if constexpr (handled) {
        using returned = decltype(engine::call_on<Self, T, M>(self_of(), self, state, message));
        static_assert(std::is_same_v<returned, R> || std::is_same_v<returned, answer<R>> ||
                          (std::is_void_v<R> && std::is_same_v<returned, transition>),
                      "herald: a state machine's on(S&, const M&) of a call returns M::reply or answer<M::reply>");
        if constexpr (std::is_void_v<R>) {
          auto t = transition_of(self, state, message);
          if (!t.postponed_) reply.emplace();
          apply(self, t, put_away);
        } else if constexpr (std::is_same_v<returned, R>) {
          reply.emplace(engine::call_on<Self, T, M>(self_of(), self, state, message));
        } else {
          auto a = engine::call_on<Self, T, M>(self_of(), self, state, message);
          if (a.value_) {
            reply.emplace(std::move(*a.value_));
          } else if (!a.transition_.postponed_ && a.transition_.step_ != engine::machine_step::stop) {
            throw std::logic_error{"a state machine neither answered nor postponed a call of type " +
                                   std::string{engine::type_name<M>()} + " in state " + std::string{state_name()}};
          }
          apply(self, a.transition_, put_away);
        }
      } else if constexpr (engine::postpones<Self, T, M>) {
        put_away();
      } else {
        reply.emplace(error{errc::refused, "a process of type " + std::string{engine::type_name<Self>()} + " in state " +
                                               std::string{state_name()} + " does not take calls of type " +
                                               std::string{engine::type_name<M>()}});
      }
      return reply;
    } else if constexpr (handled) {
      auto t = transition_of(self, state, message);
      apply(self, t, put_away);
    } else if constexpr (engine::postpones<Self, T, M>) {
      put_away();
    } else if constexpr (!engine::ignores<Self, T, M>) {
      throw std::logic_error{"the " + std::string{engine::type_name<M>()} + " of a state machine came in state " +
                             std::string{state_name()} + ", which has no handler for it"};
    }
  }

  template <class T, class M, class... To>
  transition transition_of(context& self, T& state, const M& message, To... to) {
    using returned = decltype(engine::call_on<Self, T, M>(self_of(), self, state, message, std::move(to)...));
    static_assert(std::is_void_v<returned> || std::is_same_v<returned, transition>,
                  "herald: a state machine's on(S&, const M&) returns a transition or nothing");
    if constexpr (std::is_void_v<returned>) {
      engine::call_on<Self, T, M>(self_of(), self, state, message, std::move(to)...);
      return keep();
    } else {
      return engine::call_on<Self, T, M>(self_of(), self, state, message, std::move(to)...);
    }
  }

  template <class PutAway>
  void apply(context& self, transition& t, PutAway put_away) {
    if (t.step_ == engine::machine_step::stop) return self.stop(std::move(t.why_));
    if (t.postponed_) put_away();
    const bool changes = t.step_ == engine::machine_step::next && differs();
    const bool enters = changes || t.step_ == engine::machine_step::repeat;
    std::optional<state_type> old;
    if (enters) leave_state(self);
    if (changes) {
      old.emplace(std::exchange(state_, std::move(*next_)));
      if (std::exchange(state_timed_, false)) self.cancel(engine::state_timer);
      self.unstash_all();
    }
    next_.reset();
    t.run(self, *this);
    if (enters) enter_state(self, old ? &*old : nullptr);
    for (auto& e : t.events_) e(self, *this);
  }

  [[nodiscard]] bool differs() const {
    if (state_.index() != next_->index()) return true;
    return !std::visit(
        [this]<class T>(const T& now) { return engine::same_state(now, *std::get_if<T>(&*next_)); }, state_);
  }
  void leave_state(context& self) {
    std::visit([&]<class T>(T& now) {
      if constexpr (engine::leaves<Self, T>) engine::call_leave(self_of(), self, now);
    }, state_);
  }
  /// `old` is null for the initial state and for repeat.
  void enter_state(context& self, const state_type* old) {
    std::visit([&]<class T>(T& now) {
      if (old != nullptr && std::visit([&]<class O>(const O& before) { return enter_from(self, now, before); }, *old)) return;
      if constexpr (engine::enters<Self, T>) run_enter(self, now);
    }, state_);
  }
  template <class T, class O>
  bool enter_from(context& self, T& now, const O& before) {
    if constexpr (engine::enters_from<Self, T, O>) run_enter(self, now, before);
    return engine::enters_from<Self, T, O>;
  }
  template <class T, class... O>
  void run_enter(context& self, T& now, const O&... before) {
    if constexpr (std::is_void_v<decltype(engine::call_enter(self_of(), self, now, before...))>) {
      engine::call_enter(self_of(), self, now, before...);
    } else {
      entry done = engine::call_enter(self_of(), self, now, before...);
      done.run(self, *this);
    }
  }

  state_type state_;
  std::optional<state_type> next_;
  std::optional<transition> first_;
  bool state_timed_ = false;
  bool event_timed_ = false;
};

}  // namespace herald
