// Handlers that were left behind: their host went on without them. They rejoin when they return, or, fenced off because
// their process had to end, are buried.

#include <algorithm>

#include <herald/engine/child_event.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/extras.hpp>
#include <herald/engine/operation.hpp>
#include <herald/engine/watch.hpp>

namespace herald::engine {

struct rejoin_node final : envelope {
  rejoin_node() : envelope{node_ops, address{}} {}
  std::shared_ptr<away_record> record;
  user_phase phase = user_phase::handler;
  envelope* in_hand = nullptr;
  keep_t keep = keep_t::no;
  bool threw = false;
  std::uint32_t handled = 0;
  exit_reason why;
  const type_tag* type = nullptr;

  static void run(envelope* e, cell*, frame& by) {
    auto* self = static_cast<rejoin_node*>(e);
    auto record = std::move(self->record);
    const auto phase = self->phase;
    auto* in_hand = self->in_hand;
    by.keep = self->keep;
    const bool threw = self->threw;
    by.home->before_change(*record->of);
    by.home->count_handled(self->handled);
    if (!record->fenced.load(std::memory_order_acquire)) record->of->handled += self->handled;
    const auto why = self->why;
    const auto* type = self->type;
    free_node(self);
    by.home->back_from_away(record, by, phase, in_hand, threw, why, type);
  }
  static void discard(envelope* e, discard_reason, const exit_reason*) noexcept {
    free_node(static_cast<rejoin_node*>(e));
  }
  static constexpr envelope_ops node_ops{run, nullptr, discard, nullptr, &tag_of<rejoin_node>, envelope_kind::control};
};

void host::end_in_hand(envelope* e, frame& by, frame* owned, const exit_reason* crash) noexcept {
  const auto keep = std::exchange(by.keep, keep_t::no);
  if (e == nullptr) return;
  // It was to be put away, and its message is whole: a process that crashed does not get it again.
  if (keep != keep_t::no && e->ops->finish == nullptr) return e->ops->discard(e, discard_reason::stale, nullptr);
  if (e->ops->finish != nullptr) return e->ops->finish(e, by, crash);
  free_node_memory(e, e->size, owned);
}

void host::rejoin(frame& lost, user_phase phase, envelope* in_hand, bool threw, const exit_reason& why,
                  const type_tag* type) {
  if (system_.ended()) {
    // A zombie that outlived its application: there is no runner to go back to, and it ends what it has in hand itself.
    end_in_hand(in_hand, lost, nullptr, threw ? &why : nullptr);
    return system_.runs().returned(*this);
  }
  auto* node = make_node<rejoin_node>();
  node->record = lost.away;
  node->phase = phase;
  node->in_hand = in_hand;
  node->keep = lost.keep;
  node->threw = threw;
  node->handled = lost.uncounted;
  node->why = why;
  node->type = type;
  push_control(node, nullptr);
  system_.runs().returned(*this);
}

void host::back_from_away(const std::shared_ptr<away_record>& record, frame& f, user_phase phase, envelope* in_hand,
                          bool threw, const exit_reason& why, const type_tag* type) {
  auto& c = *record->of;
  const bool fenced = record->fenced.load(std::memory_order_acquire);
  const bool kept = !threw && !fenced && (f.keep != keep_t::no || (c.busy & busy_after) != 0) && after_handler(c, f, in_hand);
  if (!kept) end_in_hand(in_hand, f, &f, threw ? &why : nullptr);
  if (fenced) return bury_zombie(*record, f, phase, threw);
  c.away.reset();
  c.busy &= ~std::uint32_t{busy_away};
  c.phase = user_phase::handler;
  if (!dedicated) system_.tell(report::came_back, c, c.incarnation, {});
  switch (phase) {
    case user_phase::init:
      after_init(c, f, threw, why);
      return;
    case user_phase::terminate:
      if (threw) c.ending = why;
      finish_end(c, f);
      return;
    case user_phase::destroy:
      free_state(c);
      after_destroy(c);
      return;
    case user_phase::handler:
      if (threw) {
        crashed(c, f, type, why);
      } else if ((c.busy & busy_ending) != 0) {
        end_life(c, f, c.ending, true);
      } else if (c.mail.head != nullptr) {
        make_ready(c);
      } else if ((c.busy & (busy_watched | busy_idles)) != 0) {
        static_cast<void>(ran_empty(c, f));
      }
      return;
  }
}

void host::fence(cell& c) {
  auto record = std::move(c.away);
  record->state = c.state;
  record->own_block = c.own_block;
  record->ops = c.ops;
  record->path = core::path_of(c);
  record->fenced.store(true, std::memory_order_release);
  const exit_reason why{exit_reason::killed};
  if (record->in_hand != nullptr && record->in_hand->ops->abandon != nullptr)
    record->in_hand->ops->abandon(record->in_hand, why);
  const bool in_init = c.phase == user_phase::init;
  c.phase = user_phase::handler;
  if (!c.own_block) c.room_taken = true;
  c.state = nullptr;
  c.own_block = false;
  c.status = cell_status::ended;
  c.ending = why;
  wipe_attachments(c);
  // Whatever `named` says: the fenced handler may be about to register. It is refused from here on.
  system_.owners().owner_ended(c);
  {
    const std::lock_guard lock{system_.zombie_mutex};
    system_.zombies.fetch_add(1, std::memory_order_relaxed);
    system_.zombie_paths.push_back(record->path);
  }
  auto told = system_.report_on(report::zombie, c, c.incarnation, why, "it was killed while its handler runs on; the handler is fenced off");
  told.overrun = system_.look_at(*record);
  system_.tell(std::move(told));
  if (in_init) {
    if (c.extras != nullptr) c.extras->life_over(c);
    c.busy = (c.busy & busy_lasting) | busy_idle;
    for (auto& s : slots_)
      if (s) s->incarnation_failed(c);
    tell_watchers_life_over(c, current_frame);
    tell_parent(c, child_event_kind::start_failed, why, current_frame);
  } else {
    after_destroy(c);
  }
}

void host::bury_zombie(const away_record& record, frame& f, user_phase phase, bool threw) {
  auto& c = *record.of;
  const auto* ops = record.ops;
  const bool has_state = phase == user_phase::handler || phase == user_phase::terminate ||
                         (phase == user_phase::init && !threw);
  if (has_state) {
    f.aside = true;
    enter_user(f, c);
    ops->destroy(record.state);
    // If the destructor overruns too, the host goes on without this thread; there is nothing left to rejoin with.
    if (!leave_user(f)) return system_.runs().returned(*this);
    f.aside = false;
  }
  if (record.own_block) {
    slab::free_block(record.state, ops->size, ops->align);
  } else {
    c.room_taken = false;
    if (c.status == cell_status::free && !c.ready) cells_.give_back(c);
  }
  const std::lock_guard lock{system_.zombie_mutex};
  system_.zombies.fetch_sub(1, std::memory_order_relaxed);
  const auto found = std::find(system_.zombie_paths.begin(), system_.zombie_paths.end(), record.path);
  if (found != system_.zombie_paths.end()) system_.zombie_paths.erase(found);
}

}  // namespace herald::engine
