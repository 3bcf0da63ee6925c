#pragma once
// The problem: `field<&Gauge::small> = 300` is a call that C++ would carry out with 44. What typed code gives for a member is put
// there only when the member's type has that very value; a real for an integer does not compile.
//
// Private; part of <herald/typed_request.hpp> and <herald/changeset.hpp>. Thread safety: functions without state.

#include <herald/codec.hpp>

namespace herald::detail {

/// Whether typed code may give a V for a member: numbers for numbers, but no real for an integer and nothing but a bool for a
/// bool; everything else as C++ assigns it.
template <class Member, class V>
consteval bool takes() {
  using M = typename nullable_of<Member>::type;
  using G = typename nullable_of<std::remove_cvref_t<V>>::type;
  if constexpr (std::is_arithmetic_v<M> && std::is_arithmetic_v<G>) {
    return !(std::is_integral_v<M> && std::is_floating_point_v<G>) && (!std::is_same_v<M, bool> || std::is_same_v<G, bool>) &&
           (nullable_of<Member>::value || !nullable_of<std::remove_cvref_t<V>>::value);
  } else {
    return std::is_assignable_v<Member&, V> && !(std::is_arithmetic_v<M> && std::is_pointer_v<std::decay_t<V>>);
  }
}

/// A number as errors show it.
template <class N>
[[nodiscard]] constexpr value_view number_view(N n) noexcept {
  if constexpr (std::is_integral_v<N> && !std::is_same_v<N, bool>) {
    if (std::in_range<std::int64_t>(+n)) return value_view{static_cast<std::int64_t>(n)};
    return value_view{static_cast<double>(n)};
  } else {
    return value_view{n};
  }
}

/// Puts what typed code gave into a member. A null is nothing that went wrong; else the number that did not fit.
template <class Member, class V>
[[nodiscard]] value_view put(Member& to, V&& given) {
  using M = typename nullable_of<Member>::type;
  using G = typename nullable_of<std::remove_cvref_t<V>>::type;
  if constexpr (is_number<M> && std::is_arithmetic_v<G>) {
    G number{};
    if constexpr (nullable_of<std::remove_cvref_t<V>>::value) {
      if (!given) {
        to = std::nullopt;
        return {};
      }
      number = *given;
    } else {
      number = given;
    }
    if (!holds<M>(number)) return number_view(number);
    to = static_cast<M>(number);
  } else {
    to = std::forward<V>(given);
  }
  return {};
}

}  // namespace herald::detail
