#include <herald/engine/admission.hpp>

#include <herald/engine/published_extra.hpp>
#include <herald/engine/retention.hpp>

namespace herald::engine {

answer admit(published& event, cell& c, std::uint32_t id, topic_table& table, frame& f) {
  const auto& more = table.at(id).more;
  if (!more) return answer::yes;
  if (more->had && more->had->covers(event)) return answer::no;
  if (const auto* filter = more->given->filter.inside().get()) {
    if (more->stuck) return answer::no;
    const auto* payload = event.payload;
    // Should the host be taken, the delivery pins the options, and the runner has a reference of the event.
    const auto said = ask(f, c, table, id, "filter", [filter, payload] { return filter->wants(payload); });
    if (said != answer::yes) return said;
  }
  if (!more->given->once) return answer::yes;
  const copy_claim mine{c.self().generation, c.incarnation, id, table.at(id).generation};
  return first_copy(event, c, mine) ? answer::yes : answer::no;
}

bool admit_kept(const event_entry& entry, cell& to, const delivery& now, frame& f) {
  extra_ptr options;
  {
    const runtime_entry inside;
    if (inside.owned() == nullptr || now.id == delivery::no_id)
      options = now.pinned;
    else if (const auto& more = now.table->at(now.id).more)
      options = more->given;
  }
  if (!options) return true;
  if (options->filter) {
    try {
      if (!options->filter.inside()->wants(now.event->payload)) return false;
    } catch (...) {
      const auto why = crash_of_current_exception();
      const runtime_entry inside;
      if (inside.owned() != nullptr && now.id != delivery::no_id) tell_throws(*now.table, now.id, to, "filter", why);
      return false;
    }
  }
  if (!options->once) return true;
  const runtime_entry inside;
  const bool owner = inside.owned() != nullptr;
  // Left behind by its filter: what other subscriptions have is taken for theirs, since the table may not be read.
  const copy_claim mine{to.generation.load(std::memory_order_relaxed), owner ? to.incarnation : f.away->incarnation, entry.id,
                        entry.generation_of_id};
  return first_kept_copy(*entry.share->event, to, mine, owner ? &topic_table::of(*to.home) : nullptr);
}

void renew_copy(published& event, cell& to, std::uint32_t id, topic_table& table) {
  const auto& s = table.at(id);
  if (!s.more || !s.more->given->once) return;
  hold_copy(event, to, {to.self().generation, to.incarnation, id, s.generation});
}

}  // namespace herald::engine
