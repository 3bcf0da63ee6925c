#pragma once
// What stands in a mailbox for an event: an entry for one event, a token for the values that a conflating subscription
// holds, and a notice of events that were lost at this place.
//
// All belong to the receiver's host. An entry of a subscription with a policy is bounded by the policy and not by the
// mailbox: while it waits the mailbox's limit is one higher.

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <herald/engine/cell.hpp>
#include <herald/engine/conflation.hpp>
#include <herald/engine/frame.hpp>
#include <herald/engine/message_trace.hpp>
#include <herald/engine/published.hpp>
#include <herald/engine/published_extra.hpp>
#include <herald/engine/subscription_record.hpp>
#include <herald/gap.hpp>

namespace herald::engine {

class topic_table;
struct fan_out;

/// What topic_of() tells of the message in hand; the frame points to it while the handler runs.
struct delivery {
  static constexpr std::uint32_t no_id = ~std::uint32_t{0};
  const published* event = nullptr;
  const seat* at = nullptr;  ///< of the subscription's topic or pattern
  topic_table* table = nullptr;
  std::uint32_t id = no_id;  ///< of the subscription, while its record may be read
  extra_ptr pinned;          ///< its options, once it may not
  std::uint64_t missed = 0;
  bool keying = false;       ///< the user code that runs is the key of latest_by
};

/// While it lives, topic_of() tells of this delivery.
struct delivery_scope {
  delivery_scope(frame& runner, delivery& now, const cell& c) noexcept : f{runner} {
    f.delivery = &now;
    if (const auto* trace = trace_of(*now.event)) within.emplace(trace, &runner, &c);
  }
  ~delivery_scope() { f.delivery = nullptr; }
  delivery_scope(const delivery_scope&) = delete;
  delivery_scope& operator=(const delivery_scope&) = delete;
  frame& f;
  std::optional<message_trace> within;
};

/// The frame whose host this thread owns; null where no runner is left.
[[nodiscard]] inline frame* owning_frame() noexcept { return current_frame != nullptr && !current_frame->lost ? current_frame : nullptr; }

/// Who bounds an entry, if not the mailbox.
enum class entry_bound : std::uint8_t { mailbox, policy, topic };

/// The event in one subscriber's mailbox.
struct event_entry final : envelope {
  event_entry(cell& receiver, fan_out& whose, std::uint32_t subscription_id, const handler_entry& by) noexcept;

  fan_out* share;
  const handler_entry* handler;
  std::uint32_t id;
  std::uint32_t generation_of_id = 0;
  std::uint64_t missed = 0;  ///< told with it
  /// The incarnation whose mailbox it is in; it may still be handled by that one when the subscription is gone. 0: not.
  std::uint32_t life = 0;
  event_entry* later = nullptr;  ///< the next one of the same subscription, under a policy
  gap* message = nullptr;        ///< while the process is told of what was lost before it; the event comes after that
  entry_bound bounded = entry_bound::mailbox;
  bool asks = false;  ///< the filter has not been asked
  bool flushed = false;  ///< while it tells of a gap its subscription was ended, and what waits of it with it
};
static_assert(sizeof(event_entry) <= 128);

/// One for the mailbox or stash of `c`; it counts as a use of the share.
[[nodiscard]] event_entry* make_entry(fan_out& share, cell& c, std::uint32_t id, const handler_entry& handler,
                                      topic_table& table, frame& by);
/// The event of one that is in hand, once more; null while that tells of a gap.
[[nodiscard]] event_entry* box_waiting(const event_entry& in_hand, cell& c, frame& by);

/// A process that names `gap` hears of one here, whether or not another event follows. What is lost at the same place
/// later is added to it.
struct gap_token final : envelope {
  gap_token(cell& receiver, std::uint32_t subscription_id, const handler_entry& by, std::unique_ptr<gap> what) noexcept
      : envelope{node_ops, receiver.self()}, handler{&by}, message{std::move(what)}, id{subscription_id} {}
  const handler_entry* handler;
  std::unique_ptr<gap> message;
  std::uint32_t id;
  std::uint32_t generation_of_id = 0;
  std::uint32_t life = 0;

  static void run(envelope* e, cell* to, frame& by);
  static void finish(envelope* e, frame& by, const exit_reason* crash) noexcept;
  static void discard(envelope* e, discard_reason why, const exit_reason* because) noexcept;
  static constexpr envelope_ops node_ops{run, finish, discard, nullptr, &tag_of<gap>, envelope_kind::notice};
};

/// In the mailbox while a conflating subscription holds values: hands over the oldest, and waits again for the next.
struct value_token final : envelope {
  value_token(const envelope_ops& operations, cell& receiver, std::uint32_t subscription_id) noexcept
      : envelope{operations, receiver.self()}, id{subscription_id} {}
  std::uint32_t id;
  std::uint32_t generation_of_id = 0;
  std::unique_ptr<conflation::slot> in_hand;
  std::unique_ptr<gap> message;
};

/// While a message that others bound waits in a mailbox, its limit is one higher.
void raise_limit(cell& c) noexcept;

/// Ends an entry that is dropped where it waits. Its node stays until its turn; once such nodes are half of a mailbox they
/// are swept out, so that they never outgrow what is alive.
void drop_waiting(event_entry& entry, cell& c, topic_table& table, frame& by) noexcept;

/// A subscription that is no more.
struct ended_subscription {
  std::uint32_t id;
  std::uint32_t generation;
  friend auto operator<=>(const ended_subscription&, const ended_subscription&) = default;
};
/// What waits of these in the mailbox goes: events, values and gaps. A group's events go to other members.
void drop_all_waiting(cell& c, std::vector<ended_subscription> of, frame& by) noexcept;

/// After a handler that waits inside: it has the event, what topic_of() tells of it, and what was made for it (`made`),
/// until it is through.
void keep_event(frame& f, const delivery& now, std::shared_ptr<const void> made = nullptr);

/// One use of a host's share of an event is over.
void end_use(fan_out& share, frame* by) noexcept;

}  // namespace herald::engine
