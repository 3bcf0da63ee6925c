#pragma once

#include <string_view>

#include <herald/engine/core.hpp>

namespace herald::engine {

/// The process at `path` when it is of the wanted type; an empty address otherwise. The root's own path is "".
[[nodiscard]] inline address find_in_tree(core& system, std::string_view path, const process_ops* type) {
  const auto found = system.names().find(path);
  return found.type == type ? found.where : address{};
}

}  // namespace herald::engine
