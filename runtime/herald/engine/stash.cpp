#include <herald/engine/stash.hpp>

#include <stdexcept>

#include <herald/child_spec.hpp>
#include <herald/engine/core.hpp>

namespace herald::engine {

namespace {

/// The handler that calls is one of this incarnation.
bool handles_now(const runtime_entry& entry, const cell& c, std::uint32_t incarnation) {
  const auto* f = entry.any();
  if (f == nullptr || f->current != &c || entry.fenced()) return false;
  return entry.owned() != nullptr ? c.incarnation == incarnation : f->away && f->away->incarnation == incarnation;
}

/// Puts a chain before everything that waits.
void to_front(cell& c, envelope_queue& chain, std::uint32_t& count) noexcept {
  if (chain.empty()) return;
  chain.tail->next = c.mail.head;
  c.mail.head = chain.head;
  if (c.mail.tail == nullptr) c.mail.tail = chain.tail;
  chain = {};
  c.depth.store(c.depth.load(std::memory_order_relaxed) + std::exchange(count, 0), std::memory_order_relaxed);
  c.busy |= busy_mail;
}

}  // namespace

stash_room& stash_of(cell& c) {
  auto& room = extras_of(c).stash;
  if (room == nullptr) room = std::make_unique<stash_room>();
  return *room;
}

bool stash_in_hand(cell& c, std::uint32_t incarnation) {
  const runtime_entry entry;
  if (!handles_now(entry, c, incarnation)) return false;
  auto& f = *entry.any();
  const auto* e = f.in_hand;
  if (e == nullptr || !e->ops->stashable)
    throw std::logic_error{"stash() where no message is in hand, or a reply or notice is; wanted: in the handler of a "
                           "cast, call, event or timer"};
  if (f.keep != keep_t::no) return f.keep == keep_t::put_away;
  if (entry.owned() == nullptr) {
    // Left behind: the room is its host's affair, and so is what an event's box is made of.
    if (e->ops->box == nullptr) f.keep = keep_t::put_away;
    return e->ops->box == nullptr;
  }
  auto& room = stash_of(c);
  if (room.boxed != nullptr) return true;
  c.busy |= busy_after;
  const bool full = room.count >= c.spec->options.mailbox.stash;
  if (e->ops->box == nullptr) {
    f.keep = full ? keep_t::turn_away : keep_t::put_away;
  } else if (full) {
    ++c.dropped;
    c.home->system().count_dead_letter(*e, discard_reason::overflow);
  } else {
    room.boxed = e->ops->box(*e, c, f);
    return room.boxed != nullptr;
  }
  return !full;
}

void unstash_all(cell& c, std::uint32_t incarnation) {
  const runtime_entry entry;
  at_home(entry, c, incarnation, [](cell& home) {
    stash_of(home).unstash = true;
    home.busy |= busy_after;
  });
}

void send_first(cell& c, std::uint32_t incarnation, envelope* e) {
  e->incarnation = incarnation;
  const runtime_entry entry;
  const auto put = [e](cell& home) {
    auto& room = stash_of(home);
    room.first.push(e);
    ++room.first_count;
    home.busy |= busy_after;
  };
  if (!at_home(entry, c, incarnation, put)) e->ops->discard(e, discard_reason::stale, nullptr);
}

bool in_hand_stashable(const cell& self) noexcept {
  const auto* f = current_frame;
  return f != nullptr && f->current == &self && f->in_hand != nullptr && f->in_hand->ops->stashable;
}

void stash_copy(cell& c, std::uint32_t incarnation, envelope* e) {
  e->incarnation = incarnation;
  const runtime_entry entry;
  const auto put = [e](cell& home) {
    auto& room = stash_of(home);
    if (room.boxed != nullptr || room.count >= home.spec->options.mailbox.stash)
      return e->ops->discard(e, discard_reason::overflow, nullptr);
    room.boxed = e;
    home.busy |= busy_after;
  };
  if (!at_home(entry, c, incarnation, put)) e->ops->discard(e, discard_reason::stale, nullptr);
}

bool host::after_handler(cell& c, frame& f, envelope* e) {
  c.busy &= ~std::uint32_t{busy_after};
  auto& room = stash_of(c);
  auto keep = std::exchange(f.keep, keep_t::no);
  if (keep == keep_t::put_away && room.count >= c.spec->options.mailbox.stash) keep = keep_t::turn_away;
  auto* away = keep == keep_t::put_away ? e : std::exchange(room.boxed, nullptr);
  if (away != nullptr) {
    room.stash.push(away);
    ++room.count;
  }
  if (keep == keep_t::turn_away) {
    ++c.dropped;
    e->ops->discard(e, discard_reason::overflow, nullptr);
  }
  if (std::exchange(room.unstash, false)) to_front(c, room.stash, room.count);
  to_front(c, room.first, room.first_count);
  return keep != keep_t::no;
}

void host::return_stash(cell& c) noexcept {
  if (c.extras == nullptr || c.extras->stash == nullptr) return;
  auto& room = *c.extras->stash;
  if (auto* e = std::exchange(room.boxed, nullptr)) e->ops->discard(e, discard_reason::stale, nullptr);
  while (!room.first.empty()) {
    auto* e = room.first.pop();
    e->ops->discard(e, discard_reason::stale, nullptr);
  }
  room.first_count = 0;
  room.unstash = false;
  to_front(c, room.stash, room.count);
}

}  // namespace herald::engine
