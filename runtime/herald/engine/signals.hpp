#pragma once
// SIGINT and SIGTERM as something to wait for. While a watch lives, both are caught; before and after, they are as they
// were. One watch at a time in a program.

#include <csignal>
#include <functional>

namespace herald::engine {

class signal_watch {
 public:
  signal_watch();
  ~signal_watch();
  signal_watch(const signal_watch&) = delete;
  signal_watch& operator=(const signal_watch&) = delete;
  /// True: a signal came. False: `over` said so.
  [[nodiscard]] bool wait(const std::function<bool()>& over);

 private:
  struct sigaction old_int_ {};
  struct sigaction old_term_ {};
  int pipe_[2] = {-1, -1};
};

/// Flushes the standard streams and ends the program at once, without destructors.
[[noreturn]] void leave_program(int code);

}  // namespace herald::engine
