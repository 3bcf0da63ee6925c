#pragma once
// The problem: who counts the restarts must not be among those that are restarted. The tally is a sink for the
// application's reports: it lives beside the tree, counts each process's lives, and keeps the last few restarts for
// whoever tells of them.
//
// Thread safety: shared objects: safe. Bounds: 256 notices wait; the oldest go first, and the counts stay right.

#include "lines.hpp"
#include "rolling.hpp"

#include <herald/report.hpp>

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace telemetry {

class restart_tally {
 public:
  void take(const herald::report& report);

  [[nodiscard]] std::uint64_t total() const;
  /// Fills restart counts, states and freshness into the tree; `paths` names its nodes, in the same order.
  void fill(std::vector<tree_view>& tree, const std::vector<std::string>& paths, instant now) const;
  /// The restarts since the last call.
  [[nodiscard]] std::vector<restart_notice> take_notices();
  /// A supervisor gave up: nothing will be started again. Empty as long as none did.
  [[nodiscard]] std::string gave_up() const;

 private:
  struct lives {
    std::uint64_t restarts = 0;
    bool running = false;
    instant last{};
    std::string reason = "ended";
  };
  mutable std::mutex mutex_;
  std::map<std::string, lives> processes_;
  std::deque<restart_notice> notices_;
  std::uint64_t total_ = 0;
  std::string gave_up_;
};

}  // namespace telemetry
