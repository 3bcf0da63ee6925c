#include <herald/engine/fan_out.hpp>

#include <string>

#include <herald/child_spec.hpp>
#include <herald/engine/bus_core.hpp>
#include <herald/engine/crash_text.hpp>
#include <herald/engine/nodes.hpp>

namespace herald::engine {

namespace {

constexpr std::uint32_t look_every = 32;  ///< deliveries between two looks at the control lane
constexpr std::uint32_t ahead = 24;  ///< deliveries between a prefetch and its use
constexpr auto slice = std::chrono::microseconds{200};  ///< then the host's other processes get a turn

/// The envelope that context::sender() finds while a handler is called directly. It lies on the runner's stack, where a
/// handler that was left behind still finds it.
struct hand final : envelope {
  explicit hand(const published& event) noexcept : envelope{*event.ops->entry, address{}} {
    from = event.from.cell;
    from_generation = event.from.generation;
  }
};

void end_use(fan_out& share, frame& by) noexcept {
  if (--share.uses != 0) return;
  release(share.event, share.lent ? refs_per_host : 1);
  free_node_memory(&share, sizeof(fan_out), &by);
}

/// Events that this subscription has lost, to be told now.
std::uint32_t take_missed(topic_table& table, std::uint32_t id) noexcept {
  const auto count = std::exchange(table.at(id).missed, 0);
  table.unmark(id);
  return count;
}

void mismatch(const fan_out& n, const cell& c, const type_tag& wanted_type) {
  auto& bus = n.event->topic->bus();
  bus.mismatched.fetch_add(1, std::memory_order_relaxed);
  // Who subscribes to a pattern will see other events too; who names the topic has mistaken its type.
  if (n.at->topic->pattern() || !bus.tell_mismatch(*n.event->topic)) return;
  report r;
  r.kind = report::dead_letter;
  r.path = core::path_of(c);
  r.process_type = c.ops->name;
  r.text = "the topic \"" + std::string{n.event->topic->name()} + "\" got an event of type " +
           std::string{n.event->ops->type->name} + ", which this subscriber does not get: it subscribed to " +
           std::string{wanted_type.name} + " (told once a topic)";
  c.home->system().tell(std::move(r));
}

void enqueue(fan_out& n, cell& c, std::uint32_t id, const handler_entry& handler, topic_table& table, frame& f) {
  auto* e = ::new (allocate_node(sizeof(event_entry), &f)) event_entry{c, n, id, handler};
  e->size = sizeof(event_entry);
  e->from = n.event->from.cell;
  e->from_generation = n.event->from.generation;
  const auto& s = table.at(id);
  e->generation_of_id = s.generation;
  e->missed = n.missed;
  e->life = s.state == hold::current ? c.incarnation : 0;
  // Where a full mailbox refuses the newest, the gap is before the next one that it takes: this one, it seems.
  if (s.missed != 0 && c.overflow != static_cast<std::uint8_t>(drop_oldest)) e->missed += take_missed(table, id);
  ++n.uses;
  f.home->deliver(e);
}

enum class walked : std::uint8_t { through, stopped, lost };

/// One runner's part of a fan-out.
class walk {
 public:
  walk(fan_out& n, frame& f, topic_table& table)
      : n_{n}, f_{f}, table_{table}, event_{*n.event}, hand_{*n.event} {
    now_.event = &event_;
    now_.at = n.at;
    // In a simulation time stands still: it pauses early and often, so that everything may happen in between.
    look_every_ = f.home->system().options().simulation != nullptr ? 3 : look_every;
    next_look_ = n.cursor + look_every_;
  }
  ~walk() { f_.delivery = nullptr; }
  walk(const walk&) = delete;
  walk& operator=(const walk&) = delete;

  /// Calls on until the end, or a reason to stop. What a handler throws ends that process, and the walk goes on.
  walked go() {
    for (;;) {
      try {
        const auto how = steps();
        count();
        return how;
      } catch (...) {
        const auto why = crash_of_current_exception();
        const bool owner = leave_user(f_);
        if (!owner) {
          f_.home->rejoin(f_, user_phase::handler, nullptr, true, why, event_.ops->type);
          return walked::lost;
        }
        f_.in_hand = nullptr;
        f_.delivery = nullptr;
        f_.home->crashed(*f_.current, f_, event_.ops->type, why);
        if (f_.lost) return walked::lost;
      }
    }
  }

 private:
  walked steps() {
    const auto* type = event_.ops->type;
    const auto* payload = event_.payload;
    auto& s = *n_.at;
    f_.in_hand = &hand_;
    f_.delivery = &now_;
    now_.missed = n_.missed;
    while (n_.cursor < n_.end) {
      const auto place = n_.cursor;
      if (place >= next_look_ && pause(place)) [[unlikely]]
        return walked::stopped;
      n_.cursor = place + 1;
      if (place + ahead < n_.end) prefetch(s.entries[place + ahead].who);
      const auto entry = s.entries[place];
      if (entry.who == nullptr) continue;
      auto& c = *entry.who;
      const auto* handler = table_.handlers()[entry.handler & ~look_first];
      if (handler->type != type) [[unlikely]] {
        mismatch(n_, c, *handler->type);
        continue;
      }
      if (&c == event_.except.cell && c.alive(event_.except)) [[unlikely]]
        continue;
      if (c.busy != 0) [[unlikely]] {
        enqueue(n_, c, entry.id, *handler, table_, f_);
        continue;
      }
      if ((entry.handler & look_first) != 0 || now_.more) [[unlikely]]
        look(entry);
      auto* const state = c.state;  // before user code begins: from there on the cell may be fenced by another thread
      auto& self = context_of(c);
      enter_user(f_, c);
      handler->invoke(state, self, payload);
      if (!leave_user(f_)) [[unlikely]] {
        f_.home->rejoin(f_, user_phase::handler, nullptr, false, {}, type);
        return walked::lost;
      }
      ++handled_;
      if (c.busy != 0) [[unlikely]] {
        f_.in_hand = nullptr;
        f_.home->settle(c, f_);
        if (f_.lost) return walked::lost;
        f_.in_hand = &hand_;
      }
    }
    return walked::through;
  }

