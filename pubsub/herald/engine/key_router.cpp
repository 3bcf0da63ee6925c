#include <herald/engine/key_router.hpp>

#include <list>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <herald/context.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/crash_text.hpp>
#include <herald/engine/event_share.hpp>
#include <herald/engine/find.hpp>
#include <herald/engine/nodes.hpp>
#include <herald/engine/supervisor_state.hpp>
#include <herald/engine/suspension.hpp>
#include <herald/supervisor_ref.hpp>
#include <herald/topic.hpp>

namespace herald::engine {

namespace {

constexpr auto no_limit = std::chrono::milliseconds{std::chrono::hours{24 * 365}};  ///< the child's own limits hold
constexpr std::uint64_t beats_of_idle = 4;
constexpr int fruitless_lives = 3;

/// From the router to one of its processes. Every event on its way, and every handler that waits inside with one, has a
/// share in it, so that the router can see when there is none.
struct line {
  any_ref router;
  std::uint64_t key;
};
using line_ptr = std::shared_ptr<const line>;

void send_back(const line& to, std::shared_ptr<event_share> event) {
  send(make_node<any_node<came_back, envelope_kind::notice>>(to.router.where(), came_back{to.key, std::move(event)}));
}

struct forwarded final : envelope {
  forwarded(address receiver, event_share event, line_ptr over)
      : envelope{own, receiver},
        own{run, finish, discard, nullptr, event.event().ops->type, envelope_kind::event, true},
        share{std::move(event)},
        way{std::move(over)} {
    from = share.event().from.cell;
    from_generation = share.event().from.generation;
  }
  envelope_ops own;
  event_share share;
  line_ptr way;

  static void run(envelope* e, cell* c, frame& by) {
    auto& self = *static_cast<forwarded*>(e);
    const auto* payload = self.share.event().payload;
    const auto* handler = c->ops->find(*self.own.type);
    if (handler == nullptr) return unknown(*e, *c, by, payload);
    auto now = self.share.told();
    const delivery_scope scope{by, now, *c};
    handler->invoke(by.state, context_at(by.state), payload);
    if (by.suspended != nullptr)
      keep_event(by, now, std::make_shared<const std::pair<held_topic, line_ptr>>(self.share.through(), self.way));
  }
  static void finish(envelope* e, frame&, const exit_reason*) noexcept { free_node(static_cast<forwarded*>(e)); }
  static void discard(envelope* e, discard_reason why, const exit_reason*) noexcept {
    auto* self = static_cast<forwarded*>(e);
    // Its process has ended for good; the router gives it to the next one. At the application's end there is none.
    if (why == discard_reason::noproc && self->way != nullptr && !self->to->home->system().closing()) {
      send_back(*self->way, std::make_shared<event_share>(std::move(self->share)));
    } else {
      dead_letter(*e, why);
    }
    free_node(self);
  }
};

/// Behind the last event for a process that has ended: comes back when all of them have.
struct marker final : envelope {
  marker(address receiver, line_ptr over) : envelope{node_ops, receiver}, way{std::move(over)} {}
  line_ptr way;
  static void run(envelope*, cell*, frame&) {}
  static void finish(envelope* e, frame&, const exit_reason*) noexcept { discard(e, discard_reason::noproc, nullptr); }
  static void discard(envelope* e, discard_reason, const exit_reason*) noexcept {
    auto* self = static_cast<marker*>(e);
    send_back(*self->way, nullptr);
    free_node(self);
  }
  static constexpr envelope_ops node_ops{run, finish, discard, nullptr, &tag_of<came_back>, envelope_kind::notice};
};

enum class phase_t : std::uint8_t { starting, running, ending, draining };

struct keyed {
  keyed(std::string name, line over) : segment{std::move(name)}, way{std::make_shared<const line>(over)} {}
  std::string segment;
  line_ptr way;
  phase_t phase = phase_t::starting;
  any_ref who;
  std::uint64_t last_beat = 0;      ///< when it was given its last event
  std::size_t given = 0;            ///< events, in this life
  int fruitless = 0;                ///< lives in a row that handled nothing
  std::vector<event_share> waiting;
  std::vector<event_share> returned;
  std::list<keyed*>::iterator place;  ///< among those that run, the longest quiet first
};

}  // namespace

struct key_router::impl {
  impl(context& self, std::shared_ptr<const router_plan> p) : plan{std::move(p)}, me{self.self()}, path{self.path()}, system{system_of(self.cell())} {
    auto beside = self.path();
    beside = beside.substr(0, beside.rfind('/') + 1) + "each";
    each = supervisor_ref{find_in_tree(system, beside, &supervisor_ops)};
    using std::chrono::nanoseconds;
    self.send_every(nanoseconds{plan->idle} / beats_of_idle, router_beat{});
  }
  ~impl() {
    for (auto& [segment, k] : keys) drop_all(*k);
  }

