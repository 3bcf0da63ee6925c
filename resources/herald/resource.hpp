#pragma once
// The problem: a C++ struct, the actions on it, its rules and what it tells the world should be said once, be checked by
// the compiler, and be there as data at run time. A resource is a constexpr description:
//
//   inline constexpr auto tickets = herald::resource<Ticket>("tickets",
//     attribute<&Ticket::id>(primary_key, uuid_v7),
//     attribute<&Ticket::subject>(max_length{200}),
//     create("open", accepts<&Ticket::subject>, validate{[](const Ticket& t) { return present<&Ticket::subject>(t); }}),
//     destroy("destroy"),
//     pub_sub("ticket", publish("open", topic("created"))));
//
// Every mistake in it is a compile error whose first `error:` or first `note:` names the rule (herald/dsl/rules.hpp).
// The words live in herald::dsl. No store, no CAF, no SQLite is included here.
//
// Pass resources as `const auto&`, and use them as template arguments: `store.run<tickets, "open">(...)`.
// The struct must be default-constructible and copyable; inherited members are welcome.
//
// Thread safety: constants. Source of the idea: Ash's resources, with names taken from pointers to members.

#include <herald/dsl/belongs_to.hpp>
#include <herald/dsl/builder.hpp>
#include <herald/dsl/filter.hpp>
#include <herald/typed_request.hpp>

namespace herald {

template <class T, class... Parts>
[[nodiscard]] consteval auto resource(std::string_view name, const Parts&... parts) {
  static_assert(std::is_default_constructible_v<T> && std::is_copy_constructible_v<T> && std::is_copy_assignable_v<T>,
                "herald: the struct of a resource must be default-constructible and copyable");
  constexpr detail::counts n = (detail::counts{} + ... + detail::counts_of<Parts>);
  detail::description<T, n.attributes, n.constraints, n.values, n.identities, n.actions, n.arguments, n.steps, n.publications,
                      n.segments, n.parts>
      made{};
  detail::assembler all = made.room();
  all.begin(name);
  detail::builder<T> builder{all};
  (builder.attributes(parts), ...);
  all.close_attributes();
  (builder.identities(parts), ...);
  (builder.actions(parts), ...);
  all.close_actions();
  (builder.publications(parts), ...);
  made.close(all);
  return made;
}

}  // namespace herald
