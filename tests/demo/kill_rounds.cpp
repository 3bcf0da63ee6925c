// Kills the telemetry demo again and again, at random moments, on one database, and looks after each kill at what is on
// the disk: every row has its events and every event its row, the numbering has no gap, and the record is the beginning
// of the log, word for word. The next start goes on; the last one ends by itself and must have nothing missing.
//
// The moment is given by how often the demo has been seen to touch its files, so that no clock decides.
//
//   kill_rounds DEMO ROUNDS [SEED]

#include "final_check.hpp"
#include "lines.hpp"
#include "record_check.hpp"
#include "resources.hpp"

#include <herald/verify.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

namespace {

namespace files = std::filesystem;

struct places {
  std::string database;
  std::string record;
  std::string output;
};

struct ending {
  bool killed = false;
  int code = 0;
};

pid_t start(const std::string& demo, const places& where, std::vector<std::string> more) {
  std::vector<std::string> words{demo, "--db", where.database, "--record", where.record, "--plain", "--interval", "20"};
  words.insert(words.end(), more.begin(), more.end());
  const pid_t child = ::fork();
  if (child != 0) return child;
  const int out = ::open(where.output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execv(demo.c_str(), arguments.data());
  std::_Exit(127);
}

ending wait_for(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return {true, WTERMSIG(status)};
  return {false, WEXITSTATUS(status)};
}

/// Tells of each time that something in a folder is made or written.
class folder_watch {
 public:
  explicit folder_watch(const std::string& folder) : fd_{::inotify_init1(IN_CLOEXEC)} {
    if (::inotify_add_watch(fd_, folder.c_str(), IN_CREATE | IN_MODIFY) < 0) std::perror(folder.c_str());
  }
  folder_watch(const folder_watch&) = delete;
  folder_watch& operator=(const folder_watch&) = delete;
  ~folder_watch() { ::close(fd_); }

  /// Waits until that has happened so many times, or not at all for 20 seconds.
  void wait_for(std::uint64_t times) const {
    alignas(inotify_event) char buffer[16 * 1024];
    for (std::uint64_t seen = 0; seen < times;) {
      pollfd ready{fd_, POLLIN, 0};
      if (::poll(&ready, 1, 20'000) <= 0) return;
      const auto got = ::read(fd_, buffer, sizeof buffer);
      for (ssize_t at = 0; at < got; ++seen) {
        inotify_event event{};
        std::memcpy(&event, buffer + at, sizeof event);
        at += static_cast<ssize_t>(sizeof event + event.len);
      }
    }
  }

 private:
  int fd_;
};

std::string content(const std::string& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

[[noreturn]] void fail(const places& where, const std::string& what) {
  std::printf("FAILED: %s\nwhat the demo said last:\n%s\nthe files are kept: %s, %s\n", what.c_str(),
              content(where.output).c_str(), where.database.c_str(), where.record.c_str());
  std::exit(1);
}

// What is on the disk after a kill. Gives the log's head.
std::uint64_t examine(const places& where, std::uint64_t head_before) {
  if (!files::exists(where.database)) return 0;  // killed before it was made
  const auto found = herald::verify(where.database, telemetry::described_tables());
  if (!found) {
    if (head_before == 0) return 0;  // killed while it was made: the next start makes it
    fail(where, "the database cannot be verified: " + found.error().to_string());
  }
  if (!found->holds()) fail(where, "the database does not hold: " + found->faults.front());
  if (found->head < head_before)
    fail(where, "events are gone: the log ended at " + std::to_string(head_before) + " and ends at " +
                    std::to_string(found->head));
  const auto counts = telemetry::compare(where.database, where.record);
  if (!counts) fail(where, "log and record cannot be compared: " + counts.error().to_string());
  auto beyond_the_end = *counts;
  beyond_the_end.missing = 0;  // what was committed and not yet recorded: the next start writes it
  if (!beyond_the_end.clean()) fail(where, "the record: " + beyond_the_end.complaints());
  if (counts->committed != found->head) fail(where, "the numbering has a gap");
  // A line that is missing in the middle would leave a later one recorded.
  auto file = telemetry::record_file::open(where.record);
  const auto last = file && file->last() ? file->last()->sequence : 0;
  if (counts->recorded != last)
    fail(where,
         "the record ends at " + std::to_string(last) + " and has " + std::to_string(counts->recorded) + " events");
  return found->head;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: kill_rounds DEMO ROUNDS [SEED]\n");
    return 2;
  }
  const std::string demo = argv[1];
  const int rounds = std::atoi(argv[2]);
  const auto seed = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random{seed};
  auto folder = (files::temp_directory_path() / "herald-demo-test-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return 2;
  const places where{folder + "/t.db", folder + "/t.jsonl", folder + "/output.txt"};

  std::uint64_t head = 0;
  int grown = 0;
  for (int round = 1; round <= rounds; ++round) {
    // Most kills early, in start, recovery and replay; some in full run; some with chaos going on inside as well.
    const auto touches = random() % (round % 4 == 0 ? 400 : 150);
    std::vector<std::string> more;
    if (round % 3 == 0) more = {"--chaos", "20", "--seed", std::to_string(random() % 1000)};
    const folder_watch seen{folder};
    const auto child = start(demo, where, more);
    seen.wait_for(touches);
    ::kill(child, SIGKILL);
    if (const auto how = wait_for(child); !how.killed)
      fail(where,
           "round " + std::to_string(round) + ": the demo ended by itself, with code " + std::to_string(how.code));
    const auto now = examine(where, head);
    grown += static_cast<int>(now > head);
    head = now;
    std::printf("round %d: killed after %llu touches, log at %llu\n", round, static_cast<unsigned long long>(touches),
                static_cast<unsigned long long>(head));
  }
  if (grown * 5 < rounds) fail(where, "too few of the kills met a demo at work: " + std::to_string(grown));

  const auto last = wait_for(start(demo, where, {"--seconds", "1"}));
  if (last.killed || last.code != 0) fail(where, "the last run ended with code " + std::to_string(last.code));
  const auto said = content(where.output);
  if (said.find(", missing 0, restarts 0\n") == std::string::npos) fail(where, "the last run did not say `missing 0`");
  const auto end = examine(where, head);
  if (end <= head) fail(where, "the last run did not go on");
  const auto counts = telemetry::compare(where.database, where.record);
  if (!counts || !counts->clean() || counts->committed != end) fail(where, "record and log differ at the end");
  std::printf("%d rounds, %d of them at work; %s\n", rounds, grown, telemetry::check_sentence(*counts, 0).c_str());
  files::remove_all(folder);
  return 0;
}
