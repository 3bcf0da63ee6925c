#pragma once
// The problem: a subscriber that is slower than its publishers. Nobody may wait for it and memory may not grow, so
// something is lost; what, is the subscriber's choice, for each of its subscriptions.
//
//   herald::subscribe<price_changed>(self, "prices", {.when_slow = herald::policy::latest_by(&price_changed::symbol, 5'000)});
//   herald::subscribe<order_placed>(self, "orders:*", {.when_slow = herald::policy::keep_all(1'000'000)});
//
// A policy bounds the events of its subscription that wait; they do not count against the process's mailbox limit, which
// bounds the rest. Without a policy they do. Whatever is lost is counted, and told to the subscriber before its next
// event: missed_of(self), and on(const herald::gap&) where the process names it (subscription.hpp).
//
// Thread safety: values. Errors: a bound outside of 1 to 10 000 000 is refused by subscribe (bad_option).
// The idea: Broker's overflow policies, and conflation as market feeds do it.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include <herald/engine/event_function.hpp>

namespace herald {

class policy {
 public:
  enum class kind_t : std::uint8_t { mailbox, keep_all, drop_oldest, drop_newest, latest_by, disconnect };
  static constexpr std::size_t max_bound = 10'000'000;

  /// No policy: the mailbox's limit and its own `when_full`.
  policy() = default;
  /// All of them, `bound` at most; that one is lost after all is an accident, and reported.
  [[nodiscard]] static policy keep_all(std::size_t bound) { return {kind_t::keep_all, bound, nullptr}; }
  /// The newest `bound`.
  [[nodiscard]] static policy drop_oldest(std::size_t bound) { return {kind_t::drop_oldest, bound, nullptr}; }
  /// The oldest `bound`.
  [[nodiscard]] static policy drop_newest(std::size_t bound) { return {kind_t::drop_newest, bound, nullptr}; }
  /// When `bound` wait and one more comes, the subscription ends (herald::subscription_ended); what waits is still handled.
  [[nodiscard]] static policy disconnect(std::size_t bound) { return {kind_t::disconnect, bound, nullptr}; }
  /// The last event of each key, in the order in which the keys began to wait; of more than `keys` keys the newest. `key` is
  /// a member of the event or a function of it; its result is hashed by std::hash. An event that replaces another takes its
  /// place, so the order is by key, not with other messages. When the subscription is declared again with another key (a
  /// function with captures counts as another one), what waits by the old one is handed over as it is.
  template <class E, class K>
    requires(!std::is_function_v<K>)
  [[nodiscard]] static policy latest_by(K E::*key, std::size_t keys) {
    return {kind_t::latest_by, keys, engine::make_event_key<E>(engine::member_function<E, K>{key})};
  }
  template <class F>
    requires(!std::is_member_pointer_v<F>)
  [[nodiscard]] static policy latest_by(F key, std::size_t keys) {
    return {kind_t::latest_by, keys, engine::make_event_key<engine::event_of<F>>(std::move(key))};
  }

  [[nodiscard]] kind_t kind() const noexcept { return kind_; }
  [[nodiscard]] std::size_t bound() const noexcept { return bound_; }
  /// For the engine: the key of latest_by.
  [[nodiscard]] const std::shared_ptr<const engine::event_key>& key() const noexcept { return key_; }

 private:
  policy(kind_t kind, std::size_t bound, std::shared_ptr<const engine::event_key> key)
      : kind_{kind}, bound_{bound}, key_{std::move(key)} {}
  kind_t kind_ = kind_t::mailbox;
  std::size_t bound_ = 0;
  std::shared_ptr<const engine::event_key> key_;
};

}  // namespace herald
