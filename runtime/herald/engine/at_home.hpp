#pragma once
// What a handler does to its own process's tables (timers, monitors, pending calls). A handler that runs on its host's
// owner does it at once. One whose host was taken meanwhile, because it took long, sends it home as a control message:
// that is read before any answer could be.

#include <utility>

#include <herald/engine/operation.hpp>

namespace herald::engine {

/// Runs f(cell&) on the home of `c`, if its incarnation still lives then. False: the caller is no handler of that
/// incarnation, or a fenced one; nothing is done.
template <class F>
bool at_home(const runtime_entry& entry, cell& c, std::uint32_t incarnation, F f) {
  const auto* by = entry.any();
  if (by == nullptr || by->current != &c) return false;
  if (entry.owned() != nullptr) {
    if (c.incarnation != incarnation) return false;
    f(c);
    return true;
  }
  if (entry.fenced() || by->away == nullptr || by->away->incarnation != incarnation) return false;
  post_control(c.self(), nullptr, [f = std::move(f), incarnation](cell* home, frame&) mutable {
    if (home->incarnation == incarnation && home->state != nullptr) f(*home);
  });
  return true;
}

}  // namespace herald::engine
