#pragma once
// Everything the view shows, as plain data: whoever draws it (live, plain lines, JSON) needs nothing else, and a test
// can write any moment down by hand.

#include "process_watch.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace telemetry {

struct core_view {
  int core = 0;
  double percent = 0;
  std::vector<double> points;  ///< percent, oldest first
};

struct alert_view {
  std::string rule;
  std::string subject;  ///< as people call it: the host's or the process's name
  std::string state;    ///< "open", "acknowledged" or "closed"
  std::string value;    ///< with its unit
  std::chrono::seconds age{0};
};

/// One process or supervisor of the tree, in the order of the tree.
struct tree_view {
  int depth = 0;  ///< 0 is the root
  std::string name;
  bool supervisor = false;
  bool running = true;
  std::uint64_t restarts = 0;
  bool fresh = false;  ///< restarted a moment ago
};

struct view_model {
  std::string host;
  std::chrono::seconds uptime{0};
  double load = 0;
  std::chrono::seconds elapsed{0};
  std::optional<std::chrono::seconds> limit;

  double cpu_percent = 0;
  std::vector<double> cpu_points;
  double cpu_mean = 0;  ///< over the rolling window
  std::vector<core_view> cores;
  double memory_used = 0;  ///< bytes, as the next
  double memory_total = 0;
  double disk_in = 0;  ///< bytes per second, as the next three
  double disk_out = 0;
  double network_in = 0;
  double network_out = 0;

  std::vector<process_row> processes;  ///< busiest first
  std::size_t process_count = 0;
  std::vector<alert_view> alerts;  ///< newest first
  std::uint64_t alerts_opened = 0;

  double events_per_second = 0;
  std::vector<double> event_points;
  std::uint64_t committed = 0;  ///< sequence of the last event the view has seen
  std::uint64_t recorded = 0;   ///< sequence of the last event in the record file

  std::vector<tree_view> tree;
  std::uint64_t restarts = 0;
  double chaos = 0;  ///< kills a second that were asked for
  std::uint64_t kills = 0;
  std::uint64_t seed = 0;
  std::string trouble;  ///< what is wrong, if anything is
  std::string database;
  std::string record;
};

}  // namespace telemetry
