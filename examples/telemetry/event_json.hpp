#pragma once
// The problem: the recorder writes an event as JSON when it comes, the check writes it as JSON when it reads the log
// back, and the two texts must be the same byte for byte. This is the one function that both use; it knows no resource,
// only the tables that every resource has.
//
// Attributes keep the order of their declaration; times and durations are microseconds, uuids their text, bytes hex. A
// number that JSON cannot say (not a number, infinite) is null. Sensitive attributes are left out.
//
// Thread safety: free functions, safe. Format: docs/formats/telemetry-record.md.

#include "record_file.hpp"

#include <herald/event_record.hpp>

#include <string>

namespace telemetry {

[[nodiscard]] std::string event_json(const herald::event_record& event);

/// The event's place in its log, as it stands in a record.
[[nodiscard]] record_offset offset_of(const herald::event_record& event);
/// Back to what the store understands; nothing when the epoch is not one of a store.
[[nodiscard]] std::optional<herald::offset> offset_of(const record_offset& offset);

}  // namespace telemetry
