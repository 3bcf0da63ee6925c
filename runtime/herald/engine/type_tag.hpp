#pragma once
// What the engine knows of a message type: an identity (the tag's address) and a name for reports.

#include <string_view>

namespace herald::engine {

struct type_tag {
  std::string_view name;
};

template <class T>
consteval std::string_view type_name() {
  constexpr std::string_view text = __PRETTY_FUNCTION__;
  constexpr auto begin = text.find("T = ") + 4;
  constexpr auto end = text.find_first_of(";]", begin);
  return text.substr(begin, end - begin);
}

template <class T>
inline constexpr type_tag tag_of{type_name<T>()};

}  // namespace herald::engine
