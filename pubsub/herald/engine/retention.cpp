#include <herald/engine/retention.hpp>

#include <algorithm>

#include <herald/engine/bus_core.hpp>
#include <herald/engine/event_entry.hpp>
#include <herald/engine/fan_out.hpp>
#include <herald/engine/nodes.hpp>
#include <herald/engine/operation.hpp>
#include <herald/engine/topic_table.hpp>
#include <herald/topic.hpp>

namespace herald::engine {

bool retention::set_depth(std::size_t depth) noexcept {
  if (always()) return depth_ == depth;
  depth_ = depth;
  always_.store(true, std::memory_order_release);
  return true;
}

event_ref retention::keep(published& event) {
  event.refs.fetch_add(1, std::memory_order_relaxed);
  events_.emplace_back(&event);
  const auto last = last_.load(std::memory_order_relaxed) + 1;
  last_.store(last, std::memory_order_relaxed);
  event.position = 2 * last;
  if (events_.size() <= depth_) return {};
  auto gone = std::move(events_.front());
  events_.pop_front();
  return gone;
}

kept_share collect_locked(topic_record& topic, retention& of, std::size_t history) {
  topic.retain();
  kept_share share{hold_topic(&topic), {}, of.position()};
  const auto& all = of.events();
  const auto count = std::min(history, all.size());
  share.events.reserve(count);
  for (auto i = all.size() - count; i < all.size(); ++i) {
    all[i]->refs.fetch_add(1, std::memory_order_relaxed);
    share.events.emplace_back(all[i].get());
  }
  return share;
}

kept_shares collect_kept(topic_record& record, std::size_t history) {
  kept_shares shares;
  if (record.group() != nullptr) return shares;  // what one of many was to get is no state to begin with
  const auto add = [&](topic_record& topic) {
    auto* of = topic.keeper();
    if (of == nullptr) return;
    const auto lock = of->lock();
    if (of->position() != 0) shares.push_back(collect_locked(topic, *of, history));
  };
  if (!record.pattern()) {
    add(record);
  } else {
    for (const auto& topic : record.bus().keeping())
      if (matches(record.name(), topic->name())) add(*topic);
  }
  return shares;
}

namespace {

/// Events of the subscription wait for the next incarnation.
bool waits(const cell& c, std::uint32_t id) noexcept {
  for (const auto* e = c.mail.head; e != nullptr; e = e->next) {
    if (e->ops->run == run_entry && static_cast<const event_entry*>(e)->id == id) return true;
    if (e->ops->run == run_value && static_cast<const value_token*>(e)->id == id) return true;
  }
  return false;
}

void enter(topic_table& table, cell& c, std::uint32_t id, event_ref event, frame& f) {
  auto& s = table.at(id);
  const auto* handler = table.handlers()[s.at->entries[s.place].handler & ~look_first];
  if (handler->type != event->ops->type) {
    event->topic->bus().mismatched.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  auto* share = ::new (allocate_node(sizeof(fan_out), &f)) fan_out{*event.release(), *s.at};
  share->size = sizeof(fan_out);
  share->lent = false;
  if (s.at->topic->pattern()) {
    share->held = s.at->topic;
    share->held->retain();
  }
  auto* e = ::new (allocate_node(sizeof(event_entry), &f)) event_entry{c, *share, id, *handler};
  e->size = sizeof(event_entry);
  e->from = share->event->from.cell;
  e->from_generation = share->event->from.generation;
  e->generation_of_id = s.generation;
  e->life = s.state == hold::current ? c.incarnation : 0;
  e->bounded = entry_bound::topic;
  e->asks = true;
  ++s.at->handed;
  --s.apart;
  raise_limit(c);
  f.home->deliver(e, true);
}

}  // namespace

std::uint32_t topic_table::pass_over(std::uint32_t id, std::unique_ptr<replay_mark> mark) {
  auto& s = at(id);
  side_of(id).had = std::move(mark);
  set_look(id);
  return s.generation;
}

void topic_table::replay_over(std::uint32_t id) noexcept {
  at(id).more->had.reset();
  set_look(id);
}

std::uint64_t topic_table::served(std::uint32_t id) noexcept {
  const auto& s = at(id);
  const bool had_it = walked_ == s.at && s.place < walking_->cursor;
  return std::max(s.at->served, had_it && walking_->event->position % 2 == 0 ? walking_->event->position : 0);
}

void hand_over(topic_table& table, cell& c, std::uint32_t id, declared how, kept_shares shares, frame& f) {
  auto limit = ~std::uint64_t{0};
  if (how == declared::again) {
    // What waits for it goes on. When nothing does, the new incarnation gets what the one before had got last; what came
    // since is still on its way to it.
    if (waits(c, id)) return;
    if (!table.at(id).at->topic->pattern()) limit = table.served(id);
  }
  auto mark = std::make_unique<replay_mark>();
  for (auto& share : shares) {
    for (auto& event : share.events)
      if (event->position <= limit) enter(table, c, id, std::move(event), f);
    if (how == declared::again && !table.at(id).at->topic->pattern()) continue;
    share.events.clear();
    mark->upto.emplace(share.topic.get(), share.upto);
    mark->held.push_back(std::move(share));
  }
  if (mark->upto.empty()) return;
  const auto generation = table.pass_over(id, std::move(mark));
  f.home->take_mail();
  post_operation(*f.home, &f, [id, generation](frame& by) {
    auto& here = topic_table::of(*by.home);
    if (here.current(id, generation)) here.replay_over(id);
  });
}

}  // namespace herald::engine
