#pragma once
// The words that describe an action: `update("assign", accepts<&Ticket::owner>, change{[](auto& ticket) { ... }})`.
//
// An action takes from its caller only what it accepts, and its arguments. Its changes and validations run in the order
// they are written, on the store's writer, inside the transaction. `where{...}` behind one lets it run only when the
// condition holds. Hooks (herald/dsl/hooks.hpp) run before the row is written, after it, and after the transaction.
//
// Thread safety: constants; their functions are lambdas without captures, which run on the writer, one action at a time. Errors:
// compile errors that name the rule; a change, condition or validation that throws is the action's error `hook_failed`.

#include <herald/changeset.hpp>
#include <herald/dsl/argument.hpp>

namespace herald::detail {

template <auto... M>
struct accepts_option {};
template <auto... M>
struct require_option {};
struct soft_option {};
template <upsert_fields Fields, auto... M>
struct fields_option {};
template <class Fields>
struct upsert_option {
  std::string_view identity;  // empty: the primary key
};

struct always {};

template <class F>
concept has_one_signature = requires { &F::operator(); };

/// True for functions of the row alone. One without a parameter type of its own (`auto&`) gets the changeset in changes
/// and conditions, and the row in validations.
template <class T, class F>
consteval bool takes_row_only(bool otherwise) {
  if constexpr (has_one_signature<F>) {
    return std::is_invocable_v<F, const T&>;
  } else {
    return otherwise;
  }
}

template <class Outcome>
check to_check(Outcome outcome) {
  if constexpr (std::is_same_v<Outcome, check> || std::is_same_v<Outcome, bool>) {
    return outcome;
  } else {
    static_assert(std::is_convertible_v<Outcome, const char*>,
                  "herald: a validation answers bool, herald::check, or a text that is null when all is well");
    const char* const message = outcome;
    return message == nullptr ? check{true} : check{std::string_view{}, message};
  }
}

}  // namespace herald::detail

namespace herald::dsl {

/// The attributes that the caller of the action may give.
template <auto... M>
inline constexpr detail::accepts_option<M...> accepts{};
/// Accepted attributes that the caller of this action must give, whatever their default.
template <auto... M>
inline constexpr detail::require_option<M...> require{};

/// A destroy that keeps the row, as its changes leave it: `destroy("archive", soft, change{...})`.
inline constexpr detail::soft_option soft{};

/// What an upsert writes over the row that is there: every attribute, these, or all but these. Without it: what the caller
/// gave and what changes set. Never the primary key, inserted_at, the tenant and the lock, which the engine counts up.
inline constexpr detail::fields_option<detail::upsert_fields::all> replace_all{};
template <auto... M>
inline constexpr detail::fields_option<detail::upsert_fields::these, M...> replace{};
template <auto... M>
inline constexpr detail::fields_option<detail::upsert_fields::all_except, M...> replace_all_except{};

/// A create that updates the row that is there already, by an identity: `create("sync", accepts<...>, upsert("email"))`. The
/// outcome and the event say what happened: created, updated or unchanged.
[[nodiscard]] constexpr auto upsert(std::string_view identity) {
  return detail::upsert_option<detail::fields_option<detail::upsert_fields::touched>>{identity};
}
template <detail::upsert_fields Fields, auto... M>
[[nodiscard]] constexpr auto upsert(std::string_view identity, detail::fields_option<Fields, M...>) {
  return detail::upsert_option<detail::fields_option<Fields, M...>>{identity};
}
/// The same, by the primary key.
[[nodiscard]] constexpr auto upsert(pkey_part) { return upsert(std::string_view{}); }
template <detail::upsert_fields Fields, auto... M>
[[nodiscard]] constexpr auto upsert(pkey_part, detail::fields_option<Fields, M...> fields) {
  return upsert(std::string_view{}, fields);
}
/// Writes over the row that is there only when this holds: `upsert_where{[](const T& there, const T& made) { ... }}`.
template <class F>
struct upsert_where {
  explicit constexpr upsert_where(F) {}
};

template <class F>
struct where {
  explicit constexpr where(F) {}
};

}  // namespace herald::dsl

