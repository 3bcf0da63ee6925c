// Publishing: from an event to the inboxes of the hosts that want it. See fan_out.hpp.

#include <array>

#include <herald/bus.hpp>
#include <herald/engine/bus_core.hpp>
#include <herald/engine/fan_out.hpp>
#include <herald/engine/group_members.hpp>
#include <herald/engine/nodes.hpp>
#include <herald/engine/published_extra.hpp>
#include <herald/engine/retention.hpp>

namespace herald::engine {

void* allocate_published(std::size_t size) {
  const runtime_entry entry;
  return allocate_node(size, entry.owned());
}

void free_published(void* memory, std::size_t size) noexcept {
  const runtime_entry entry;
  free_node_memory(memory, size, entry.owned());
}

void release(published* event, std::uint32_t count) noexcept {
  if (event->refs.fetch_sub(count, std::memory_order_acq_rel) != count) return;
  auto* topic = event->topic;
  auto* routes = event->routes;
  delete event->more.load(std::memory_order_acquire);
  event->ops->destroy(event);
  if (routes != nullptr) routes->release();
  if (topic != nullptr) topic->release();
}

void published_shared::destroy(published* event) noexcept {
  auto* self = static_cast<published_shared*>(event);
  self->~published_shared();
  free_published(self, sizeof(published_shared));
}

published* make_published(const published_ops& operations, std::shared_ptr<const void> payload) {
  return ::new (allocate_published(sizeof(published_shared))) published_shared{operations, std::move(payload)};
}

namespace {

bool joined(const topic_record& record) noexcept {
  for (auto* s = record.seats(); s != nullptr; s = s->next.load(std::memory_order_acquire))
    if (s->joined.load(std::memory_order_acquire)) return true;
  return false;
}

/// Hands the event to each host that is joined to this topic or pattern.
void push_to(topic_record& record, published& event, frame* owned) {
  // References are taken for a group of hosts at once.
  std::array<seat*, 16> group;
  auto* s = record.seats();
  while (s != nullptr) {
    std::size_t count = 0;
    for (; s != nullptr && count < group.size(); s = s->next.load(std::memory_order_acquire))
      if (s->joined.load(std::memory_order_acquire)) group[count++] = s;
    event.refs.fetch_add(static_cast<std::uint32_t>(count) * refs_per_host, std::memory_order_relaxed);
    for (std::size_t i = 0; i < count; ++i) {
      auto& to = *group[i];
      auto* node = ::new (allocate_node(sizeof(fan_out), owned)) fan_out{event, to};
      node->size = sizeof(fan_out);
      if (owned != nullptr && owned->home == to.home) {
        to.home->post_operation(node, owned);
      } else if (!to.home->push(node, owned)) {
        to.missed.fetch_add(1, std::memory_order_relaxed);
        record.bus().missed.fetch_add(1, std::memory_order_relaxed);
        free_node_memory(node, sizeof(fan_out), owned);
        release(&event, refs_per_host);
      }
    }
  }
}

/// The publisher's own reference stays until all hosts have theirs.
void hand_out(topic_record& topic, published& event, frame* owned) {
  push_to(topic, event, owned);
  if (event.routes == nullptr) [[likely]]
    return;
  for (auto* route : *event.routes) {
    if (route->group() == nullptr) {
      push_to(*route, event, owned);
    } else if (!give_one(*route, event, owned, event.except.cell, 0)) {
      route->bus().missed.fetch_add(1, std::memory_order_relaxed);
    }
  }
}

}  // namespace

audience audience_of(topic_record& topic) {
  if (const auto routing = topic.bus().routing(); (routing & (bus_core::remote_bit | bus_core::dispatched_bit)) != 0) [[unlikely]]
    return (routing & bus_core::dispatched_bit) != 0 ? audience::dispatched : audience::everywhere;
  return wanted(topic) ? audience::here : audience::nobody;
}

bool wanted(topic_record& topic) {
  if (joined(topic)) return true;
  if (const auto* keeper = topic.keeper(); keeper != nullptr && keeper->always()) return true;
  const auto version = bus_core::version_of(topic.bus().routing());
  auto* routes = version != 0 ? topic.routes(version) : nullptr;
  if (routes == nullptr) return false;
  bool any = false;
  for (auto* r : *routes) any = any || joined(*r);
  routes->release();
  return any;
}

bool prepare(topic_record& topic, published* event, const address& except, bool anonymous, const runtime_entry& entry) {
  const auto routing = topic.bus().routing();
  if ((routing & bus_core::closed_bit) != 0 || entry.fenced()) {
    release(event);
    return false;
  }
  topic.retain();
  topic.count_published();
  event->topic = &topic;
  event->except = except;
  if (!anonymous && entry.any() != nullptr && entry.any()->current != nullptr) event->from = entry.any()->current->self();
  if (const auto version = bus_core::version_of(routing); version != 0) [[unlikely]] {
    event->routes = topic.routes(version);
    if (event->routes != nullptr)  // counted here, because each of their hosts sees a copy
      for (auto* route : *event->routes) route->count_published();
  }

  if (const auto* trace = trace_now(entry.any()); trace != nullptr) [[unlikely]] {
    auto& extra = extra_of(*event);
    if (!extra.trace) extra.trace = trace->child(topic.bus().system().dice().next());
  }
  return true;
}

bool publish(topic_record& topic, published* event, const address& except, bool anonymous, bool keep) {
  const runtime_entry entry;
  if (!prepare(topic, event, except, anonymous, entry)) return false;
  auto* owned = entry.owned();
  hand_out_kept(topic, *event, keep, owned, [&] { hand_out(topic, *event, owned); });
  release(event);
  return true;
}

}  // namespace herald::engine
