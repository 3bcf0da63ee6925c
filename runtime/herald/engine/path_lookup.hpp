#pragma once
// Where processes are, for those who only have their addresses: the path is asked of each one's own host, in its control
// lane, and comes a moment later; "" for a process that is gone.

#include <functional>
#include <string>
#include <vector>

#include <herald/engine/fwd.hpp>

namespace herald::engine {

/// `then` gets the paths in the same order; on some host's thread, or at once. Addresses may be empty.
void look_up_paths(core& system, std::vector<address> of, std::function<void(std::vector<std::string>)> then);

}  // namespace herald::engine
