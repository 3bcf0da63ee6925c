#pragma once
// The problem: who counts the restarts must not be among those that are restarted. The tally is a sink for the
// application's reports: it lives beside the tree, knows its shape, counts each process's lives, keeps the last few
// restarts for whoever tells of them, and remembers the failures that nobody asked for.
//
// Thread safety: shared objects: safe. Bounds: 256 notices and 20 failures are kept; the counts stay right.

#include "lines.hpp"
#include "rolling.hpp"

#include <herald/report.hpp>

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace telemetry {

/// One node of the tree: how it is drawn, and its path ("output/recorder"; the root's is empty).
struct tree_place {
  tree_view node;
  std::string path;
};

class restart_tally {
 public:
  /// The tree's shape, once it stands.
  void shape(std::vector<tree_place> tree);
  /// The sink.
  void take(const herald::report& report);
  /// Somebody is about to be killed on purpose.
  void killed() noexcept;

  [[nodiscard]] std::uint64_t total() const;
  [[nodiscard]] std::uint64_t kills() const;
  /// Tree, restarts and kills as they are now.
  void fill(view_model& model, instant now) const;
  /// The restarts since the last call.
  [[nodiscard]] std::vector<restart_notice> take_notices();
  /// What went wrong without being asked for, a line each.
  [[nodiscard]] std::vector<std::string> failures() const;

 private:
  struct lives {
    std::uint64_t restarts = 0;
    bool running = true;
    instant last{};
    std::string reason = "ended";
  };
  void remember(const herald::report& report);

  mutable std::mutex mutex_;
  std::vector<tree_place> tree_;
  std::map<std::string, lives> processes_;
  std::deque<restart_notice> notices_;
  std::vector<std::string> failures_;
  std::uint64_t total_ = 0;
  std::uint64_t kills_ = 0;
};

}  // namespace telemetry
