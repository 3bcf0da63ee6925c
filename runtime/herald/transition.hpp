#pragma once
// What a handler of a state machine (state_machine.hpp) answers: where to go from here, and what to do on the way. Made by
// the machine's keep(), next(), repeat(), stop() and postpone(), and built up by the functions here, each of which returns
// it again: `return next(open{}).state_timeout(10s).then(greet{});`
//
// Thread safety and lifetime: values, for the handler's return. The idea: gen_statem's transitions and actions.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <herald/context.hpp>

namespace herald {

/// The state has lasted for as long as its state_timeout said.
struct state_timeout {};
/// No message has come for as long as event_timeout said.
struct event_timeout {};

namespace engine {

enum class machine_step : std::uint8_t { keep, next, repeat, stop };

/// Timers of a machine; a user's names cannot begin so.
inline constexpr char state_timer[] = "\1state";
inline constexpr char event_timer[] = "\1event";

/// The functions that set and cancel timeouts, for what a handler answers and for what `enter` does.
template <class Machine, class Self>
class machine_actions {
 public:
  /// Sends `message` when the state has lasted so long; a change of state cancels it, a new one replaces it.
  template <class M = herald::state_timeout, class When>
  [[nodiscard]] Self state_timeout(When when, M message = {}) {
    return arm<M>(state_timer, when, std::move(message));
  }
  /// Sends `message` when nothing comes for so long: any message cancels it, internal ones and timeouts too.
  template <class M = herald::event_timeout, class When>
  [[nodiscard]] Self event_timeout(When when, M message = {}) {
    return arm<M>(event_timer, when, std::move(message));
  }
  /// Sends `message` after that, whatever happens meanwhile. Setting the same name again replaces it. The machine may also
  /// use its context's named timers: they are the same.
  template <class M, class When>
  [[nodiscard]] Self timeout(std::string name, When when, M message) {
    return arm<M>(std::move(name), when, std::move(message));
  }
  [[nodiscard]] Self cancel_state_timeout() { return cancel_timeout(state_timer); }
  [[nodiscard]] Self cancel_timeout(std::string name) {
    return add([name = std::move(name)](context& self, Machine&) { self.cancel(name); });
  }

 protected:
  friend Machine;
  using action = std::function<void(context& self, Machine& machine)>;
  Self add(action what) {
    actions_.push_back(std::move(what));
    return std::move(static_cast<Self&>(*this));
  }
  void run(context& self, Machine& machine) {
    for (auto& a : actions_) a(self, machine);
  }

 private:
  template <class M, class When>
  Self arm(std::string name, When when, M message) {
    static_assert(Machine::template accepts_message<M>, "herald: a timeout's message must be one that the machine accepts");
    return add([name = std::move(name), when, message = std::make_shared<const M>(std::move(message))](
                   context& self, Machine& machine) {
      machine.note_timer(name);
      if constexpr (requires { when.time_since_epoch(); }) {
        self.send_at(when, M(*message), {.name = name});
      } else {
        self.send_after(when, M(*message), {.name = name});
      }
    });
  }
  std::vector<action> actions_;
};

}  // namespace engine

/// What `enter` may answer: timeouts to set.
template <class Machine>
class machine_entry : public engine::machine_actions<Machine, machine_entry<Machine>> {};

template <class Machine, class R>
class machine_answer;

template <class Machine>
class [[nodiscard]] machine_transition : public engine::machine_actions<Machine, machine_transition<Machine>> {
 public:
  /// Puts the message in hand away until the state changes; then it comes again, before everything that waits.
  [[nodiscard]] machine_transition postpone() {
    postponed_ = true;
    return std::move(*this);
  }
  /// An internal message: handled next, before everything that waits. Several are handled in the order given.
  template <class M>
  [[nodiscard]] machine_transition then(M message) {
    static_assert(Machine::template accepts_message<M>, "herald: an internal message must be one that the machine accepts");
    auto shared = std::make_shared<M>(std::move(message));
    events_.push_back([shared](context& self, Machine& machine) { machine.raise(self, std::move(*shared)); });
    return std::move(*this);
  }
  /// Answers the call in hand.
  template <class U>
  [[nodiscard]] machine_answer<Machine, std::decay_t<U>> reply(U&& value) {
    return {std::move(*this), std::forward<U>(value)};
  }

 private:
  friend Machine;
  template <class, class>
  friend class machine_answer;
  explicit machine_transition(engine::machine_step step) : step_{step} {}
  machine_transition(engine::machine_step step, exit_reason why) : step_{step}, why_{std::move(why)} {}
  engine::machine_step step_;
  bool postponed_ = false;
  exit_reason why_;
  std::vector<std::function<void(context&, Machine&)>> events_;
};

/// What a call's handler answers: a transition and the reply; a transition alone only when that postpones the call, or stops.
template <class Machine, class R>
class [[nodiscard]] machine_answer {
 public:
  machine_answer(machine_transition<Machine> t) : transition_{std::move(t)} {}  // NOLINT: a transition without a reply
  template <class U = R>
    requires(std::is_convertible_v<U &&, R> && !std::is_same_v<std::decay_t<U>, machine_transition<Machine>>)
  machine_answer(U&& value)  // NOLINT: a reply, in the same state
      : transition_{engine::machine_step::keep}, value_{std::forward<U>(value)} {}
  machine_answer(machine_transition<Machine> t, R value) : transition_{std::move(t)}, value_{std::move(value)} {}
  template <class U>
    requires(std::is_convertible_v<U, R> && !std::is_same_v<U, R>)
  machine_answer(machine_answer<Machine, U> other) : transition_{std::move(other.transition_)} {  // NOLINT
    if (other.value_) value_.emplace(std::move(*other.value_));
  }

 private:
  friend Machine;
  template <class, class>
  friend class machine_answer;
  machine_transition<Machine> transition_;
  std::optional<R> value_;
};

}  // namespace herald
