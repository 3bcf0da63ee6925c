#pragma once
// The problem: a description should name an attribute once, and a renamed member must not compile. A pointer to member as
// a template argument carries its owner, its type and, in the compiler's own spelling of the function, its name.
// `field<&Ticket::subject>` is that name in topics, changes and calls; `field<&Ticket::subject> = "..."` is an input.

#include <string_view>
#include <type_traits>
#include <utility>

namespace herald {

namespace detail {

template <class M>
struct member_traits;
template <class C, class V>
struct member_traits<V C::*> {
  using owner = C;
  using type = V;
};

template <auto M>
using member_owner = typename member_traits<decltype(M)>::owner;
template <auto M>
using member_type = typename member_traits<decltype(M)>::type;

/// "&app::Ticket::subject": the member's identity while the compiler computes. (Addresses will not do there: g++ does
/// not compare them in a constant expression under -fsanitize=undefined.)
template <auto M>
[[nodiscard]] constexpr std::string_view member_spelling() noexcept {
  constexpr std::string_view whole = __PRETTY_FUNCTION__;
  constexpr std::size_t begin = whole.find("M = ") + 4;
  return whole.substr(begin, whole.find_first_of(";]", begin) - begin);
}

/// "subject".
template <auto M>
[[nodiscard]] constexpr std::string_view member_name() noexcept {
  constexpr std::string_view whole = member_spelling<M>();
  return whole.substr(whole.rfind(':') + 1);
}

struct member_probe {
  int spelled;
};
static_assert(member_name<&member_probe::spelled>() == "spelled", "herald: this compiler spells members unexpectedly");

/// Its address is the member's identity at run time.
template <auto M>
inline constexpr char member_tag = 0;

template <auto M, class V>
struct field_input {
  V value;
};

}  // namespace detail

namespace dsl {

template <auto M>
struct field_token {
  static_assert(std::is_member_object_pointer_v<decltype(M)>, "herald: field<> names a data member, as in &Ticket::id");
  /// An input of an action.
  template <class V>
  [[nodiscard]] constexpr auto operator=(V&& given) const {  // NOLINT: not an assignment, but reads as one
    return detail::field_input<M, V&&>{std::forward<V>(given)};
  }
};

template <auto M>
inline constexpr field_token<M> field{};

}  // namespace dsl

}  // namespace herald
