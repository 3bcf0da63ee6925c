#pragma once
// The problem: producing costs something (a feed, a query, a sensor that must be switched on), and a producer whose events
// nobody wants should sleep. A process that watches a topic is told when it gets its first subscriber, by the name or by a
// pattern, and when the last one has gone.
//
//   struct feed : herald::process<feed, herald::wanted, herald::unwanted> {
//     explicit feed(herald::context& self) { herald::watch_interest(self, "prices:eu"); }
//     void on(const herald::wanted&) { open(); }
//     void on(const herald::unwanted&) { close(); }
//   };
//
// wanted and unwanted come in turn, wanted first: at once when there are subscribers already. Subscribers of other nodes
// are not seen. A restarted subscriber that declares its subscription again was never gone. A watch belongs to the
// incarnation, as subscriptions do. Publishers that are no processes ask: topic::wanted().
//
// Thread safety: with a process's own context, in its init and its handlers. Errors: bad_topic, not_accepted (both messages
// must be named), wrong_place, closed. The idea: ZeroMQ's XPUB and SObjectizer's message sinks' notices.

#include <string>
#include <string_view>

#include <herald/bus.hpp>

namespace herald {

/// The watched topic has its first subscriber.
struct wanted {
  std::string topic;
};
/// It has lost the last one.
struct unwanted {
  std::string topic;
};

[[nodiscard]] result<void> try_watch_interest(context& self, const bus& where, std::string_view topic);
/// False: the application is stopping. Other errors are bugs and thrown as std::logic_error.
bool watch_interest(context& self, std::string_view topic);
bool watch_interest(context& self, const bus& where, std::string_view topic);
/// No notice of this topic comes any more, apart from those in the mailbox.
void unwatch_interest(context& self, std::string_view topic);
void unwatch_interest(context& self, const bus& where, std::string_view topic);

}  // namespace herald
