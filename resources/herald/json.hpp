#pragma once
// The problem: gateways, recorders and tools speak JSON, and must not need a converter written per struct. These
// functions read the resource's table: any described row or event becomes an object, and an object becomes a row, an event or
// an action's inputs.
//
// Forms: integers, reals, booleans, texts and lists as themselves (an infinite real as "inf", "-inf"; one in the
// metadata that is no number as "nan");
// enumerations by name; uuids in their text form; times as "2026-11-22T12:00:00.000000Z" (UTC, see time_text.hpp); durations in
// microseconds; bytes in hex; maps, and structs inside a row, as objects.
// Sensitive attributes and fields are left out of rows and events, and are refused in them on the way in; an input may be one.
// Texts that are not UTF-8 get U+FFFD for what is not.
//
// Thread safety: functions without state. Errors: resource_errc::invalid, with the fields and what they wanted; also for what is
// nested deeper than 64.

#include <herald/event_record.hpp>
#include <herald/resource_error.hpp>
#include <herald/time_text.hpp>

namespace herald {

/// One row as an object of its attributes.
[[nodiscard]] std::string to_json(const record& row);
/// One event: offset, resource, action, kind, key, before, after, changed, topics (topic and event name), time, tenant, actor, metadata.
[[nodiscard]] std::string to_json(const event_record& event);

/// A row from an object; attributes it does not have are as in a new row. Unknown names are an error.
[[nodiscard]] result<record> row_from_json(const resource_table& resource, std::string_view text);
/// An event as to_json wrote it, of one of these resources (`store.tables()`): its secrets are as in a new row, and what its
/// metadata held as times, durations, uuids or bytes has become text or a number. An action that the resource does not have is an
/// error (but for "unknown", which an event of another version has); topics are taken as they are.
[[nodiscard]] result<event_ptr> event_from_json(std::span<const resource_table* const> tables, std::string_view text);
/// An action's inputs from an object, for store::run by name: each member is cast to the type of the attribute or argument that
/// it names, and passed on as it is when it names none.
[[nodiscard]] result<std::vector<named_value>> inputs_from_json(const resource_table& resource, std::string_view action,
                                                                std::string_view text);

}  // namespace herald
