#pragma once
// The problem: who may run an action, its authorise hooks say; who may hear of what actions did, must be said too. A resource
// with a part `authorise_subscription{[](const actor& who, std::string_view topic) {...}}` is asked here.
//
//   if (auto may = authorise_subscription<tickets>(who, topic); !may) return may.error();
//   subscribe_as<event<tickets>>(self, who, topic);                    // live events of a topic or pattern
//
// Code that names no actor (`subscribe<event<tickets>>(self, topic)`) is the application's own, and is not asked.
//
// Thread safety: functions without state. Errors: resource_errc::forbidden.

#include <herald/actor.hpp>
#include <herald/resource_error.hpp>
#include <herald/subscribe.hpp>
#include <herald/subscription.hpp>

namespace herald {

/// Whether this actor may hear of a topic or pattern of the resource; always, when the resource does not say.
[[nodiscard]] result<void> authorise_subscription(const resource_table& resource, const actor& who, std::string_view topic);
template <const auto& Resource>
[[nodiscard]] result<void> authorise_subscription(const actor& who, std::string_view topic) {
  return authorise_subscription(table_of<Resource>, who, topic);
}

/// `subscribe` on the bus, for somebody.
template <class E>
[[nodiscard]] result<void> subscribe_as(context& self, const actor& who, std::string_view topic) {
  static_assert(detail::followed<E> != nullptr, "herald: subscribe_as takes the events of one resource, as in event<tickets>");
  if (auto may = authorise_subscription(*detail::followed<E>, who, topic); !may) return may;
  static_cast<void>(subscribe<E>(self, topic));
  return {};
}
/// `subscribe` on the store's log, for somebody.
template <class E>
[[nodiscard]] result<void> subscribe_as(context& self, const store& from, const actor& who, std::string_view topic,
                                        log_start start) {
  static_assert(detail::followed<E> != nullptr, "herald: subscribe_as takes the events of one resource, as in event<tickets>");
  if (auto may = authorise_subscription(*detail::followed<E>, who, topic); !may) return may;
  return subscribe<E>(self, from, topic, start);
}

}  // namespace herald
