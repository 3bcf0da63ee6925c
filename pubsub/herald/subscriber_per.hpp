#pragma once
// The problem: one process per customer, device or document keeps each one's state to itself and lets one fail alone, but
// nobody can list the customers beforehand, and those that are quiet should cost nothing. subscriber_per watches a pattern
// and keeps one supervised subscriber for each value that a segment of the topic takes:
//
//   struct account { explicit account(std::string customer); ... };
//   herald::subscriber_per<std::string>("orders:*", [](account& a, const order_placed& o) { a.add(o); }, {.idle = 5min})
//
// The first event of "orders:acme" starts the subscriber of "acme", which gets that event first, and then the others in
// their order. When no event has come for `idle` it is ended, and the next event starts another. One that crashes is
// restarted by its supervisor, as any child; its events wait.
//
// None is lost or doubled by starting and ending: what comes while a subscriber starts or ends waits for the next one, and
// what an ended one had not begun goes to its successor, in order. Lost are, as dead letters and with a report: what is in
// hand when it crashes, what its mailbox does not take, what comes for one more than `max` values or beyond `max_waiting`,
// what has no right key, and what waits when an init fails or three lives in a row end without handling anything.
//
// The state is S(key) where it has such a constructor, else S{}; or what a function (const Key&) or (context&, const Key&)
// gives that stands before the subscriber's function. For whole processes, a function that gives their specs:
//
//   herald::subscriber_per<int, reading>("sensors:*:**", [](const int& id) { return herald::child<sensor>("", {id}); })
//
// In the tree: a supervisor under `name` with two children, "router" (it has the subscription, one process for all) and
// "each", a dynamic supervisor with the subscribers. Those made of functions have their segment as id, so that reports and
// lists show "orders:*/each/acme"; who wants to find one by its key gives it a name in a registry (child_options::via).
//
// Thread safety: specs are values; functions that make a spec run in the router, those that make a state in the subscriber. Errors: as subscriber;
// a key that is no Key is a dead letter. The idea: Orleans' virtual actors, Akka's sharding with its passivation.

#include <charconv>
#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <herald/engine/key_router.hpp>
#include <herald/subscriber.hpp>
#include <herald/supervisor.hpp>

namespace herald {

struct subscriber_per_options {
  /// Its id among its siblings; empty: the pattern, with "/" as "%2F".
  std::string name{};
  /// Of the bus; empty: the application's default one.
  std::string bus{};
  /// Which segment is the key, from 1; 0: the first "*".
  std::size_t segment = 0;
  /// A subscriber that got no event for so long, and has none in hand, is ended, at the latest a quarter later; 1 ms up.
  std::chrono::milliseconds idle = std::chrono::minutes{5};
  /// Subscribers at most, 1 up.
  std::size_t max = 100'000;
  /// Events that wait in the router for starts and ends, at most, of all keys together; 1 up.
  std::size_t max_waiting = 100'000;

  // Of the one subscription, as in subscription_options.
  event_filter filter{};
  policy when_slow{};
  bool retained = true;
  std::size_t history = all_history;

  // Of each subscriber that is made of a function, as in child_options.
  restart_t restart = transient;
  std::optional<shutdown_t> shutdown{};
  mailbox_t mailbox{};
  on_restart_t on_restart = keep;
  backoff_t backoff{};
  placement_t placement = spread;
  std::chrono::milliseconds start_timeout{0};

  /// Restarts of subscribers, of all together. When it is used up all are ended, and begin anew with their next events.
  intensity_t intensity{100, std::chrono::seconds{5}};
};

namespace detail {

/// The key that a segment stands for; nothing: it stands for none.
template <class Key>
[[nodiscard]] std::optional<Key> key_of_segment(std::string_view segment) {
  if constexpr (std::integral<Key> && !std::same_as<Key, bool>) {
    Key key{};
    const auto [end, wrong] = std::from_chars(segment.data(), segment.data() + segment.size(), key);
    if (wrong != std::errc{} || end != segment.data() + segment.size()) return std::nullopt;
    return key;
  } else {
    static_assert(std::is_constructible_v<Key, std::string>,
                  "herald: subscriber_per wants a Key that is an integer or can be made from a std::string");
    return Key{unescape_segment(segment)};
  }
}

template <class Maker, class Key>
concept makes_spec = std::is_invocable_r_v<child_spec, const Maker&, const Key&> &&
                     std::is_same_v<std::invoke_result_t<const Maker&, const Key&>, child_spec>;

template <class S, class Key, class From>
S state_for(context& self, const Key& key, const From& from) {
  if constexpr (std::is_invocable_v<const From&, context&, const Key&>) {
    return from(self, key);
  } else if constexpr (std::is_invocable_v<const From&, const Key&>) {
    return from(key);
  } else if constexpr (!std::is_same_v<From, no_state>) {
    static_assert(std::is_invocable_v<const From&, const Key&>,
                  "herald: what stands before the function of a subscriber_per makes its state from (const Key&) or "
                  "(context&, const Key&)");
  } else if constexpr (std::is_constructible_v<S, const Key&>) {
    return S(key);
  } else {
    return S{};
  }
}

/// The plan of the router, and the spec around it: a supervisor with "each" and the router.
[[nodiscard]] child_spec around_router(const std::string& pattern, const subscriber_per_options& o, child_spec router);
[[nodiscard]] std::shared_ptr<engine::router_plan> plan_of(const std::string& pattern, const subscriber_per_options& o,
                                                           const engine::type_tag& event);
/// The id and options of the subscriber of one segment.
[[nodiscard]] child_spec member_of(std::string_view segment, const subscriber_per_options& o);

template <class E>
class router_process : public process<router_process<E>, E, engine::came_back, engine::router_beat, down> {
 public:
  struct args {
    std::shared_ptr<const engine::router_plan> plan;
    subscriber_plan subscription;
  };
  router_process(context& self, const args& a) : router_{self, a.plan} {
    open_subscriptions(self, a.subscription, engine::tag_of<E>);
  }
  void on(context& self, const E&) { router_.take_in_hand(self); }
  void on(context& self, const engine::came_back& m) { router_.take_back(self, m); }
  void on(context& self, const engine::router_beat&) { router_.beat(self); }
  void on(context& self, const down& m) { router_.ended(self, m); }

