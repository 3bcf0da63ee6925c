#pragma once
// What the tests of tasks share: a process that runs what the test hands it, and answers as words.

#include <functional>
#include <optional>
#include <string>

#include "support.hpp"

namespace herald::test {

struct script {
  std::function<void(context&)> code;
};

struct owner : process<owner, script> {
  explicit owner(context& self) : self_{self} {}
  void on(const script& s) { s.code(self_); }

 private:
  context& self_;
};

inline constexpr auto none = "none";

template <class T>
std::string text_of(const result<T>& r) {
  if (!r) return std::string{r.error().name()};
  if constexpr (std::is_void_v<T>) {
    return "done";
  } else {
    return std::to_string(*r);
  }
}
template <class T>
std::string text_of(const std::optional<result<T>>& r) {
  return r ? text_of(*r) : none;
}

}  // namespace herald::test
