#pragma once
// The problem: whoever looks at a running process wants to see what its author would look at, and never a password. A
// process may say so itself, in a member of one of these forms:
//
//   void describe(herald::description& d) const {
//     d.add("open orders", orders_.size()).add("account", account_).add("token", herald::secret(token_));
//   }
//   herald::description describe() const;
//
// It is called between two messages of the process, as a handler is: in the crash shell (what it throws is told to who
// asked and ends nothing) and under the watch for handlers that overrun. Thread safety: values; distinct objects: safe.
// The idea: OTP's format_status.

#include <chrono>
#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace herald {

/// Marks a value that is never shown; only that there is one.
template <class T>
struct secret {
  explicit secret(const T&) noexcept {}
};

class description {
 public:
  struct item {
    std::string key;
    std::string value;
    friend bool operator==(const item&, const item&) = default;
  };

  /// A number, bool, enumeration, text or duration, or anything with a member to_string().
  template <class T>
  description& add(std::string key, const T& value) {
    items_.push_back({std::move(key), text_of(value)});
    return *this;
  }
  template <class T>
  description& add(std::string key, const secret<T>&) {
    items_.push_back({std::move(key), std::string{hidden}});
    return *this;
  }
  [[nodiscard]] const std::vector<item>& items() const noexcept { return items_; }
  static constexpr std::string_view hidden = "(hidden)";

 private:
  template <class T>
  static std::string text_of(const T& value) {
    if constexpr (std::same_as<T, bool>) {
      return value ? "true" : "false";
    } else if constexpr (std::is_enum_v<T>) {
      return std::to_string(static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (std::is_arithmetic_v<T>) {
      return std::to_string(value);
    } else if constexpr (std::convertible_to<const T&, std::string_view>) {
      return std::string{std::string_view{value}};
    } else if constexpr (requires { value.to_string(); }) {
      return std::string{value.to_string()};
    } else {
      static_assert(requires { std::chrono::duration_cast<std::chrono::microseconds>(value); },
                    "herald: description::add takes numbers, texts, durations, and types with to_string()");
      return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(value).count()) + " us";
    }
  }
  std::vector<item> items_;
};

}  // namespace herald
