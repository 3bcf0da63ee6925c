#pragma once
// A subscription in its host's table: 40 bytes for every one, and a side record for those that ask for more than
// "this topic, for me". Both belong to the host's owner.

#include <array>
#include <cstdint>
#include <memory>

#include <herald/engine/topic_record.hpp>
#include <herald/gap.hpp>
#include <herald/subscription_options.hpp>

namespace herald::engine {

/// What the subscriber asked for. Shared with handlers that are being told of it; never changed.
using extra_ptr = std::shared_ptr<const subscription_options>;

/// How a subscription stands to its process's lives (DESIGN 3.3).
enum class hold : std::uint8_t {
  free,      ///< the record is not in use
  current,   ///< the running incarnation declared it
  kept,      ///< the one before did; it stays until the next init has returned
  fresh,     ///< declared in the init that is running
  retaken,   ///< declared in the init that is running, and by the incarnation before
};

struct backlog;
struct gap_token;
struct replay_mark;

struct side_record {
  explicit side_record(extra_ptr options) noexcept;
  ~side_record();
  side_record(const side_record&) = delete;
  side_record& operator=(const side_record&) = delete;

  extra_ptr given;                   ///< never null
  std::unique_ptr<backlog> waiting;  ///< made when the first event has to wait under a policy
  std::unique_ptr<replay_mark> had;  ///< kept events that came first, until they cannot come live any more
  gap_token* open_gap = nullptr;     ///< in the mailbox; what is lost next is added to it
  std::unique_ptr<loss_counts> lost;  ///< by reason; null: none
  std::uint64_t missed_beyond = 0;   ///< what subscription::missed has no room for, in the same direction
  bool stuck = false;                ///< its filter or key overruns on a runner that was left behind: it refuses
  bool told = false;                 ///< that its filter or key throws
};

struct subscription {
  seat* at = nullptr;
  std::unique_ptr<side_record> more;  ///< null for bare ones
  std::uint32_t next = 0;             ///< of the same process, or of the free ones: number + 1, 0 at the end
  std::uint32_t place = 0;            ///< in the dense list
  /// Events lost since the last one, to be told. Below 0: the seat's count has so many from before it subscribed. Counts
  /// that 32 bits do not hold go on in the side record.
  std::int32_t missed = 0;
  std::uint32_t generation : 24 = 0;  ///< counts the uses of this record
  hold state : 8 = hold::free;
  /// Events of its seat that it was not given, those from before it came among them; of a member of a group, where one of
  /// many is given each: less those that it was. So a delivery counts nothing here, and who is left out does.
  std::uint64_t apart = 0;

  /// Handler calls, and entries in its mailbox.
  [[nodiscard]] std::uint64_t delivered() const noexcept { return (at->topic->group() != nullptr ? 0 : at->events) - apart; }
};
static_assert(sizeof(subscription) == 40);

inline constexpr std::uint32_t look_first = 1u << 31;  ///< in subscriber::handler: look at the subscription before calling

}  // namespace herald::engine
