#pragma once
// The problem: some subscribers want an event in another form than a handler's const E&: bytes for a socket, encoded once
// however many sockets there are. A dispatcher is asked instead of the bus's own delivery, once on each host, with that
// host's subscriptions and their metadata, and decides for each of them what it gets, or nothing.
//
//   const herald::dispatcher fastlane{"fastlane", [](herald::dispatch_call& call) {
//     for (const auto& entry : call.entries()) {
//       if (entry.who == call.from()) continue;                           // broadcast_from's duty is the dispatcher's now
//       if (entry.metadata.has_value()) {                                 // a socket: it gets bytes
//         call.send(entry, frame{call.encoded<std::string>([&] { return to_json(*call.event<order>()); })});
//       } else {
//         call.deliver(entry);                                            // as if there were no dispatcher
//       }
//     }
//   }};
//   herald::broadcast(bus, "orders", order{...}, fastlane);
//
// All deliveries go to mailboxes, when it has returned and in the order in which it asked for them; the subscription's filter,
// policy and `once` hold for them, and what its topic keeps comes once. What it throws is reported and ends its work on that
// host, and neither the publisher nor a process. It runs on the host's runner and holds it up: it must be short and must not block. Groups (group_policy.hpp)
// are served as ever, one member each, and not asked about. A topic that keeps its events keeps these, too, and gives them to
// those who come late as they are, without asking.
//
// Its name is what crosses to other nodes, as Phoenix sends a module's name: there the dispatcher of this name decides that is
// among bus_options::dispatchers. Without a name it serves a bus without an adapter, and local_broadcast.
//
// A bus may have one of its own, for all that is broadcast without naming one (bus_options::dispatcher).
//
// Thread safety: called on several hosts at a time. Lifetime: shared; the call and its entries end with the call.
// The idea: Phoenix.PubSub's dispatcher and its fastlane.

#include <any>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <herald/bus.hpp>
#include <herald/engine/nodes.hpp>

namespace herald {

/// One subscription, as a dispatcher sees it.
struct dispatch_entry {
  any_ref who;
  std::string_view topic;  ///< as it was subscribed to: the name or a pattern
  std::string key;
  std::any metadata;
  std::size_t number = 0;  ///< among the call's entries
};

namespace engine {
struct dispatch_work;
using encoded_ptr = std::shared_ptr<const void>;
/// What was encoded as this type, by whichever host came first.
[[nodiscard]] encoded_ptr encode_once(published& event, const type_tag& type, const std::function<encoded_ptr()>& make);
}  // namespace engine

class dispatch_call {
 public:
  dispatch_call(const dispatch_call&) = delete;
  dispatch_call& operator=(const dispatch_call&) = delete;

  [[nodiscard]] std::string_view topic() const noexcept;
  /// Whom the publisher leaves out, empty when nobody.
  [[nodiscard]] any_ref from() const noexcept;
  /// The event when it is an E, null otherwise.
  template <class E>
  [[nodiscard]] const E* event() const noexcept {
    return type() == &engine::tag_of<E> ? static_cast<const E*>(payload()) : nullptr;
  }
  /// This host's subscriptions to the topic and to patterns that match it.
  [[nodiscard]] const std::vector<dispatch_entry>& entries() const noexcept;

  /// The event itself, to its on(const E&), unless its filter refuses it or `once` leaves it out. A subscription for another type gets nothing, which is counted.
  void deliver(const dispatch_entry& to);
  /// Another message, as a cast.
  template <class M>
  void send(const dispatch_entry& to, M message) {
    engine::send(engine::make_node<engine::any_node<M>>(to.who.where(), std::move(message)));
  }
  /// What `make` gives, asked for once for each type T over all hosts, and kept as long as the event. Where two encodings are
  /// of one type (two formats, both std::string) each says a Tag of its own: any type, which only tells them apart.
  template <class T, class Tag = T, class Make>
  [[nodiscard]] std::shared_ptr<const T> encoded(Make&& make) {
    return std::static_pointer_cast<const T>(engine::encode_once(
        published(), engine::tag_of<std::pair<T, Tag>>, [&]() -> engine::encoded_ptr { return std::make_shared<const T>(make()); }));
  }

 private:
  friend struct engine::dispatch_work;
  explicit dispatch_call(engine::dispatch_work& work) noexcept : work_{&work} {}
  [[nodiscard]] const engine::type_tag* type() const noexcept;
  [[nodiscard]] const void* payload() const noexcept;
  [[nodiscard]] engine::published& published() const noexcept;
  engine::dispatch_work* work_;
};

class dispatcher {
 public:
  template <class F>
    requires std::is_invocable_v<const F&, dispatch_call&>
  explicit dispatcher(F f) : dispatcher(std::string{}, std::move(f)) {}
  template <class F>
    requires std::is_invocable_v<const F&, dispatch_call&>
  dispatcher(std::string name, F f)
      : name_{std::move(name)}, code_{std::make_shared<const std::function<void(dispatch_call&)>>(std::move(f))} {}
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::shared_ptr<const std::function<void(dispatch_call&)>>& inside() const noexcept { return code_; }
  friend bool operator==(const dispatcher&, const dispatcher&) = default;

 private:
  std::string name_;
  std::shared_ptr<const std::function<void(dispatch_call&)>> code_;
};

namespace engine {
/// In this program. Takes the event's one reference. `keep`: the topic keeps it, even one that keeps no history.
result<void> dispatch(bus_core& bus, std::string_view topic, published* event, const address& except, const dispatcher& by,
                      bool keep = false);
}

/// To every node's subscribers, by way of its dispatcher. Errors: bad_topic, closed, adapter_failed, and bad_option when the bus
/// has an adapter and the dispatcher no name.
template <class E>
result<void> broadcast(const bus& where, std::string_view topic, E event, const dispatcher& by) {
  return engine::broadcast_everywhere(*where.inside(), topic, shared_event::make(std::move(event)), {}, &by);
}
/// The same, and the topic keeps it for those who come late (topic_options.hpp), on every node.
template <class E>
result<void> broadcast(const bus& where, std::string_view topic, E event, const dispatcher& by, retain_t) {
  return engine::broadcast_everywhere(*where.inside(), topic, shared_event::make(std::move(event), {.retain = true}), {}, &by);
}
/// `from` is told to the dispatcher of this node, which leaves it out or not.
template <class E>
result<void> broadcast_from(const bus& where, const any_ref& from, std::string_view topic, E event, const dispatcher& by) {
  return engine::broadcast_everywhere(*where.inside(), topic, shared_event::make(std::move(event)), from.where(), &by);
}
/// To the subscribers of this program only.
template <class E>
result<void> local_broadcast(const bus& where, std::string_view topic, E event, const dispatcher& by) {
  return engine::dispatch(*where.inside(), topic, engine::make_published(std::move(event)), {}, by);
}
template <class E>
result<void> local_broadcast_from(const bus& where, const any_ref& from, std::string_view topic, E event, const dispatcher& by) {
  return engine::dispatch(*where.inside(), topic, engine::make_published(std::move(event)), from.where(), by);
}
/// To the subscribers of one node, which may be this one. Errors: unknown_node too.
template <class E>
result<void> direct_broadcast(const bus& where, std::string_view node, std::string_view topic, E event, const dispatcher& by) {
  return engine::broadcast_to(*where.inside(), node, topic, shared_event::make(std::move(event)), &by);
}

}  // namespace herald
