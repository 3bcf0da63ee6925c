#pragma once
// The problem: C++ casts a number into any other type of numbers, and what does not fit becomes another number. `holds` says
// beforehand whether a type has it.
//
// Private; part of <herald/codec.hpp>. Thread safety: functions without state.

#include <limits>
#include <type_traits>
#include <utility>

namespace herald::detail {

/// A number whose content is its value: not a bool.
template <class N>
inline constexpr bool is_number = std::is_arithmetic_v<N> && !std::is_same_v<N, bool>;

/// Whether a type of numbers has this very number; of a real for a real, whether it is in its range.
template <class To, class From>
  requires(is_number<To> && std::is_arithmetic_v<From> && !(std::is_integral_v<To> && std::is_floating_point_v<From>))
[[nodiscard]] constexpr bool holds(From n) noexcept {
  if constexpr (std::is_integral_v<To>) {
    return std::in_range<To>(+n);
  } else if constexpr (std::is_integral_v<From>) {
    const auto made = static_cast<To>(n);
    // 2^63 or 2^64: what lies at or above it does not go back.
    constexpr To end = static_cast<To>(std::numeric_limits<From>::max() / 2 + 1) * 2;
    return made < end && static_cast<From>(made) == n;
  } else {
    constexpr auto most = std::numeric_limits<To>::max();
    if constexpr (std::numeric_limits<From>::max_exponent <= std::numeric_limits<To>::max_exponent) {
      return true;
    } else {
      const bool infinite = n > std::numeric_limits<From>::max() || n < std::numeric_limits<From>::lowest();
      return infinite || n != n || (n <= From{most} && n >= -From{most});
    }
  }
}

}  // namespace herald::detail
