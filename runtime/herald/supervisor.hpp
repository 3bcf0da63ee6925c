#pragma once
// The problem: somebody must notice that a process has ended, know whether that is bad, and bring it back in the right
// order with its neighbours, but not for ever. A supervisor does that and nothing else: it runs no user code, never
// waits, and so cannot crash or hang. Trees of supervisors bound what a failure can take down.
//
// Here is the tree as a value; requests to a running supervisor are in supervisor_ref.hpp, supervisors whose children
// come and go at run time in dynamic_supervisor.hpp, a set of like children chosen by a key in partition.hpp.
//
// Thread safety: `supervisor` is a value. Errors: check_spec. Times are milliseconds in the restart window (OTP: whole
// seconds). The idea: Erlang/OTP's supervisor.

#include <optional>
#include <string>
#include <vector>

#include <herald/child_spec.hpp>
#include <herald/dynamic_supervisor.hpp>
#include <herald/supervision.hpp>
#include <herald/supervisor_ref.hpp>

namespace herald {

/// A supervisor and its children; nested, it is a child itself.
struct supervisor {
  std::string name{};
  strategy_t strategy = one_for_one;
  intensity_t intensity{};
  auto_shutdown_t auto_shutdown = never;
  restart_t restart = permanent;                ///< as a child of another supervisor
  std::optional<shutdown_t> shutdown{};         ///< as a child; default infinity
  placement_t placement = spread;               ///< the host of the supervisor, and of its children by default
  bool significant = false;                     ///< as a child
  std::vector<child_spec> children{};           ///< started in this order, stopped in the reverse
};

/// The first thing wrong with a tree of specs, with a field for each fault; nothing is started with a wrong one.
[[nodiscard]] result<void> check_spec(const child_spec& spec);

}  // namespace herald
