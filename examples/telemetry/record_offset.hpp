#pragma once
// Between the record's offsets, which are text in a file, and the store's.
//
// Thread safety: free functions, safe. Format: docs/formats/telemetry-record.md.

#include "record_file.hpp"

#include <herald/offset.hpp>

#include <optional>

namespace telemetry {

[[nodiscard]] record_offset recorded(const herald::offset& at);
/// Back to what the store understands; nothing when the epoch is not one of a store.
[[nodiscard]] std::optional<herald::offset> stored(const record_offset& at);

}  // namespace telemetry
