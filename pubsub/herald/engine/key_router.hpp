#pragma once
// Behind subscriber_per: for each value of a topic's segment a process that gets its events, started and ended in between.
//
// The router sends events on; it never waits. A key is starting, running, ending (asked to stop) or draining (it has
// ended). Events for a key that does not run wait here. What an ended process did not handle comes back, because its cell's
// host refuses it; and since everything between two hosts keeps its order, a marker sent behind it says when all has come.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include <herald/child_spec.hpp>
#include <herald/notices.hpp>

namespace herald::engine {

class event_share;

/// To the router: an event that its process did not handle, or (empty) the marker.
struct came_back {
  std::uint64_t key = 0;
  std::shared_ptr<event_share> event;
};
struct router_beat {};

struct router_plan {
  std::size_t segment = 0;  ///< from 0
  std::chrono::milliseconds idle{0};
  std::size_t max = 0;
  std::size_t max_waiting = 0;
  const type_tag* event = nullptr;
  /// Of the process for a segment; nothing: the segment is no key. User code.
  std::function<std::optional<child_spec>(std::string_view segment)> make;
};

/// Of one life of the router. Its members are for that life's handlers.
class key_router {
 public:
  key_router(context& self, std::shared_ptr<const router_plan> plan);
  ~key_router();
  key_router(const key_router&) = delete;
  key_router& operator=(const key_router&) = delete;

  /// The event whose handler calls this.
  void take_in_hand(context& self);
  void take_back(context& self, const came_back& m);
  void beat(context& self);
  void ended(context& self, const down& m);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace herald::engine