namespace herald::detail {

/// A word with a function, and a condition for it.
template <class F, class W>
struct function_where {
  explicit constexpr function_where(F) {}
  constexpr function_where(F, dsl::where<W>) {}
};

}  // namespace herald::detail

namespace herald::dsl {

template <class F, class W = detail::always>
struct change : detail::function_where<F, W> {
  using detail::function_where<F, W>::function_where;
};
template <class F>
change(F) -> change<F>;
template <class F, class W>
change(F, where<W>) -> change<F, W>;

template <class F, class W = detail::always>
struct validate {
  std::string_view message;
  explicit constexpr validate(F) {}
  constexpr validate(F, std::string_view says) : message{says} {}
  constexpr validate(F, where<W>) {}
  constexpr validate(F, std::string_view says, where<W>) : message{says} {}
};
template <class F>
validate(F) -> validate<F>;
template <class F>
validate(F, const char*) -> validate<F>;
template <class F, class W>
validate(F, where<W>) -> validate<F, W>;
template <class F, class W>
validate(F, const char*, where<W>) -> validate<F, W>;

}  // namespace herald::dsl

namespace herald::detail {

template <class O>
inline constexpr bool is_accepts = false;
template <auto... M>
inline constexpr bool is_accepts<accepts_option<M...>> = true;
/// Options whose whole content is in their type.
template <class O>
inline constexpr bool is_action_option = false;
template <auto... M>
inline constexpr bool is_action_option<accepts_option<M...>> = true;
template <auto... M>
inline constexpr bool is_action_option<require_option<M...>> = true;
template <>
inline constexpr bool is_action_option<soft_option> = true;
template <class F>
inline constexpr bool is_action_option<upsert_option<F>> = true;
template <class F>
inline constexpr bool is_action_option<dsl::upsert_where<F>> = true;
template <auto M, std::size_t C, std::size_t V>
inline constexpr bool is_action_option<argument_part<M, C, V>> = true;
template <class O>
inline constexpr bool is_step = false;
template <class F, class W>
inline constexpr bool is_step<dsl::change<F, W>> = true;
template <class F, class W>
inline constexpr bool is_step<dsl::validate<F, W>> = true;

template <class T, class W>
constexpr auto where_of() -> bool (*)(change_context&) {
  if constexpr (std::is_same_v<W, always>) {
    return nullptr;
  } else {
    static_assert(stateless<W>, "herald: where needs a lambda without captures");
    return [](change_context& context) -> bool {
      if constexpr (takes_row_only<T, W>(false)) {
        return W{}(*static_cast<const T*>(context.row()));
      } else {
        const changeset<T> typed{context};
        return W{}(typed);
      }
    };
  }
}

/// An option's type, without an option: all but a validation's message is in the type.
template <class O>
struct type_of_option {};

template <class T, class F, class W>
constexpr step make_step(type_of_option<dsl::change<F, W>>) {
  static_assert(stateless<F>, "herald: change needs a lambda without captures");
  return {.kind = step_kind::change,
          .run = [](change_context& context, std::string_view) {
            changeset<T> typed{context};
            F{}(typed);
          },
          .where = where_of<T, W>()};
}

template <class T, class F, class W>
constexpr step make_step(type_of_option<dsl::validate<F, W>>) {
  static_assert(stateless<F>, "herald: validate needs a lambda without captures");
  return {.kind = step_kind::validate,
          .run = [](change_context& context, std::string_view message) {
            if constexpr (takes_row_only<T, F>(true)) {
              context.add(to_check(F{}(*static_cast<const T*>(context.row()))), message);
            } else {
              changeset<T> typed{context};
              context.add(to_check(F{}(typed)), message);
            }
          },
          .where = where_of<T, W>()};
}

template <class O>
inline constexpr std::size_t argument_count = 0;
template <class O>
inline constexpr std::size_t argument_constraints = 0;
template <class O>
inline constexpr std::size_t argument_values = 0;
template <auto M, std::size_t C, std::size_t V>
inline constexpr std::size_t argument_count<argument_part<M, C, V>> = 1;
template <auto M, std::size_t C, std::size_t V>
inline constexpr std::size_t argument_constraints<argument_part<M, C, V>> = C;
template <auto M, std::size_t C, std::size_t V>
inline constexpr std::size_t argument_values<argument_part<M, C, V>> = V;

/// What `create(...)`, `update(...)` and `destroy(...)` give. What its arguments hold stands in common arrays, each argument's
/// own part being named by the ranges in it.
template <class... Options>
struct action_part {
  static constexpr std::size_t step_total = (std::size_t{0} + ... + (is_step<Options> ? 1 : 0));
  static constexpr std::size_t argument_total = (std::size_t{0} + ... + argument_count<Options>);
  static constexpr std::size_t constraint_total = (std::size_t{0} + ... + argument_constraints<Options>);
  static constexpr std::size_t value_total = (std::size_t{0} + ... + argument_values<Options>);
  std::string_view name;
  op kind;
  std::array<std::string_view, sizeof...(Options)> texts;  // a validation's message, an upsert's identity
  std::array<argument_info, argument_total> arguments{};
  std::array<constraint, constraint_total> constraints{};
  std::array<value_view, value_total> values{};
};

/// Puts an action's arguments into its part.
struct argument_collector {
  argument_info* arguments;
  constraint* constraints;
  value_view* values;
  std::uint16_t constraint_at = 0;
  std::uint16_t value_at = 0;

