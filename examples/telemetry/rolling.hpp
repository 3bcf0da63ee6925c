#pragma once
// The problem: one sample says little and a log says too much. A rolling window keeps the last few seconds of a value
// and answers for its mean and its extremes; a timeline keeps its last minute for a sparkline. Both are bounded.
//
// Thread safety: distinct objects: safe; shared objects: unsafe. Time is passed in.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace telemetry {

/// Wall time in milliseconds: it stands in rows and files, so it must mean the same after a restart.
using instant = std::chrono::sys_time<std::chrono::milliseconds>;

class rolling {
 public:
  /// Values older than `window` are forgotten; beyond `limit` values the oldest goes first.
  explicit rolling(std::chrono::milliseconds window, std::size_t limit = 4096);

  /// A time before the last one counts as the last one: clocks are set back, windows are not.
  void add(instant now, double value);
  /// Forgets what has become too old without adding anything.
  void advance(instant now);

  [[nodiscard]] std::size_t count() const noexcept { return points_.size(); }
  [[nodiscard]] double mean() const noexcept;  ///< zero when empty, as the others
  [[nodiscard]] double least() const noexcept;
  [[nodiscard]] double most() const noexcept;
  [[nodiscard]] double last() const noexcept;
  /// How long the window has been watching: a mean over less than it should cover is a guess.
  [[nodiscard]] std::chrono::milliseconds covered() const noexcept;

 private:
  struct point {
    instant at;
    double value;
  };
  std::chrono::milliseconds window_;
  std::size_t limit_;
  std::deque<point> points_;
};

/// A value over the last minute, in steps of a quarter of a second. Values are told when they change, so a step nothing
/// was said about has the value of the one before it.
class timeline {
 public:
  static constexpr std::chrono::milliseconds step{250};
  static constexpr std::size_t steps = 240;

  /// The last value of a step counts. A time before the last one counts as the last one.
  void add(instant now, double value);
  /// Oldest first; from the first value known, or from a minute ago.
  [[nodiscard]] std::vector<double> points(instant now) const;

 private:
  struct point {
    std::int64_t step;
    double value;
  };
  std::deque<point> points_;
};

}  // namespace telemetry
