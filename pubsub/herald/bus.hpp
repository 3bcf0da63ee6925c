#pragma once
// The problem: who produces an event should not know who wants it, and telling a million of them must cost the producer
// next to nothing. A bus routes topics to hosts and hosts to processes: publishing is one push per host that has
// subscribers, and each host serves its own in a loop. The event is one object, shared by all who receive it.
//
//   herald::bus bus{app};                                     // or bus{self} inside a process
//   const auto prices = bus.topic("prices").value();          // a handle: publishing costs no hashing
//   prices.broadcast(price_changed{"ACME", 7.5});
//
// Guarantees: at most once; each publisher's events and casts reach a subscriber in the order in which they were sent. A
// publish that begins after subscribe has returned, in whatever thread, is received. A publisher never waits for a slow
// subscriber: what a full mailbox or a full host does not take is lost, counted, and told to the subscriber before its
// next event (missed_of). A payload of another type than the subscription's is not delivered, counted, and reported once.
//
// Thread safety: `bus` and `topic` are values that may be used from any thread and in handlers, also at the same time.
// Lifetime: they may outlive the application; publishing then answers closed. A topic's record exists while a handle, a
// subscriber or an event on its way holds it. Errors: pubsub_errc. The idea: Phoenix.PubSub.

#include <any>
#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <herald/engine/published.hpp>
#include <herald/gap.hpp>
#include <herald/pubsub_error.hpp>
#include <herald/ref.hpp>
#include <herald/shared_event.hpp>
#include <herald/subscription_options.hpp>
#include <herald/topic_statistics.hpp>
#include <herald/topic_options.hpp>

namespace herald {

class application;
class bus;
class callback_executor;
class callback_subscription;
class context;
class dispatcher;

namespace engine {
class bus_core;
/// Who would get an event of this topic now.
enum class audience : std::uint8_t { nobody, here, everywhere, dispatched };
[[nodiscard]] audience audience_of(topic_record& topic);
/// To the other nodes, then to the subscribers here, by way of the dispatcher where there is one.
result<void> broadcast_everywhere(bus_core& bus, std::string_view topic, const shared_event& event, const address& except,
                                  const dispatcher* by = nullptr);
/// To the subscribers here, by way of the bus's own dispatcher where it has one.
result<void> broadcast_locally(bus_core& bus, std::string_view topic, const shared_event& event, const address& except);
/// To one node, which may be this one.
result<void> broadcast_to(bus_core& bus, std::string_view node, std::string_view topic, const shared_event& event,
                          const dispatcher* by = nullptr);
/// The topic keeps nothing any more, on any node.
result<void> clear_everywhere(bus_core& bus, std::string_view topic);
bool publish(topic_record& topic, published* event, const address& except, bool anonymous, bool keep);
[[nodiscard]] bool wanted(topic_record& topic);
[[nodiscard]] bool open(const topic_record& topic) noexcept;
inline constexpr std::size_t max_bus_name = 255;
/// What is wrong with the name of a bus, if anything; that of the default one is empty.
[[nodiscard]] result<void> check_bus_name(std::string_view name);
/// What typed topics, patterns and handles (typed_topic.hpp) have in common.
template <class T>
concept typed_name = requires(const T& one) {
  typename T::event;
  { one.name() } -> std::same_as<std::string_view>;
};
}  // namespace engine

/// A topic of one bus, found once. Two handles are equal when they name the same topic of the same bus.
class topic {
 public:
  topic(const topic& other) noexcept;
  topic(topic&& other) noexcept = default;
  topic& operator=(topic other) noexcept {
    bus_.swap(other.bus_);
    std::swap(record_, other.record_);
    return *this;
  }
  ~topic();

  [[nodiscard]] std::string_view name() const noexcept;
  [[nodiscard]] herald::bus bus() const noexcept;

