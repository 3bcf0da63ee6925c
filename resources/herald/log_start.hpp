#pragma once
// Where a subscription that follows a store's log begins: `now`, `earliest`, or `after(offset)`.
// Thread safety: plain value.

#include <herald/offset.hpp>

namespace herald {

class log_start {
 public:
  enum class kind_t : std::uint8_t { now, earliest, after };
  constexpr explicit log_start(kind_t kind, offset at = {}) noexcept : kind_{kind}, at_{at} {}
  [[nodiscard]] constexpr kind_t kind() const noexcept { return kind_; }
  [[nodiscard]] constexpr offset at() const noexcept { return at_; }

 private:
  kind_t kind_;
  offset at_;
};

/// With the next event that is committed.
inline constexpr log_start now{log_start::kind_t::now};
/// With the oldest event that the log still has.
inline constexpr log_start earliest{log_start::kind_t::earliest};
/// With the event after this one: what a consumer that was away asks for.
[[nodiscard]] constexpr log_start after(offset last_seen) noexcept {
  return log_start{log_start::kind_t::after, last_seen};
}

}  // namespace herald
