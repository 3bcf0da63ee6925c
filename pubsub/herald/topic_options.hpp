#pragma once
// The problem: who comes late to a topic knows nothing until the next event, which may be hours away. A topic can keep its
// last event, or its last n, and hands them to each new subscriber before the live ones: none twice, none left out.
//
//   const auto prices = bus.topic("prices", {.history = 100}).value();   // every broadcast to it is kept, the last 100
//   config.broadcast(settings{...}, herald::retain);                     // this one is kept, in place of the one before
//   config.clear();                                                      // ... until nothing is
//
// What is kept lives in memory, for as long as the topic keeps it: a topic with a retained event exists without subscriber
// or handle. Publishes that are kept take a lock of their topic, so that all see them in one order.
//
// Thread safety: values; a topic that keeps is published to, subscribed to and cleared from any thread, as every topic.
// Errors: bad_option from bus::topic for a history above max_history, and for another one than the topic has already.
// Lifetime: what is kept ends when it is cleared or pushed out, with its topic, or when the application stops.
// The idea: MQTT's retained messages; DDS's history depth.

#include <cstddef>

namespace herald {

inline constexpr std::size_t max_history = 100'000;

struct topic_options {
  /// How many of the events broadcast to the topic are kept for late subscribers, the last ones; 0: none, 100 000 at most.
  /// It holds while the topic exists; asking for another number meanwhile is an error.
  std::size_t history = 0;
  friend bool operator==(const topic_options&, const topic_options&) = default;
};

/// Given to a broadcast: the topic keeps this event. A topic without a history of its own keeps the last one such.
struct retain_t {
  explicit retain_t() = default;
};
inline constexpr retain_t retain{};

}  // namespace herald
