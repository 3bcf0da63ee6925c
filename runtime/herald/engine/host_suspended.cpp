// Handlers that wait inside, from their host's side: parked, taken up again when an answer comes, and ended with their
// incarnation.

#include <utility>

#include <herald/engine/core.hpp>
#include <herald/engine/extras.hpp>
#include <herald/engine/host.hpp>
#include <herald/engine/suspension.hpp>

namespace herald::engine {

void suspend_handler(suspension& s) noexcept {
  auto& f = *current_frame;
  f.suspended = &s;
  const runtime_entry entry;
  if (entry.owned() != nullptr) f.current->busy |= busy_awaiting;
}

void end_if_finished() noexcept {
  auto& f = *current_frame;
  if (f.suspended == nullptr || !f.suspended->finished) return;
  auto& s = *std::exchange(f.suspended, nullptr);
  s.destroy(s);
}

void end_envelope(envelope* e, frame& by, frame* owned, const exit_reason* crash) noexcept {
  if (e == nullptr) return;
  if (e->ops->finish != nullptr) return e->ops->finish(e, by, crash);
  free_node_memory(e, e->size, owned);
}

void host::park(cell& c, frame& f) noexcept {
  auto* s = std::exchange(f.suspended, nullptr);
  if (f.kept != nullptr) s->in_hand = std::exchange(f.kept, nullptr);
  f.delivery = nullptr;
  f.keep = keep_t::no;  // what waits is not put away
  extras_of(c).waiting = s;
  c.busy |= busy_awaiting;
}

void host::take_up(cell& c, frame& f) noexcept {
  auto* s = std::exchange(c.extras->waiting, nullptr);
  f.suspended = s;
  f.kept = s->in_hand;
  f.in_hand = s->in_hand;
  f.delivery = s->delivery;
}

/// After a part of a handler that waits inside, or waited. Returns the message that is handled with it, if one is.
envelope* host::part_over(cell& c, frame& f, envelope* e) {
  if (f.kept == nullptr) {
    if (f.suspended->in_hand == nullptr) f.suspended->in_hand = std::exchange(e, nullptr);
    park(c, f);
    end_envelope(e, f, &f, nullptr);
    return nullptr;
  }
  end_envelope(e, f, &f, nullptr);
  if (f.suspended != nullptr) {
    park(c, f);
    return nullptr;
  }
  f.delivery = nullptr;
  c.busy &= ~std::uint32_t{busy_awaiting};
  return std::exchange(f.kept, nullptr);
}

void host::put_in_front(cell& c, envelope* e) noexcept {
  envelope* before = nullptr;
  for (auto* old = c.mail.head; old != nullptr && old->ops->kind > envelope_kind::notice && old->ops->kind <= e->ops->kind;
       old = old->next)
    before = old;
  if (before == nullptr) {
    e->next = c.mail.head;
    c.mail.head = e;
  } else {
    e->next = before->next;
    before->next = e;
  }
  if (e->next == nullptr) c.mail.tail = e;
  c.depth.store(c.depth.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  c.busy |= busy_mail;
  make_ready(c);
}

}  // namespace herald::engine
