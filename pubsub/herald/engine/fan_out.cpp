#include <herald/engine/fan_out.hpp>

#include <algorithm>
#include <optional>
#include <string>

#include <herald/child_spec.hpp>
#include <herald/engine/admission.hpp>
#include <herald/engine/backlog.hpp>
#include <herald/engine/bus_core.hpp>
#include <herald/engine/crash_text.hpp>
#include <herald/engine/nodes.hpp>
#include <herald/engine/suspension.hpp>
#include <herald/tapped.hpp>

namespace herald::engine {

namespace {

constexpr std::uint32_t look_every = 32;  ///< deliveries between two looks at the control lane
constexpr std::uint32_t ahead = 24;  ///< deliveries between a prefetch and its use
constexpr auto slice = std::chrono::microseconds{200};  ///< then the host's other processes get a turn

/// The envelope that context::sender() finds while a handler is called directly. It lies on the runner's stack, where a
/// handler that was left behind still finds it.
struct hand final : envelope {
  hand(const published& event, fan_out& whole, topic_table& subscriptions) noexcept
      : envelope{*event.ops->entry, address{}}, share{&whole}, table{&subscriptions} {
    from = event.from.cell;
    from_generation = event.from.generation;
  }
  fan_out* share;
  topic_table* table;
};

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

enum class walked : std::uint8_t { through, stopped, lost };

/// One runner's part of a fan-out.
class walk {
 public:
  walk(fan_out& n, frame& f, topic_table& table)
      : n_{n}, f_{f}, table_{table}, event_{*n.event}, hand_{*n.event, n, table} {
    now_.event = &event_;
    now_.at = n.at;
    now_.table = &table;
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
        if (how != walked::lost) n_.at->handed += handled_ + queued_;
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
        ++n_.at->handed;
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
        if (handler->type != &tag_of<tapped>) {
          pass_over(c, entry.id);
          mismatch(n_, c, *handler->type);
        } else if (++queued_; !let_wait(n_, c, entry.id, *handler, table_, f_, lost_before(table_.at(entry.id)))) {
          return walked::lost;
        }
        continue;
      }
      now_.id = entry.id;
      now_.missed = 0;
      if (&c == event_.except.cell && c.alive(event_.except)) [[unlikely]] {
        pass_over(c, entry.id);
        continue;
      }
      if ((c.busy | (entry.handler & look_first) | n_.missed) != 0) [[unlikely]] {
        const auto what = consider(entry, c, *handler);
        if (what == verdict::done) continue;
        if (what == verdict::lost) return walked::lost;
      }
      auto* const state = c.state;  // before user code begins: from there on the cell may be fenced by another thread
      auto& self = context_of(c);
      enter_user(f_, c);
      handler->invoke(state, self, payload);
      if (!leave_user(f_)) [[unlikely]] {
        if (f_.suspended != nullptr) keep_event(f_, now_);
        f_.home->rejoin(f_, user_phase::handler, nullptr, false, {}, type);
        return walked::lost;
      }
      ++handled_;
      if (c.busy != 0) [[unlikely]] {
        f_.in_hand = nullptr;
        if (f_.suspended != nullptr) {
          keep_event(f_, now_);
          f_.home->park(c, f_);
        }
        f_.home->settle(c, f_);
        if (f_.lost) return walked::lost;
        f_.in_hand = &hand_;
        f_.delivery = &now_;
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

  enum class verdict : std::uint8_t { call, done, lost };

  /// A subscriber that is busy, or whose subscription wants more than to be called.
  verdict consider(const subscriber& entry, cell& c, const handler_entry& handler) {
    auto& s = table_.at(entry.id);
    const auto said = admit(event_, c, entry.id, table_, f_);
    if (said == answer::lost) return verdict::lost;
    if (said == answer::no) return pass_over(c, entry.id), verdict::done;
    auto missed = lost_before(s);
    if (c.busy == 0 && s.missed > 0) missed += table_.take_missed(entry.id);
    if (c.busy != 0 || (missed != 0 && topic_table::names_gap(c) != nullptr))
      return ++queued_, let_wait(n_, c, entry.id, handler, table_, f_, missed) ? verdict::done : verdict::lost;
    now_.missed = missed;
    return verdict::call;
  }

  [[nodiscard]] std::uint64_t lost_before(subscription& s) const noexcept { return n_.missed == 0 ? 0 : lost_since(s, n_.missed); }

  /// The event is not for it; what was lost before is told with the next that is.
  void pass_over(cell& c, std::uint32_t id) {
    ++table_.at(id).apart;
    if (const auto missed = lost_before(table_.at(id)); missed != 0) table_.owe(c, id, missed, gap_place::back);
  }

  void count() noexcept { f_.home->count_handled(std::exchange(handled_, 0)); }

  fan_out& n_;
  frame& f_;
  topic_table& table_;
  published& event_;
  hand hand_;
  delivery now_;
  std::uint64_t handled_ = 0;
  std::uint64_t queued_ = 0;
  std::uint32_t look_every_;
  std::uint32_t next_look_;
  time_point slice_end_{};
};

/// Many small fan-outs in a row (topics of few subscribers) each begin with memory that no cache has: what the next ones need
/// is asked for while this one runs, step by step. Those behind an operation in the host's queue stay there while it runs.
void prefetch_behind(const envelope& e) noexcept {
  constexpr int depth = 4;
  const auto* behind = &e;
  for (int i = 0; i < depth; ++i) {
    behind = behind->next;
    if (behind == nullptr || behind->ops != &fan_out::node_ops) return;
    const auto& n = *static_cast<const fan_out*>(behind);
    if (i == depth - 1) {
      __builtin_prefetch(n.at, 1);
      __builtin_prefetch(&n.at->first, 1);
      __builtin_prefetch(n.event, 1);
    } else if (i == 1) {
      __builtin_prefetch(&n.event->refs, 1);
      __builtin_prefetch(n.at->topic, 1);
      if (n.at->size != 0) __builtin_prefetch(n.at->entries[0].who, 1);
    }
  }
}

}  // namespace

void fan_out::run(envelope* e, cell*, frame& f) {
  auto& n = *static_cast<fan_out*>(e);
  if (!n.begun) prefetch_behind(n);
  auto& event = *n.event;
  auto& table = topic_table::of(*f.home);
  // The runner's own reference: the one it was lent, or another where a runner before was left behind with that.
  if (!std::exchange(n.lent, false)) event.refs.fetch_add(1, std::memory_order_relaxed);
  if (!n.begun) {
    n.begun = true;
    ++n.at->events;
    n.end = n.at->size;
    n.missed = take_missed(*n.at);
    table.begin_walk(*n.at, n);
  }
  walked how;
  {
    const message_trace within{trace_of(event), &f, nullptr};
    walk w{n, f, table};
    how = w.go();
  }
  if (how == walked::lost) return release(&event);
  f.in_hand = nullptr;
  n.lent = true;
  if (how == walked::stopped) return;
  table.end_walk();
  f.home->finish_operation();
  end_use(n, &f);
}

void fan_out::discard(envelope* e, discard_reason, const exit_reason*) noexcept {
  auto& n = *static_cast<fan_out*>(e);
  const auto size = n.size;
  release(n.event, n.lent ? refs_per_host : 1);
  free_node_memory(&n, size, current_frame != nullptr && !current_frame->lost ? current_frame : nullptr);
}

envelope* box_entry(const envelope& in_hand, cell& c, frame& f) {
  if (in_hand.to != nullptr) return box_waiting(static_cast<const event_entry&>(in_hand), c, f);
  const auto& direct = static_cast<const hand&>(in_hand);
  auto& n = *direct.share;
  const auto& entry = n.at->entries[n.cursor - 1];
  if (entry.who != &c) return nullptr;  // it has unsubscribed meanwhile
  return make_entry(n, c, entry.id, *direct.table->handlers()[entry.handler & ~look_first], *direct.table, f);
}

}  // namespace herald::engine
