#pragma once
// The problem: a bus that reaches other nodes holds something that can fail, and what can fail belongs under a supervisor.
// pubsub(...) is the child spec of the process that keeps a bus: it starts the bus's adapter and stops it, tells it what
// is wanted here, and when it ends, however it does, the adapter is stopped and started anew with the next incarnation.
// While it is away, subscribers of this program are served as ever.
//
//   .children = {herald::pubsub("orders", {.node_name = "shop"}), ...}     // the bus that herald::bus{app, "orders"} names
//
// A bus needs no such process to exist: without one it has no adapter and its node is called "local".
//
// Errors: bad options are refused before anything starts, with the name of the option; a second keeper for the same bus is
// a start error. The idea: {Phoenix.PubSub, name: ..., adapter: ...} in a supervisor's children.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <herald/child_spec.hpp>
#include <herald/dispatcher.hpp>
#include <herald/pubsub_error.hpp>

namespace herald {

class adapter;

struct bus_options {
  /// What bus::node_name answers, 1 to 255 bytes; empty: the adapter's name, or "local" without one. With an adapter it
  /// must be the adapter's.
  std::string node_name{};
  /// The way to other nodes; none: this program is all there is.
  std::shared_ptr<herald::adapter> adapter{};
  /// Those that other nodes' events ask for by name; each with a name of its own. An event that asks for one that is not here
  /// is not delivered, and reported.
  std::vector<herald::dispatcher> dispatchers{};
  /// Asked about everything that is broadcast on this bus without naming a dispatcher, while its keeper runs; none: the bus
  /// itself delivers. Leaving `from` out is then its duty. It is not asked about events that their topic keeps (retain, a
  /// history): those the bus hands out in one order. With an adapter it needs a name, and is one of `dispatchers` without
  /// being listed there. What comes from other nodes goes by what its publisher's bus said.
  std::optional<herald::dispatcher> dispatcher{};

  friend bool operator==(const bus_options&, const bus_options&) = default;
};

/// What is wrong with them, if anything.
[[nodiscard]] result<void> check_options(const bus_options& options);

/// The keeper of the bus of this name; empty: the application's default bus. Its id is "pubsub", or "pubsub:<name>".
/// Throws std::logic_error for bad options, and for a name of more than 255 bytes or with a control character.
[[nodiscard]] child_spec pubsub(std::string name = {}, bus_options options = {});

}  // namespace herald
