#pragma once
// The problem: a wait is given either so long, or until a moment that several waits have in common (the caller's own
// deadline, handed on). Whoever waits takes a time_limit, and both can be said: `500ms`, or `self.now() + 500ms`.
//
//   const auto deadline = self.now() + 200ms;               // for all of them together
//   self.call(left_, total{}, deadline, ...);
//   self.call(right_, total{}, deadline, ...);
//
// Units: a duration counts from the call, and converts to milliseconds without loss; a point is one of the application's
// clock (context::now, simulation::now). A point that has passed: nothing is sent, the answer is timeout.
// Thread safety: values. The idea: Erlang's {abs, Time}.

#include <algorithm>
#include <chrono>
#include <concepts>
#include <optional>

namespace herald {

class time_limit {
 public:
  template <class Rep, class Period>
    requires std::convertible_to<std::chrono::duration<Rep, Period>, std::chrono::milliseconds>
  constexpr time_limit(std::chrono::duration<Rep, Period> time) noexcept : time_{time} {}  // NOLINT: the point of it
  constexpr time_limit(std::chrono::steady_clock::time_point end) noexcept : end_{end} {}  // NOLINT: as above

  /// When the wait that begins at `now` ends.
  [[nodiscard]] constexpr std::chrono::steady_clock::time_point end(std::chrono::steady_clock::time_point now) const {
    return end_ ? *end_ : now + time_;
  }
  /// How long that is, rounded up, 0 up for a point.
  [[nodiscard]] constexpr std::chrono::milliseconds from(std::chrono::steady_clock::time_point now) const {
    if (!end_) return time_;
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(*end_ - now), std::chrono::milliseconds{0});
  }
  /// It is a point, and has passed.
  [[nodiscard]] constexpr bool passed(std::chrono::steady_clock::time_point now) const { return end_ && *end_ <= now; }

 private:
  std::chrono::milliseconds time_{0};
  std::optional<std::chrono::steady_clock::time_point> end_;
};

}  // namespace herald