  /// Hands the event to every subscriber, here and on other nodes. False: the application is stopping or stopped, or the
  /// way to other nodes is broken (bus::broadcast says which), and nobody gets it.
  template <class E>
  bool broadcast(E event) const {
    return send(std::move(event), {}, false);
  }
  /// The same, and the topic keeps it for those who come late (topic_options.hpp), on every node.
  template <class E>
  bool broadcast(E event, retain_t) const {
    if (engine::audience_of(*record_) > engine::audience::here) [[unlikely]]
      return engine::broadcast_everywhere(*bus_, name(), shared_event::make(std::move(event), {.retain = true}), {}).has_value();
    return engine::publish(*record_, engine::make_published<E>(std::move(event)), {}, false, true);
  }
  /// By way of a dispatcher (dispatcher.hpp), which decides what each subscription gets. Errors: as herald::broadcast there.
  template <class E>
  result<void> broadcast(E event, const dispatcher& by) const {
    return engine::broadcast_everywhere(*bus_, name(), shared_event::make(std::move(event)), {}, &by);
  }
  /// The same to everybody but `from`.
  template <class E>
  bool broadcast_from(const any_ref& from, E event) const {
    return send(std::move(event), from.where(), false);
  }
  /// Who comes from now on, on any node, gets nothing of what the topic keeps; it keeps what is broadcast from now on.
  /// False: the way to other nodes is broken, and nothing was cleared.
  bool clear() const;
  /// How many events it keeps.
  [[nodiscard]] std::size_t retained() const;
  /// Whether what is broadcast now would go anywhere: to a subscriber here, by the name or by a pattern, or into the topic's
  /// history. A bus with an adapter does not know who listens elsewhere, and says yes. For publishers that are no processes
  /// (those are told: interest.hpp) and whose events are dear to make; by the time of the broadcast it may be otherwise.
  [[nodiscard]] bool wanted() const;
  /// To the subscribers of this program only.
  template <class E>
  bool local_broadcast(E event) const {
    return send(std::move(event), {}, true);
  }
  template <class E>
  bool local_broadcast_from(const any_ref& from, E event) const {
    return send(std::move(event), from.where(), true);
  }
  /// To the subscribers of one node, which may be this one. Errors: unknown_node, closed, adapter_failed.
  template <class E>
  result<void> direct_broadcast(std::string_view node, E event) const {
    return engine::broadcast_to(*bus_, node, name(), shared_event::make(std::move(event)));
  }

  friend bool operator==(const topic& left, const topic& right) noexcept { return left.record_ == right.record_; }

  /// For higher floors.
  [[nodiscard]] engine::topic_record& inside() const noexcept { return *record_; }

 private:
  friend class bus;
  topic(std::shared_ptr<engine::bus_core> b, engine::topic_record* owned) noexcept;

  template <class E>
  bool send(E&& event, const engine::address& except, bool here_only) const {
    static_assert(!std::is_reference_v<E>);
    const auto who = engine::audience_of(*record_);
    if (who == engine::audience::nobody) return engine::open(*record_);
    if (who > engine::audience::here && (!here_only || who == engine::audience::dispatched)) [[unlikely]] {
      const auto shared = shared_event::make(std::move(event));
      return (here_only ? engine::broadcast_locally(*bus_, name(), shared, except)
                        : engine::broadcast_everywhere(*bus_, name(), shared, except)).has_value();
    }
    return engine::publish(*record_, engine::make_published<E>(std::move(event)), except, false, false);
  }

  std::shared_ptr<engine::bus_core> bus_;
  engine::topic_record* record_;
};

/// A process that is subscribed, as bus::subscribers lists it: once for each of its subscriptions.
struct subscriber_info {
  std::string topic;  ///< as it was subscribed to: the name, or a pattern that matches it
  any_ref who;
  std::string path;  ///< its place in the tree
  std::string group;
  std::string key;
  std::any metadata;
  std::uint32_t waiting = 0;  ///< messages of all kinds in its mailbox, and the values that latest_by holds for it
  /// Handler calls since it subscribed, and events put into its mailbox (what is lost there is in `lost`, too).
  std::uint64_t delivered = 0;
  /// By herald::loss. What a host's full inbox did not take is counted for the topic only (topic_statistics::lost).
  std::array<std::uint64_t, loss_kinds> lost{};
  /// Delivered a second since its subscribers were last asked for; 0 the first time, and where there are very many.
  double rate = 0;
};

class bus {
 public:
  /// The application's default bus.
  explicit bus(const application& app);
  explicit bus(const context& self);
  /// Another bus of the application; buses of different names do not see each other. Throws std::logic_error when the
  /// name is empty, longer than 255 bytes, or has a control character.
  bus(const application& app, std::string_view name);
  bus(const context& self, std::string_view name);

  /// Empty: the default bus.
  [[nodiscard]] const std::string& name() const noexcept;
  /// A handle on the topic; bad_topic when the name is wrong.
  [[nodiscard]] result<herald::topic> topic(std::string_view name) const;
  /// The same for a topic that keeps events. bad_option when it keeps another number already, or the number is wrong.
  [[nodiscard]] result<herald::topic> topic(std::string_view name, const topic_options& options) const;

  /// This node's name among those that the bus reaches; "local" when nobody gave it one.
  [[nodiscard]] std::string node_name() const;

