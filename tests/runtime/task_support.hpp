#pragma once
// What the tests of tasks and requests share: processes that run what the test hands them, and answers as words.

#include <functional>
#include <optional>
#include <string>

#include <herald/coroutine.hpp>

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

struct waiting_script {
  std::function<coroutine<>(context&)> code;
};
struct which_life {
  using reply = int;
};
/// The same for handlers that wait inside.
struct inside : process<inside, waiting_script, which_life> {
  coroutine<> on(context& self, const waiting_script& s) { return s.code(self); }
  int on(context& self, const which_life&) { return static_cast<int>(self.incarnation()); }
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
