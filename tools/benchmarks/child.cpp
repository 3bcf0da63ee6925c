#include "child.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>

namespace bench {

namespace {

[[noreturn]] void child_main(const benchmark& entry, const side& which, const options& opts, int out) {
  try {
    if (entry.warm_up) (void)which.run(opts);
    const int rounds = opts.quick ? std::min(entry.rounds, 3) : entry.rounds;
    for (int round = 0; round < rounds; ++round) {
      const sample one = which.run(opts);
      if (::write(out, &one, sizeof one) != sizeof one) std::_Exit(3);
    }
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s (%s): %s\n", entry.name.c_str(), which.what.c_str(), problem.what());
    std::_Exit(4);
  }
  std::_Exit(0);  // nothing of a benchmark's leftovers is worth a destructor
}

std::string describe(int status) {
  if (WIFSIGNALED(status)) return "ended by signal " + std::to_string(WTERMSIG(status));
  return "ended with code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

outcome run_in_child(const benchmark& entry, const side& which, const options& opts, std::chrono::seconds limit) {
  int ends[2];
  if (::pipe(ends) != 0) return {std::nullopt, "no pipe"};
  const pid_t child = ::fork();
  if (child < 0) return {std::nullopt, "no fork"};
  if (child == 0) {
    ::close(ends[0]);
    child_main(entry, which, opts, ends[1]);
  }
  ::close(ends[1]);

  std::vector<sample> samples;
  std::string problem;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd ready{.fd = ends[0], .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) {
      problem = "gave up after " + std::to_string(limit.count()) + " s";
      ::kill(child, SIGKILL);
      break;
    }
    sample one;
    if (::read(ends[0], &one, sizeof one) != sizeof one) break;  // its end of the pipe is closed: it has ended
    samples.push_back(one);
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (problem.empty() && status != 0) problem = describe(status);
  if (!problem.empty() || samples.empty()) return {std::nullopt, problem.empty() ? "no rounds" : problem};
  std::sort(samples.begin(), samples.end(), [](const sample& a, const sample& b) { return a.value < b.value; });
  return {samples[samples.size() / 2], {}};
}

}  // namespace bench
