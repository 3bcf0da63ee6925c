#pragma once
// The problem: work, not news: each event of a topic shall be done by one of several processes, and by another one when
// that dies. Subscriptions with the same group of a topic compete: every event goes to exactly one live member, wherever
// the members live.
//
//   herald::subscribe<order_placed>(self, "orders:*", {.group = herald::group_policy::round_robin("workers")});
//   herald::subscribe<order_placed>(self, "orders:*", {.group = herald::group_policy::by_key("ledger", &order_placed::customer)});
//
// Members that stand in a restart are passed over while another is up. What waits in the mailbox of a member that is gone
// for good, or whose new life does not declare the subscription again, goes to another member; so a member that dies loses
// only what it had in hand. A full mailbox passes the event on; when all are full it is lost and counted. Other
// subscribers of the topic get their copies as ever, and other groups theirs.
//
// by_key: events of one key go to one member, in their order, while membership stands; when a member comes or goes, few
// keys move. least_loaded: the member with the fewest messages waiting, as far as counters tell.
//
// Thread safety: values; a key is called by publishers, any number at once, and must not throw. Errors: bad_option when
// members of one group choose differently, are of different event types, or have a filter, a policy or `once`.
// The idea: NATS queue groups, MQTT's shared subscriptions.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <herald/engine/event_function.hpp>

namespace herald {

class group_policy {
 public:
  enum class kind_t : std::uint8_t { none, round_robin, by_key, least_loaded };

  /// No group: every subscription gets every event.
  group_policy() = default;
  [[nodiscard]] static group_policy round_robin(std::string name) { return {kind_t::round_robin, std::move(name), nullptr}; }
  [[nodiscard]] static group_policy least_loaded(std::string name) { return {kind_t::least_loaded, std::move(name), nullptr}; }
  /// `key`: a function of a const E&, or a member of E; its result must have a std::hash.
  template <engine::event_function F>
  [[nodiscard]] static group_policy by_key(std::string name, F key) {
    return {kind_t::by_key, std::move(name), engine::make_event_key<engine::event_of<F>>(std::move(key))};
  }
  template <class E, class V>
  [[nodiscard]] static group_policy by_key(std::string name, V E::*member) {
    return by_key(std::move(name), [member](const E& e) -> const V& { return e.*member; });
  }

  [[nodiscard]] kind_t kind() const noexcept { return kind_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::shared_ptr<const engine::event_key>& key() const noexcept { return key_; }
  [[nodiscard]] explicit operator bool() const noexcept { return kind_ != kind_t::none; }

 private:
  group_policy(kind_t kind, std::string name, std::shared_ptr<const engine::event_key> key)
      : kind_{kind}, name_{std::move(name)}, key_{std::move(key)} {}
  kind_t kind_ = kind_t::none;
  std::string name_;
  std::shared_ptr<const engine::event_key> key_;
};

}  // namespace herald
