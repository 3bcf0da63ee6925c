// Starts a program that writes to a store, kills it with SIGKILL at a random moment, and proves from the file that nothing
// is missing, doubled or half done; again and again on the same file.
//
//   crash_loop [--rounds N] [--seed S] [--writer PROGRAM] [--checks yes] [--full yes] [--file FILE]
//
// With --checks, the program is run again after each round as `PROGRAM FILE check`, and has to end with 0. With --full, each round
// gives it little room on the disk as a third argument, and some of its answers must say so.
//
// The moment is given by how many answers the program has been heard to give (none: it may not even have made its tables),
// so that no clock decides; where the kill falls within a batch is up to the machine. Exit code 0: all rounds held.

#include "crash_resources.hpp"

#include <herald/verify.hpp>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>

namespace {

struct options {
  std::uint64_t rounds = 50;
  std::uint64_t seed = 0;
  std::string writer;
  bool checks = false;
  bool full = false;
  std::string file;
};

struct round_result {
  std::uint64_t heard = 0;    // answers
  std::uint64_t refused = 0;  // of them, those that named the disk as the reason
  std::uint64_t highest = 0;  // the newest event that a caller was told of
  int status = 0;
};

bool number(const char* text, std::uint64_t& to) {
  const auto* end = text + std::strlen(text);
  const auto read = std::from_chars(text, end, to);
  return read.ec == std::errc{} && read.ptr == end;
}

bool parse(int argc, char** argv, options& to) {
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name{argv[i]};
    if (i + 1 == argc) return false;
    const char* value = argv[i + 1];
    if (name == "--rounds" ? !number(value, to.rounds) : name == "--seed" ? !number(value, to.seed) : false) return false;
    if (name == "--writer") to.writer = value;
    else if (name == "--file") to.file = value;
    else if (name == "--checks") to.checks = std::string_view{value} == "yes";
    else if (name == "--full") to.full = std::string_view{value} == "yes";
    else if (name != "--rounds" && name != "--seed") return false;
  }
  return true;
}

pid_t start(const options& with, std::uint64_t seed, int output) {
  const auto seed_text = std::to_string(seed), room_text = std::to_string(seed % (1 << 21));
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::dup2(output, STDOUT_FILENO);
  ::execl(with.writer.c_str(), with.writer.c_str(), with.file.c_str(), seed_text.c_str(), with.full ? room_text.c_str() : nullptr,
          static_cast<char*>(nullptr));
  std::perror(with.writer.c_str());
  std::_Exit(127);
}

void take(const unsigned char* bytes, std::size_t count, round_result& into) {
  for (std::size_t at = 0; at + 8 <= count; at += 8) {
    std::uint64_t sequence = 0;
    std::memcpy(&sequence, bytes + at, sizeof sequence);
    into.highest = std::max(into.highest, sequence);
    ++into.heard;
    into.refused += sequence == 0 ? 1 : 0;
  }
}

round_result play(const options& with, std::uint64_t seed, std::uint64_t answers) {
  round_result round;
  int ends[2];
  if (::pipe(ends) != 0) std::abort();
  const pid_t child = start(with, seed, ends[1]);
  ::close(ends[1]);
  unsigned char bytes[8 * 512];
  std::size_t held = 0;
  bool killed = false;
  while (true) {
    if (!killed && round.heard >= answers) {
      ::kill(child, SIGKILL);
      killed = true;
    }
    // After the kill, what the pipe still holds was answered too.
    const auto got = ::read(ends[0], bytes + held, sizeof bytes - held);
    if (got <= 0) break;
    held += static_cast<std::size_t>(got);
    take(bytes, held, round);
    const auto whole = held / 8 * 8;
    std::memmove(bytes, bytes + whole, held - whole);
    held -= whole;
  }
  ::close(ends[0]);
  ::waitpid(child, &round.status, 0);
  return round;
}

/// True when the file is as it must be after the round. A file that is not there yet is fine after a very early kill.
bool holds(const options& with, const round_result& round, std::uint64_t& head) {
  const auto report = herald::verify(with.file, herald::crash::tables);
  if (!report) {
    if (round.heard == 0 && report.error().is(herald::resource_errc::no_such_file)) return true;
    std::fprintf(stderr, "%s\n", report.error().to_string().c_str());
    return false;
  }
  for (const auto& fault : report->faults) std::fprintf(stderr, "fault: %s\n", fault.c_str());
  if (report->head < round.highest || report->head < head) {
    std::fprintf(stderr, "the log ends at %llu; a caller was told of %llu, and the round before ended at %llu\n",
                 static_cast<unsigned long long>(report->head), static_cast<unsigned long long>(round.highest),
                 static_cast<unsigned long long>(head));
    return false;
  }
  head = report->head;
  return report->holds();
}

/// True when the program says of itself that its file is as it must be.
bool agrees(const options& with) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl(with.writer.c_str(), with.writer.c_str(), with.file.c_str(), "check", static_cast<char*>(nullptr));
    std::_Exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  options with;
  with.seed = std::random_device{}();
  if (const char* seed = std::getenv("HERALD_SEED"); seed != nullptr && !number(seed, with.seed)) with.seed = 1;
  if (!parse(argc, argv, with)) {
    std::fputs("usage: crash_loop [--rounds N] [--seed S] [--writer PROGRAM] [--checks yes] [--full yes] [--file FILE]\n", stderr);
    return 2;
  }
  namespace fs = std::filesystem;
  if (with.writer.empty()) with.writer = (fs::read_symlink("/proc/self/exe").parent_path() / "crash_writer").string();
  std::string own_directory;
  if (with.file.empty()) {
    own_directory = (fs::temp_directory_path() / "herald-crash-XXXXXX").string();
    if (::mkdtemp(own_directory.data()) == nullptr) return 1;
    with.file = own_directory + "/store.db";
  }
  std::printf("seed %llu, %llu rounds, file %s\n", static_cast<unsigned long long>(with.seed),
              static_cast<unsigned long long>(with.rounds), with.file.c_str());
  std::mt19937_64 random{with.seed};
  std::uint64_t head = 0, heard = 0, refused = 0;
  for (std::uint64_t round = 1; round <= with.rounds; ++round) {
    // Every fourth is killed while it opens the file or has hardly begun.
    const auto answers = random() % 4 == 0 ? random() % 3 : random() % 1500;
    const auto played = play(with, random(), answers);
    heard += played.heard;
    refused += played.refused;
    if (!WIFSIGNALED(played.status) || WTERMSIG(played.status) != SIGKILL) {
      std::fprintf(stderr, "round %llu: the writer ended by itself (status %d)\n", static_cast<unsigned long long>(round),
                   played.status);
      return 1;
    }
    if (!holds(with, played, head) || (with.checks && !agrees(with))) {
      std::fprintf(stderr, "round %llu does not hold; the file is %s\n", static_cast<unsigned long long>(round),
                   with.file.c_str());
      return 1;
    }
  }
  std::printf("%llu rounds held; %llu answers heard, %llu of them of a full disk, %llu events in the log\n",
              static_cast<unsigned long long>(with.rounds), static_cast<unsigned long long>(heard),
              static_cast<unsigned long long>(refused), static_cast<unsigned long long>(head));
  if (!own_directory.empty()) fs::remove_all(own_directory);
  // A loop in which nothing was ever written, or the disk never full, would hold, too.
  if (with.full && refused == 0) return 1;
  return head > with.rounds || with.rounds < 3 ? 0 : 1;
}
