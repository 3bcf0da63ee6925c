// Broadcasts that leave the program: see adapter.hpp.

#include <exception>

#include <herald/adapter.hpp>
#include <herald/bus.hpp>
#include <herald/dispatcher.hpp>
#include <herald/engine/bus_core.hpp>
#include <herald/engine/fan_out.hpp>
#include <herald/engine/retention.hpp>
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

result<void> broadcast_here(bus_core& bus, std::string_view topic, const shared_event& event, const address& except,
                            const dispatcher* by) {
  const bool keep = event.terms().retain;
  if (by != nullptr) return dispatch(bus, topic, event.publishable(), except, *by, keep);
  const held_topic record{hold_topic(keep ? bus.open(topic) : bus.find_wanted(topic))};
  if (record && !publish(*record, event.publishable(), except, false, keep)) return closed_error(topic);
  return {};
}

result<void> check(const bus_core& bus, std::string_view topic, const dispatcher* by, bool leaves) {
  if (auto fine = check_topic(topic); !fine) return fine;
  if (bus.closed()) return closed_error(topic);
  if (by != nullptr && leaves && by->name().empty())
    return error{pubsub_errc::bad_option, "nothing was published to \"" + std::string{topic} +
                                              "\": the dispatcher has no name, by which other nodes would find theirs; wanted: "
                                              "a named one, or local_broadcast"};
  return {};
}

/// The event as it goes to other nodes, with the trace it belongs to and the dispatcher's name.
shared_event leaving(const shared_event& event, const dispatcher* by) {
  auto terms = event.terms();
  if (const auto* trace = trace_now(current_frame)) terms.trace = *trace;
  if (by != nullptr) terms.dispatcher = by->name();
  auto going = event;
  going.set_terms(std::move(terms));
  return going;
}

/// The bus's own dispatcher, unless the topic keeps the event: what it keeps comes to all in one order, and from the bus.
std::shared_ptr<const dispatcher> own_for(bus_core& bus, std::string_view topic, const shared_event& event) {
  auto own = bus.own_dispatcher();
  if (!own || event.terms().retain) return nullptr;
  const held_topic record{hold_topic(bus.find(topic))};
  const auto* keeper = record ? record->keeper() : nullptr;
  return keeper != nullptr && keeper->always() ? nullptr : own;
}

}  // namespace

result<void> broadcast_locally(bus_core& bus, std::string_view topic, const shared_event& event, const address& except) {
  if (auto fine = check(bus, topic, nullptr, false); !fine) return fine;
  const auto own = own_for(bus, topic, event);
  return broadcast_here(bus, topic, event, except, own.get());
}

result<void> broadcast_everywhere(bus_core& bus, std::string_view topic, const shared_event& event, const address& except,
                                  const dispatcher* by) {
  const auto own = by == nullptr ? own_for(bus, topic, event) : nullptr;
  if (own) by = own.get();
  const auto way = bus.remote();
  if (auto fine = check(bus, topic, by, way != nullptr); !fine) return fine;
  if (way)
    if (auto sent = ask(topic, [&] { return way->broadcast(topic, leaving(event, by)); }); !sent) return sent;
  return broadcast_here(bus, topic, event, except, by);
}

result<void> broadcast_to(bus_core& bus, std::string_view node, std::string_view topic, const shared_event& event,
                          const dispatcher* by) {
  const auto own = by == nullptr ? own_for(bus, topic, event) : nullptr;
  if (own) by = own.get();
  const bool here = node == bus.node_name();
  const auto way = bus.remote();
  if (auto fine = check(bus, topic, by, way && !here); !fine) return fine;
  if (here) return broadcast_here(bus, topic, event, {}, by);
  if (way) return ask(topic, [&] { return way->direct_broadcast(node, topic, leaving(event, by)); });
  return error{pubsub_errc::unknown_node, "there is no node \"" + std::string{node} + "\": the bus has no adapter, and this node is \"" +
                                              bus.node_name() + "\""};
}

result<void> clear_everywhere(bus_core& bus, std::string_view topic) {
  if (const auto way = bus.remote())
    if (auto sent = ask(topic, [&] { return way->clear(topic); }); !sent) return sent;
  bus.clear(topic);
  return {};
}

}  // namespace herald::engine
