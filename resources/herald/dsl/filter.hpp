#pragma once
// The words that say which rows are meant, and in which order, without strings:
//
//   store.select<tickets>(field<&Ticket::status> == "open" && in(field<&Ticket::team_id>, 3, 4), desc(field<&Ticket::rank>), limit{20})
//
// A comparison takes values of the attribute's type; std::nullopt with == and != asks for null. && and || and ! join them.
// What a filter names is in its type, so that the compiler checks it against the resource. Numbers are compared as numbers: an
// int8_t is less than 1000.
//
// Thread safety: distinct objects: safe; shared objects: safe to read. Lifetime: `as`, `for_tenant` and `page_after` look at what they were
// given; use them in the call. Errors: compile errors.

#include <herald/actor.hpp>
#include <herald/condition.hpp>
#include <herald/detail/typed_value.hpp>
#include <herald/dsl/member.hpp>

namespace herald::detail {

/// A condition, and the members it names.
template <auto... M>
struct filter_of {
  condition is;
  operator condition() && { return std::move(is); }  // NOLINT: a filter is a condition that the compiler has checked
};

template <auto M>
struct order_of {
  bool descending;
};

template <auto M, class V>
value compared_value(const V& with) {
  using bare = typename nullable_of<member_type<M>>::type;
  constexpr bool fits = std::is_convertible_v<const V&, bare> && !(std::is_integral_v<bare> && std::is_floating_point_v<V>) &&
                        std::is_same_v<bare, bool> == std::is_same_v<V, bool>;
  static_assert(fits, "herald: the value compared here does not have the type of the attribute");
  static_assert(codec<bare>::type != value_type::map, "herald: a map or a struct cannot be compared in a filter");
  if constexpr (fits && std::is_integral_v<bare> && std::is_integral_v<V> && !std::is_same_v<bare, bool>) {
    return value{number_view(with)};
  } else if constexpr (fits && std::is_floating_point_v<bare> && std::is_floating_point_v<V>) {
    // As the attribute has it, rounded to its type, but where that has no such number.
    return holds<bare>(with) ? value{static_cast<double>(static_cast<bare>(with))} : value{static_cast<double>(with)};
  } else if constexpr (fits) {
    const bare held = static_cast<bare>(with);
    return value{codec<bare>::get(held)};
  } else {
    return {};
  }
}

/// No attribute has an integer as large as this one.
template <class V>
[[nodiscard]] constexpr bool beyond_integers(const V& with) noexcept {
  if constexpr (std::is_integral_v<V>) {
    return !std::in_range<std::int64_t>(+with);
  } else {
    return false;
  }
}

/// A comparison with such an integer is one with the largest there is; null stays unknown.
template <auto M>
[[nodiscard]] condition compare_beyond(comparison how) {
  const bool below = how == comparison::less || how == comparison::at_most || how == comparison::unequal;
  return condition::compare(std::string{member_name<M>()}, below ? comparison::at_most : comparison::more,
                            value{std::numeric_limits<std::int64_t>::max()});
}

template <auto M, class V>
[[nodiscard]] condition compare_value(comparison how, const V& with) {
  using bare = typename nullable_of<member_type<M>>::type;
  if constexpr (std::is_integral_v<bare>) {
    if (beyond_integers(with)) return compare_beyond<M>(how);
  }
  return condition::compare(std::string{member_name<M>()}, how, compared_value<M>(with));
}

/// The values of `in(...)`.
template <auto M>
struct listed_values {
  std::vector<value> all{};
  bool beyond = false;  // one that no attribute has was among them

  template <class V>
  void add(const V& one) {
    if constexpr (std::is_integral_v<typename nullable_of<member_type<M>>::type>) {
      if (beyond_integers(one)) {
        beyond = true;
        return;
      }
    }
    all.push_back(compared_value<M>(one));
  }
  [[nodiscard]] condition in() && {
    if (all.empty() && beyond) return compare_beyond<M>(comparison::equal);  // in nothing would be false even for null
    return condition::in(std::string{member_name<M>()}, std::move(all));
  }
};

template <auto M, class V>
filter_of<M> compare_field(comparison how, const V& with) {
  if constexpr (std::is_same_v<V, std::nullopt_t>) {
    static_assert(nullable_of<member_type<M>>::value, "herald: only a std::optional attribute can be null");
    condition null = condition::is_null(std::string{member_name<M>()});
    return {how == comparison::equal ? std::move(null) : condition::negation(std::move(null))};
  } else if constexpr (nullable_of<V>::value) {
    static_assert(nullable_of<member_type<M>>::value, "herald: only a std::optional attribute can be compared with a std::optional");
    if (!with) return compare_field<M>(how, std::nullopt);
    return compare_field<M>(how, *with);
  } else {
    return {compare_value<M>(how, with)};
  }
}

template <auto M, class V>
filter_of<M> order_field(comparison how, const V& with) {
  using bare = typename nullable_of<member_type<M>>::type;
  static_assert(codec<bare>::type < value_type::list && !std::is_enum_v<bare>,
                "herald: a list, a map, a struct and an enumeration have no order: compare them with == and !=, or use in");
  return {compare_value<M>(how, with)};
}

template <auto M>
constexpr order_of<M> sorted_by(bool descending) {
  static_assert(codec<typename nullable_of<member_type<M>>::type>::type < value_type::list,
                "herald: rows cannot be sorted by a list, a map or a struct");
  return {descending};
}

}  // namespace herald::detail

