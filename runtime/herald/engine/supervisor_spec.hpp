#pragma once
// A supervisor's part of a child_spec, as the engine reads it.

#include <memory>
#include <string>
#include <vector>

#include <herald/supervisor.hpp>

namespace herald::engine {

struct supervisor_spec {
  strategy_t strategy = one_for_one;
  intensity_t intensity;
  auto_shutdown_t auto_shutdown = never;
  std::vector<std::shared_ptr<const child_spec>> children;
  bool dynamic = false;
  std::shared_ptr<const child_spec> pattern;  ///< of a dynamic supervisor's children
  std::uint32_t max_children = ~std::uint32_t{0};
};

}  // namespace herald::engine
