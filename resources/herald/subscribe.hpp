#pragma once
// The problem: who was away, or has just begun, must get every event it missed and then the live ones, in the order of
// their commits, without a gap and without a duplicate; and a slow one must not make the program grow.
//
//   subscribe<event<tickets>>(self, store, "ticket:created", after(last_seen));   // one topic
//   subscribe<event<tickets>>(self, store, earliest);                             // every event of the resource
//   subscribe<any_event>(self, store, after(last_seen));                          // every event of the store
//
// The process must accept the message. The subscription ends with the incarnation. Needs the store's notifier.
// For live events only, without the log, subscribe to the topic on the bus: `subscribe<event<tickets>>(self, topic)`.
//
// Guarantee: at least the events that were committed and that the incarnation lives to handle, each once, in order. What an
// incarnation had not handled when it ended is its successor's to ask for: keep the offset with what the handler did.
// Bounds: at most 512 events wait in the process's mailbox; beyond that it is read for from the log at its own speed.
//
// Thread safety: from the process's init and handlers. Errors: `gone` when the log cannot be continued from the offset
// (below the floor, another epoch, beyond the head): begin with `store.all<...>()` and subscribe after its offset. When a
// follower falls below the floor later, its process gets the message `log_gone`, and no further event.
// The idea: Kubernetes' watch.

#include <herald/detail/follower.hpp>
#include <herald/log_start.hpp>
#include <herald/store.hpp>

namespace herald {

/// The log has been trimmed beyond what a follower had read; its subscription has ended. Accept it, or it is a dead letter.
struct log_gone {
  std::string topic;        ///< empty: it followed all
  offset last;              ///< the last event it was sent
  std::uint64_t floor = 0;  ///< the lowest sequence that the log still has
};

/// For a follower that has not been sent an event for a while, since the others' events are not for it: it has seen
/// everything up to `at`, and may keep that. Sent about every 100 events to processes that accept it.
struct bookmark {
  std::string topic;  ///< empty: it follows all
  offset at;
};

namespace detail {

template <class E>
inline constexpr const resource_table* followed = nullptr;
template <const auto& R>
inline constexpr const resource_table* followed<event<R>> = &table_of<R>;
template <class E>
inline constexpr bool follows_one = false;
template <const auto& R>
inline constexpr bool follows_one<event<R>> = true;

template <class E>
inline constexpr bool is_event = false;
template <>
inline constexpr bool is_event<any_event> = true;
template <const auto& R>
inline constexpr bool is_event<event<R>> = true;

}  // namespace detail

/// Every event of the resource (any_event: of the store).
template <class E>
[[nodiscard]] result<void> subscribe(context& self, const store& from, log_start start) {
  static_assert(detail::is_event<E>, "herald: a store's log is followed as event<resource> or any_event");
  return detail::follow(self, from.state(), detail::followed<E>, std::nullopt, start, &detail::make_follow_node<E>);
}

/// The events of one topic.
template <class E>
[[nodiscard]] result<void> subscribe(context& self, const store& from, std::string_view topic, log_start start) {
  static_assert(detail::is_event<E>, "herald: a store's log is followed as event<resource> or any_event");
  return detail::follow(self, from.state(), detail::followed<E>, std::string{topic}, start, &detail::make_follow_node<E>);
}

}  // namespace herald
