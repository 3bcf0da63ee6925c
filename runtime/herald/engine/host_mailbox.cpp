// What a host does at the edges of a mailbox: when it is full, when it has run empty, when a message is none that its
// process accepts.

#include <herald/child_spec.hpp>
#include <herald/context.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/crash_text.hpp>
#include <herald/engine/extras.hpp>
#include <herald/engine/nodes.hpp>

namespace herald::engine {

namespace {

/// How many messages drop_oldest looks at: notices may not be dropped, and a mailbox may be full of them.
constexpr int looked_at_for_oldest = 64;

/// Tells a process that its cast was refused. Not a dead letter when it finds no room, and nothing to a process that does
/// not accept it.
struct refusal_node final : envelope {
  refusal_node(address sender, send_failed text) : envelope{node_ops, sender}, what{text} {}
  send_failed what;
  static void run(envelope* e, cell* c, frame& by) {
    auto* self = static_cast<refusal_node*>(e);
    if (const auto* handler = c->ops->find(tag_of<send_failed>))
      handler->invoke(by.state, context_at(by.state), &self->what);
  }
  static void finish(envelope* e, frame&, const exit_reason*) noexcept { free_node(static_cast<refusal_node*>(e)); }
  static void discard(envelope* e, discard_reason, const exit_reason*) noexcept {
    free_node(static_cast<refusal_node*>(e));
  }
  static constexpr envelope_ops node_ops{run,    finish, discard, nullptr, &tag_of<send_failed>, envelope_kind::cast, true};
};

}  // namespace

void host::refuse(envelope* e, frame* owned) noexcept {
  const auto& c = *e->to;
  if (c.overflow == static_cast<std::uint8_t>(fail_sender) && e->ops->kind == envelope_kind::cast && e->from != nullptr)
    post(make_node<refusal_node>(address{e->from, e->from_generation},
                                 send_failed{any_ref{{e->to, e->generation}}, e->ops->type->name}),
         owned);
  e->ops->discard(e, discard_reason::overflow, nullptr);
}

void host::overflow(cell& c, envelope* e) {
  ++c.dropped;
  switch (static_cast<overflow_t>(c.overflow)) {
    case drop_oldest: {
      envelope* before = nullptr;
      auto* old = c.mail.head;
      for (int looked = 0; old != nullptr && looked < looked_at_for_oldest; before = old, old = old->next, ++looked) {
        if (old->ops->kind >= envelope_kind::notice) continue;
        (before != nullptr ? before->next : c.mail.head) = old->next;
        if (c.mail.tail == old) c.mail.tail = before;
        c.mail.push(e);
        old->ops->discard(old, discard_reason::overflow, nullptr);
        return;
      }
      return e->ops->discard(e, discard_reason::overflow, nullptr);
    }
    case stop_process:
      e->ops->discard(e, discard_reason::overflow, nullptr);
      if ((c.busy & busy_ending) == 0 && c.status == cell_status::running) {
        c.ending = exit_reason{exit_reason::custom, "its mailbox is full"};
        c.busy |= busy_ending;
        make_ready(c);
      }
      return;
    case unbounded:
    case drop_newest:
    case fail_sender: return refuse(e, current_frame);
  }
}

bool host::ran_empty(cell& c, frame& f) {
  if ((c.busy & busy_watched) != 0) c.extras->idle(c, f);
  if (f.lost || (c.busy & busy_idles) == 0 || c.ops->idle == nullptr) return !f.lost;
  f.in_hand = nullptr;
  const auto* ops = c.ops;
  auto* state = c.state;
  enter_user(f, c);
  try {
    ops->idle(state, context_at(state));
  } catch (...) {
    const auto why = crash_of_current_exception();
    if (!leave_user(f)) {
      rejoin(f, user_phase::handler, nullptr, true, why, nullptr);
      return false;
    }
    crashed(c, f, nullptr, why);
    return !f.lost;
  }
  if (!leave_user(f)) {
    rejoin(f, user_phase::handler, nullptr, false, {}, nullptr);
    return false;
  }
  settle(c, f);
  return !f.lost;
}

void unknown(const envelope& e, cell& c, frame& by, const void* message) {
  if (c.ops->unknown == nullptr) {
    const runtime_entry entry;
    return c.home->system().count_unknown(e, c, entry.owned() != nullptr);
  }
  const unknown_message m{*e.ops->type, any_ref{{e.from, e.from_generation}}, message};
  c.ops->unknown(by.state, context_at(by.state), m);
}

void host::deliver_first(envelope* e) {
  auto& c = *e->to;
  if (!c.alive({&c, e->generation}) || c.status == cell_status::resting || c.status == cell_status::free)
    return e->ops->discard(e, discard_reason::noproc, nullptr);
  e->next = c.mail.head;
  c.mail.head = e;
  if (c.mail.tail == nullptr) c.mail.tail = e;
  c.depth.store(c.depth.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  c.busy |= busy_mail;
  make_ready(c);
}

void host::hold(cell& c, busy_bit bit) noexcept { c.busy |= bit; }

void host::release(cell& c, busy_bit bit) noexcept {
  c.busy &= ~std::uint32_t{bit};
  if (c.mail.head != nullptr) make_ready(c);
}

}  // namespace herald::engine
