#include "terminal.hpp"

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

using namespace telemetry;

namespace {

// Both ends of a pseudo terminal.
struct pseudo_terminal {
  pseudo_terminal() : outside{::posix_openpt(O_RDWR | O_NOCTTY)} {
    REQUIRE(outside >= 0);
    REQUIRE(::grantpt(outside) == 0);
    REQUIRE(::unlockpt(outside) == 0);
    inside = ::open(::ptsname(outside), O_RDWR | O_NOCTTY);
    REQUIRE(inside >= 0);
  }
  pseudo_terminal(const pseudo_terminal&) = delete;
  pseudo_terminal& operator=(const pseudo_terminal&) = delete;
  ~pseudo_terminal() {
    ::close(inside);
    ::close(outside);
  }
  // What has been shown so far.
  [[nodiscard]] std::string drain() const {
    std::string text;
    pollfd ready{outside, POLLIN, 0};
    while (::poll(&ready, 1, 50) > 0) {
      std::array<char, 4096> piece;
      const auto got = ::read(outside, piece.data(), piece.size());
      if (got <= 0) break;
      text.append(piece.data(), static_cast<std::size_t>(got));
    }
    return text;
  }
  [[nodiscard]] bool echoes() const {
    termios state{};
    REQUIRE(::tcgetattr(inside, &state) == 0);
    return (state.c_lflag & ECHO) != 0;
  }
  int outside;
  int inside = -1;
};

// Sets a variable for one test.
struct variable {
  variable(const char* name, const char* value) : name_{name} {
    if (const auto* old = std::getenv(name)) before_ = old;
    if (value == nullptr)
      ::unsetenv(name);
    else
      ::setenv(name, value, 1);
  }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;
  ~variable() {
    if (before_)
      ::setenv(name_, before_->c_str(), 1);
    else
      ::unsetenv(name_);
  }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace

TEST_CASE("the screen that was borrowed is given back: screen, cursor, echo") {
  const pseudo_terminal terminal;
  REQUIRE(terminal.echoes());
  {
    live_terminal live{terminal.inside, {}};
    CHECK_FALSE(terminal.echoes());
    canvas frame{10, 2};
    frame.put(0, 0, "hello");
    CHECK(live.show(frame));
    const auto shown = terminal.drain();
    CHECK(shown.find("\x1b[?1049h") != std::string::npos);
    CHECK(shown.find("\x1b[?25l") != std::string::npos);
    CHECK(shown.find("hello") != std::string::npos);
    CHECK(live.show(frame));
    CHECK(terminal.drain().empty());  // nothing changed, nothing is sent
  }
  const auto shown = terminal.drain();
  CHECK(shown.find("\x1b[?25h") != std::string::npos);
  CHECK(shown.find("\x1b[?1049l") != std::string::npos);
  CHECK(terminal.echoes());
}

TEST_CASE("the size is the terminal's own, at every moment") {
  const pseudo_terminal terminal;
  winsize size{};
  size.ws_col = 101;
  size.ws_row = 33;
  REQUIRE(::ioctl(terminal.outside, TIOCSWINSZ, &size) == 0);
  const live_terminal live{terminal.inside, {}};
  CHECK(live.size().width == 101);
  size.ws_col = 50;
  REQUIRE(::ioctl(terminal.outside, TIOCSWINSZ, &size) == 0);
  CHECK(live.size().width == 50);
}

TEST_CASE("what is no terminal, or a dumb one, gets no live view") {
  const int file = ::open("/dev/null", O_RDWR);
  CHECK_FALSE(is_live_terminal(file));
  CHECK(size_of_terminal(file).width == 80);
  ::close(file);
  const pseudo_terminal terminal;
  {
    const variable dumb{"TERM", "dumb"};
    CHECK_FALSE(is_live_terminal(terminal.inside));
  }
  {
    const variable none{"TERM", nullptr};
    CHECK_FALSE(is_live_terminal(terminal.inside));
  }
  const variable usual{"TERM", "xterm-256color"};
  CHECK(is_live_terminal(terminal.inside));
}

TEST_CASE("NO_COLOR and the locale are respected") {
  const variable all{"LC_ALL", nullptr};
  const variable type{"LC_CTYPE", nullptr};
  const variable language{"LANG", "en_GB.UTF-8"};
  {
    const variable colourless{"NO_COLOR", "1"};
    CHECK_FALSE(look_from_environment().colour);
  }
  {
    const variable empty{"NO_COLOR", ""};  // "when present and not an empty string"
    CHECK(look_from_environment().colour);
  }
  CHECK(look_from_environment().unicode);
  const variable first{"LC_ALL", "C"};
  CHECK_FALSE(look_from_environment().unicode);
}

TEST_CASE("a terminal that has gone is noticed, and is no crash") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  ::close(ends[0]);
  const auto old = std::signal(SIGPIPE, SIG_IGN);
  CHECK_FALSE(write_fully(ends[1], "text"));
  std::signal(SIGPIPE, old);
  ::close(ends[1]);
}
