#pragma once
// The problem: SIGINT, SIGTERM and SIGHUP must end the demo orderly, and a signal handler may do next to nothing. Here
// they are blocked in every thread and waited for by main, as ordinary events with a time limit. A second one hastens:
// the program leaves at once, and the next start goes on from what is on the disk.
//
// Lifetime: made first thing in main, before any thread: a thread inherits the mask of its maker. A write to a closed
// pipe is an error instead of a signal from then on.

#include <chrono>
#include <functional>
#include <optional>

#include <csignal>

namespace telemetry {

class signal_watch {
 public:
  signal_watch();
  signal_watch(const signal_watch&) = delete;
  signal_watch& operator=(const signal_watch&) = delete;

  /// The signal that came, or nothing within `limit`.
  [[nodiscard]] std::optional<int> wait(std::chrono::nanoseconds limit) const;

  /// From now on a further signal calls `first` on a thread of its own and leaves the program with code 130.
  void hasten(std::function<void()> first) const;

 private:
  sigset_t set_{};
};

}  // namespace telemetry
