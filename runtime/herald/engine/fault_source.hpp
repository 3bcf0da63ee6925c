#pragma once
// Where injected faults come from (herald/testing/faults.hpp). The engine asks at each init; for messages the source
// hangs hooks on the cells it is interested in.

#include <optional>
#include <string>

#include <herald/engine/fwd.hpp>

namespace herald::engine {

class fault_source {
 public:
  fault_source() = default;
  virtual ~fault_source() = default;
  fault_source(const fault_source&) = delete;
  fault_source& operator=(const fault_source&) = delete;
  /// A new incarnation is about to be made, on its host. With a text, its init throws that instead.
  [[nodiscard]] virtual std::optional<std::string> before_init(cell& c) noexcept = 0;
};

}  // namespace herald::engine
