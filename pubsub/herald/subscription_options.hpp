#pragma once
// The problem: subscribers want different things of the same topic: one every event, one the last of each symbol, one
// only the large orders, one what was said before it came. What a subscription is beside "this topic, for me" stands here;
// one that sets nothing of it costs nothing of it.
//
//   herald::subscribe<price_changed>(self, "prices", {.key = "mine",
//                                                     .filter = [](const price_changed& p) { return p.price > 100; },
//                                                     .when_slow = herald::policy::drop_oldest(100)});
//
// Thread safety: values. A filter and a latest_by key are called on the subscriber's host, by one thread at a time, while
// the process may be in a handler on another: they must not touch the process's state. Errors: what cannot be is refused
// by subscribe with bad_option and a sentence that names the option. The idea: Phoenix.PubSub's metadata, MQTT's retain
// handling, Broker's overflow policies.

#include <any>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <herald/group_policy.hpp>
#include <herald/policy.hpp>
#include <herald/pubsub_error.hpp>

namespace herald {

/// Says which events a subscription wants: any function of a const E&, E being the subscription's type. It runs before the
/// event reaches the mailbox: what it refuses wakes nobody and is no gap. One that throws or overruns refuses; the first
/// time is reported.
class event_filter {
 public:
  event_filter() = default;
  template <engine::event_function F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, event_filter>)
  event_filter(F f)  // NOLINT: a function is a filter
      : code_{engine::make_event_filter<engine::event_of<F>>(std::move(f))} {}
  [[nodiscard]] explicit operator bool() const noexcept { return code_ != nullptr; }
  [[nodiscard]] const std::shared_ptr<const engine::event_filter_base>& inside() const noexcept { return code_; }

 private:
  std::shared_ptr<const engine::event_filter_base> code_;
};

inline constexpr std::size_t all_history = ~std::size_t{0};

struct subscription_options {
  /// Empty: each subscribe is one more copy. Otherwise the process has one subscription of this key to the topic.
  std::string key{};
  /// Whatever shall be at hand when the event is (topic_of), and in bus::subscribers.
  std::any metadata{};
  /// Which events; without one, all.
  event_filter filter{};
  /// What is lost when events come faster than they are handled.
  policy when_slow{};
  /// Whether the topic's retained events come first. An incarnation that declares the subscription again gets them, too,
  /// unless events of it still wait in the mailbox.
  bool retained = true;
  /// How many of them at most, the last ones; 1 up.
  std::size_t history = all_history;
  /// One copy of an event, however many of the process's subscriptions that say this it comes through (patterns).
  bool once = false;
  /// Competing consumers: each event goes to one member of the group only.
  group_policy group{};
};

namespace engine {
/// What is wrong with the options of a subscription for events of this type, if anything.
[[nodiscard]] result<void> check_options(const subscription_options& options, std::string_view topic, const type_tag& type);
}  // namespace engine

}  // namespace herald
