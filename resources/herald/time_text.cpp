#include <herald/time_text.hpp>

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>

namespace herald {

namespace {

constexpr std::int64_t microseconds_a_day = 86'400'000'000;
// std::chrono's calendar ends at the year 32 767. It repeats every 400 years, so the rest is counted in such cycles.
constexpr std::int64_t years_a_cycle = 400;
constexpr std::int64_t days_a_cycle = 146'097;
constexpr int first_of_cycle = 2000;
constexpr std::int64_t first_day = std::chrono::sys_days{std::chrono::year{first_of_cycle} / 1 / 1}.time_since_epoch().count();

constexpr std::int64_t floored(std::int64_t number, std::int64_t by) { return number / by - (number % by < 0 ? 1 : 0); }

/// Reads exactly `digits` decimal digits and what stands behind them, and goes on there.
bool take(std::string_view& text, std::size_t digits, std::string_view behind, int& to) {
  if (text.size() < digits + behind.size() || text.substr(digits, behind.size()) != behind) return false;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return false;
  }
  std::from_chars(text.data(), text.data() + digits, to);
  text.remove_prefix(digits + behind.size());
  return true;
}

}  // namespace

std::string to_text(timestamp time) {
  using namespace std::chrono;
  const std::int64_t since = time.time_since_epoch().count();
  const std::int64_t day = floored(since, microseconds_a_day);
  const std::int64_t rest = since % microseconds_a_day;
  const hh_mm_ss clock{microseconds{rest < 0 ? rest + microseconds_a_day : rest}};
  const std::int64_t cycle = floored(day - first_day, days_a_cycle);
  const year_month_day date{sys_days{days{day - cycle * days_a_cycle}}};
  const auto year = static_cast<int>(date.year()) + static_cast<int>(cycle * years_a_cycle);
  const bool long_year = year < 0 || year > 9999;
  return fmt::format("{}{:0{}}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", !long_year ? "" : year < 0 ? "-" : "+", std::abs(year),
                     long_year ? 6 : 4, static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::optional<timestamp> time_from_text(std::string_view text) noexcept {
  using namespace std::chrono;
  const bool signed_year = !text.empty() && (text[0] == '+' || text[0] == '-');
  const bool before = signed_year && text[0] == '-';
  if (signed_year) text.remove_prefix(1);
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
  if (!take(text, signed_year ? 6 : 4, "-", y) || !take(text, 2, "-", mo) || !take(text, 2, "T", d) || !take(text, 2, ":", h) ||
      !take(text, 2, ":", mi) || !take(text, 2, "", s))
    return std::nullopt;
  int micros = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const std::size_t digits = text.empty() ? 0 : text.size() - 1;
    if (digits < 1 || digits > 6 || !take(text, digits, "", micros)) return std::nullopt;
    for (std::size_t i = digits; i < 6; ++i) micros *= 10;
  }
  if (text != "Z") return std::nullopt;
  const std::int64_t cycle = floored((before ? -y : y) - first_of_cycle, years_a_cycle);
  const year_month_day date{year{static_cast<int>((before ? -y : y) - cycle * years_a_cycle)}, month{static_cast<unsigned>(mo)},
                            day{static_cast<unsigned>(d)}};
  if (!date.ok() || h > 23 || mi > 59 || s > 59) return std::nullopt;
  const std::int64_t of_day = ((h * std::int64_t{60} + mi) * 60 + s) * 1'000'000 + micros;
  const std::int64_t days_since = sys_days{date}.time_since_epoch().count() + cycle * days_a_cycle;
  // A day before 1970 is counted from its end, since the beginning of the first one of all is no timestamp.
  const std::int64_t whole = days_since < 0 ? days_since + 1 : days_since;
  std::int64_t since = 0;
  if (__builtin_mul_overflow(whole, microseconds_a_day, &since) ||
      __builtin_add_overflow(since, days_since < 0 ? of_day - microseconds_a_day : of_day, &since))
    return std::nullopt;
  return timestamp{microseconds{since}};
}

}  // namespace herald
