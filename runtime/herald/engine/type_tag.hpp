#pragma once
// What the engine knows of a message type: an identity (the tag's address) and a name for reports.

#include <string_view>

namespace herald::engine {

struct type_tag {
  std::string_view name;
  /// A message that says no more than "look again", of what is kept elsewhere: lost with its receiver, it is no dead letter.
  bool wake_up = false;
};

template <class T>
inline constexpr bool is_wake_up = false;

template <class T>
consteval std::string_view type_name() {
  constexpr std::string_view text = __PRETTY_FUNCTION__;
  constexpr auto begin = text.find("T = ") + 4;
  constexpr auto end = text.find_first_of(";]", begin);
  constexpr auto name = text.substr(begin, end - begin);
  // Compilers have words of their own for a namespace without a name; what stands in one is called by its own name.
  constexpr auto scopes = name.substr(0, name.find('<'));
  for (std::string_view nameless : {"{anonymous}::", "(anonymous namespace)::"}) {
    if (const auto at = scopes.rfind(nameless); at != scopes.npos) return name.substr(at + nameless.size());
  }
  return name;
}

template <class T>
inline constexpr type_tag tag_of{type_name<T>(), is_wake_up<T>};

}  // namespace herald::engine
