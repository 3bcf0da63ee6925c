#pragma once
// The problem: processes come and go while they are read, pids are used again, and a process chooses its own name,
// blanks, parentheses and line ends included. A process is known by its pid *and* the tick it started at; one that
// vanishes between two reads is simply not in the sample.
//
// Thread safety: free functions, safe. Source: proc(5), proc_pid_stat(5).

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace telemetry {

struct process_key {
  std::int64_t pid = 0;
  std::int64_t started = 0;  ///< clock ticks after boot
  friend auto operator<=>(const process_key&, const process_key&) = default;
};

struct process_sample {
  process_key key;
  std::int64_t parent = 0;
  std::int64_t user = 0;  ///< numeric owner
  std::int64_t threads = 0;
  char state = '?';  ///< the kernel's letter: R running, S sleeping, D on disk, Z zombie, T stopped, I idle
  std::string name;  ///< clean text
  std::uint64_t cpu_ticks = 0;
  std::uint64_t memory = 0;  ///< resident, bytes
};

/// One process by its pid; nothing when it has ended or cannot be read.
[[nodiscard]] std::optional<process_sample> read_process(const std::string& root, std::int64_t pid);

/// Every process, by ascending pid.
[[nodiscard]] std::vector<process_sample> read_processes(const std::string& root);

/// Its command line in clean text, or "[name]" where it has none (kernel threads, zombies).
[[nodiscard]] std::string read_command(const std::string& root, const process_sample& of);

/// Parses the content of one `stat` file; nothing when it is none. `user` stays zero.
[[nodiscard]] std::optional<process_sample> parse_process(std::string_view stat, std::uint64_t page_bytes);

}  // namespace telemetry
