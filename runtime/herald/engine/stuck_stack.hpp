#pragma once
// Where a thread is that does not return: its stack, and what it does in the kernel, seen from another thread.
//
// How: /proc/self/task/<thread>/syscall says whether it computes or which system call it is in. A stack is taken by a
// directed signal, whose handler calls backtrace() into a static buffer and nothing else. The signal is sent only where it
// disturbs nobody: to a thread that computes, and to one in a system call that SA_RESTART begins again (futex, file
// input and output, waiting for a child). Sleeps, poll and sockets would return EINTR to user code, so they get no signal:
// only the name of the call is told. A thread that enters such a call in the microseconds between the look and the signal
// is the one case left; application_options::stuck_stacks turns it all off.
//
// Thread safety: safe for all; one capture at a time. Bounds: 64 frames, `limit` to wait. The signal is a free real-time
// signal from the top (SIG_DFL until then), and stays ours.

#include <chrono>
#include <string>
#include <vector>

namespace herald::engine {

struct thread_sight {
  std::string doing;               ///< "computing", "in poll"; empty when it cannot be told
  std::vector<std::string> stack;  ///< innermost first; empty when it could not be had
};

/// `thread`: as gettid() gives it.
[[nodiscard]] thread_sight look_at_thread(int thread, std::chrono::milliseconds limit);

}  // namespace herald::engine
