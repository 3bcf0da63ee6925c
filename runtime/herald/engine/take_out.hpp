#pragma once
// How a process lets go of something it attached: a timer, a monitor.

#include <herald/engine/host.hpp>

namespace herald::engine {

/// Takes an attachment of `c` out by its number; what it stood for is undone. By the owner only.
inline bool take_out(cell& c, std::uint64_t id) {
  auto* found = c.home->expected(id);
  if (found == nullptr || found->owner != &c) return false;
  c.home->detach(*found);
  found->wipe(*c.home);
  return true;
}

}  // namespace herald::engine
