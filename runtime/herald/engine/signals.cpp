#include <herald/engine/signals.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace herald::engine {

namespace {

// What a signal handler may touch: one descriptor, written to. Atomic int: always lock-free here.
std::atomic<int> signal_pipe{-1};

void on_signal(int) {
  const int saved = errno;
  const char byte = 1;
  if (const int fd = signal_pipe.load(std::memory_order_relaxed); fd >= 0)
    static_cast<void>(!::write(fd, &byte, 1));
  errno = saved;
}

}  // namespace

signal_watch::signal_watch() {
  if (::pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) != 0) throw std::runtime_error{"no pipe for signals could be made"};
  signal_pipe.store(pipe_[1]);
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, &old_int_);
  ::sigaction(SIGTERM, &action, &old_term_);
}

signal_watch::~signal_watch() {
  ::sigaction(SIGINT, &old_int_, nullptr);
  ::sigaction(SIGTERM, &old_term_, nullptr);
  signal_pipe.store(-1);
  ::close(pipe_[0]);
  ::close(pipe_[1]);
}

bool signal_watch::wait(const std::function<bool()>& over) {
  while (!over()) {
    pollfd p{pipe_[0], POLLIN, 0};
    // The tree's end has no descriptor to poll; 20 ms more at the end of a program is nothing.
    if (::poll(&p, 1, 20) <= 0) continue;
    char byte = 0;
    if (::read(pipe_[0], &byte, 1) == 1) return true;
  }
  return false;
}

void leave_program(int code) {
  std::fflush(nullptr);
  std::_Exit(code);
}

}  // namespace herald::engine
