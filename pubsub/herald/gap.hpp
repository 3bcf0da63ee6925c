#pragma once
// The problem: a subscriber that lost events and does not know it goes on with a wrong picture. Each subscription is told
// how many it lost, before its next event: missed_of(self) says it with that event, and a process that names `gap` hears
// it as a message of its own, at the place where the events would have been.
//
//   struct view : herald::process<view, price_changed, herald::gap> {
//     void on(const price_changed& p);
//     void on(const herald::gap& g) { stale_ = true; }
//
// Thread safety: plain values. What counts as lost: what a bounded subscription, a full mailbox or a host's full inbox did
// not take, and what newer events of the same key replaced. Not what a filter refused, nor what was flushed. An event lost at
// a full inbox counts for every subscription that the topic has on that host, since nobody has looked at it.

#include <cstddef>
#include <cstdint>
#include <string>

namespace herald {

/// Events of one subscription were lost here.
struct gap {
  std::string topic;
  std::string key;
  std::uint64_t missed = 0;
};

/// A subscription ended by itself: more waited than policy::disconnect allows.
struct subscription_ended {
  std::string topic;
  std::string key;
  std::string why;
  std::uint64_t missed = 0;  ///< since the last event that it got
};

/// Why events of a subscription were lost, in statistics.
enum class loss : std::uint8_t {
  inbox_full,     ///< the host's inbox was full
  mailbox_full,   ///< the process's mailbox was full
  bound_reached,  ///< of keep_all
  dropped_oldest,
  dropped_newest,
  conflated,      ///< a newer event of the same key took its place, or there were too many keys
  disconnected,   ///< the event that ended the subscription
};
inline constexpr std::size_t loss_kinds = 7;

}  // namespace herald