  // --- events ---
  void route(context& self, event_share event) {
    const auto segment = segment_of(event.event().topic->name());
    auto found = keys.find(segment);
    if (found == keys.end()) {
      if (keys.size() >= plan->max) return refuse(std::move(event), too_many, segment);
      const auto number = ++last_key;
      found = keys.emplace(segment, std::make_unique<keyed>(std::string{segment}, line{me, number})).first;
      by_number.emplace(number, found->second.get());
      wait(*found->second, std::move(event));
      return start(self, *found->second);
    }
    auto& k = *found->second;
    if (k.phase == phase_t::running) return give(k, std::move(event));
    if (waiting >= plan->max_waiting) return refuse(std::move(event), too_long, segment);
    wait(k, std::move(event));
  }
  void give(keyed& k, event_share event) {
    ++k.given;
    k.last_beat = beats;
    running.splice(running.end(), running, k.place);
    send(make_node<forwarded>(k.who.where(), std::move(event), k.way));
  }
  void wait(keyed& k, event_share event) {
    k.waiting.push_back(std::move(event));
    ++waiting;
  }

  // --- a life ---
  void start(context& self, keyed& k) {
    k.phase = phase_t::starting;
    k.given = 0;
    std::optional<child_spec> spec;
    try {
      spec = plan->make(k.segment);
    } catch (...) {
      return give_up(k, "its spec could not be made: " + crash_of_current_exception().to_string());
    }
    if (!spec) return give_up(k, "it is no key of the type that is wanted");
    if (spec->ops == nullptr || spec->ops->find(*plan->event) == nullptr)
      return give_up(k, "the process of its spec does not accept " + std::string{plan->event->name});
    each.start_child(self, *std::move(spec), no_limit, [this, key = k.way->key](context& me_again, result<any_ref> r) {
      started(me_again, key, r);
    });
  }
  void started(context& self, std::uint64_t key, const result<any_ref>& r) {
    auto* k = find(key);
    if (k == nullptr) return;
    if (!r) return give_up(*k, r.error().to_string());
    if (!*r) return give_up(*k, "its init said that it is not wanted");
    k->who = *r;
    k->phase = phase_t::running;
    k->place = running.insert(running.end(), k);
    watched.emplace(self.monitor(k->who).number, key);
    waiting -= k->waiting.size();
    for (auto& event : std::exchange(k->waiting, {})) give(*k, std::move(event));
  }
  void end(context& self, keyed& k) {
    k.phase = phase_t::ending;
    running.erase(k.place);
    each.terminate_child(self, child_key{k.who}, no_limit, [](const result<void>&) {});
  }
  void gone(std::uint64_t monitor) {
    const auto found = watched.find(monitor);
    if (found == watched.end()) return;
    auto* k = find(found->second);
    watched.erase(found);
    if (k == nullptr) return;
    if (k->phase == phase_t::running) running.erase(k->place);
    k->phase = phase_t::draining;
    send(make_node<marker>(k->who.where(), k->way));
  }
  /// All that the ended process did not handle is here.
  void drained(context& self, keyed& k) {
    const bool fruitless = k.given != 0 && k.returned.size() == k.given;
    k.fruitless = fruitless ? k.fruitless + 1 : 0;
    if (k.fruitless >= fruitless_lives)
      return give_up(k, std::to_string(fruitless_lives) + " lives in a row ended without handling an event");
    if (k.returned.empty() && k.waiting.empty()) return forget(k);
    auto all = std::exchange(k.returned, {});
    for (auto& event : k.waiting) all.push_back(std::move(event));
    k.waiting = std::move(all);
    start(self, k);
  }
  void give_up(keyed& k, const std::string& why) {
    tell("the subscriber of \"" + k.segment + "\" does not run: " + why + "; events lost: " +
         std::to_string(k.waiting.size() + k.returned.size()));
    drop_all(k);
    forget(k);
  }
  void forget(keyed& k) {
    by_number.erase(k.way->key);
    keys.erase(keys.find(k.segment));
  }

