#pragma once
// The problem: a bus ends at its program, and topics must not. An adapter carries events between buses that call
// themselves one: of two applications in a program (loopback.hpp), of the nodes of a cluster, or by way of a broker. It
// knows nothing of subscriptions: the bus hands it what is broadcast, it hands the bus what arrives, and each bus serves
// its own subscribers.
//
//   herald::application app{{.name = "shop", .children = {
//     herald::pubsub("", {.adapter = net->adapter("shop@one")}),       // first: the others may publish in their init
//     ...}}};
//
// What an adapter promises: broadcast reaches every other node, in the publisher's order, at most once, and returns when
// the event is handed to the transport, not when it has arrived. An error means that nothing went out; the bus then
// delivers nothing here either and gives the publisher the error. It never waits for a receiver.
//
// What one that writes bytes needs beside this: a codec for each type that crosses, given to the adapter by name where it
// is made (encode: const E& to bytes; decode: bytes to shared_event::make(E)); shared_event::get_if and type() find the
// codec on the way out, the name on the wire finds it on the way in. What has no codec is an error of that broadcast, and
// never silence. The event's terms() travel with it as they are: values, each of them.
//
// What crosses, and what it means on the other side:
//   retain      every node's topic keeps the event, and clear() crosses too. What a topic keeps is in one order on each node;
//               of two nodes that publish at once each may come last somewhere. A node that joins later begins with nothing.
//   dispatcher  crosses by its name, and each node uses its own of this name (bus_options::dispatchers).
//   trace       crosses.
//   from        does not: an address means nothing elsewhere. Who is left out by broadcast_from lives on the publisher's node,
//               so nobody else is left out; there topic_of(self).publisher is empty.
//
// Thread safety: broadcast, clear and direct_broadcast are called by any number of publishers at once, in their handlers. start,
// stop and interest are called by one process of the application, in turn. The bus has its adapter before start is called,
// so that nobody's event is kept from other nodes once pubsub() is through its init: broadcast, clear and direct_broadcast
// may be called while start has not returned, and when it has failed or stop has been called, until the process has ended.
// What cannot go out then is an error. Lifetime: shared; stop() returns when the inlet
// will not be used any more. Errors: values; what an adapter throws becomes adapter_failed. The idea:
// Phoenix.PubSub.Adapter.

#include <string>
#include <string_view>

#include <herald/pubsub_error.hpp>
#include <herald/shared_event.hpp>

namespace herald {

/// Where an adapter hands in what arrived from other nodes.
class inlet {
 public:
  virtual ~inlet() = default;
  inlet() = default;
  inlet(const inlet&) = delete;
  inlet& operator=(const inlet&) = delete;
  /// Delivers to the subscribers here, from any thread; also from a runner of another application. Errors: bad_topic,
  /// closed, unknown_dispatcher.
  virtual result<void> deliver(std::string_view topic, const shared_event& event) = 0;
  /// The topic keeps nothing any more. Errors: bad_topic.
  virtual result<void> clear(std::string_view topic) = 0;
};

class adapter {
 public:
  virtual ~adapter() = default;
  adapter() = default;
  adapter(const adapter&) = delete;
  adapter& operator=(const adapter&) = delete;

  /// This node's name, the same for its whole life.
  [[nodiscard]] virtual std::string_view node_name() const noexcept = 0;
  /// From now on the inlet may be used. Again after stop(), when the process that keeps the bus was restarted.
  [[nodiscard]] virtual result<void> start(inlet& into) = 0;
  virtual void stop() noexcept = 0;

  /// To every node but this one.
  [[nodiscard]] virtual result<void> broadcast(std::string_view topic, const shared_event& event) = 0;
  /// Every other node's topic is to keep nothing any more.
  [[nodiscard]] virtual result<void> clear(std::string_view topic) = 0;
  /// To one other node. unknown_node when there is none of this name.
  [[nodiscard]] virtual result<void> direct_broadcast(std::string_view node, std::string_view topic,
                                                      const shared_event& event) = 0;
  /// The topic or pattern has its first subscriber here, or has lost the last one. All that have one are told after start.
  /// Each group of competing consumers is told beside plain subscribers, so a name may be wanted several times: count.
  virtual void interest(std::string_view topic, bool wanted) {
    static_cast<void>(topic);
    static_cast<void>(wanted);
  }
};

}  // namespace herald
