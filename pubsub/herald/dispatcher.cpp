#include <herald/dispatcher.hpp>

#include <algorithm>
#include <exception>

#include <herald/child_spec.hpp>
#include <herald/engine/backlog.hpp>
#include <herald/engine/bus_core.hpp>
#include <herald/engine/fan_out.hpp>
#include <herald/engine/operation.hpp>
#include <herald/tapped.hpp>
#include <herald/topic.hpp>

namespace herald {

namespace engine {

using dispatch_code = std::shared_ptr<const std::function<void(dispatch_call&)>>;
using held_event = std::shared_ptr<published>;

/// A dispatcher's work on one host.
struct dispatch_work {
  struct subscribed {
    seat* at;
    std::uint32_t id;
    std::uint32_t generation;
  };

  dispatch_work(published& what, const std::vector<seat*>& seats, frame& by) : event{what}, f{by}, table{topic_table::of(*by.home)} {
    for (auto* s : seats) {
      ++s->events;
      for (std::uint32_t i = 0; i < s->size; ++i) {
        const auto& entry = s->entries[i];
        if (entry.who == nullptr) continue;
        dispatch_entry seen;
        seen.who = any_ref{entry.who->self()};
        seen.topic = s->topic->name();
        if (const auto& more = table.at(entry.id).more) {
          seen.key = more->given->key;
          seen.metadata = more->given->metadata;
        }
        seen.number = entries.size();
        ++table.at(entry.id).apart;  // unless it is given the event
        entries.push_back(std::move(seen));
        who.push_back({s, entry.id, table.at(entry.id).generation});
      }
    }
  }

  void run(const dispatch_code& code) {
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
    if (!lost) f.current = before;
    for (auto* s : shares) end_use(*s, lost ? nullptr : &f);
  }

  void deliver(const dispatch_entry& to) {
    const auto& s = who[to.number];
    if (lost || !table.current(s.id, s.generation)) return;
    const auto& entry = s.at->entries[table.at(s.id).place];
    const auto* handler = table.handlers()[entry.handler & ~look_first];
    if (handler->type != event.ops->type && handler->type != &tag_of<tapped>) {
      event.topic->bus().mismatched.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    ++s.at->handed;
    --table.at(s.id).apart;
    lost = !let_wait(share(*s.at), *entry.who, s.id, *handler, table, f, 0);
  }

  /// One for each topic or pattern, as entries in mailboxes want it.
  fan_out& share(seat& at) {
    for (auto* s : shares)
      if (s->at == &at) return *s;
    event.refs.fetch_add(refs_per_host, std::memory_order_relaxed);
    auto* made = ::new (allocate_node(sizeof(fan_out), &f)) fan_out{event, at};
    made->size = sizeof(fan_out);
    shares.push_back(made);
    return *made;
  }

  void tell(std::string_view what) const {
    report r;
    r.kind = report::dead_letter;
    r.text = "a dispatcher of the topic \"" + std::string{event.topic->name()} + "\" threw: " + std::string{what};
    event.topic->bus().system().tell(std::move(r));
  }

  published& event;
  frame& f;
  topic_table& table;
  std::vector<dispatch_entry> entries;
  std::vector<subscribed> who;
  std::vector<fan_out*> shares;
  bool lost = false;
};

namespace {

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

result<void> dispatch(bus_core& bus, std::string_view topic, published* event, const address& except, const dispatcher& by) {
  held_event held{event, [](published* e) { release(e); }};
  if (auto fine = check_topic(topic); !fine) return fine;
  if (bus.closed()) return closed_error(topic);
  const held_topic record{hold_topic(bus.find_wanted(topic))};
  if (!record) return {};
  const runtime_entry entry;
  event->refs.fetch_add(1, std::memory_order_relaxed);  // prepare takes one when it says false
  if (!prepare(*record, event, except, false, entry)) return closed_error(topic);
  release(event);
  for (auto& seats : seats_by_host(*record, *event)) {
    auto& home = *seats.front()->home;
    const bool own = entry.owned() != nullptr && entry.owned()->home == &home;
    if (!own && home.inbox_depth() >= bus.system().options().inbox_limit) {
      for (auto* s : seats) s->missed.fetch_add(1, std::memory_order_relaxed);
      bus.missed.fetch_add(1, std::memory_order_relaxed);
      continue;
    }
    post_operation(home, entry.owned(), [held, seats = std::move(seats), code = by.inside()](frame& f) {
      dispatch_work{*held, seats, f}.run(code);
    });
  }
  if (event->routes != nullptr)
    for (auto* route : *event->routes)
      if (route->group() != nullptr && !give_one(*route, *event, entry.owned(), except.cell, 0))
        bus.missed.fetch_add(1, std::memory_order_relaxed);
  return {};
}

}  // namespace engine

std::string_view dispatch_call::topic() const noexcept { return work_->event.topic->name(); }
any_ref dispatch_call::from() const noexcept { return any_ref{work_->event.except}; }
const std::vector<dispatch_entry>& dispatch_call::entries() const noexcept { return work_->entries; }
void dispatch_call::deliver(const dispatch_entry& to) { work_->deliver(to); }
const engine::type_tag* dispatch_call::type() const noexcept { return work_->event.ops->type; }
const void* dispatch_call::payload() const noexcept { return work_->event.payload; }
engine::published& dispatch_call::published() const noexcept { return work_->event; }

}  // namespace herald