  /// As topic::broadcast, for those who publish to a topic rarely. Errors: bad_topic, closed, adapter_failed and what the
  /// adapter says. No subscriber: success.
  template <class E>
  result<void> broadcast(std::string_view topic, E event) const {
    return send(topic, std::move(event), {}, false);
  }
  /// The same, and the topic keeps it for those who come late.
  template <class E>
  result<void> broadcast(std::string_view topic, E event, retain_t) const {
    if (goes_round(false)) return engine::broadcast_everywhere(*core_, topic, shared_event::make(std::move(event), {.retain = true}), {});
    auto found = open(topic);
    if (!found) return found.error();
    return publish(*found, engine::make_published<E>(std::move(event)), {}, true);
  }
  /// As topic::clear. Errors: bad_topic, and what the adapter says.
  result<void> clear(std::string_view topic) const;
  template <class E>
  result<void> broadcast_from(const any_ref& from, std::string_view topic, E event) const {
    return send(topic, std::move(event), from.where(), false);
  }
  template <class E>
  result<void> local_broadcast(std::string_view topic, E event) const {
    return send(topic, std::move(event), {}, true);
  }
  template <class E>
  result<void> local_broadcast_from(const any_ref& from, std::string_view topic, E event) const {
    return send(topic, std::move(event), from.where(), true);
  }
  /// To the subscribers of one node, which may be this one. Errors: unknown_node too.
  template <class E>
  result<void> direct_broadcast(std::string_view node, std::string_view topic, E event) const {
    return engine::broadcast_to(*core_, node, topic, shared_event::make(std::move(event)));
  }

  /// Calls a function with each event of the topic or pattern, where `place` says, for as long as the handle lives. For
  /// everything that is no process; include <herald/callback.hpp>, which says the rest. From plain threads.
  template <class F>
    requires engine::event_function<F>
  [[nodiscard]] result<callback_subscription> subscribe(std::string_view topic, callback_executor place, F callback,
                                                        subscription_options options = {}) const;
  /// The same for a typed topic, pattern or handle; the function must take its type.
  template <engine::typed_name T, class F>
    requires engine::event_function<F>
  [[nodiscard]] result<callback_subscription> subscribe(const T& to, callback_executor place, F callback,
                                                        subscription_options options = {}) const;

  /// Who would get an event of this topic now, by its name or by a pattern, asked of each host; given a pattern, who is
  /// subscribed to exactly that. From plain threads. Errors: bad_topic, closed, would_block, timeout.
  [[nodiscard]] result<std::vector<subscriber_info>> subscribers(
      std::string_view topic, std::chrono::milliseconds limit = default_call_limit) const;
  /// What a topic, or a pattern that is subscribed to, has seen; not the patterns that match it. A topic that nobody holds
  /// has seen nothing. From plain threads; errors as subscribers.
  [[nodiscard]] result<topic_statistics> statistics(std::string_view topic,
                                                    std::chrono::milliseconds limit = default_call_limit) const;
  /// The same of every topic, pattern and group, by name.
  [[nodiscard]] result<std::vector<topic_statistics>> list(std::chrono::milliseconds limit = default_call_limit) const;
  /// Topics that somebody holds: handles, subscribers, events on their way.
  [[nodiscard]] std::size_t topics() const;
  /// Patterns, and groups, that somebody is subscribed to.
  [[nodiscard]] std::size_t patterns() const;
  /// Deliveries not made because the event's type was not the subscription's.
  [[nodiscard]] std::uint64_t mismatched() const noexcept;
  /// Events that a host's full inbox did not take, one for each host.
  [[nodiscard]] std::uint64_t missed() const noexcept;

  friend bool operator==(const bus&, const bus&) = default;

  /// For higher floors, whose event types are known to a function only: publishes what `make` gives (an
  /// engine::published*) in this program, and asks for it only when somebody wants it.
  template <class Make>
  result<void> broadcast_made(std::string_view topic, Make&& make) const {
    auto found = look_up(topic);
    if (!found) return found.error();
    if (*found == nullptr) return {};
    return publish(*found, make(), {});
  }
  /// For higher floors.
  [[nodiscard]] const std::shared_ptr<engine::bus_core>& inside() const noexcept { return core_; }

 private:
  friend class herald::topic;
  explicit bus(std::shared_ptr<engine::bus_core> core) noexcept : core_{std::move(core)} {}

  /// The record, when anybody holds one; null is no error.
  [[nodiscard]] result<engine::topic_record*> look_up(std::string_view topic) const;
  /// The record, made when there is none.
  [[nodiscard]] result<engine::topic_record*> open(std::string_view topic) const;
  static result<void> publish(engine::topic_record* owned, engine::published* event, const engine::address& except,
                              bool keep = false);

  /// To other nodes, or by way of the bus's own dispatcher.
  [[nodiscard]] bool goes_round(bool here_only) const noexcept;

  template <class E>
  result<void> send(std::string_view topic, E&& event, const engine::address& except, bool here_only) const {
    if (goes_round(here_only)) {
      const auto shared = shared_event::make(std::move(event));
      return here_only ? engine::broadcast_locally(*core_, topic, shared, except)
                       : engine::broadcast_everywhere(*core_, topic, shared, except);
    }
    auto found = look_up(topic);
    if (!found) return found.error();
    if (*found == nullptr) return {};
    return publish(*found, engine::make_published<E>(std::move(event)), except);
  }

  std::shared_ptr<engine::bus_core> core_;
};

}  // namespace herald
