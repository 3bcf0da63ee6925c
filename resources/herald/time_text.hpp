#pragma once
// The problem: a time in a log line, a row of JSON or a tool's table must be read by people and read back exactly.
//
// The form is ISO 8601 in UTC, to the microsecond: "2026-11-22T12:00:00.000000Z". Years outside 0 to 9999 have a sign and six
// digits, "+012026-11-22T..." (as in ECMAScript): every timestamp has a text, and every text that is written is read back.
//
// Thread safety: functions without state. Errors: what is no such text, or lies beyond a timestamp (about 292 000 years from
// 1970), gives nothing.

#include <herald/uuid.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace herald {

[[nodiscard]] std::string to_text(timestamp time);
/// Takes up to six digits of a second, or none.
[[nodiscard]] std::optional<timestamp> time_from_text(std::string_view text) noexcept;

}  // namespace herald
