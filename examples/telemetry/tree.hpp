#pragma once
// The supervision tree of the demo, three levels deep: the application, its areas, their workers.
//
//   telemetry                 one_for_one
//   ├─ storage                the store's own processes: its writer and its notifier
//   ├─ output                 recorder, view
//   ├─ analysis               aggregates, alerts
//   └─ samplers               cpu, memory, disk, network, processes
//
// Areas start in this order and stop in the reverse: first those who write fall silent, last those who store.
//
// Thread safety: free functions, from main. Source: OTP's supervision trees.

#include "restart_tally.hpp"
#include "view_process.hpp"

#include <herald/application.hpp>

#include <random>
#include <vector>

namespace telemetry {

struct tree_plan {
  surroundings around;
  std::string record;
  view_process::args view;
  double chaos = 0;  ///< kills a second that the intensities must allow
};

[[nodiscard]] herald::supervisor make_tree(const tree_plan& plan);

/// A worker of a running tree, and the supervisor it can be killed through.
struct worker {
  std::string path;
  herald::supervisor_ref parent;
  herald::any_ref who;
};

struct tree_shape {
  std::vector<tree_place> places;
  std::vector<worker> workers;
};

/// Walks the running tree.
[[nodiscard]] tree_shape shape_of(const herald::application& app, const std::string& name);

}  // namespace telemetry
