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

template <auto M>
[[nodiscard]] constexpr std::string_view pretty_member() noexcept {
  return __PRETTY_FUNCTION__;
}

struct member_probe {
  int spelled;
};
/// What the compiler writes before and after the member is the same for all of them.
inline constexpr std::string_view probe_pretty = pretty_member<&member_probe::spelled>();
inline constexpr std::size_t spelling_begin = probe_pretty.find("M = ") + 4;
inline constexpr std::size_t spelling_rest =
    probe_pretty.size() - (probe_pretty.find_first_of(";]", spelling_begin) - spelling_begin);

/// "&app::Ticket::subject": the member's identity while the compiler computes. (Addresses will not do there: g++ does
/// not compare them in a constant expression under -fsanitize=undefined.)
template <auto M>
[[nodiscard]] constexpr std::string_view member_spelling() noexcept {
  constexpr std::string_view whole = pretty_member<M>();
  return {whole.data() + spelling_begin, whole.size() - spelling_rest};
}

[[nodiscard]] constexpr std::string_view last_name(std::string_view spelling) noexcept {
  std::size_t begin = spelling.size();
  while (spelling[begin - 1] != ':') --begin;
  return {spelling.data() + begin, spelling.size() - begin};
}

/// "subject".
template <auto M>
[[nodiscard]] constexpr std::string_view member_name() noexcept {
  return last_name(member_spelling<M>());
}
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
