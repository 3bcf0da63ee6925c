#pragma once
// What a subscription says to an event before it gets it, whoever hands it out: whether it had it among what its topic
// keeps, whether its filter wants it, and whether its process has a copy already (`once`).

#include <herald/engine/aside.hpp>

namespace herald::engine {

/// Asks a live event's subscription. f.delivery must say which (topic_table::taken reads it). `lost`: the host was taken
/// while the filter ran.
[[nodiscard]] answer admit(published& event, cell& c, std::uint32_t id, topic_table& table, frame& f);

/// The same of a kept event in hand, which its subscriber hands over itself: the filter is asked in its process's own turn.
[[nodiscard]] bool admit_kept(const event_entry& entry, cell& to, const delivery& now, frame& f);

/// A live event that was queued in another life is in hand: what this life is given of the same event later is no first copy.
void renew_copy(published& event, cell& to, std::uint32_t id, topic_table& table);

}  // namespace herald::engine
