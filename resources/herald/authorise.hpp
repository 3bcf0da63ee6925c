#pragma once
// The problem: who may run an action, its authorise hooks say; who may hear of what actions did, must be said too, and a gateway
// that subscribes for somebody must not forget to ask. A resource with a part
// `authorise_subscription{[](const actor& who, std::string_view topic) {...}}` is asked here, before anything is subscribed.
//
//   subscribe_as<event<tickets>>(self, who, topic);                            // live events of a topic or pattern
//   subscribe_as<event<tickets>>(self, store, who, topic, after(offset));      // a topic of the log
//   subscribe_as<event<tickets>>(self, store, who, topic, at_least_once("mail"));  // the same, durable
//   if (auto may = authorise_subscription<tickets>(who, topic); !may) return may.error();   // only asks
//
// Without a topic the log's forms follow every event of the resource, and the hook is asked for the pattern "**".
// Code that names no actor (`subscribe<event<tickets>>(self, topic)`) is the application's own, and is not asked. Who may read
// rows is another question, and authorise_reads answers it.
//
// Thread safety: as `subscribe`: from a process's init and handlers; authorise_subscription: any thread. Errors:
// resource_errc::forbidden, hook_failed when the hook threw, and those of `subscribe`.

#include <herald/actor.hpp>
#include <herald/consumer.hpp>
#include <herald/resource_error.hpp>
#include <herald/subscription.hpp>

namespace herald {

/// Whether this actor may hear of a topic or pattern of the resource; always, when the resource does not say.
[[nodiscard]] result<void> authorise_subscription(const resource_table& resource, const actor& who, std::string_view topic);
template <const auto& Resource>
[[nodiscard]] result<void> authorise_subscription(const actor& who, std::string_view topic) {
  return authorise_subscription(table_of<Resource>, who, topic);
}

namespace detail {

template <class E>
[[nodiscard]] result<void> may_hear(const actor& who, std::string_view topic) {
  static_assert(follows_one<E>, "herald: subscribe_as takes the events of one resource, as in event<tickets>");
  return authorise_subscription(*followed<E>, who, topic);
}

}  // namespace detail

/// `subscribe` on the bus, for somebody.
template <class E>
[[nodiscard]] result<void> subscribe_as(context& self, const actor& who, std::string_view topic) {
  if (auto may = detail::may_hear<E>(who, topic); !may) return may;
  static_cast<void>(subscribe<E>(self, topic));
  return {};
}
/// `subscribe` on the store's log, for somebody: a topic of it.
template <class E>
[[nodiscard]] result<void> subscribe_as(context& self, const store& from, const actor& who, std::string_view topic,
                                        log_start start) {
  if (auto may = detail::may_hear<E>(who, topic); !may) return may;
  return subscribe<E>(self, from, topic, start);
}
template <class E>
[[nodiscard]] result<consumer> subscribe_as(context& self, const store& from, const actor& who, std::string_view topic,
                                            const durable& as, consumer_options options = {}) {
  if (auto may = detail::may_hear<E>(who, topic); !may) return may.error();
  return subscribe<E>(self, from, topic, as, options);
}
/// The same: every event of the resource.
template <class E>
[[nodiscard]] result<void> subscribe_as(context& self, const store& from, const actor& who, log_start start) {
  if (auto may = detail::may_hear<E>(who, "**"); !may) return may;
  return subscribe<E>(self, from, start);
}
template <class E>
[[nodiscard]] result<consumer> subscribe_as(context& self, const store& from, const actor& who, const durable& as,
                                            consumer_options options = {}) {
  if (auto may = detail::may_hear<E>(who, "**"); !may) return may.error();
  return subscribe<E>(self, from, as, options);
}

}  // namespace herald