namespace herald::dsl {

template <auto M, class V>
[[nodiscard]] auto operator==(field_token<M>, const V& with) {
  return detail::compare_field<M>(comparison::equal, with);
}
template <auto M, class V>
[[nodiscard]] auto operator!=(field_token<M>, const V& with) {
  return detail::compare_field<M>(comparison::unequal, with);
}
template <auto M, class V>
[[nodiscard]] auto operator<(field_token<M>, const V& with) {
  return detail::order_field<M>(comparison::less, with);
}
template <auto M, class V>
[[nodiscard]] auto operator<=(field_token<M>, const V& with) {
  return detail::order_field<M>(comparison::at_most, with);
}
template <auto M, class V>
[[nodiscard]] auto operator>(field_token<M>, const V& with) {
  return detail::order_field<M>(comparison::more, with);
}
template <auto M, class V>
[[nodiscard]] auto operator>=(field_token<M>, const V& with) {
  return detail::order_field<M>(comparison::at_least, with);
}
/// One of these values: `in(field<&Ticket::status>, "open", "closed")`, or of a vector.
template <auto M, class... V>
[[nodiscard]] auto in(field_token<M>, const V&... values) {
  detail::listed_values<M> all;
  (all.add(values), ...);
  return detail::filter_of<M>{std::move(all).in()};
}
template <auto M, class V>
[[nodiscard]] auto in(field_token<M>, const std::vector<V>& values) {
  detail::listed_values<M> all;
  for (const V& one : values) all.add(one);
  return detail::filter_of<M>{std::move(all).in()};
}
template <auto M>
[[nodiscard]] auto is_null(field_token<M> of) {
  return of == std::nullopt;
}
/// "%" stands for any characters, "_" for one.
template <auto M>
[[nodiscard]] auto like(field_token<M>, std::string_view pattern) {
  static_assert(codec<typename detail::nullable_of<detail::member_type<M>>::type>::type == value_type::text,
                "herald: like needs an attribute of text");
  return detail::filter_of<M>{condition::like(std::string{detail::member_name<M>()}, std::string{pattern})};
}
template <auto M>
[[nodiscard]] auto starts_with(field_token<M>, std::string_view prefix) {
  static_assert(codec<typename detail::nullable_of<detail::member_type<M>>::type>::type == value_type::text,
                "herald: starts_with needs an attribute of text");
  return detail::filter_of<M>{condition::starts_with(std::string{detail::member_name<M>()}, std::string{prefix})};
}

template <auto M>
[[nodiscard]] constexpr detail::order_of<M> asc(field_token<M>) {
  return detail::sorted_by<M>(false);
}
template <auto M>
[[nodiscard]] constexpr detail::order_of<M> desc(field_token<M>) {
  return detail::sorted_by<M>(true);
}
/// At most so many rows.
struct limit {
  std::size_t rows;
};
/// Leaves out so many rows at the beginning.
struct offset_by {
  std::size_t rows;
};
/// The page behind this keyset, as the page before gave it; an empty one begins at the beginning.
struct page_after {
  std::string_view keyset;
};
struct with_count_option {};
/// The page says how many rows there are in all.
inline constexpr with_count_option with_count{};
/// Whose rows.
struct for_tenant {
  std::string_view name;
};
/// Who asks: only rows that authorise_reads of the resource lets this one see.
struct as {
  const actor& who;
};
struct all_tenants_option {};
inline constexpr all_tenants_option all_tenants{};

}  // namespace herald::dsl

namespace herald::detail {

template <auto... A, auto... B>
[[nodiscard]] filter_of<A..., B...> operator&&(filter_of<A...> left, filter_of<B...> right) {
  std::vector<condition> parts;
  parts.push_back(std::move(left.is));
  parts.push_back(std::move(right.is));
  return {condition::all_of(std::move(parts))};
}
template <auto... A, auto... B>
[[nodiscard]] filter_of<A..., B...> operator||(filter_of<A...> left, filter_of<B...> right) {
  std::vector<condition> parts;
  parts.push_back(std::move(left.is));
  parts.push_back(std::move(right.is));
  return {condition::any_of(std::move(parts))};
}
template <auto... A>
[[nodiscard]] filter_of<A...> operator!(filter_of<A...> of) {
  return {condition::negation(std::move(of.is))};
}

}  // namespace herald::detail
