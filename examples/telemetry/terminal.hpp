#pragma once
// The problem: a program that takes the whole screen must give it back, however it ends, or the user's shell is left
// without echo, cursor and history. A live_terminal is that loan: the alternate screen, no cursor, no echo; its
// destructor returns all of it. It belongs to main, not to the process that draws: that one may be killed five times a
// second.
//
// Thread safety: shared objects: safe (show() locks: the incarnation of a view that is being replaced may still write).
// Lifetime: one at a time. A SIGKILL leaves the terminal as it is; `reset` helps then, as after any full-screen
// program.

#include "canvas.hpp"

#include <mutex>
#include <optional>

#include <termios.h>

namespace telemetry {

struct terminal_size {
  int width = 80;
  int height = 24;
};

/// Can a live view be shown on this descriptor: is it a terminal, and is TERM not "dumb"?
[[nodiscard]] bool is_live_terminal(int descriptor);

/// What it can show, from NO_COLOR (no-color.org), TERM, and LC_ALL, LC_CTYPE, LANG.
[[nodiscard]] terminal_look look_from_environment();

/// The size at this moment; 80 x 24 where nobody knows.
[[nodiscard]] terminal_size size_of_terminal(int descriptor);

/// Writes all of it, over partial writes and interruptions; false when the other side has gone.
[[nodiscard]] bool write_fully(int descriptor, std::string_view text);

class live_terminal {
 public:
  live_terminal(int descriptor, terminal_look look);
  live_terminal(const live_terminal&) = delete;
  live_terminal& operator=(const live_terminal&) = delete;
  ~live_terminal();

  /// Shows the canvas; only what differs from the one before is sent. False when the terminal has gone.
  [[nodiscard]] bool show(const canvas& frame);
  [[nodiscard]] terminal_size size() const { return size_of_terminal(descriptor_); }

 private:
  std::mutex mutex_;
  int descriptor_;
  terminal_look look_;
  std::optional<termios> before_;
  std::optional<canvas> shown_;
};

}  // namespace telemetry
