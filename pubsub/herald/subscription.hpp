#pragma once
// The problem: a process wants the events of a topic among its other messages, for as long as this life of it lasts. A
// subscription gives it that: events arrive as on(const E&), in order with everything else, and end with the incarnation.
//
//   quote_cache(herald::context& self, args a) { herald::subscribe<price_changed>(self, a.topic); }
//   void on(const price_changed& m);
//
// A pattern instead of a topic ("orders:*", topic.hpp) gives the events of all topics that match it, also of those that
// nobody has published to yet. Who is subscribed by several patterns and the name gets a copy for each; topic_of tells them
// apart.
//
// Subscribing k times delivers k copies; with a key it delivers once, however often it is said. A key is for one type of
// events: the same key for another type is an error. When a process is restarted, its old subscriptions go on until the new
// init has returned; those that init declares again continue without a gap and without doubling, the others go. Declared again
// is a subscription to the same topic for the same type; of several the one of the same key. Events that come while nobody
// runs wait in the mailbox.
//
// Thread safety: with a process's own context, in its init and its handlers. Errors: subscribe throws std::logic_error for
// a wrong topic or a type that the process does not name (in init that is a start error with this text); try_subscribe
// gives all of them as values. unsubscribe does nothing where it cannot; try_unsubscribe says why. The idea: Phoenix.PubSub.subscribe.

#include <any>
#include <cstdint>
#include <string>
#include <string_view>

#include <herald/bus.hpp>
#include <herald/gap.hpp>
#include <herald/subscription_options.hpp>

namespace herald {

namespace detail {
[[nodiscard]] result<void> subscribe(context& self, const bus& where, std::string_view topic, const engine::type_tag& type,
                                     subscription_options options);
/// Throws what is a bug, says false for the rest.
bool or_throw(const result<void>& outcome);
}  // namespace detail

/// Subscribes this process to a topic of the default bus. False: the application is stopping.
template <class E>
bool subscribe(context& self, std::string_view topic, subscription_options options = {}) {
  return detail::or_throw(detail::subscribe(self, bus{self}, topic, engine::tag_of<E>, std::move(options)));
}
template <class E>
bool subscribe(context& self, const bus& where, std::string_view topic, subscription_options options = {}) {
  return detail::or_throw(detail::subscribe(self, where, topic, engine::tag_of<E>, std::move(options)));
}
template <class E>
bool subscribe(context& self, const topic& to, subscription_options options = {}) {
  return detail::or_throw(detail::subscribe(self, to.bus(), to.name(), engine::tag_of<E>, std::move(options)));
}

/// The same with errors as values: bad_topic, not_accepted, wrong_place, closed, bad_option.
template <class E>
[[nodiscard]] result<void> try_subscribe(context& self, std::string_view topic, subscription_options options = {}) {
  return detail::subscribe(self, bus{self}, topic, engine::tag_of<E>, std::move(options));
}
template <class E>
[[nodiscard]] result<void> try_subscribe(context& self, const bus& where, std::string_view topic,
                                         subscription_options options = {}) {
  return detail::subscribe(self, where, topic, engine::tag_of<E>, std::move(options));
}
template <class E>
[[nodiscard]] result<void> try_subscribe(context& self, const topic& to, subscription_options options = {}) {
  return detail::subscribe(self, to.bus(), to.name(), engine::tag_of<E>, std::move(options));
}

/// Ends all of this process's subscriptions to the topic or pattern, in groups too; none is fine. What waits in its mailbox
/// is still handled. A wrong name, or another process's context, ends nothing, silently: try_unsubscribe says it.
void unsubscribe(context& self, std::string_view topic);
void unsubscribe(context& self, const bus& where, std::string_view topic);
void unsubscribe(context& self, const topic& from);
/// Ends only the subscription of this key.
void unsubscribe_key(context& self, std::string_view topic, std::string_view key);
void unsubscribe_key(context& self, const bus& where, std::string_view topic, std::string_view key);
/// The same with errors as values: bad_topic, wrong_place, and closed when this life of the process is over. Nothing to end:
/// success.
[[nodiscard]] result<void> try_unsubscribe(context& self, std::string_view topic);
[[nodiscard]] result<void> try_unsubscribe(context& self, const bus& where, std::string_view topic);
[[nodiscard]] result<void> try_unsubscribe(context& self, const topic& from);
[[nodiscard]] result<void> try_unsubscribe_key(context& self, std::string_view topic, std::string_view key);
[[nodiscard]] result<void> try_unsubscribe_key(context& self, const bus& where, std::string_view topic, std::string_view key);

/// Given to an unsubscribe: what waits goes with the subscription.
struct flush_t {
  explicit flush_t() = default;
};
inline constexpr flush_t flush{};

/// The same, and nothing of what they had waiting is handled any more: events, values of latest_by, gaps not told yet. That is
/// no loss: nobody is told, and statistics count it as put into the mailbox. What waits for a member of a group goes to
/// another one. What the process has put into its stash stays there. It costs a look at each message that waits.
void unsubscribe(context& self, std::string_view topic, flush_t);
void unsubscribe(context& self, const bus& where, std::string_view topic, flush_t);
void unsubscribe(context& self, const topic& from, flush_t);
void unsubscribe_key(context& self, std::string_view topic, std::string_view key, flush_t);
void unsubscribe_key(context& self, const bus& where, std::string_view topic, std::string_view key, flush_t);

/// Where the message in hand came from. What it points to is valid until the handler returns.
struct message_source {
  std::string_view topic;  ///< empty: the message in hand is no event
  std::string_view subscription;  ///< what was subscribed to: the topic itself, or a pattern that matches it
  std::string_view key;
  const std::any* metadata = nullptr;  ///< null: the subscription has none
  any_ref publisher;                   ///< empty: a plain thread published
  [[nodiscard]] explicit operator bool() const noexcept { return !topic.empty(); }
};
[[nodiscard]] message_source topic_of(const context& self) noexcept;

/// How many events of this subscription were lost just before the message in hand: to a full mailbox, to the host's full
/// inbox, to the bound of its policy, and to newer events of the same key that took their place (gap.hpp says what counts).
[[nodiscard]] std::uint64_t missed_of(const context& self) noexcept;

}  // namespace herald
