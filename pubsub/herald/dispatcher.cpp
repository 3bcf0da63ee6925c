#include <herald/dispatcher.hpp>

#include <algorithm>
#include <exception>

#include <herald/child_spec.hpp>
#include <herald/engine/admission.hpp>
#include <herald/engine/backlog.hpp>
#include <herald/engine/bus_core.hpp>
#include <herald/engine/fan_out.hpp>
#include <herald/engine/retention.hpp>
#include <herald/tapped.hpp>
#include <herald/topic.hpp>

namespace herald {

namespace engine {

using dispatch_code = std::shared_ptr<const std::function<void(dispatch_call&)>>;
using held_event = std::shared_ptr<published>;

/// One subscription that is given the event.
struct dispatch_share {
  seat* at;
  std::uint32_t id;
  std::uint32_t generation;
};

/// What a dispatcher sees and decides on one host.
struct dispatch_work {
  dispatch_work(published& what, const std::vector<seat*>& seats, topic_table& table) : event{what} {
    for (auto* s : seats) {
      ++s->events;
      const auto missed = take_missed(*s);
      for (std::uint32_t i = 0; i < s->size; ++i) {
        const auto& entry = s->entries[i];
        if (entry.who == nullptr) continue;
        auto& subscribed = table.at(entry.id);
        dispatch_entry seen;
        seen.who = any_ref{entry.who->self()};
        seen.topic = s->topic->name();
        if (const auto& more = subscribed.more) {
          seen.key = more->given->key;
          seen.metadata = more->given->metadata;
        }
        seen.number = entries.size();
        ++subscribed.apart;  // unless it is given the event
        if (const auto untold = missed != 0 ? lost_since(subscribed, missed) : 0; untold != 0)
          table.owe(*entry.who, entry.id, untold, gap_place::back);
        entries.push_back(std::move(seen));
        who.push_back({s, entry.id, subscribed.generation});
      }
    }
  }

  void run(const dispatch_code& code, frame& f) {
    if (entries.empty()) return;
    dispatch_call call{*this};
    auto* const before = std::exchange(f.current, nullptr);  // what it publishes, no process does
    try {
      (*code)(call);
    } catch (const std::exception& e) {
      tell(e.what());
    } catch (...) {
      tell("no std::exception");
    }
    f.current = before;
  }

  void tell(std::string_view what) const {
    report r;
    r.kind = report::dead_letter;
    r.text = "a dispatcher of the topic \"" + std::string{event.topic->name()} + "\" threw: " + std::string{what};
    event.topic->bus().system().tell(std::move(r));
  }

  published& event;
  std::vector<dispatch_entry> entries;
  std::vector<dispatch_share> who;    ///< as the entries
  std::vector<dispatch_share> given;  ///< in the order of asking
};

namespace {

/// An event for one host by way of a dispatcher: the operation that asks it, then hands the event out as it decided. What was
/// decided and how far it came lies in the node, because a filter or key that overruns loses the host, and its next runner
/// goes on.
struct dispatch_node final : envelope {
  dispatch_node(held_event what, std::vector<seat*> where, dispatch_code by) noexcept
      : envelope{node_ops, address{}}, event{std::move(what)}, seats{std::move(where)}, code{std::move(by)} {}

  held_event event;
  std::vector<seat*> seats;
  dispatch_code code;
  std::vector<dispatch_share> given;
  std::size_t cursor = 0;
  std::vector<fan_out*> shares;
  bool asked = false;

  static void run(envelope* e, cell*, frame& f) {
    auto& n = *static_cast<dispatch_node*>(e);
    const auto held = n.event;  // of a runner that is left behind, the node may be gone before its filter has returned
    auto& table = topic_table::of(*f.home);
    if (!std::exchange(n.asked, true)) {
      dispatch_work work{*held, n.seats, table};
      work.run(n.code, f);
      n.given = std::move(work.given);
    }
    while (n.cursor < n.given.size()) {
      const auto next_one = n.given[n.cursor++];
      if (table.current(next_one.id, next_one.generation) && !n.hand_out(next_one, table, f)) return;
    }
    f.home->finish_operation();
    if (held->position != 0 && held->position % 2 == 0)
      for (auto* s : n.seats)
        if (s->topic == held->topic) s->served = held->position;
    for (auto* s : n.shares) end_use(*s, &f);
    free_node(&n);
  }
  static void discard(envelope* e, discard_reason, const exit_reason*) noexcept {
    auto* n = static_cast<dispatch_node*>(e);
    for (auto* s : n->shares) end_use(*s, owning_frame());
    free_node(n);
  }

