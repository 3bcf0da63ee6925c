// Handlers that were left behind: their host went on without them. They rejoin when they return, or, fenced off because
// their process had to end, are buried.

#include <algorithm>

#include <herald/engine/child_event.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/debt.hpp>
#include <herald/engine/extras.hpp>
#include <herald/engine/operation.hpp>
#include <herald/engine/suspension.hpp>
#include <herald/engine/watch.hpp>

namespace herald::engine {

struct rejoin_node final : envelope {
  explicit rejoin_node(coming_back w) : envelope{node_ops, address{}}, what{std::move(w)} {}
  coming_back what;

  static void run(envelope* e, cell*, frame& by) {
    auto* self = static_cast<rejoin_node*>(e);
    auto what = std::move(self->what);
    const auto& record = *what.record;
    by.home->before_change(*record.of);
    by.home->count_from_mail(what.handled);
    if (!record.fenced.load(std::memory_order_acquire)) record.of->handled += what.handled;
    free_node(self);
    // What it sent while it was away is in the inbox, and what it will send is not: this goes first.
    by.home->take_mail();
    by.home->back_from_away(what, by);
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
  coming_back what{lost.away, phase, in_hand, threw, why, type, lost.suspended, lost.kept, lost.uncounted};
  if (auto* s = what.suspended; s != nullptr && what.kept == nullptr) {
    // The first part of a handler that waits inside now: its message stays with it.
    if (s->in_hand == nullptr) s->in_hand = std::exchange(what.in_hand, nullptr);
    what.kept = s->in_hand;
  }
  if (system_.ended()) {
    // A zombie that outlived its application: there is no runner to go back to, and it ends what it has in hand itself.
    if (what.suspended != nullptr) what.suspended->destroy(*what.suspended);
    for (auto* e : {what.in_hand, what.kept}) end_envelope(e, lost, nullptr, threw ? &why : nullptr);
    return system_.runs().returned(*this);
  }
  what.keep = what.kept != nullptr && lost.keep != keep_t::again ? keep_t::no : lost.keep;
  push_control(make_node<rejoin_node>(std::move(what)), nullptr);
  system_.runs().returned(*this);
}

void host::back_from_away(coming_back& what, frame& f) {
  auto& c = *what.record->of;
  const bool fenced = what.record->fenced.load(std::memory_order_acquire);
  envelope* again = nullptr;
  if (what.keep == keep_t::again) {
    what.keep = keep_t::no;
    if (!fenced && !what.threw) again = std::exchange(what.in_hand, nullptr);
  }
  f.keep = what.keep;
  const bool put_away = !what.threw && !fenced && (f.keep != keep_t::no || (c.busy & busy_after) != 0) &&
                        after_handler(c, f, what.in_hand);
  if (!put_away) end_in_hand(what.in_hand, f, &f, what.threw ? &what.why : nullptr);
  if (fenced) return bury_zombie(what, f);
  c.away.reset();
  c.busy &= ~std::uint32_t{busy_away};
  c.phase = user_phase::handler;
  if (again != nullptr) deliver_first(again);
  if (!dedicated) system_.tell(report::came_back, c, c.incarnation, {});
  switch (what.phase) {
    case user_phase::init:
      after_init(c, f, what.threw, what.why);
      return;
    case user_phase::frames:
      c.busy &= ~std::uint32_t{busy_awaiting};
      end_envelope(what.kept, f, &f, &c.ending);
      end_terminate(c, f, c.extras->terminates);
      return;
    case user_phase::terminate:
      if (what.threw) c.ending = what.why;
      finish_end(c, f);
      return;
    case user_phase::destroy:
      free_state(c);
      after_destroy(c);
      return;
    case user_phase::handler:
      if (what.suspended != nullptr) {
        f.suspended = what.suspended;
        f.kept = what.kept;
        park(c, f);
      } else if (what.kept != nullptr) {
        c.busy &= ~std::uint32_t{busy_awaiting};
        end_envelope(what.kept, f, &f, nullptr);
      }
      if (what.threw) {
        crashed(c, f, what.type, what.why);
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
  record->fenced.store(true, std::memory_order_release);
  const exit_reason why{exit_reason::killed};
  auto* in_hand = record->in_hand.exchange(nullptr, std::memory_order_acq_rel);
  if (in_hand != nullptr && in_hand->ops->abandon != nullptr) in_hand->ops->abandon(in_hand, why);
  const bool in_init = c.phase == user_phase::init;
  c.phase = user_phase::handler;
  if (!c.own_block) c.room_taken = true;
  c.state = nullptr;
  c.own_block = false;
  c.status = cell_status::ended;
  c.ending = why;
  if (c.extras != nullptr) c.extras->last_state.reset();  // it may still be being written
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
    debt::end_all(c);
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

void host::bury_zombie(const coming_back& what, frame& f) {
  const auto& record = *what.record;
  auto& c = *record.of;
  const auto* ops = record.ops;
  const bool has_state = what.phase != user_phase::destroy && !(what.phase == user_phase::init && what.threw);
  if (has_state) {
    f.aside = true;
    enter_user(f, c);
    if (what.suspended != nullptr) what.suspended->destroy(*what.suspended);
    ops->destroy(record.state);
    // If the destructor overruns too, the host goes on without this thread; there is nothing left to rejoin with.
    if (!leave_user(f)) return system_.runs().returned(*this);
    f.aside = false;
  }
  const exit_reason killed{exit_reason::killed};
  end_envelope(what.kept, f, &f, &killed);
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
