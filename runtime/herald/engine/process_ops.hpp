#pragma once
// What the engine knows of a process type, erased to tables in read-only memory: how to make it, end it and feed it; and
// of its arguments: how to compare and print them where they can be.

#include <concepts>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <herald/engine/fwd.hpp>
#include <herald/engine/type_tag.hpp>
#include <herald/exit_reason.hpp>

namespace herald {
class context;
class unknown_message;
class description;
template <class R = void>
class coroutine;
template <class R>
class reply_to;
}  // namespace herald

namespace herald::engine {

/// One row of a process type's table: what it does with one message type, for senders that know only the address.
struct handler_entry {
  const type_tag* type;
  void (*invoke)(void* state, context& self, const void* message);
};

struct process_ops {
  std::string_view name;
  std::size_t size;
  std::size_t align;
  void (*construct)(void* state, context& self, const void* args);
  void (*destroy)(void* state) noexcept;
  void (*terminate)(void* state, context& self, const exit_reason& why);  ///< null: the type has none
  std::span<const handler_entry> handlers;
  bool supervisor = false;
  void (*unknown)(void* state, context& self, const unknown_message& m) = nullptr;  ///< null: the type has no on_unknown
  void (*idle)(void* state, context& self) = nullptr;                              ///< null: the type has no on_idle
  const type_tag* extra_args = nullptr;  ///< of what its supervisor gives it before its own arguments; null: nothing
  void (*asked)(void* state, context& self, const exit_reason& why) = nullptr;  ///< on_stop; null: it ends at once
  void (*describe)(const void* state, description& into) = nullptr;  ///< null: the type says nothing of itself

