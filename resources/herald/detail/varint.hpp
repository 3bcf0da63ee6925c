#pragma once
// The problem: the log keeps many small numbers side by side (topics of an event), and eight bytes each would be most of
// an event. Unsigned LEB128: seven bits a byte, lowest first, the high bit on all bytes but the last.
//
// Thread safety: functions on their arguments. Errors: reading past the end, or a number of more than 64 bits, gives nothing.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace herald::detail {

inline void append_varint(std::string& out, std::uint64_t number) {
  while (number >= 0x80) {
    out += static_cast<char>(static_cast<unsigned char>(number | 0x80));
    number >>= 7;
  }
  out += static_cast<char>(static_cast<unsigned char>(number));
}

/// Takes a number off the front of `in`.
[[nodiscard]] inline std::optional<std::uint64_t> take_varint(std::string_view& in) noexcept {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto part = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    if (shift == 63 && part > 1) return std::nullopt;
    number |= static_cast<std::uint64_t>(part & 0x7f) << shift;
    if ((part & 0x80) == 0) return number;
  }
  return std::nullopt;
}

}  // namespace herald::detail