  // --- what is lost ---
  struct fault {
    const char* text;
    bool told = false;
  };
  void refuse(event_share event, fault& why, std::string_view segment) {
    if (!std::exchange(why.told, true)) tell("an event for \"" + std::string{segment} + "\" was lost: " + why.text + " (told once)");
    drop(std::move(event), discard_reason::overflow);
  }
  void drop(event_share event, discard_reason why) noexcept {
    auto* lost = make_node<forwarded>(me.where(), std::move(event), nullptr);
    lost->ops->discard(lost, why, nullptr);
  }
  void drop_all(keyed& k) noexcept {
    waiting -= k.waiting.size() + k.returned.size();
    for (auto* events : {&k.returned, &k.waiting})
      for (auto& event : std::exchange(*events, {})) drop(std::move(event), discard_reason::noproc);
  }
  void tell(std::string text) {
    report r;
    r.kind = report::dead_letter;
    r.path = path;
    r.text = std::move(text);
    system.tell(std::move(r));
  }

  [[nodiscard]] keyed* find(std::uint64_t key) const {
    const auto found = by_number.find(key);
    return found != by_number.end() ? found->second : nullptr;
  }
  [[nodiscard]] std::string_view segment_of(std::string_view topic) const {
    auto at = topic_segments{topic}.begin();
    for (std::size_t i = 0; i < plan->segment; ++i) ++at;
    return *at;
  }

  struct hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>{}(s); }
  };
  std::shared_ptr<const router_plan> plan;
  any_ref me;
  const std::string path;  ///< a handler that was left behind tells of losses, too, and owns its cell no more
  core& system;
  supervisor_ref each;
  std::unordered_map<std::string, std::unique_ptr<keyed>, hash, std::equal_to<>> keys;
  std::unordered_map<std::uint64_t, keyed*> by_number;
  std::unordered_map<std::uint64_t, std::uint64_t> watched;  ///< monitors, and whose they are
  std::list<keyed*> running;
  std::uint64_t last_key = 0;
  std::uint64_t beats = 0;
  std::size_t waiting = 0;
  fault too_many{"there are as many subscribers as may be"};
  fault too_long{"as many events as may wait are waiting for subscribers that start or end"};
};

key_router::key_router(context& self, std::shared_ptr<const router_plan> plan) : impl_{std::make_unique<impl>(self, std::move(plan))} {}
key_router::~key_router() = default;

void key_router::take_in_hand(context& self) {
  const auto* now = static_cast<const delivery*>(current_frame->delivery);
  impl_->route(self, event_share{*now});
}

void key_router::take_back(context& self, const came_back& m) {
  auto* k = impl_->find(m.key);
  if (m.event == nullptr) {
    if (k != nullptr) impl_->drained(self, *k);
  } else if (k != nullptr) {
    k->returned.push_back(std::move(*m.event));
    ++impl_->waiting;
  } else {
    impl_->route(self, std::move(*m.event));
  }
}

void key_router::beat(context& self) {
  auto& i = *impl_;
  ++i.beats;
  for (auto at = i.running.begin(); at != i.running.end();) {
    auto& k = **at++;
    if (k.last_beat + beats_of_idle >= i.beats) break;
    const bool busy = k.way.use_count() != 1 || k.who.where().cell->depth.load(std::memory_order_relaxed) != 0;
    if (busy) {
      k.last_beat = i.beats - 1;  // looked at again when it has been quiet for most of the time
      i.running.splice(i.running.end(), i.running, k.place);
    } else {
      i.end(self, k);
    }
  }
}

void key_router::ended(context&, const down& m) { impl_->gone(m.monitor.number); }

}  // namespace herald::engine