  [[nodiscard]] const handler_entry* find(const type_tag& type) const noexcept {
    for (const auto& entry : handlers)
      if (entry.type == &type) return &entry;
    return nullptr;
  }
};

/// What a process with `extra_args` is made from: what all children of its supervisor get, and its own.
struct combined_args {
  std::shared_ptr<const void> extra;
  std::shared_ptr<const void> own;
};
/// A process's own arguments, from what it is made from.
[[nodiscard]] inline const void* own_args(const process_ops& ops, const void* args) noexcept {
  return ops.extra_args == nullptr ? args : static_cast<const combined_args*>(args)->own.get();
}

struct args_ops {
  const type_tag* type;
  bool (*equal)(const void* left, const void* right);  ///< null: not comparable
};

template <class A>
constexpr bool comparable() {
  return requires(const A& a) {
    { a == a } -> std::convertible_to<bool>;
  };
}

template <class A>
constexpr auto equal_function() -> bool (*)(const void*, const void*) {
  if constexpr (comparable<A>()) {
    return [](const void* left, const void* right) {
      return static_cast<bool>(*static_cast<const A*>(left) == *static_cast<const A*>(right));
    };
  } else {
    return nullptr;
  }
}

template <class A>
inline constexpr args_ops args_ops_of{&tag_of<A>, equal_function<A>()};

template <class P>
concept has_args = requires { typename P::args; };

template <class A>
inline constexpr A nothing_given{};
/// Arguments as specs and cells keep them. Of those that say nothing there is one for all: a million processes need none.
template <class A>
[[nodiscard]] std::shared_ptr<const void> share_args(A args) {
  if constexpr (std::is_empty_v<A> && std::is_trivially_copyable_v<A> && std::is_trivially_default_constructible_v<A>) {
    return {std::shared_ptr<const void>{}, &nothing_given<A>};
  } else {
    return std::make_shared<const A>(std::move(args));
  }
}

template <class P>
concept has_extra_args = requires { typename P::extra_args; };

template <class... Ms>
struct type_list {};

/// Converts to exactly M and to nothing else, so that an overload which would only take M by a conversion does not match.
template <class M>
struct exactly {
  template <class U>
    requires std::same_as<U, M>
  operator const U&() const;  // NOLINT: the conversion is the point; never defined, used in unevaluated code only
};

template <class P, class M>
concept handles_with_context = requires(P& p, context& self, exactly<M> m) { p.on(self, m); };
template <class P, class M>
concept handles_plain = requires(P& p, exactly<M> m) { p.on(m); };

template <class M>
concept is_call = requires { typename M::reply; };

/// The same for a parameter by value.
template <class T>
struct exactly_one {
  template <class U>
    requires std::same_as<U, T>
  operator U() const;  // NOLINT: as above
};

// A call that its handler answers later, or somebody else for it.
template <class P, class M>
concept answers_later_with_context = is_call<M> && requires(P& p, context& self, exactly<M> m,
                                                            exactly_one<reply_to<typename M::reply>> to) {
  p.on(self, m, to);
};
template <class P, class M>
concept answers_later_plain =
    is_call<M> && requires(P& p, exactly<M> m, exactly_one<reply_to<typename M::reply>> to) { p.on(m, to); };
template <class P, class M>
concept answers_later = answers_later_with_context<P, M> || answers_later_plain<P, M>;

template <class P, class M>
concept handles = handles_with_context<P, M> || handles_plain<P, M> || answers_later<P, M>;

/// A state machine: it decides by state and message (state_machine.hpp).
template <class P>
concept is_machine = requires { typename P::machine_states; };

template <class P, class M>
constexpr bool machine_answers_later() {
  if constexpr (is_machine<P>) {
    return P::template answers_later<M>();
  } else {
    return false;
  }
}

/// `to` is there for handlers that answer later, and only for them.
template <class P, class M, class... To>
decltype(auto) dispatch(P& p, context& self, const M& message, To&&... to) {
  if constexpr (is_machine<P>) {
    return p.take_message(self, message);
  } else if constexpr (answers_later_with_context<P, M>) {
    return p.on(self, message, std::forward<To>(to)...);
  } else if constexpr (answers_later_plain<P, M>) {
    return p.on(message, std::forward<To>(to)...);
  } else if constexpr (handles_with_context<P, M>) {
    return p.on(self, message);
  } else {
    return p.on(message);
  }
}

/// What on(M) returns.
template <class P, class M>
struct handled {
  using type = decltype(dispatch<P, M>(std::declval<P&>(), std::declval<context&>(), std::declval<const M&>()));
};
template <class P, class M>
  requires answers_later<P, M>
struct handled<P, M> {
  using type = decltype(dispatch<P, M>(std::declval<P&>(), std::declval<context&>(), std::declval<const M&>(),
                                       std::declval<reply_to<typename M::reply>>()));
};

template <class T>
inline constexpr bool is_coroutine = false;
template <class R>
inline constexpr bool is_coroutine<coroutine<R>> = true;
/// on(M) waits inside.
template <class P, class M>
concept waits_inside = handles<P, M> && is_coroutine<typename handled<P, M>::type>;

/// Runs a coroutine handler until it waits for the first time, or to its end. `answer` is a std::optional<result<R>>*, or
/// null when nobody wants it. Defined in coroutine.hpp.
template <class R>
void launch(context& self, coroutine<R> handler, void* answer);

template <class P, class M>
void handle(void* state, context& self, const void* message) {
  auto& p = *static_cast<P*>(state);
  const auto& m = *static_cast<const M*>(message);
  if constexpr (waits_inside<P, M>) {
    if constexpr (answers_later<P, M>) {
      launch(self, dispatch<P, M>(p, self, m, reply_to<typename M::reply>{}), nullptr);
    } else {
      launch(self, dispatch<P, M>(p, self, m), nullptr);
    }
  } else if constexpr (answers_later<P, M>) {
    dispatch<P, M>(p, self, m, reply_to<typename M::reply>{});
  } else if constexpr (handles<P, M> || is_machine<P>) {  // if not, the process's constructor says so
    static_cast<void>(dispatch<P, M>(p, self, m));
  }
}

template <class P, class M>
inline constexpr handler_entry handler_of{&tag_of<M>, handle<P, M>};

template <class P, class List>
struct handler_table;
template <class P, class... Ms>
struct handler_table<P, type_list<Ms...>> {
  static constexpr handler_entry rows[sizeof...(Ms) == 0 ? 1 : sizeof...(Ms)]{handler_of<P, Ms>...};
  static constexpr std::span<const handler_entry> all{rows, sizeof...(Ms)};
};

/// Its initial state is entered when all of it is there.
template <class P>
void begin_machine(P& p, context& self) {
  try {
    p.begin_machine(self);
  } catch (...) {
    p.~P();
    throw;
  }
}

template <class P>
void construct_process(void* state, context& self, const void* args) {
  if constexpr (has_extra_args<P>) {
    const auto& both = *static_cast<const combined_args*>(args);
    const auto& extra = *static_cast<const typename P::extra_args*>(both.extra.get());
    if constexpr (has_args<P>) {
      ::new (state) P(self, extra, *static_cast<const typename P::args*>(both.own.get()));
    } else {
      ::new (state) P(self, extra);
    }
  } else if constexpr (has_args<P>) {
    const auto& given = *static_cast<const typename P::args*>(args);
    if constexpr (std::is_constructible_v<P, context&, const typename P::args&>) {
      ::new (state) P(self, given);
    } else {
      static_assert(std::is_constructible_v<P, const typename P::args&>,
                    "herald: a process with `args` is constructed from (context&, args) or from (args)");
      ::new (state) P(given);
    }
  } else if constexpr (std::is_constructible_v<P, context&>) {
    ::new (state) P(self);
  } else {
    static_assert(std::is_default_constructible_v<P>,
                  "herald: a process without `args` is constructed from (context&) or from nothing");
    ::new (state) P();
  }
  if constexpr (is_machine<P>) begin_machine(*static_cast<P*>(state), self);
}

template <class P>
constexpr auto terminate_function() -> void (*)(void*, context&, const exit_reason&) {
  if constexpr (requires(P& p, context& self, const exit_reason& why) { p.terminate(self, why); }) {
    return [](void* state, context& self, const exit_reason& why) { static_cast<P*>(state)->terminate(self, why); };
  } else if constexpr (requires(P& p, const exit_reason& why) { p.terminate(why); }) {
    return [](void* state, context&, const exit_reason& why) { static_cast<P*>(state)->terminate(why); };
  } else {
    return nullptr;
  }
}

/// D is `description`, a parameter so that it need not be known here.
template <class P, class D = description>
constexpr auto describe_function() -> void (*)(const void*, D&) {
  if constexpr (requires(const P& p, D& d) { p.describe(d); }) {
    return [](const void* state, D& into) { static_cast<const P*>(state)->describe(into); };
  } else if constexpr (requires(const P& p) { p.describe(); }) {
    return [](const void* state, D& into) { into = static_cast<const P*>(state)->describe(); };
  } else {
    return nullptr;
  }
}

template <class P>
constexpr auto unknown_function() -> void (*)(void*, context&, const unknown_message&) {
  if constexpr (requires(P& p, context& self, const unknown_message& m) { p.on_unknown(self, m); }) {
    return [](void* state, context& self, const unknown_message& m) { static_cast<P*>(state)->on_unknown(self, m); };
  } else {
    return nullptr;
  }
}

template <class P>
constexpr auto idle_function() -> void (*)(void*, context&) {
  if constexpr (requires(P& p, context& self) { p.on_idle(self); }) {
    return [](void* state, context& self) { static_cast<P*>(state)->on_idle(self); };
  } else {
    return nullptr;
  }
}

template <class P>
constexpr auto extra_args_tag() -> const type_tag* {
  if constexpr (has_extra_args<P>) return &tag_of<typename P::extra_args>;
  return nullptr;
}

template <class P>
constexpr auto asked_function() -> void (*)(void*, context&, const exit_reason&) {
  if constexpr (requires(P& p, context& self, const exit_reason& why) { p.on_stop(self, why); }) {
    return [](void* state, context& self, const exit_reason& why) { static_cast<P*>(state)->on_stop(self, why); };
  } else {
    return nullptr;
  }
}

template <class P>
constexpr process_ops make_ops() {
  static_assert(std::is_nothrow_destructible_v<P>,
                "herald: a process must be nothrow destructible: its end must not fail");
  return {type_name<P>(),
          sizeof(P),
          alignof(P),
          construct_process<P>,
          [](void* state) noexcept { static_cast<P*>(state)->~P(); },
          terminate_function<P>(),
          handler_table<P, typename P::accepts>::all,
          false,
          unknown_function<P>(),
          idle_function<P>(),
          extra_args_tag<P>(),
          asked_function<P>(),
          describe_function<P>()};
}

template <class P>
inline constexpr process_ops ops_of = make_ops<P>();

template <class M, class List>
inline constexpr bool in_list = false;
template <class M, class... Ms>
inline constexpr bool in_list<M, type_list<Ms...>> = (std::same_as<M, Ms> || ...);

/// P names M among what it accepts.
template <class P, class M>
concept accepts = in_list<M, typename P::accepts>;

}  // namespace herald::engine
