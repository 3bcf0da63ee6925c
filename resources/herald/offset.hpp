#pragma once
// The problem: a consumer that was away must be able to say exactly how far it got. An offset names one place in one log:
// the sequence of the last event that was seen, and the epoch of the log it was seen in. A log that is made anew or
// restored from a copy has another epoch, so an offset of its former life is recognised and refused, never misread.
//
// Sequences begin at 1 and have no gaps; sequence 0 is "before the first". Thread safety: plain value.

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace herald {

struct offset {
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;

  /// "9f86d081884c7d65-42": the epoch in 16 hex digits, the sequence in decimal.
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] static std::optional<offset> parse(std::string_view text) noexcept;

  friend auto operator<=>(const offset&, const offset&) = default;
};

}  // namespace herald
