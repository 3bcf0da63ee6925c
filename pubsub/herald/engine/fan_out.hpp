#pragma once
// One event for one host: the operation that hands it to the host's subscribers of its topic.
//
// It calls a subscriber directly when nothing waits in its mailbox, and leaves an entry in the mailbox otherwise. Its
// cursor lies in the node, so that it can stop for the control lane, and so that another runner can go on when a handler
// overruns and the host is taken away.
//
// Lifetime of the event: the node holds one reference of it for as long as entries point to the node (they are counted
// without atomics: envelopes in mailboxes end on their host), and a second one is lent to the runner that walks, because a
// handler that is left behind goes on reading the event while the host's next runner may already be through with it.

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include <herald/engine/event_entry.hpp>
#include <herald/engine/published.hpp>
#include <herald/engine/topic_table.hpp>
#include <herald/error.hpp>

namespace herald::engine {

/// References that each host's share of an event is published with.
inline constexpr std::uint32_t refs_per_host = 2;

struct fan_out final : envelope {
  fan_out(published& what, seat& where) noexcept : envelope{node_ops, address{}}, event{&what}, at{&where} {}

  published* event;
  seat* at;
  topic_record* held = nullptr;  ///< the pattern of a kept event, which the event itself may not hold
  std::uint32_t cursor = 0;  ///< the next place in the list
  std::uint32_t end = 0;     ///< those who subscribed after it began are not meant
  std::uint64_t missed = 0;  ///< events before this one that found the inbox full
  std::uint32_t uses = 1;    ///< entries in mailboxes, and one while it walks
  bool begun = false;
  bool lent = true;          ///< the second reference is still here

  static void run(envelope* e, cell* to, frame& by);
  static void discard(envelope* e, discard_reason why, const exit_reason* because) noexcept;
  static constexpr envelope_ops node_ops{run, nullptr, discard, nullptr, &tag_of<fan_out>, envelope_kind::event};
};

/// Events that the host's inbox did not take since this was last asked: counted for all of the seat's subscriptions, and to be
/// told to each of them.
[[nodiscard]] inline std::uint64_t take_missed(seat& at) {
  if (at.missed.load(std::memory_order_relaxed) == 0) [[likely]]
    return 0;
  const auto count = at.missed.exchange(0, std::memory_order_relaxed);
  if (!at.lost) at.lost = std::make_unique<loss_counts>();
  (*at.lost)[static_cast<std::size_t>(loss::inbox_full)] += count * at.live;
  return count;
}
/// How many of these came after the subscription began.
[[nodiscard]] inline std::uint64_t lost_since(subscription& s, std::uint64_t missed) noexcept {
  if (s.missed >= 0) return missed;
  auto earlier = static_cast<std::uint64_t>(-std::int64_t{std::exchange(s.missed, 0)});
  if (s.more) earlier += std::exchange(s.more->missed_beyond, 0);
  return missed - std::min(earlier, missed);
}

/// Hands the event to every host that has subscribers. Takes the event's one reference. False: the bus is closed.
/// `keep`: the topic keeps it for those who come late.
bool publish(topic_record& topic, published* event, const address& except, bool anonymous, bool keep);
/// Its first half: the event knows its topic, publisher, patterns and trace, and is not handed to anybody yet. False: the
/// bus is closed, and the event is gone.
[[nodiscard]] bool prepare(topic_record& topic, published* event, const address& except, bool anonymous,
                           const runtime_entry& entry);
/// Gives the event to one member of the group, not to `but`. `attempts`: what was tried before; it has a bound. False: nobody
/// takes it.
bool give_one(topic_record& group, published& event, frame* owned, const cell* but, std::uint32_t attempts);
/// An entry of a group's event ends unhandled; another member gets it. `refused`: because there is no room. False: nobody
/// does, or it is no group's.
bool hand_on(const event_entry& entry, frame& by, bool refused);
[[nodiscard]] error closed_error(std::string_view topic);
/// Somebody in this program would receive an event of this topic now.
[[nodiscard]] bool wanted(topic_record& topic);

}  // namespace herald::engine
