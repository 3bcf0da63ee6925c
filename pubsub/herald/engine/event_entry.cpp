#include <herald/engine/event_entry.hpp>

#include <algorithm>
#include <limits>

#include <herald/child_spec.hpp>
#include <herald/engine/admission.hpp>
#include <herald/engine/backlog.hpp>
#include <herald/engine/bus_core.hpp>
#include <herald/engine/fan_out.hpp>
#include <herald/engine/nodes.hpp>
#include <herald/engine/suspension.hpp>
#include <herald/engine/topic_table.hpp>
#include <herald/tapped.hpp>

namespace herald::engine {

namespace {

void lower_limit(const envelope& e) noexcept {
  auto& c = *e.to;
  if (!c.alive({&c, e.generation})) return;
  const auto limit = c.limit.load(std::memory_order_relaxed);
  if (limit != std::numeric_limits<std::uint32_t>::max()) c.limit.store(limit - 1, std::memory_order_relaxed);
}

}  // namespace

void leave(event_entry& entry, topic_table& table) noexcept {
  const auto by = std::exchange(entry.bounded, entry_bound::mailbox);
  if (by != entry_bound::mailbox) lower_limit(entry);
  if (by == entry_bound::policy && table.current(entry.id, entry.generation_of_id))
    if (const auto& more = table.at(entry.id).more; more && more->waiting) more->waiting->remove(entry);
}

void raise_limit(cell& c) noexcept {
  const auto limit = c.limit.load(std::memory_order_relaxed);
  if (limit != std::numeric_limits<std::uint32_t>::max()) c.limit.store(limit + 1, std::memory_order_relaxed);
}

void end_use(fan_out& share, frame* by) noexcept {
  if (--share.uses != 0) return;
  release(share.event, share.lent ? refs_per_host : 1);
  if (share.held != nullptr) share.held->release();
  free_node_memory(&share, sizeof(fan_out), by);
}

// --- events of handlers that wait inside ---------------------------------------------------------------------------------

namespace {

/// Keeps what such a handler reads.
struct held_event final : envelope {
  explicit held_event(const delivery& told) noexcept
      : envelope{own, address{}},
        own{nullptr, finish, discard, nullptr, told.event->ops->type, envelope_kind::event},
        now{told} {
    event().refs.fetch_add(1, std::memory_order_relaxed);
    size = sizeof(held_event);
    from = event().from.cell;
    from_generation = event().from.generation;
  }
  [[nodiscard]] published& event() const noexcept { return const_cast<published&>(*now.event); }
  envelope_ops own;
  delivery now;
  std::shared_ptr<const void> more;

