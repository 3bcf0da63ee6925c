#include <herald/engine/watch.hpp>

#include <herald/context.hpp>
#include <herald/engine/operation.hpp>

namespace herald::engine {

namespace {

/// A notice for one monitor: a down or a restarted, found by the watcher's record.
template <class Notice>
struct notice_node final : envelope {
  notice_node(const watch& w, Notice n) : envelope{node_ops, w.watcher, w.watcher_incarnation}, id{w.expectation}, notice{std::move(n)} {}
  std::uint64_t id;
  Notice notice;
  static void run(envelope* e, cell* c, frame& by) {
    auto* self = static_cast<notice_node*>(e);
    if (comes_again(by)) return;
    const message_end<Notice> end{self->notice, by, e, &waiting_ops};
    expectation* found = nullptr;
    {
      const runtime_entry entry;
      if (entry.owned() != nullptr) found = static_cast<expectation*>(by.home->expected(self->id));
    }
    if (found == nullptr) return;
    const auto trace = found->trace ? std::optional{*found->trace} : std::nullopt;
    const message_trace in_force{trace ? &*trace : nullptr, &by, c};
    if constexpr (std::is_same_v<Notice, restarted>) {
      // The monitor stays; whoever does not care has no handler for it.
      if (const auto* handler = c->ops->find(tag_of<restarted>)) handler->invoke(by.state, context_at(by.state), &self->notice);
    } else {
      found->resume(context_at(by.state), &self->notice, nullptr);
    }
  }
  static void discard(envelope* e, discard_reason, const exit_reason*) noexcept {
    auto* self = static_cast<notice_node*>(e);
    std::destroy_at(&self->notice);
    free_memory(self);
  }
  static void finish(envelope* e, frame&, const exit_reason*) noexcept {
    discard(e, discard_reason::stale, nullptr);
  }
  static constexpr envelope_ops waiting_ops{nullptr, finish, discard, nullptr, &tag_of<Notice>, envelope_kind::notice};
  static void free_memory(notice_node* self) noexcept {
    const runtime_entry entry;
    free_node_memory(self, self->size, entry.owned());
  }
  static constexpr envelope_ops node_ops{run, nullptr, discard, nullptr, &tag_of<Notice>, envelope_kind::notice};
};

any_ref watched_ref(const address& who) { return any_ref{who}; }

void send_down(const watch& w, address who, const exit_reason& why, frame* owned) {
  host::post(make_node<notice_node<down>>(w, down{{w.expectation}, watched_ref(who), why}), owned);
}

void unlink(cell& c, watch& w) noexcept {
  (w.previous != nullptr ? w.previous->following : c.watchers) = w.following;
  if (w.following != nullptr) w.following->previous = w.previous;
}

/// The order of monitors' notices is the order in which they were set; the list is newest first.
template <class Keep>
void fire(cell& c, frame* owned, Keep&& keeps) {
  auto* w = c.watchers;
  while (w != nullptr && w->following != nullptr) w = w->following;
  while (w != nullptr) {
    auto* next = w->previous;
    if (!keeps(*w)) {
      send_down(*w, c.self(), c.ending, owned);
      unlink(c, *w);
      c.home->watches.erase(w->id);
      delete w;
    }
    w = next;
  }
}

struct watch_order final : envelope {
  watch_order(address watched, watch what) : envelope{node_ops, watched}, w{what} {}
  watch w;
  static void run(envelope* e, cell* c, frame& by) {
    auto* self = static_cast<watch_order*>(e);
    const auto w = self->w;
    const auto who = c->self();
    free_node(self);
    if (c->status == cell_status::resting || (w.incarnation != 0 && w.incarnation != c->incarnation) ||
        (w.incarnation != 0 && c->status == cell_status::ended))
      return send_down(w, who, exit_reason::noproc, &by);
    auto* kept = new watch{w};
    kept->watched = c;
    kept->following = c->watchers;
    if (c->watchers != nullptr) c->watchers->previous = kept;
    c->watchers = kept;
    by.home->watches.emplace(kept->id, kept);
  }
  static void discard(envelope* e, discard_reason, const exit_reason*) noexcept {
    auto* self = static_cast<watch_order*>(e);
    send_down(self->w, {self->to, self->generation}, exit_reason::noproc, current_frame);
    free_node(self);
  }
  static constexpr envelope_ops node_ops{run, nullptr, discard, nullptr, &tag_of<watch_order>, envelope_kind::control};
};

}  // namespace

void begin_watch(address watched, watch w, frame* owned) {
  if (watched.cell == nullptr) return send_down(w, watched, exit_reason::noproc, owned);
  host::post(make_node<watch_order>(watched, w), owned);
}

void end_watch(address watched, std::uint64_t id, frame* owned) {
  if (watched.cell == nullptr) return;
  // Also when the cell is another process by now: the number is unique, and its host's table decides.
  post_control(*watched.cell->home, owned, [id](cell*, frame& by) {
    const auto found = by.home->watches.find(id);
    if (found == by.home->watches.end()) return;
    auto* w = found->second;
    by.home->watches.erase(found);
    unlink(*w->watched, *w);
    delete w;
  });
}

void tell_watchers_restarted(cell& c, frame* owned) {
  for (auto* w = c.watchers; w != nullptr; w = w->following)
    if (w->incarnation == 0)
      host::post(make_node<notice_node<restarted>>(*w, restarted{{w->expectation}, watched_ref(c.self()), c.incarnation}),
                 owned);
}

void tell_watchers_life_over(cell& c, frame* owned) {
  fire(c, owned, [&](const watch& w) { return w.incarnation != c.incarnation; });
}

void tell_watchers_gone(cell& c, frame* owned) {
  fire(c, owned, [](const watch&) { return false; });
}

}  // namespace herald::engine
