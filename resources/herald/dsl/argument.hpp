#pragma once
// The words that describe an action's own inputs, those that are no attributes of the row:
//
//   struct Closing { std::string reason; bool silent = false; };
//   update("close", argument<&Closing::reason>(required, max_length{200}), argument<&Closing::silent>(),
//     change{[](auto& ticket) { ticket.set(field<&Ticket::note>, ticket.argument(field<&Closing::reason>)); }})
//   store.run<tickets, "close">(id, field<&Closing::reason> = "fixed");
//
// An argument has a member's name and type, and the default that its struct says; any struct will do. It takes the options
// of an attribute that are about values. `private_argument`: typed code may give it, a call by name may not.
//
// Thread safety: constants. Errors: compile errors that name the rule; a value that breaks a constraint is an error of the field.

#include <herald/dsl/attribute.hpp>

namespace herald::dsl {

struct private_argument_option {};
inline constexpr private_argument_option private_argument{};

}  // namespace herald::dsl

namespace herald::detail {

template <class O>
inline constexpr bool is_argument_option = constraint_count<O> != 0;
template <>
inline constexpr bool is_argument_option<dsl::required_option> = true;
template <>
inline constexpr bool is_argument_option<dsl::sensitive_option> = true;
template <>
inline constexpr bool is_argument_option<dsl::default_value> = true;
template <>
inline constexpr bool is_argument_option<dsl::private_argument_option> = true;

template <auto M, std::size_t Constraints, std::size_t Values>
struct argument_part {
  argument_info argument;
  std::array<constraint, Constraints> constraints{};
  std::array<value_view, Values> values{};
};

template <auto M>
value initial_argument() {
  const member_owner<M> fresh{};
  return value{get_member<member_type<M>>(&(fresh.*M))};
}

template <class Member>
cast_status cast_argument(const value_view& from, value& to) {
  Member made{};
  const cast_status status = set_member<Member>(&made, from);
  if (status == cast_status::ok) to = value{get_member<Member>(&made)};
  return status;
}

}  // namespace herald::detail

namespace herald::dsl {

template <auto M, class... Options>
[[nodiscard]] constexpr auto argument(const Options&... options) {
  static_assert(std::is_member_object_pointer_v<decltype(M)>,
                "herald: argument<> names a data member of a struct of inputs, as in &Closing::reason");
  using member = detail::member_type<M>;
  static_assert(has_codec<typename detail::nullable_of<member>::type>,
                "herald: there is no herald::codec for the type of this argument");
  static_assert((detail::is_argument_option<Options> && ...), "herald: this is not an option of an argument");
  using part = detail::argument_part<M, (std::size_t{0} + ... + detail::constraint_count<Options>),
                                     (std::size_t{0} + ... + detail::value_count<Options>)>;
  part made{};
  auto reader = detail::reader_of<M>(made);
  [[maybe_unused]] const auto read = [&]<class O>(const O& option) {
    if constexpr (std::is_same_v<O, private_argument_option>) {
      made.argument.by_name = false;
    } else {
      reader.read(option);
    }
  };
  (read(options), ...);
  made.argument.info = reader.info;
  made.argument.initial = &detail::initial_argument<M>;
  made.argument.cast = &detail::cast_argument<member>;
  return made;
}

}  // namespace herald::dsl
