#pragma once
// The words for what runs around the writing of a row, in this order:
//
//   authorise          may this actor do it? before everything else; a no is the error `forbidden`
//   (changes, validations)
//   before_action      all is valid, nothing is written: may still set, refuse, run nested actions
//   (row, event)
//   after_action       in the transaction: nested actions; a failure undoes all
//   (commit)
//   after_commit       only when it was committed
//   after_transaction  in any case, with the result; may turn a failure into a success
//
// All run on the store's writer. The first four may use `where{...}`. The last two run before the caller is answered, also
// for each row of a bulk action; what they throw changes nothing of a committed action: it is in the outcome (hook_trouble).
// For an action within another one, after_commit and the success of after_transaction wait for the outermost commit.
//
// Thread safety: constants; hooks are lambdas without captures, and run one at a time, but authorise_reads and authorise_subscription on
// whatever thread asks. Errors: compile errors; what the first four throw is the action's error `hook_failed`.
//
// The idea: Ash's hooks. What Ash's before_transaction does is here what the caller does before it calls.

#include <herald/condition.hpp>
#include <herald/dsl/action.hpp>

namespace herald::dsl {

/// `authorise{[](const actor& who, const auto& change) { return ...; }}`: bool, check, or a text that is null when all is
/// well. For an action, or, as a part of the resource, for all of them.
template <class F, class W = detail::always>
struct authorise : detail::function_where<F, W> {
  using detail::function_where<F, W>::function_where;
};
template <class F>
authorise(F) -> authorise<F>;
template <class F, class W>
authorise(F, where<W>) -> authorise<F, W>;

/// A part of the resource: `authorise_subscription{[](const actor& who, std::string_view topic) { return ...; }}`.
template <class F>
struct authorise_subscription {
  explicit constexpr authorise_subscription(F) {}
};

/// A part of the resource: which rows an actor may see, as a filter. Asked by queries that name one (`as{who}`); others are
/// the application's own. `authorise_reads{[](const actor& who) -> condition { return field<&Ticket::owner> == who.name(); }}`
template <class F>
struct authorise_reads {
  explicit constexpr authorise_reads(F) {}
};

/// An action that does its work itself: `manual{[](auto& change) -> result<Ticket> {...}}`. It runs where the engine would write
/// the row, with everything before and after it as ever; its row is the action's result. What it runs through
/// change.tx() has its events; it has none of its own, for the engine wrote nothing that one could tell of.
template <class F>
struct manual {
  explicit constexpr manual(F) {}
};

template <class F, class W = detail::always>
struct before_action : detail::function_where<F, W> {
  using detail::function_where<F, W>::function_where;
};
template <class F>
before_action(F) -> before_action<F>;
template <class F, class W>
before_action(F, where<W>) -> before_action<F, W>;

/// `after_action{[](transaction& tx, const Ticket& t) {...}}`, or of the changeset: `[](auto& change) {...}`. A failed
/// result<void>, or throwing, undoes all.
template <class F, class W = detail::always>
struct after_action : detail::function_where<F, W> {
  using detail::function_where<F, W>::function_where;
};
template <class F>
after_action(F) -> after_action<F>;
template <class F, class W>
after_action(F, where<W>) -> after_action<F, W>;

/// `after_commit{[](const Ticket& t) {...}}`: the row that is left, of a destroy the one that went.
template <class F>
struct after_commit {
  explicit constexpr after_commit(F) {}
};

/// `after_transaction{[](const result<Ticket>& outcome) {...}}`. When it gives a result<Ticket> itself, that is what the
/// caller of a failed action gets.
template <class F>
struct after_transaction {
  explicit constexpr after_transaction(F) {}
};

}  // namespace herald::dsl

