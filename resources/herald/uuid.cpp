#include <herald/uuid.hpp>

#include <algorithm>
#include <cstring>

namespace herald {

namespace {

constexpr std::string_view digits = "0123456789abcdef";
constexpr std::uint64_t low_bits = (std::uint64_t{1} << 62) - 1;
constexpr std::uint16_t high_bits = 0xfff;

constexpr bool dash_before(std::size_t byte) noexcept { return byte == 4 || byte == 6 || byte == 8 || byte == 10; }

constexpr int nibble(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void uuid::append_to(std::string& out) const {
  std::array<char, 36> text{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (dash_before(i)) text[at++] = '-';
    text[at++] = digits[bytes[i] >> 4];
    text[at++] = digits[bytes[i] & 15];
  }
  out.append(text.data(), text.size());
}

std::string uuid::to_string() const {
  std::string text;
  append_to(text);
  return text;
}

std::optional<uuid> uuid::parse(std::string_view text) noexcept {
  if (text.size() != 36) return std::nullopt;
  uuid id;
  std::size_t at = 0;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (dash_before(i) && text[at++] != '-') return std::nullopt;
    const int upper = nibble(text[at]);
    const int lower = nibble(text[at + 1]);
    if (upper < 0 || lower < 0) return std::nullopt;
    id.bytes[i] = static_cast<std::uint8_t>(upper * 16 + lower);
    at += 2;
  }
  return id;
}

// splitmix64: enough for keys that need to be distinct, not secret.
std::uint64_t uuid_generator::random() noexcept {
  state_ += 0x9e3779b97f4a7c15U;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

uuid uuid_generator::next(timestamp now) noexcept {
  const auto since = std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const auto millisecond = static_cast<std::uint64_t>(std::max<std::int64_t>(since, 0));
  if (millisecond > millisecond_) {
    millisecond_ = millisecond;
    high_ = static_cast<std::uint16_t>(random() & (high_bits >> 1));  // the top bit stays free for the steps below
    low_ = random() & low_bits;
  } else {  // the same millisecond, or the clock stepped back: a random step onwards
    low_ += 1 + (random() & 0xffffffffU);
    if (low_ > low_bits) {
      low_ &= low_bits;
      if (++high_ > high_bits) {
        high_ = 0;
        ++millisecond_;
      }
    }
  }
  uuid id;
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(millisecond_ >> (40 - 8 * i));
  id.bytes[6] = static_cast<std::uint8_t>(0x70U | (high_ >> 8));
  id.bytes[7] = static_cast<std::uint8_t>(high_);
  for (std::size_t i = 0; i < 8; ++i) id.bytes[8 + i] = static_cast<std::uint8_t>(low_ >> (56 - 8 * i));
  id.bytes[8] = static_cast<std::uint8_t>(0x80U | (id.bytes[8] & 0x3fU));
  return id;
}

}  // namespace herald

std::size_t std::hash<herald::uuid>::operator()(const herald::uuid& id) const noexcept {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  std::memcpy(&first, id.bytes.data(), 8);
  std::memcpy(&second, id.bytes.data() + 8, 8);
  return static_cast<std::size_t>((first ^ (second * 0x9e3779b97f4a7c15U)) * 0xbf58476d1ce4e5b9U);
}