  static void finish(envelope* e, frame&, const exit_reason*) noexcept { discard(e, discard_reason::stale, nullptr); }
  static void discard(envelope* e, discard_reason, const exit_reason*) noexcept {
    auto* self = static_cast<held_event*>(e);
    auto* event = &self->event();
    free_node(self);
    release(event);
  }
};

}  // namespace

void keep_event(frame& f, const delivery& now, std::shared_ptr<const void> made) {
  const runtime_entry entry;
  const auto* trace = trace_of(*now.event);
  const auto size = sizeof(held_event) + (trace != nullptr ? trace_room : 0);
  auto* held = ::new (allocate_node(size, entry.owned())) held_event{now};
  if (trace != nullptr) {
    held->size = static_cast<std::uint32_t>(size) | traced_bit;
    stamp(*held, *trace);
  }
  if (entry.owned() != nullptr && now.table != nullptr && now.id != delivery::no_id) {
    const auto& more = now.table->at(now.id).more;
    held->now.pinned = more ? more->given : nullptr;
  }
  held->more = std::move(made);
  held->now.table = nullptr;
  held->now.id = delivery::no_id;
  f.suspended->in_hand = held;
  f.suspended->delivery = &held->now;
}

// --- one event --------------------------------------------------------------------------------------------------------

event_entry::event_entry(cell& receiver, fan_out& whose, std::uint32_t subscription_id, const handler_entry& by) noexcept
    : envelope{*whose.event->ops->entry, receiver.self()}, share{&whose}, handler{&by}, id{subscription_id} {}

event_entry* make_entry(fan_out& share, cell& c, std::uint32_t id, const handler_entry& handler, topic_table& table,
                        frame& by) {
  auto* e = ::new (allocate_node(sizeof(event_entry), &by)) event_entry{c, share, id, handler};
  e->size = sizeof(event_entry);
  e->from = share.event->from.cell;
  e->from_generation = share.event->from.generation;
  const auto& s = table.at(id);
  e->generation_of_id = s.generation;
  e->life = s.state == hold::current ? c.incarnation : 0;
  ++share.uses;
  return e;
}

event_entry* box_waiting(const event_entry& in_hand, cell& c, frame& by) {
  if (in_hand.message != nullptr) return nullptr;
  auto* e = make_entry(*in_hand.share, c, in_hand.id, *in_hand.handler, topic_table::of(*c.home), by);
  e->generation_of_id = in_hand.generation_of_id;
  e->missed = in_hand.missed;
  e->life = in_hand.life;
  return e;
}

namespace {

enum class turn : std::uint8_t {
  now,
  never,  ///< the subscription ended with its incarnation, and the event goes with it
  later,  ///< the host was taken before the table could be read: the entry comes again
};

/// What the subscription adds to its event, or the gap before it.
turn arrive(event_entry& entry, cell& to, delivery& now, const handler_entry*& told) {
  const runtime_entry inside;  // the host may not be taken while its table is read
  if (inside.owned() == nullptr) return turn::later;
  auto& table = topic_table::of(*to.home);
  leave(entry, table);
  const bool current = table.current(entry.id, entry.generation_of_id);
  if (!current && entry.life != to.incarnation) return turn::never;
  if (current) {
    now.table = &table;
    now.id = entry.id;
    if (entry.life != to.incarnation && !entry.asks) renew_copy(*entry.share->event, to, entry.id, table);
  }
  told = topic_table::names_gap(to);
  if (told == nullptr) {
    if (current && table.tells_late(to, entry.id)) now.missed += table.take_missed(entry.id);
  } else if (entry.missed != 0) {
    entry.message = new gap{std::string{entry.share->at->topic->name()}, topic_table::key_of(now), entry.missed};
  }
  return turn::now;
}

}  // namespace

void run_entry(envelope* e, cell* to, frame& by) {
  auto& entry = *static_cast<event_entry*>(e);
  delivery now;
  now.event = entry.share->event;
  now.at = entry.share->at;
  now.missed = entry.missed;
  const handler_entry* told = nullptr;
  switch (arrive(entry, *to, now, told)) {
    case turn::now: break;
    case turn::later: by.keep = keep_t::again; return;
    case turn::never: {
      const runtime_entry inside;
      if (auto* owned = inside.owned()) static_cast<void>(hand_on(entry, *owned, false));
      return;
    }
  }
  const delivery_scope scope{by, now, *to};
  if (entry.asks && !admit_kept(entry, *to, now, by)) return;
  if (entry.message != nullptr) return told->invoke(by.state, context_at(by.state), entry.message);
  if (entry.handler->type == &tag_of<tapped>) [[unlikely]] {
    const auto& type = *now.event->ops->type;
    auto seen = std::make_shared<const tapped>(
        tapped{now.event->topic->name(), type.name, any_ref{now.event->from}, &type, now.event->payload});
    entry.handler->invoke(by.state, context_at(by.state), seen.get());
    if (by.suspended != nullptr) keep_event(by, now, std::move(seen));
    return;
  }
  entry.handler->invoke(by.state, context_at(by.state), now.event->payload);
  if (by.suspended != nullptr) keep_event(by, now);
}

namespace {

/// Of a group's event that its member does not handle: another one gets it, or it is lost.
void pass_on(const event_entry& entry, frame& by) noexcept {
  auto& record = *entry.share->at->topic;
  if (record.group() != nullptr && !hand_on(entry, by, false)) record.bus().missed.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

void finish_entry(envelope* e, frame& by, const exit_reason*) noexcept {
  auto& entry = *static_cast<event_entry*>(e);
  if (auto* told = std::exchange(entry.message, nullptr)) {
    delete told;
    entry.missed = 0;
    if (!by.lost && !entry.flushed) return by.home->deliver_first(e);
    if (!by.lost) pass_on(entry, by);
  }
  if (entry.bounded != entry_bound::mailbox && !by.lost) leave(entry, topic_table::of(*by.home));
  auto& share = *entry.share;
  free_node_memory(e, sizeof(event_entry), &by);
  end_use(share, &by);
}

void discard_entry(envelope* e, discard_reason why, const exit_reason*) noexcept {
  auto& entry = *static_cast<event_entry*>(e);
  auto* by = owning_frame();
  const bool handed_on = by != nullptr && hand_on(entry, *by, why == discard_reason::overflow);
  if (!handed_on) dead_letter(entry, why);
  if (auto* table = topic_table::if_any(*entry.to->home); table != nullptr && by != nullptr) {
    table->refused = true;
    leave(entry, *table);
    if (why == discard_reason::overflow && !handed_on && table->current(entry.id, entry.generation_of_id)) {
      auto& c = *entry.to;
      table->count_loss(entry.id, loss::mailbox_full, 1);
      table->owe(c, entry.id, entry.missed + 1,
                 c.overflow == static_cast<std::uint8_t>(drop_oldest) ? gap_place::front : gap_place::back);
    }
  }
  auto& share = *entry.share;
  free_node_memory(e, sizeof(event_entry), by);
  end_use(share, by);
}

// --- dropped while it waits -------------------------------------------------------------------------------------------

namespace {

void run_nothing(envelope*, cell*, frame&) {}
void finish_dropped(envelope* e, frame& by, const exit_reason*) noexcept {
  lower_limit(*e);
  if (!by.lost) topic_table::of(*by.home).forget_dropped(*e->to);
  free_node_memory(e, sizeof(event_entry), &by);
}
void discard_dropped(envelope* e, discard_reason, const exit_reason*) noexcept {
  lower_limit(*e);
  auto* by = owning_frame();
  if (by != nullptr) topic_table::of(*by->home).forget_dropped(*e->to);
  free_node_memory(e, sizeof(event_entry), by);
}
constexpr envelope_ops dropped_ops{run_nothing,     finish_dropped,       discard_dropped,
                                   nullptr,         &tag_of<event_entry>, envelope_kind::notice};

void sweep(cell& c, frame& by) noexcept {
  envelope_queue keep;
  std::uint32_t gone = 0;
  while (!c.mail.empty()) {
    auto* e = c.mail.pop();
    if (e->ops != &dropped_ops) {
      keep.push(e);
      continue;
    }
    ++gone;
    finish_dropped(e, by, nullptr);
  }
  c.mail = keep;
  c.depth.store(c.depth.load(std::memory_order_relaxed) - gone, std::memory_order_relaxed);
  if (keep.empty()) c.busy &= ~std::uint32_t{busy_mail};
}

}  // namespace

void drop_waiting(event_entry& entry, cell& c, topic_table& table, frame& by) noexcept {
  constexpr std::uint32_t worth_sweeping = 32;
  entry.ops = &dropped_ops;
  end_use(*entry.share, &by);
  const auto dropped = table.note_dropped(c);
  if (dropped >= worth_sweeping && dropped >= c.depth.load(std::memory_order_relaxed) / 2) sweep(c, by);
}

namespace {

/// Which subscription a message in a mailbox is of; nothing: of none.
std::optional<ended_subscription> subscription_of(const envelope& e) noexcept {
  if (e.ops->run == run_entry) {
    const auto& entry = static_cast<const event_entry&>(e);
    return ended_subscription{entry.id, entry.generation_of_id};
  }
  if (e.ops->run == run_value) {
    const auto& token = static_cast<const value_token&>(e);
    return ended_subscription{token.id, token.generation_of_id};
  }
  if (e.ops == &gap_token::node_ops) {
    const auto& token = static_cast<const gap_token&>(e);
    return ended_subscription{token.id, token.generation_of_id};
  }
  return std::nullopt;
}

}  // namespace

void drop_all_waiting(cell& c, std::vector<ended_subscription> of, frame& by) noexcept {
  std::sort(of.begin(), of.end());
  envelope_queue keep, gone;
  std::uint32_t count = 0;
  while (!c.mail.empty()) {
    auto* e = c.mail.pop();
    const auto whose = subscription_of(*e);
    const bool goes = e->ops == &dropped_ops || (whose && std::binary_search(of.begin(), of.end(), *whose));
    (goes ? gone : keep).push(e);
    count += goes ? 1 : 0;
  }
  c.mail = keep;
  c.depth.store(c.depth.load(std::memory_order_relaxed) - count, std::memory_order_relaxed);
  if (keep.empty()) c.busy &= ~std::uint32_t{busy_mail};
  // The mailbox is whole again: the end of an event is user code, and a group's goes to another member.
  while (!gone.empty()) {
    auto* e = gone.pop();
    if (e->ops->run == run_entry) pass_on(static_cast<event_entry&>(*e), by);
    e->ops->finish(e, by, nullptr);
  }
}

// --- a gap ------------------------------------------------------------------------------------------------------------

namespace {

void forget_open(gap_token& token, frame* by) noexcept {
  if (by == nullptr) return;
  auto& table = topic_table::of(*by->home);
  if (!table.current(token.id, token.generation_of_id)) return;
  if (const auto& more = table.at(token.id).more; more && more->open_gap == &token) more->open_gap = nullptr;
}

void end_gap(gap_token& token, frame* by) noexcept {
  lower_limit(token);
  const std::size_t size = token.size;
  token.~gap_token();
  free_node_memory(&token, size, by);
}

}  // namespace

void gap_token::run(envelope* e, cell* to, frame& by) {
  auto& token = *static_cast<gap_token*>(e);
  {
    const runtime_entry inside;
    if (inside.owned() == nullptr) {  // what is lost meanwhile is added to it
      by.keep = keep_t::again;
      return;
    }
    forget_open(token, inside.owned());
    if (!topic_table::of(*to->home).current(token.id, token.generation_of_id) && token.life != to->incarnation) return;
  }
  token.handler->invoke(by.state, context_at(by.state), token.message.get());
}

void gap_token::finish(envelope* e, frame& by, const exit_reason*) noexcept {
  auto* token = static_cast<gap_token*>(e);
  if (!by.lost) forget_open(*token, &by);
  end_gap(*token, &by);
}

void gap_token::discard(envelope* e, discard_reason, const exit_reason*) noexcept {
  auto* token = static_cast<gap_token*>(e);
  auto* by = owning_frame();
  forget_open(*token, by);
  end_gap(*token, by);
}

}  // namespace herald::engine
