#pragma once
// The words that describe an action: `update("assign", accepts<&Ticket::owner>, change{[](auto& ticket) { ... }})`.
//
// An action takes from its caller only what it accepts. Its changes and validations run in the order they are written,
// on the store's writer, inside the transaction. `where{...}` behind one lets it run only when the condition holds.

#include <herald/changeset.hpp>
#include <herald/dsl/attribute.hpp>

namespace herald::detail {

template <auto... M>
struct accepts_option {};
template <auto... M>
struct require_option {};

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

template <class F>
struct where {
  explicit constexpr where(F) {}
};

template <class F, class W = detail::always>
struct change {
  explicit constexpr change(F) {}
  constexpr change(F, where<W>) {}
};
template <class F>
change(F) -> change<F>;
template <class F, class W>
change(F, where<W>) -> change<F, W>;

/// Runs inside the transaction after row and event are written: `after_action{[](transaction& tx, const Ticket& t) {...}}`.
/// Nested actions belong here, or in a change when they must come first. A failed result<void>, or throwing, undoes all.
template <class F>
struct after_action {
  explicit constexpr after_action(F) {}
};

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
template <class O>
inline constexpr bool is_require = false;
template <auto... M>
inline constexpr bool is_require<require_option<M...>> = true;
template <class O>
inline constexpr bool is_step = false;
template <class F, class W>
inline constexpr bool is_step<dsl::change<F, W>> = true;
template <class F, class W>
inline constexpr bool is_step<dsl::validate<F, W>> = true;
template <class F>
inline constexpr bool is_step<dsl::after_action<F>> = true;

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

template <class T, class F>
constexpr step make_step(type_of_option<dsl::after_action<F>>) {
  static_assert(stateless<F>, "herald: after_action needs a lambda without captures");
  return {.kind = step_kind::after, .after = [](transaction& tx, const void* row) -> result<void> {
            if constexpr (std::is_void_v<std::invoke_result_t<F, transaction&, const T&>>) {
              F{}(tx, *static_cast<const T*>(row));
              return {};
            } else {
              return F{}(tx, *static_cast<const T*>(row));
            }
          }};
}

/// What `create(...)`, `update(...)` and `destroy(...)` give.
template <class... Options>
struct action_part {
  static constexpr std::size_t step_total = (std::size_t{0} + ... + (is_step<Options> ? 1 : 0));
  std::string_view name;
  op kind;
  std::array<std::string_view, sizeof...(Options)> messages;
};

template <class O>
constexpr std::string_view message_of(const O&) {
  return {};
}
template <class F, class W>
constexpr std::string_view message_of(const dsl::validate<F, W>& v) {
  return v.message;
}

constexpr void check_action_name(std::string_view name) {
  if (name.empty()) rule::an_action_needs_a_name_without_spaces_or_control_characters();
  for (const char c : name) {
    if (c <= ' ' && c >= 0) rule::an_action_needs_a_name_without_spaces_or_control_characters();
  }
}

template <class... Options>
constexpr auto make_action(std::string_view name, op kind, const Options&... options) {
  static_assert(((is_accepts<Options> || is_require<Options> || is_step<Options>) && ...),
                "herald: this is not an option of an action (accepts, require, change, validate and after_action are)");
  static_assert((0 + ... + (is_accepts<Options> ? 1 : 0)) <= 1, "herald: accepts is given twice");
  check_action_name(name);
  return action_part<Options...>{name, kind, {message_of(options)...}};
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
