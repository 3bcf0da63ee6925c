#pragma once
// The problem: an enumerator must stand in a file, a topic and JSON by its name, so that a number moved in the source changes
// no stored row, and nobody should have to write the names twice. The compiler spells them: here they are as a table.
//
// It finds the enumerators from 0 to 63 of an enumeration with a fixed underlying type (each `enum class` has one). For
// others, or for names of your own, list them, in the order of their values from zero:
//   `template <> struct herald::enum_names<color> { static constexpr std::string_view names[] = {"red", "green"}; };`
//
// Thread safety: constants. Errors: a compile error for an enumeration of which no name is known.

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace herald {

template <class E>
struct enum_names;

namespace detail {

inline constexpr std::size_t most_enumerators = 64;

template <auto... V>
[[nodiscard]] constexpr std::string_view pretty_values() noexcept {
  return __PRETTY_FUNCTION__;
}

/// "... V = {app::color::red, app::color::green, (app::color)2}", or with "<>": what has no name is a number behind a cast.
template <class E, std::size_t... I>
constexpr auto spelled_names(std::index_sequence<I...>) {
  std::array<std::string_view, sizeof...(I)> names{};
  constexpr std::string_view all = pretty_values<static_cast<E>(I)...>();
  std::size_t at = all.find("V = ") + 5;
  for (std::string_view& name : names) {
    int depth = 0;  // of brackets inside a name: a template's arguments, an anonymous namespace
    std::size_t end = at;
    while (depth > 0 || (all[end] != ',' && all[end] != '}' && all[end] != '>')) {
      constexpr std::string_view opening = "<({";
      constexpr std::string_view closing = ">)}";
      depth += opening.find(all[end]) != opening.npos ? 1 : closing.find(all[end]) != closing.npos ? -1 : 0;
      ++end;
    }
    const std::string_view whole{all.data() + at, end - at};
    const std::string_view last = whole.substr(whole.rfind(':') + 1);
    if (last.find(')') == last.npos) name = last;
    at = end + 2;
  }
  return names;
}

template <class E>
constexpr auto find_names() {
  if constexpr (requires { enum_names<E>::names; }) {
    return std::to_array(enum_names<E>::names);
  } else if constexpr (!requires { E{0}; }) {
    static_assert(!std::is_same_v<E, E>,
                  "herald: list the names of this enumeration with herald::enum_names, or give it a fixed underlying type");
    return std::array<std::string_view, 1>{};
  } else {
    constexpr std::size_t range = std::is_same_v<std::underlying_type_t<E>, bool> ? 2 : most_enumerators;
    constexpr auto names = spelled_names<E>(std::make_index_sequence<range>{});
    constexpr std::size_t count = [&] {
      std::size_t last = range;
      while (last > 0 && names[last - 1].empty()) --last;
      return last;
    }();
    static_assert(count > 0, "herald: none of this enumeration's values is from 0 to 63: list its names with herald::enum_names");
    std::array<std::string_view, count> found{};
    for (std::size_t i = 0; i < count; ++i) found[i] = names[i];
    return found;
  }
}

template <class E>
struct enum_table_of {
  decltype(find_names<E>()) names = find_names<E>();
};
template <class E>
inline constexpr enum_table_of<E> enum_table{};

/// Empty when it has none.
template <class E>
[[nodiscard]] constexpr std::string_view name_of_value(E value) noexcept {
  const auto at = static_cast<std::size_t>(value);  // a negative one becomes very large
  return at < enum_table<E>.names.size() ? enum_table<E>.names[at] : std::string_view{};
}

template <class E>
[[nodiscard]] constexpr bool value_of_name(std::string_view name, E& to) noexcept {
  for (std::size_t i = 0; i < enum_table<E>.names.size() && !name.empty(); ++i) {
    if (enum_table<E>.names[i] != name) continue;
    to = static_cast<E>(i);
    return true;
  }
  return false;
}

}  // namespace detail

}  // namespace herald