  /// The cell, and what follows it in memory: its state, unless that is too large (slab.hpp). Only a hint either way.
  static void prefetch(const cell* c) noexcept {
    __builtin_prefetch(c, 1);
    __builtin_prefetch(c + 1, 1);
  }

  /// Whether somebody else shall have a turn before this place.
  [[nodiscard]] bool pause(std::uint32_t place) {
    next_look_ = place + look_every_;
    if (look_every_ != look_every || f_.home->control_waiting()) return true;
    if ((place / look_every) % 2 != 0) return false;
    const auto time = f_.home->now();
    if (slice_end_ == time_point{}) slice_end_ = time + slice;
    return time >= slice_end_;
  }

  void look(const subscriber& entry) {
    now_.more.reset();
    now_.missed = n_.missed;
    if ((entry.handler & look_first) == 0) return;
    const auto& s = table_.at(entry.id);
    if (s.more) now_.more = s.more->given;
    if (s.missed != 0) now_.missed += take_missed(table_, entry.id);
  }

  void count() noexcept { f_.home->count_handled(std::exchange(handled_, 0)); }

  fan_out& n_;
  frame& f_;
  topic_table& table_;
  published& event_;
  hand hand_;
  delivery now_;
  std::uint64_t handled_ = 0;
  std::uint32_t look_every_;
  std::uint32_t next_look_;
  time_point slice_end_{};
};

}  // namespace

void fan_out::run(envelope* e, cell*, frame& f) {
  auto& n = *static_cast<fan_out*>(e);
  auto& event = *n.event;
  auto& table = topic_table::of(*f.home);
  // The runner's own reference: the one it was lent, or another where a runner before was left behind with that.
  if (!std::exchange(n.lent, false)) event.refs.fetch_add(1, std::memory_order_relaxed);
  if (!n.begun) {
    n.begun = true;
    n.end = n.at->size;
    if (n.at->missed.load(std::memory_order_relaxed) != 0)
      n.missed = n.at->missed.exchange(0, std::memory_order_relaxed);
    table.begin_walk(*n.at);
  }
  walked how;
  {
    walk w{n, f, table};
    how = w.go();
  }
  if (how == walked::lost) return release(&event);
  f.in_hand = nullptr;
  n.lent = true;
  if (how == walked::stopped) return;
  table.end_walk();
  f.home->finish_operation();
  end_use(n, f);
}

void fan_out::discard(envelope* e, discard_reason, const exit_reason*) noexcept {
  auto& n = *static_cast<fan_out*>(e);
  const auto size = n.size;
  release(n.event, n.lent ? refs_per_host : 1);
  free_node_memory(&n, size, current_frame != nullptr && !current_frame->lost ? current_frame : nullptr);
}

// --- the event in a mailbox -------------------------------------------------------------------------------------------

namespace {

/// What the subscription adds to its event. False: it ended with its incarnation, and the event goes with it.
bool look_up(const event_entry& entry, cell& to, delivery& now) {
  const runtime_entry inside;  // the host may not be taken while its table is read
  if (inside.owned() == nullptr) return true;
  auto& table = topic_table::of(*to.home);
  const auto& s = table.at(entry.id);
  if (s.state == hold::free || s.generation != entry.generation_of_id) return entry.life == to.incarnation;
  if (s.more) now.more = s.more->given;
  if (s.missed != 0 && to.overflow == static_cast<std::uint8_t>(drop_oldest)) now.missed += take_missed(table, entry.id);
  return true;
}

}  // namespace

void run_entry(envelope* e, cell* to, frame& by) {
  auto& entry = *static_cast<event_entry*>(e);
  const auto& event = *entry.share->event;
  delivery now;
  now.event = &event;
  now.at = entry.share->at;
  now.missed = entry.missed;
  if (!look_up(entry, *to, now)) return;
  struct scope {
    frame& f;
    ~scope() { f.delivery = nullptr; }
  } const end{by};
  by.delivery = &now;
  entry.handler->invoke(by.state, context_at(by.state), event.payload);
}

void finish_entry(envelope* e, frame& by, const exit_reason*) noexcept {
  auto& share = *static_cast<event_entry*>(e)->share;
  free_node_memory(e, sizeof(event_entry), &by);
  end_use(share, by);
}

void discard_entry(envelope* e, discard_reason why, const exit_reason*) noexcept {
  auto& entry = *static_cast<event_entry*>(e);
  dead_letter(entry, why);
  auto* table = topic_table::if_any(*entry.to->home);
  if (why == discard_reason::overflow && table != nullptr) {
    auto& s = table->at(entry.id);
    if (s.state != hold::free && s.generation == entry.generation_of_id) {
      s.missed += entry.missed + 1;
      table->mark(entry.id);
    }
  }
  auto& share = *entry.share;
  auto* by = current_frame;
  if (by != nullptr && !by->lost) return finish_entry(e, *by, nullptr);
  free_node_memory(e, sizeof(event_entry), nullptr);
  if (--share.uses == 0) {
    release(share.event, share.lent ? refs_per_host : 1);
    free_node_memory(&share, sizeof(fan_out), nullptr);
  }
}

}  // namespace herald::engine
