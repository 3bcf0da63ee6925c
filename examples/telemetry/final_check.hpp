#pragma once
// What the demo ends with: the record file and the store's log are read again, from disk, and compared event by event.
//
// Thread safety: a function. The database must not be open for writing elsewhere. Errors: values, one sentence.

#include "record_check.hpp"

#include <string>

namespace telemetry {

[[nodiscard]] herald::result<check_counts> compare(const std::string& database, const std::string& record);

}  // namespace telemetry
