#pragma once
// The problem: payloads, keys and keysets are made of the same few forms (docs/formats/payload.md), and what reads them must never
// read beyond what is there.
//
// Private. Thread safety: functions on their arguments. Errors: taking from damaged bytes answers false.

#include "varint.hpp"

#include <herald/value.hpp>

namespace herald::detail {

[[nodiscard]] inline bool take_number(std::string_view& in, std::uint64_t& to) {
  const auto number = take_varint(in);
  to = number.value_or(0);
  return number.has_value();
}

inline void put_signed(std::int64_t n, std::string& out) {
  append_varint(out, (static_cast<std::uint64_t>(n) << 1) ^ static_cast<std::uint64_t>(n >> 63));
}

inline void put_text(std::string_view text, std::string& out) {
  append_varint(out, text.size());
  out.append(text);
}

template <class Number>
void put_fixed(Number number, std::string& out) {
  for (std::size_t i = 0; i < sizeof(Number); ++i) out.push_back(static_cast<char>(number >> (8 * i)));
}

[[nodiscard]] inline bool take_byte(std::string_view& in, std::uint8_t& to) {
  if (in.empty()) return false;
  to = static_cast<std::uint8_t>(in.front());
  in.remove_prefix(1);
  return true;
}

[[nodiscard]] inline bool take_signed(std::string_view& in, std::int64_t& to) {
  std::uint64_t n = 0;
  if (!take_number(in, n)) return false;
  to = static_cast<std::int64_t>((n >> 1) ^ (~(n & 1) + 1));
  return true;
}

[[nodiscard]] inline bool take_text(std::string_view& in, std::string_view& to) {
  std::uint64_t size = 0;
  if (!take_number(in, size) || size > in.size()) return false;
  to = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

template <class Number>
[[nodiscard]] bool take_fixed(std::string_view& in, Number& to) {
  if (in.size() < sizeof(Number)) return false;
  to = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    to |= static_cast<Number>(static_cast<std::uint8_t>(in[i])) << (8 * i);
  in.remove_prefix(sizeof(Number));
  return true;
}

/// Reads one value off the front. A list or map is put into `owned`, everything else is a look into `in`; `to` is either.
[[nodiscard]] bool take_value(std::string_view& in, value& owned, value_view& to);

}  // namespace herald::detail
