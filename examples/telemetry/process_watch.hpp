#pragma once
// The problem: the store holds a row for each process of the machine, and the machine changes all the time. Writing
// every sample would drown the log in noise; so a process is created when it appears, updated when it has moved beyond
// a threshold since it was last *reported*, destroyed when it has ended. The watch compares samples with what the store
// was told, one step a sample, and is told in turn what became of each report.
//
// A key that is on its way to the store is left alone until `settled` says how it went: at most one report of a process
// is in flight. What failed is simply found different again by the next step.
//
// Thread safety: distinct objects: safe; shared objects: unsafe.

#include "proc_process.hpp"
#include "rates.hpp"

#include <map>
#include <vector>

namespace telemetry {

/// What the store knows of a process.
struct process_row {
  process_key key;
  std::int64_t parent = 0;
  std::int64_t user = 0;
  std::int64_t threads = 0;
  std::string name;
  std::string state;        ///< "running" (runs, sleeps or idles), "blocked", "stopped" or "zombie"
  double cpu_percent = 0;   ///< of one core, smoothed over about a second
  std::int64_t memory = 0;  ///< resident, bytes
  friend bool operator==(const process_row&, const process_row&) = default;
};

struct process_thresholds {
  double cpu_points = 5;                ///< percentage points of one core
  double memory_share = 0.05;           ///< of what was last reported
  std::int64_t memory_bytes = 1 << 20;  ///< and at least this much
};

struct process_changes {
  std::vector<process_row> appeared;
  std::vector<process_row> changed;
  std::vector<process_key> ended;
};

/// How a report went.
enum class settlement {
  done,     ///< committed
  exists,   ///< a create found the row there already: it is taken as known
  missing,  ///< an update or destroy found no row: the process is forgotten, and appears again if it lives
  failed,   ///< anything else: tried again by the next step
};

class process_watch {
 public:
  /// `known` are the rows of the store; `ticks_per_second` is sysconf(_SC_CLK_TCK).
  process_watch(process_thresholds thresholds, std::vector<process_row> known, long ticks_per_second);

  /// What must be reported now. `elapsed` is the time since the step before; the first step sees no CPU rates.
  [[nodiscard]] process_changes step(const std::vector<process_sample>& samples, seconds_f elapsed);

  void settled(const process_key& key, settlement how);

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct entry {
    std::optional<process_row> reported;  ///< what the store holds
    std::optional<process_row> on_its_way;
    bool ending = false;  ///< what is on its way is a destroy
    std::optional<std::uint64_t> ticks;
    double cpu_percent = 0;
  };

  [[nodiscard]] process_row measure(entry& of, const process_sample& sample, seconds_f elapsed) const;
  [[nodiscard]] bool beyond(const process_row& reported, const process_row& now) const;

  process_thresholds thresholds_;
  long ticks_per_second_;
  std::map<process_key, entry> entries_;
};

/// The word for the kernel's state letter.
[[nodiscard]] std::string state_word(char letter);

}  // namespace telemetry
