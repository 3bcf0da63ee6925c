#pragma once
// The problem: rows need names that many programs can hand out without asking each other, and that still arrive at the
// right-hand edge of an index. A version 7 uuid begins with its time in milliseconds, so newer keys sort after older ones.
//
// `uuid_generator` is told the time and is seeded, never reads a clock or a device itself: the simulation replays it.
// Within one millisecond, and when the clock steps back, its uuids keep growing.
//
// Thread safety: uuid: a plain value. uuid_generator: distinct objects: safe, shared objects: unsafe.
// Errors: parse gives nothing for a text that is no uuid. The idea: RFC 9562, section 6.2, method 2.

#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace herald {

/// A point in time as rows and events carry it: microseconds since 1970, UTC.
using timestamp = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

/// 128 bits that name one thing. The default is nil: all zero.
struct uuid {
  std::array<std::uint8_t, 16> bytes{};

  [[nodiscard]] constexpr bool is_nil() const noexcept { return *this == uuid{}; }
  [[nodiscard]] constexpr int version() const noexcept { return bytes[6] >> 4; }
  /// 36 characters, lower case: "0190163d-8694-739b-aea5-966c26f8ad91".
  [[nodiscard]] std::string to_string() const;
  /// Appends the same text without a temporary.
  void append_to(std::string& out) const;
  /// Reads the 36-character form, either case.
  [[nodiscard]] static std::optional<uuid> parse(std::string_view text) noexcept;

  friend constexpr auto operator<=>(const uuid&, const uuid&) = default;
};

/// Hands out version 7 uuids, each greater than the one before.
class uuid_generator {
 public:
  explicit uuid_generator(std::uint64_t seed) noexcept : state_{seed} {}
  /// The next uuid for the time given. A time before 1970 counts as 1970.
  [[nodiscard]] uuid next(timestamp now) noexcept;

 private:
  std::uint64_t random() noexcept;
  std::uint64_t state_;
  std::uint64_t millisecond_ = 0;
  std::uint16_t high_ = 0;  // the 12 bits behind the version
  std::uint64_t low_ = 0;   // the 62 bits behind the variant
};

}  // namespace herald

template <>
struct std::hash<herald::uuid> {
  std::size_t operator()(const herald::uuid& id) const noexcept;
};
