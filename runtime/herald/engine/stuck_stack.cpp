#include <herald/engine/stuck_stack.hpp>

#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

namespace herald::engine {

namespace {

constexpr int max_frames = 64;
constexpr int own_frames = 2;  // the signal's handler and the kernel's way into it

enum : int { nobody_asks, wanted, being_written, written };

// What the handler may touch. Nothing here has a destructor.
std::atomic<int> state{nobody_asks};
std::atomic<int> thread_asked{0};
void* frames[max_frames];
int frame_count = 0;

std::mutex one_at_a_time;
int our_signal = 0;

void on_signal(int, siginfo_t*, void*) {
  const int saved = errno;
  int expected = wanted;
  if (thread_asked.load(std::memory_order_acquire) == static_cast<int>(::syscall(SYS_gettid)) &&
      state.compare_exchange_strong(expected, being_written, std::memory_order_acq_rel)) {
    frame_count = ::backtrace(frames, max_frames);
    state.store(written, std::memory_order_release);
  }
  errno = saved;
}

/// A signal whose handler is ours; 0 when none is free.
int signal_to_use() {
  struct sigaction now {};
  if (our_signal != 0 && ::sigaction(our_signal, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) != 0 &&
      now.sa_sigaction == on_signal)
    return our_signal;
  // The first call of backtrace loads a library; it must not be the handler's.
  void* first[1];
  static_cast<void>(::backtrace(first, 1));
  for (int s = SIGRTMAX - 2; s > SIGRTMIN + 2; --s) {
    if (::sigaction(s, nullptr, &now) != 0 || (now.sa_flags & SA_SIGINFO) != 0 || now.sa_handler != SIG_DFL) continue;
    struct sigaction action {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_RESTART | SA_SIGINFO | SA_ONSTACK;
    ::sigemptyset(&action.sa_mask);
    if (::sigaction(s, &action, nullptr) == 0) return our_signal = s;
  }
  return 0;
}

struct call_name {
  long number;
  const char* name;
  bool restarts;  ///< SA_RESTART begins it again
};
constexpr call_name calls[]{
    {SYS_futex, "futex (a lock or a condition)", true},
    {SYS_read, "read", true},
    {SYS_write, "write", true},
    {SYS_readv, "readv", true},
    {SYS_writev, "writev", true},
    {SYS_pread64, "pread", true},
    {SYS_pwrite64, "pwrite", true},
    {SYS_fsync, "fsync", true},
    {SYS_fdatasync, "fdatasync", true},
    {SYS_flock, "flock", true},
    {SYS_openat, "openat", true},
    {SYS_wait4, "wait4", true},
    {SYS_waitid, "waitid", true},
    {SYS_nanosleep, "nanosleep", false},
    {SYS_clock_nanosleep, "clock_nanosleep", false},
    {SYS_ppoll, "ppoll", false},
    {SYS_pselect6, "pselect", false},
    {SYS_epoll_pwait, "epoll_pwait", false},
    {SYS_accept, "accept", false},
    {SYS_accept4, "accept4", false},
    {SYS_connect, "connect", false},
    {SYS_recvfrom, "recv", false},
    {SYS_recvmsg, "recvmsg", false},
    {SYS_sendto, "send", false},
    {SYS_sendmsg, "sendmsg", false},
#ifdef SYS_poll
    {SYS_poll, "poll", false},
#endif
#ifdef SYS_select
    {SYS_select, "select", false},
#endif
#ifdef SYS_epoll_wait
    {SYS_epoll_wait, "epoll_wait", false},
#endif
};

struct situation {
  std::string doing;
  bool may_signal = false;
};

situation situation_of(int thread) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/task/%d/syscall", thread);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path, "re"), [](std::FILE* f) { return std::fclose(f); }};
  char line[256];
  if (file == nullptr || std::fgets(line, sizeof line, file.get()) == nullptr) return {};
  if (std::strncmp(line, "running", 7) == 0) return {"computing", true};
  char* end = nullptr;
  const long number = std::strtol(line, &end, 10);
  if (number < 0) return {"computing", true};
  const auto first = std::strtoull(end, nullptr, 16);
  for (const auto& c : calls) {
    if (c.number != number) continue;
    bool restarts = c.restarts;
    // A socket may have a time limit, with which nothing is begun again.
    if (number == SYS_read || number == SYS_write || number == SYS_readv || number == SYS_writev) {
      struct stat about {};
      restarts = ::fstat(static_cast<int>(first), &about) == 0 && !S_ISSOCK(about.st_mode);
    }
    return {std::string{"in "} + c.name, restarts};
  }
  return {"in system call " + std::to_string(number), false};
}

std::string frame_text(void* address, bool exact) {
  // A return address may be the first of the next function.
  auto* inside = static_cast<char*>(address) - (exact ? 0 : 1);
  char text[64];
  Dl_info about{};
  if (::dladdr(inside, &about) == 0 || about.dli_fname == nullptr) {
    std::snprintf(text, sizeof text, "%p", address);
    return text;
  }
  std::snprintf(text, sizeof text, "+0x%zx", static_cast<std::size_t>(static_cast<char*>(address) - static_cast<char*>(about.dli_fbase)));
  const auto* slash = std::strrchr(about.dli_fname, '/');
  const auto place = std::string{slash != nullptr ? slash + 1 : about.dli_fname} + text;
  if (about.dli_sname == nullptr) return place;
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> plain{abi::__cxa_demangle(about.dli_sname, nullptr, nullptr, &status), std::free};
  return std::string{plain ? plain.get() : about.dli_sname} + " (" + place + ")";
}

std::vector<std::string> take_stack(int thread, std::chrono::milliseconds limit) {
  const int s = signal_to_use();
  int expected = written;
  state.compare_exchange_strong(expected, nobody_asks);
  if (s == 0 || state.load() != nobody_asks) return {};
  thread_asked.store(thread, std::memory_order_release);
  state.store(wanted, std::memory_order_release);
  if (::syscall(SYS_tgkill, ::getpid(), thread, s) != 0) {
    state.store(nobody_asks);
    return {};
  }
  const auto end = std::chrono::steady_clock::now() + limit;
  while (state.load(std::memory_order_acquire) != written && std::chrono::steady_clock::now() < end) ::usleep(50);
  expected = wanted;
  // It blocks the signal, or the machine is slow: whoever comes late finds that nobody asks.
  if (state.compare_exchange_strong(expected, nobody_asks)) return {};
  if (state.load(std::memory_order_acquire) != written) return {};
  std::vector<std::string> stack;
  for (int i = own_frames; i < frame_count; ++i) {
    stack.push_back(frame_text(frames[i], i == own_frames));
    // What is below is the engine and the scheduler, always the same.
    if (stack.back().starts_with("herald::engine::host::run(")) break;
  }
  state.store(nobody_asks);
  return stack;
}

}  // namespace

thread_sight look_at_thread(int thread, std::chrono::milliseconds limit) {
  if (thread <= 0) return {};
  const std::unique_lock lock{one_at_a_time, std::try_to_lock};
  if (!lock) return {};
  const auto now = situation_of(thread);
  thread_sight seen{now.doing, {}};
  if (now.may_signal) seen.stack = take_stack(thread, limit);
  return seen;
}

}  // namespace herald::engine
