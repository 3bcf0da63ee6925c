#pragma once
// Code of somebody else's that runs on a process's state between two of its messages.

#include <exception>
#include <functional>
#include <optional>
#include <type_traits>

#include <herald/engine/api.hpp>
#include <herald/engine/process_ops.hpp>
#include <herald/ref.hpp>

namespace herald::engine {

/// Waits until `code(state)` has run on the process, or was withdrawn at the limit, so that it never runs afterwards.
/// What the code throws is answered as `failed`.
[[nodiscard]] result<void> visit(address who, const process_ops* type, const std::function<void(void* state)>& code,
                                 std::chrono::milliseconds limit);

template <class T>
struct value_of_result {
  using type = T;
};
template <class T>
struct value_of_result<result<T>> {
  using type = T;
};
template <class P, class F>
using visit_value = typename value_of_result<std::remove_cvref_t<std::invoke_result_t<F&, P&>>>::type;

/// f on the state; where it fails, the state is as before if that can be had.
template <class P, class F>
result<visit_value<P, F>> run_on_state(P& state, F& f) {
  using returned = std::remove_cvref_t<std::invoke_result_t<F&, P&>>;
  using value = visit_value<P, F>;
  constexpr bool reads_only = std::is_invocable_v<F&, const P&>;
  constexpr bool restores = !reads_only && std::is_copy_constructible_v<P> && std::is_copy_assignable_v<P>;
  std::optional<std::conditional_t<restores, P, char>> before;
  if constexpr (restores) before.emplace(state);
  const auto restore = [&] {
    if constexpr (restores) state = *before;
  };
  try {
    if constexpr (std::is_void_v<returned>) {
      f(state);
      return {};
    } else if constexpr (std::is_same_v<returned, value>) {
      return f(state);
    } else {
      auto r = f(state);
      if (!r) restore();
      return r;
    }
  } catch (...) {
    restore();
    throw;
  }
}

}  // namespace herald::engine
