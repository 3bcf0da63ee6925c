#pragma once
// How far a durable consumer got, as its store keeps it: in the transaction of what it made of its events, or soon after.
// Thread safety: plain values.

#include <herald/offset.hpp>

#include <cstdint>
#include <string>

namespace herald {

struct consumer_cursor {
  offset at;                ///< everything up to here is handled
  std::uint32_t tries = 0;  ///< failed ones, of its next event
  bool paused = false;
  friend bool operator==(const consumer_cursor&, const consumer_cursor&) = default;
};

/// A cursor and whose it is.
struct named_cursor {
  std::string name;
  consumer_cursor cursor;
  friend bool operator==(const named_cursor&, const named_cursor&) = default;
};

}  // namespace herald
