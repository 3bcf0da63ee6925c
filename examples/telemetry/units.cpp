#include "units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace telemetry {

namespace {

template <std::size_t N>
std::string scaled(double value, double step, const std::array<const char*, N>& units) {
  if (!(value > 0)) value = 0;  // and not-a-number
  std::size_t unit = 0;
  // 999.6 would be rounded to four digits: it belongs to the next unit already.
  while (unit + 1 < N && value >= 999.5) {
    value /= step;
    ++unit;
  }
  if (unit == 0 || value >= 9.95) return fmt::format("{:.0f} {}", value, units[unit]);
  return fmt::format("{:.1f} {}", value, units[unit]);
}

}  // namespace

std::string human_bytes(double bytes) {
  return scaled(bytes, 1024, std::array<const char*, 6>{"B", "KiB", "MiB", "GiB", "TiB", "PiB"});
}

std::string human_rate(double bytes_per_second) {
  return scaled(bytes_per_second, 1000, std::array<const char*, 5>{"B/s", "kB/s", "MB/s", "GB/s", "TB/s"});
}

std::string human_percent(double percent) { return fmt::format("{:.0f} %", percent > 0 ? percent : 0.0); }

std::string human_count(std::uint64_t count) {
  auto digits = std::to_string(count);
  for (auto at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), " ");
  return digits;
}

std::string human_span(std::chrono::seconds span) {
  const auto s = std::max<std::int64_t>(0, span.count());
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m {:02}s", s / 60, s % 60);
  if (s < 86'400) return fmt::format("{}h {:02}m", s / 3600, s % 3600 / 60);
  return fmt::format("{}d {:02}h", s / 86'400, s % 86'400 / 3600);
}

std::string stop_watch(std::chrono::seconds span) {
  const auto s = std::max<std::int64_t>(0, span.count());
  return fmt::format("{:02}:{:02}", s / 60, s % 60);
}

}  // namespace telemetry
