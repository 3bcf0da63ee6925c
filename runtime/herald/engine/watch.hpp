#pragma once
// Monitors, from the side of the watched: a list on each cell, kept by its host. A watch on a ref hears of restarts and
// of the final end; a watch on one incarnation hears of its end.

#include <herald/engine/cell.hpp>

namespace herald::engine {

struct watch {
  std::uint64_t id = 0;           ///< the application's number for it; the watcher knows it by this
  std::uint64_t expectation = 0;  ///< where the watcher's host finds its record
  address watcher;
  std::uint32_t watcher_incarnation = 0;
  std::uint32_t incarnation = 0;  ///< of the watched; 0: all of them
  cell* watched = nullptr;
  watch* previous = nullptr;
  watch* following = nullptr;
};

/// Begins a watch; a process that is gone answers noproc at once.
void begin_watch(address watched, watch w, frame* owned);
void end_watch(address watched, std::uint64_t id, frame* owned);

void tell_watchers_restarted(cell& c, frame* owned);
void tell_watchers_life_over(cell& c, frame* owned);
void tell_watchers_gone(cell& c, frame* owned);

}  // namespace herald::engine
