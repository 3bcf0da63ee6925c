#pragma once
// Numbers for people: at most four digits and a unit, always as wide as they need and no wider.
//
// Thread safety: free functions, safe.

#include <chrono>
#include <cstdint>
#include <string>

namespace telemetry {

[[nodiscard]] std::string human_bytes(double bytes);              ///< "0 B", "340 KiB", "1.2 GiB"
[[nodiscard]] std::string human_rate(double bytes_per_second);    ///< "0 B/s", "340 kB/s", "1.2 MB/s"
[[nodiscard]] std::string human_percent(double percent);          ///< "0 %", "7 %", "100 %"
[[nodiscard]] std::string human_count(std::uint64_t count);       ///< "999", "12 345", "1 234 567"
[[nodiscard]] std::string human_span(std::chrono::seconds span);  ///< "3s", "2m 05s", "4h 07m", "3d 02h"
[[nodiscard]] std::string stop_watch(std::chrono::seconds span);  ///< "00:07", "61:00"

}  // namespace telemetry
