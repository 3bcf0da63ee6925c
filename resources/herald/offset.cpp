#include <herald/offset.hpp>

#include <array>
#include <charconv>

namespace herald {

std::string offset::to_string() const {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 0; i < 16; ++i) text[i] = digits[(epoch >> (60 - 4 * i)) & 15];
  std::array<char, 24> number{};
  const auto end = std::to_chars(number.data(), number.data() + number.size(), sequence).ptr;
  return text.append("-").append(number.data(), end);
}

std::optional<offset> offset::parse(std::string_view text) noexcept {
  if (text.size() < 18 || text[16] != '-') return std::nullopt;
  offset at;
  const auto epoch = std::from_chars(text.data(), text.data() + 16, at.epoch, 16);
  const auto sequence = std::from_chars(text.data() + 17, text.data() + text.size(), at.sequence);
  if (epoch.ec != std::errc{} || epoch.ptr != text.data() + 16) return std::nullopt;
  if (sequence.ec != std::errc{} || sequence.ptr != text.data() + text.size()) return std::nullopt;
  return at;
}

}  // namespace herald
