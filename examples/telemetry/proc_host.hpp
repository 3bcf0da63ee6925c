#pragma once
// The problem: what the machine as a whole is doing stands in half a dozen files of /proc, as counters since boot.
// Each function reads one of them under a root folder (tests give a recorded one) into plain numbers.
//
// Thread safety: free functions, safe. Errors: an unreadable file is an empty optional; an unknown line is skipped.
// Source: proc(5), and the kernel's Documentation/admin-guide/iostats.rst.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace telemetry {

/// Clock ticks since boot. Guest time is inside user time already and is not added again.
struct cpu_times {
  std::uint64_t busy = 0;
  std::uint64_t total = 0;
  friend bool operator==(const cpu_times&, const cpu_times&) = default;
};

struct core_times {
  int core = 0;  ///< the kernel's number: an offline core leaves a hole
  cpu_times times;
  friend bool operator==(const core_times&, const core_times&) = default;
};

struct cpu_sample {
  cpu_times all;
  std::vector<core_times> cores;
};

struct memory_sample {  // bytes
  std::uint64_t total = 0;
  std::uint64_t available = 0;
  std::uint64_t swap_total = 0;
  std::uint64_t swap_free = 0;
};

/// Bytes since boot. Disks: whole ones only, so that neither a partition nor a stacked device counts twice.
/// Network: every interface but the loopback.
struct traffic_sample {
  std::uint64_t in = 0;   ///< read from disk, or received
  std::uint64_t out = 0;  ///< written to disk, or sent
};

struct machine_facts {
  std::string name = "localhost";
  double load = 0;  ///< the one-minute load average
  std::uint64_t uptime_s = 0;
};

[[nodiscard]] std::optional<cpu_sample> read_cpu(const std::string& root);
[[nodiscard]] std::optional<memory_sample> read_memory(const std::string& root);
[[nodiscard]] std::optional<traffic_sample> read_disks(const std::string& root);
[[nodiscard]] std::optional<traffic_sample> read_network(const std::string& root);
[[nodiscard]] machine_facts read_facts(const std::string& root);

}  // namespace telemetry