 private:
  engine::key_router router_;
};

/// make_one: (segment, key) -> child_spec.
template <class Key, class E, class MakeOne>
[[nodiscard]] child_spec make_subscriber_per(const std::string& pattern, MakeOne make_one, const subscriber_per_options& o) {
  using router = router_process<E>;
  auto [spec, subscription] = take_apart(
      pattern, {.bus = o.bus, .filter = o.filter, .when_slow = o.when_slow, .retained = o.retained, .history = o.history},
      engine::tag_of<E>);
  auto plan = plan_of(pattern, o, engine::tag_of<E>);
  plan->make = [make_one = std::move(make_one)](std::string_view segment) -> std::optional<child_spec> {
    const std::optional<Key> key = key_of_segment<Key>(segment);
    if (!key) return std::nullopt;
    return make_one(segment, *key);
  };
  spec.ops = &engine::ops_of<router>;
  spec.args = std::make_shared<const typename router::args>(typename router::args{std::move(plan), std::move(subscription)});
  spec.args_kind = &engine::args_ops_of<typename router::args>;
  return around_router(pattern, o, std::move(spec));
}

template <class Key, class From, class F>
[[nodiscard]] child_spec subscriber_per_function(const std::string& pattern, From from, F function, subscriber_per_options o) {
  const auto make_one = [from = std::move(from), function = std::move(function), o](std::string_view segment, const Key& key) {
    const auto begin = [from, key](context& self) { return state_for<state_taken<F>>(self, key, from); };
    using made = subscriber_process<F, std::remove_const_t<decltype(begin)>>;
    auto spec = member_of(segment, o);
    spec.ops = &engine::ops_of<made>;
    spec.args = std::make_shared<const typename made::args>(typename made::args{{}, function, {begin}});
    spec.args_kind = &engine::args_ops_of<typename made::args>;
    return spec;
  };
  return make_subscriber_per<Key, event_taken<F>>(pattern, make_one, o);
}

template <class Key, class E, class SpecOf>
[[nodiscard]] child_spec subscriber_per_spec(const std::string& pattern, SpecOf spec_of, const subscriber_per_options& o) {
  const auto make_one = [spec_of = std::move(spec_of)](std::string_view, const Key& key) { return spec_of(key); };
  return make_subscriber_per<Key, E>(pattern, make_one, o);
}

}  // namespace detail

/// One subscriber for each value of the pattern's segment; `function` as in subscriber.
template <class Key, detail::subscriber_function F>
  requires(!detail::makes_spec<F, Key>)
[[nodiscard]] child_spec subscriber_per(std::string pattern, F function, subscriber_per_options options = {}) {
  return detail::subscriber_per_function<Key>(pattern, detail::no_state{}, std::move(function), std::move(options));
}
/// The same with what makes the state: (const Key&) or (context&, const Key&).
template <class Key, class From, detail::subscriber_function F>
[[nodiscard]] child_spec subscriber_per(std::string pattern, From from, F function, subscriber_per_options options = {}) {
  return detail::subscriber_per_function<Key>(pattern, std::move(from), std::move(function), std::move(options));
}
/// The same with the whole spec of each: a function (const Key&) -> child_spec of a process that accepts E.
template <class Key, class E, class SpecOf>
  requires detail::makes_spec<SpecOf, Key>
[[nodiscard]] child_spec subscriber_per(std::string pattern, SpecOf spec_of, subscriber_per_options options = {}) {
  return detail::subscriber_per_spec<Key, E>(pattern, std::move(spec_of), options);
}
/// The same for a typed pattern.
template <class Key, detail::typed T, detail::subscriber_function F>
  requires(!detail::makes_spec<F, Key>)
[[nodiscard]] child_spec subscriber_per(const T& pattern, F function, subscriber_per_options options = {}) {
  detail::check_typed<T, F>();
  return subscriber_per<Key>(std::string{pattern.name()}, std::move(function), std::move(options));
}
template <class Key, detail::typed T, class SpecOf>
  requires detail::makes_spec<SpecOf, Key>
[[nodiscard]] child_spec subscriber_per(const T& pattern, SpecOf spec_of, subscriber_per_options options = {}) {
  return detail::subscriber_per_spec<Key, detail::typed_event<T>>(std::string{pattern.name()}, std::move(spec_of), options);
}

}  // namespace herald
