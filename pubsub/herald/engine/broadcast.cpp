// Broadcasts that leave the program: see adapter.hpp.

#include <exception>

#include <herald/adapter.hpp>
#include <herald/bus.hpp>
#include <herald/engine/bus_core.hpp>
#include <herald/engine/fan_out.hpp>
#include <herald/topic.hpp>

namespace herald::engine {

error closed_error(std::string_view topic) {
  return {pubsub_errc::closed, "nothing was published to \"" + std::string{topic} + "\": the application is stopping or stopped"};
}

namespace {

/// What the adapter does, or throws, as a value.
template <class F>
result<void> ask(std::string_view topic, F&& f) {
  try {
    return f();
  } catch (const std::exception& e) {
    return error{pubsub_errc::adapter_failed, "nothing was published to \"" + std::string{topic} + "\": the adapter threw: " + e.what()};
  } catch (...) {
    return error{pubsub_errc::adapter_failed, "nothing was published to \"" + std::string{topic} + "\": the adapter threw no std::exception"};
  }
}

result<void> broadcast_here(bus_core& bus, std::string_view topic, const shared_event& event, const address& except, bool keep) {
  const held_topic record{hold_topic(keep ? bus.open(topic) : bus.find_wanted(topic))};
  if (record && !publish(*record, event.publishable(), except, false, keep)) return closed_error(topic);
  return {};
}

result<void> check(const bus_core& bus, std::string_view topic) {
  if (auto fine = check_topic(topic); !fine) return fine;
  if (bus.closed()) return closed_error(topic);
  return {};
}

}  // namespace

namespace {

/// The event as it goes to other nodes, with the trace it belongs to.
shared_event traced(const shared_event& event) {
  auto going = event;
  if (const auto* trace = trace_now(current_frame)) going.set_trace(*trace);
  return going;
}

}  // namespace

result<void> broadcast_everywhere(bus_core& bus, std::string_view topic, const shared_event& event, const address& except,
                                  bool keep) {
  if (auto fine = check(bus, topic); !fine) return fine;
  if (const auto way = bus.remote())
    if (auto sent = ask(topic, [&] { return way->broadcast(topic, traced(event)); }); !sent) return sent;
  return broadcast_here(bus, topic, event, except, keep);
}

result<void> broadcast_to(bus_core& bus, std::string_view node, std::string_view topic, const shared_event& event) {
  if (auto fine = check(bus, topic); !fine) return fine;
  if (node == bus.node_name()) return broadcast_here(bus, topic, event, {}, false);
  if (const auto way = bus.remote()) return ask(topic, [&] { return way->direct_broadcast(node, topic, traced(event)); });
  return error{pubsub_errc::unknown_node, "there is no node \"" + std::string{node} + "\": the bus has no adapter, and this node is \"" +
                                              bus.node_name() + "\""};
}

}  // namespace herald::engine