  template <class O>
  constexpr void add(const O&) {}
  template <auto M, std::size_t C, std::size_t V>
  constexpr void add(const argument_part<M, C, V>& part) {
    *arguments = part.argument;
    arguments->info.constraints = {constraint_at, static_cast<std::uint16_t>(C)};
    ++arguments;
    for (constraint one : part.constraints) {
      one.allowed.first = static_cast<std::uint16_t>(one.allowed.first + value_at);
      constraints[constraint_at++] = one;
    }
    for (const value_view& one : part.values) values[value_at++] = one;
  }
};

template <class O>
constexpr std::string_view text_of(const O&) {
  return {};
}
template <class F, class W>
constexpr std::string_view text_of(const dsl::validate<F, W>& v) {
  return v.message;
}
template <class F>
constexpr std::string_view text_of(const upsert_option<F>& o) {
  return o.identity;
}

constexpr void check_action_name(std::string_view name) {
  if (name.empty()) rule::an_action_needs_a_name_without_spaces_or_control_characters();
  for (const char c : name) {
    if (c <= ' ' && c >= 0) rule::an_action_needs_a_name_without_spaces_or_control_characters();
  }
}

template <class... Options>
constexpr auto make_action(std::string_view name, op kind, const Options&... options) {
  static_assert(((is_action_option<Options> || is_step<Options>) && ...),
                "herald: this is not an option of an action (accepts, require, argument, change, validate, authorise, soft, "
                "manual, upsert, upsert_where, before_action, after_action, after_commit and after_transaction are)");
  static_assert((0 + ... + (is_accepts<Options> ? 1 : 0)) <= 1, "herald: accepts is given twice");
  check_action_name(name);
  action_part<Options...> made{name, kind, {text_of(options)...}};
  if constexpr (action_part<Options...>::argument_total > 0) {
    argument_collector collector{made.arguments.data(), made.constraints.data(), made.values.data()};
    (collector.add(options), ...);
  }
  return made;
}

}  // namespace herald::detail

namespace herald::dsl {

template <class... Options>
[[nodiscard]] constexpr auto create(std::string_view name, const Options&... options) {
  return detail::make_action(name, op::create, options...);
}
template <class... Options>
[[nodiscard]] constexpr auto update(std::string_view name, const Options&... options) {
  return detail::make_action(name, op::update, options...);
}
template <class... Options>
[[nodiscard]] constexpr auto destroy(std::string_view name, const Options&... options) {
  return detail::make_action(name, op::destroy, options...);
}

}  // namespace herald::dsl
