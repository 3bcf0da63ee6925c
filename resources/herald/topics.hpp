#pragma once
// The problem: a resource's publications are templates; which topics one event goes to depends on its row, its former row,
// its tenant, and on filters. `expand_topics` works that out once, inside the action's transaction, so that live
// subscribers, the log's topic index and a replay after a crash all see the same.
//
// Rules: publications in their order; each gives every combination of its segments' alternatives, once; a null value drops
// the combinations it is in; skip drops the segment only; previous_values adds the topics of the values before.
// A value is escaped as the bus's escape_segment does it ("%", "*", ":", control characters and what is no UTF-8 become
// %XX, an empty text "%"), and so is the resource's own delimiter: it can neither forge a segment nor be taken for a
// pattern. The parts of a composite key are joined by "-", and a "-" in them is %2D.
//
// Thread safety: functions without state. Errors: a filter that throws, or a topic longer than the bus takes (1024 bytes),
// puts its publication on event.failed.
// Source of the idea: Ash.Notifier.PubSub's topic templates.

#include <herald/event_record.hpp>

namespace herald {

namespace detail {
/// Whether the publication is one of the event's action.
[[nodiscard]] bool concerns(const publication_info& info, const event_record& event);
}  // namespace detail

/// Fills `routes`, `passing`, `filtered` and `failed` of an event whose everything else is set.
void expand_topics(const std::shared_ptr<event_record>& event);

/// Appends a value as it stands in a topic.
void append_segment(const value_view& from, char delimiter, std::string& out);

}  // namespace herald
