// How a group's event comes to one member, and to another one when that cannot take it: see group_policy.hpp.

#include <herald/engine/backlog.hpp>
#include <herald/engine/bus_core.hpp>
#include <herald/engine/fan_out.hpp>
#include <herald/engine/group_members.hpp>
#include <herald/engine/nodes.hpp>

namespace herald::engine {

namespace {

// The node is a fan_out of one: `cursor` is the member's subscription, `end` its generation, `missed` what was tried.
constexpr std::uint32_t refusal = 16;  ///< a full mailbox or inbox weighs so much more than a member that is gone

std::uint32_t tried(const fan_out& n) noexcept { return static_cast<std::uint32_t>(n.missed); }
group_member member_of(const fan_out& n) noexcept { return {nullptr, n.at, n.cursor, n.end}; }

void run_share(envelope* e, cell*, frame& f) {
  auto& n = *static_cast<fan_out*>(e);
  f.home->finish_operation();
  auto& group = *n.at->topic->group();
  group.arrived(member_of(n));
  auto& table = topic_table::of(*f.home);
  if (!table.current(n.cursor, n.end) || table.at(n.cursor).at != n.at) {
    // It has left meanwhile.
    if (!give_one(*n.at->topic, *n.event, &f, nullptr, tried(n) + 1))
      n.at->topic->bus().missed.fetch_add(1, std::memory_order_relaxed);
    return end_use(n, &f);
  }
  const auto& entry = n.at->entries[table.at(n.cursor).place];
  const auto* handler = table.handlers()[entry.handler & ~look_first];
  ++n.at->events;
  if (handler->type != n.event->ops->type) {
    n.at->topic->bus().mismatched.fetch_add(1, std::memory_order_relaxed);
  } else {
    ++n.at->handed;
    --table.at(n.cursor).apart;
    static_cast<void>(let_wait(n, *entry.who, n.cursor, *handler, table, f, 0));
  }
  end_use(n, &f);
}

void discard_share(envelope* e, discard_reason why, const exit_reason* because) noexcept { fan_out::discard(e, why, because); }

constexpr envelope_ops share_ops{run_share, nullptr, discard_share, nullptr, &tag_of<fan_out>, envelope_kind::event};

}  // namespace

bool give_one(topic_record& group, published& event, frame* owned, const cell* but, std::uint32_t attempts) {
  auto& members = *group.group();
  if (group.bus().closed()) return false;
  for (; attempts <= refusal * members.size(); attempts += refusal) {
    const auto chosen = members.pick(event, but);
    if (!chosen) return false;
    event.refs.fetch_add(refs_per_host, std::memory_order_relaxed);
    auto* node = ::new (allocate_node(sizeof(fan_out), owned)) fan_out{event, *chosen->at};
    node->size = sizeof(fan_out);
    node->ops = &share_ops;
    node->cursor = chosen->id;
    node->end = chosen->generation;
    node->missed = attempts;
    auto& home = *chosen->at->home;
    if (owned != nullptr && owned->home == &home) {
      home.post_operation(node, owned);
      return true;
    }
    if (home.push(node, owned)) return true;
    free_node_memory(node, sizeof(fan_out), owned);
    members.arrived(*chosen);
    but = chosen->who;
    release(&event, refs_per_host);  // the caller has another one
  }
  return false;
}

bool hand_on(const event_entry& entry, frame& by, bool refused) {
  auto& n = *entry.share;
  auto& record = *n.at->topic;
  if (record.group() == nullptr) return false;
  return give_one(record, *n.event, &by, entry.to, tried(n) + (refused ? refusal : 1));
}

}  // namespace herald::engine