  /// False: the host was lost.
  bool hand_out(const dispatch_share& given_to, topic_table& table, frame& f) {
    auto& what = *event;
    auto& c = *given_to.at->entries[table.at(given_to.id).place].who;
    const auto& handler = table.handler_of(given_to.id);
    if (handler.type != what.ops->type && handler.type != &tag_of<tapped>) {
      what.topic->bus().mismatched.fetch_add(1, std::memory_order_relaxed);
      return true;
    }
    delivery now;
    now.event = &what;
    now.at = given_to.at;
    now.table = &table;
    now.id = given_to.id;
    const told_of within{f, now};
    --table.at(given_to.id).apart;
    switch (admit(what, c, given_to.id, table, f)) {
      case answer::lost: return false;
      case answer::no: return ++table.at(given_to.id).apart, true;
      case answer::yes: break;
    }
    ++given_to.at->handed;
    return let_wait(share(*given_to.at, f), c, given_to.id, handler, table, f, 0);
  }

  /// One for each topic or pattern, as entries in mailboxes want it.
  fan_out& share(seat& at, frame& f) {
    for (auto* s : shares)
      if (s->at == &at) return *s;
    event->refs.fetch_add(refs_per_host, std::memory_order_relaxed);
    auto* made = ::new (allocate_node(sizeof(fan_out), &f)) fan_out{*event, at};
    made->size = sizeof(fan_out);
    shares.push_back(made);
    return *made;
  }

  struct told_of {
    told_of(frame& runner, delivery& now) noexcept : f{runner} { f.delivery = &now; }
    ~told_of() { f.delivery = nullptr; }
    told_of(const told_of&) = delete;
    told_of& operator=(const told_of&) = delete;
    frame& f;
  };

  static constexpr envelope_ops node_ops{run, nullptr, discard, nullptr, &tag_of<dispatch_node>, envelope_kind::notice};
};

/// The seats of the topic and its patterns, for each host.
std::vector<std::vector<seat*>> seats_by_host(const topic_record& topic, const published& event) {
  std::vector<std::vector<seat*>> all;
  const auto add = [&](const topic_record& record) {
    for (auto* s = record.seats(); s != nullptr; s = s->next.load(std::memory_order_acquire)) {
      if (!s->joined.load(std::memory_order_acquire)) continue;
      const auto same = std::find_if(all.begin(), all.end(), [&](const auto& of) { return of.front()->home == s->home; });
      (same != all.end() ? *same : all.emplace_back()).push_back(s);
    }
  };
  add(topic);
  if (event.routes != nullptr)
    for (const auto* route : *event.routes)
      if (route->group() == nullptr) add(*route);
  return all;
}

}  // namespace

result<void> dispatch(bus_core& bus, std::string_view topic, published* event, const address& except, const dispatcher& by, bool keep) {
  held_event held{event, [](published* e) { release(e); }};
  if (auto fine = check_topic(topic); !fine) return fine;
  if (bus.closed()) return closed_error(topic);
  const held_topic record{hold_topic(keep ? bus.open(topic) : bus.find_wanted(topic))};
  if (!record) return {};
  const runtime_entry entry;
  event->refs.fetch_add(1, std::memory_order_relaxed);  // prepare takes one when it says false
  if (!prepare(*record, event, except, false, entry)) return closed_error(topic);
  release(event);
  hand_out_kept(*record, *event, keep, entry.owned(), [&] {
    for (auto& seats : seats_by_host(*record, *event)) {
      auto& home = *seats.front()->home;
      const bool own = entry.owned() != nullptr && entry.owned()->home == &home;
      if (!own && home.inbox_depth() >= bus.system().options().inbox_limit) {
        for (auto* s : seats) s->missed.fetch_add(1, std::memory_order_relaxed);
        bus.missed.fetch_add(1, std::memory_order_relaxed);
        continue;
      }
      home.post_operation(make_node<dispatch_node>(held, std::move(seats), by.inside()), entry.owned());
    }
    if (event->routes != nullptr)
      for (auto* route : *event->routes)
        if (route->group() != nullptr && !give_one(*route, *event, entry.owned(), except.cell, 0))
          bus.missed.fetch_add(1, std::memory_order_relaxed);
  });
  return {};
}

}  // namespace engine

std::string_view dispatch_call::topic() const noexcept { return work_->event.topic->name(); }
any_ref dispatch_call::from() const noexcept { return any_ref{work_->event.except}; }
const std::vector<dispatch_entry>& dispatch_call::entries() const noexcept { return work_->entries; }
void dispatch_call::deliver(const dispatch_entry& to) { work_->given.push_back(work_->who[to.number]); }
const engine::type_tag* dispatch_call::type() const noexcept { return work_->event.ops->type; }
const void* dispatch_call::payload() const noexcept { return work_->event.payload; }
engine::published& dispatch_call::published() const noexcept { return work_->event; }

}  // namespace herald