namespace herald::detail {

template <class F, class W>
inline constexpr bool is_step<dsl::authorise<F, W>> = true;
template <class F, class W>
inline constexpr bool is_step<dsl::before_action<F, W>> = true;
template <class F, class W>
inline constexpr bool is_step<dsl::after_action<F, W>> = true;
template <class F>
inline constexpr bool is_step<dsl::after_commit<F>> = true;
template <class F>
inline constexpr bool is_step<dsl::after_transaction<F>> = true;

template <class F>
inline constexpr bool is_action_option<dsl::manual<F>> = true;

template <class T, class F>
result<record> run_manual(change_context& context) {
  changeset<T> typed{context};
  static_assert(std::is_convertible_v<std::invoke_result_t<F, changeset<T>&>, result<T>>, "herald: manual gives a result of the row");
  result<T> made = F{}(typed);
  if (!made) return made.error();
  return record{context.resource(), std::make_shared<const T>(*std::move(made))};
}

template <class T, class F>
check run_authorise(change_context& context) {
  static_assert(stateless<F>, "herald: authorise needs a lambda without captures");
  const changeset<T> typed{context};
  return to_check(F{}(context.request().by, typed));
}

template <class T, class F, class W>
constexpr step make_step(type_of_option<dsl::authorise<F, W>>) {
  return {.kind = step_kind::authorise, .may = &run_authorise<T, F>, .where = where_of<T, W>()};
}

template <class T, class F, class W>
constexpr step make_step(type_of_option<dsl::before_action<F, W>>) {
  static_assert(stateless<F>, "herald: before_action needs a lambda without captures");
  return {.kind = step_kind::before,
          .run = [](change_context& context, std::string_view) {
            changeset<T> typed{context};
            F{}(typed);
          },
          .where = where_of<T, W>()};
}

template <class T, class F>
result<void> run_after(change_context& context) {
  const auto call = [&](auto&&... with) -> result<void> {
    if constexpr (std::is_void_v<decltype(F{}(with...))>) {
      F{}(with...);
      return {};
    } else {
      return F{}(with...);
    }
  };
  if constexpr (std::is_invocable_v<F, transaction&, const T&>) {
    return call(context.tx(), *static_cast<const T*>(context.row()));
  } else {
    changeset<T> typed{context};
    return call(typed);
  }
}

template <class T, class F, class W>
constexpr step make_step(type_of_option<dsl::after_action<F, W>>) {
  static_assert(stateless<F>, "herald: after_action needs a lambda without captures");
  return {.kind = step_kind::after, .after = &run_after<T, F>, .where = where_of<T, W>()};
}

template <class T>
const T& row_left(const action_outcome& outcome) {
  return *static_cast<const T*>((outcome.after ? outcome.after : outcome.before).row());
}

template <class T, class F>
constexpr step make_step(type_of_option<dsl::after_commit<F>>) {
  static_assert(stateless<F>, "herald: after_commit needs a lambda without captures");
  return {.kind = step_kind::done, .done = [](const action_request&, result<action_outcome>& outcome) {
            if (outcome) F{}(row_left<T>(*outcome));
          }};
}

template <class T, class F>
constexpr step make_step(type_of_option<dsl::after_transaction<F>>) {
  static_assert(stateless<F>, "herald: after_transaction needs a lambda without captures");
  static_assert(std::is_invocable_v<F, const result<T>&>, "herald: after_transaction takes a result of the row");
  return {.kind = step_kind::done, .done = [](const action_request& request, result<action_outcome>& outcome) {
            const result<T> typed = outcome ? result<T>{row_left<T>(*outcome)} : result<T>{outcome.error()};
            if constexpr (std::is_void_v<std::invoke_result_t<F, const result<T>&>>) {
              F{}(typed);
            } else {
              result<T> says = F{}(typed);
              if (outcome) return;  // what is committed is committed
              if (says) {
                outcome = action_outcome{.kind = event_kind::unchanged,
                                         .after = record{*request.resource, std::make_shared<T>(*std::move(says))}};
              } else {
                outcome = says.error();
              }
            }
          }};
}

}  // namespace herald::detail
