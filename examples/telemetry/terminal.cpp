#include "terminal.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <string>

#include <sys/ioctl.h>
#include <unistd.h>

namespace telemetry {

namespace {

std::string environment(const char* name) {
  const auto* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): read before any thread is started
  return value == nullptr ? "" : value;
}

}  // namespace

bool is_live_terminal(int descriptor) {
  const auto kind = environment("TERM");
  return ::isatty(descriptor) == 1 && !kind.empty() && kind != "dumb";
}

terminal_look look_from_environment() {
  // The first that is set decides, as in setlocale(3).
  auto locale = environment("LC_ALL");
  if (locale.empty()) locale = environment("LC_CTYPE");
  if (locale.empty()) locale = environment("LANG");
  std::transform(locale.begin(), locale.end(), locale.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  const bool unicode = locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  return {.colour = environment("NO_COLOR").empty(), .unicode = unicode};
}

terminal_size size_of_terminal(int descriptor) {
  winsize found{};
  if (::ioctl(descriptor, TIOCGWINSZ, &found) != 0 || found.ws_col == 0 || found.ws_row == 0) return {};
  return {found.ws_col, found.ws_row};
}

bool write_fully(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto put = ::write(descriptor, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

live_terminal::live_terminal(int descriptor, terminal_look look) : descriptor_{descriptor}, look_{look} {
  termios now{};
  if (::tcgetattr(descriptor_, &now) == 0) {
    before_ = now;
    now.c_lflag &= ~static_cast<tcflag_t>(ECHO);  // what is typed meanwhile shall not draw on the view
    (void)::tcsetattr(descriptor_, TCSANOW, &now);
  }
  (void)write_fully(descriptor_, "\x1b[?1049h\x1b[?25l\x1b[2J");
}

live_terminal::~live_terminal() {
  (void)write_fully(descriptor_, "\x1b[?2026l\x1b[0m\x1b[?25h\x1b[?1049l");
  if (before_) (void)::tcsetattr(descriptor_, TCSAFLUSH, &*before_);
}

bool live_terminal::show(const canvas& frame) {
  const std::lock_guard lock{mutex_};
  const auto bytes = paint(frame, shown_ ? &*shown_ : nullptr, look_);
  shown_ = frame;
  return bytes.empty() || write_fully(descriptor_, bytes);
}

}  // namespace telemetry
