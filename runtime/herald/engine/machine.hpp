#pragma once
// How a state machine (state_machine.hpp) finds what to do with a message in a state, at compile time: its handler for the
// pair, a rule that it declares, or its handler for every state.

#include <concepts>
#include <type_traits>
#include <variant>

#include <herald/engine/process_ops.hpp>

namespace herald {

/// For a machine's `ignores`, `postpones` and `refuses`: these messages in state S, or in every state.
template <class S, class... Messages>
struct in {};
template <class... Messages>
struct in_any {};
template <class... Rules>
struct rules {};

}  // namespace herald

namespace herald::engine {

/// Binds to S& and const S&, and to no other state.
template <class S>
struct exactly_state {
  template <class U>
    requires std::same_as<std::remove_const_t<U>, S>
  operator U&() const;  // NOLINT: as exactly<M>; never defined
};

template <class P, class S, class M>
concept on_with_context = requires(P& p, context& self, exactly_state<S> s, exactly<M> m) { p.on(self, s, m); };
template <class P, class S, class M>
concept on_plain = requires(P& p, exactly_state<S> s, exactly<M> m) { p.on(s, m); };
// The same with a reply_to: a call that is answered later.
template <class P, class S, class M>
concept later_with_context = is_call<M> && requires(P& p, context& self, exactly_state<S> s, exactly<M> m,
                                                    exactly_one<herald::reply_to<typename M::reply>> to) { p.on(self, s, m, to); };
template <class P, class S, class M>
concept later_plain = is_call<M> && requires(P& p, exactly_state<S> s, exactly<M> m,
                                             exactly_one<herald::reply_to<typename M::reply>> to) { p.on(s, m, to); };
template <class P, class S, class M>
concept later_in_state = later_with_context<P, S, M> || later_plain<P, S, M>;

template <class P, class S, class M>
concept on_in_state = on_with_context<P, S, M> || on_plain<P, S, M> || later_in_state<P, S, M>;
template <class P, class M>
concept on_anywhere = handles_with_context<P, M> || handles_plain<P, M> || answers_later<P, M>;
/// What the machine calls for the pair takes a reply_to.
template <class P, class S, class M>
concept machine_pair_later = later_in_state<P, S, M> || (!on_in_state<P, S, M> && answers_later<P, M>);

template <class Rule, class S, class M>
inline constexpr bool rule_covers = false;
template <class S, class M, class... Ms>
inline constexpr bool rule_covers<in<S, Ms...>, S, M> = (std::same_as<M, Ms> || ...);
template <class S, class M, class... Ms>
inline constexpr bool rule_covers<in_any<Ms...>, S, M> = (std::same_as<M, Ms> || ...);
template <class S, class M, class... Rules>
inline constexpr bool rule_covers<rules<Rules...>, S, M> = (rule_covers<Rules, S, M> || ...);

template <class P, class S, class M>
concept ignores = requires { typename P::ignores; } && rule_covers<typename P::ignores, S, M>;
template <class P, class S, class M>
concept postpones = requires { typename P::postpones; } && rule_covers<typename P::postpones, S, M>;
template <class P, class S, class M>
concept refuses = requires { typename P::refuses; } && rule_covers<typename P::refuses, S, M>;

template <class P, class S, class M>
inline constexpr int machine_pair_declared = int{ignores<P, S, M>} + int{postpones<P, S, M>} + int{refuses<P, S, M>};

/// One pair of the table that the compiler checks. What it complains about names P, S and M.
template <class P, class S, class M>
struct machine_pair {
  static constexpr int declared = machine_pair_declared<P, S, M>;
  static_assert(on_in_state<P, S, M> || on_anywhere<P, M> || declared != 0,
                "herald: this state machine says nothing about message M in state S: give it on(S&, const M&) or "
                "on(const M&), or name the pair in `ignores`, `postpones` or (for calls) `refuses`");
  static_assert(declared <= 1 && !(on_in_state<P, S, M> && declared != 0),
                "herald: this state machine says two things about message M in state S");
  static_assert(!(is_call<M> && ignores<P, S, M>), "herald: an ignored call would never be answered: refuse it");
  static_assert(is_call<M> || !refuses<P, S, M>, "herald: only a call can be refused: ignore the message");
  static constexpr bool checked = true;
};

/// `to` is there for handlers that answer later, and only for them.
template <class P, class S, class M, class... To>
decltype(auto) call_on(P& p, context& self, S& s, const M& m, To&&... to) {
  if constexpr (later_with_context<P, S, M>) {
    return p.on(self, s, m, std::forward<To>(to)...);
  } else if constexpr (later_plain<P, S, M>) {
    return p.on(s, m, std::forward<To>(to)...);
  } else if constexpr (on_with_context<P, S, M>) {
    return p.on(self, s, m);
  } else if constexpr (on_plain<P, S, M>) {
    return p.on(s, m);
  } else if constexpr (answers_later_with_context<P, M>) {
    return p.on(self, m, std::forward<To>(to)...);
  } else if constexpr (answers_later_plain<P, M>) {
    return p.on(m, std::forward<To>(to)...);
  } else if constexpr (handles_with_context<P, M>) {
    return p.on(self, m);
  } else {
    return p.on(m);
  }
}

// enter(S&) or enter(S&, const Old&), leave(S&); each with the context in front or without.
template <class P, class S, class Old>
concept enters_from = requires(P& p, context& self, exactly_state<S> s, exactly_state<Old> o) { p.enter(self, s, o); } ||
                      requires(P& p, exactly_state<S> s, exactly_state<Old> o) { p.enter(s, o); };
template <class P, class S>
concept enters = requires(P& p, context& self, exactly_state<S> s) { p.enter(self, s); } ||
                 requires(P& p, exactly_state<S> s) { p.enter(s); };
template <class P, class S>
concept leaves = requires(P& p, context& self, exactly_state<S> s) { p.leave(self, s); } ||
                 requires(P& p, exactly_state<S> s) { p.leave(s); };

template <class P, class S, class... Old>
decltype(auto) call_enter(P& p, context& self, S& s, const Old&... old) {
  if constexpr (requires { p.enter(self, s, old...); }) {
    return p.enter(self, s, old...);
  } else {
    return p.enter(s, old...);
  }
}
template <class P, class S>
void call_leave(P& p, context& self, S& s) {
  if constexpr (requires { p.leave(self, s); }) {
    p.leave(self, s);
  } else {
    p.leave(s);
  }
}

/// Whether going from one to the other is a change: another type, or another value where values can be compared.
template <class S>
constexpr bool same_state(const S& a, const S& b) {
  if constexpr (std::is_empty_v<S>) {
    return true;
  } else if constexpr (std::equality_comparable<S>) {
    return a == b;
  } else {
    return false;
  }
}

}  // namespace herald::engine
