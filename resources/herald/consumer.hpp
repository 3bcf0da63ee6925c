#pragma once
// The problem: a search index, a mailer, a second system must get every event, over restarts of its process and of the
// program, and must not get what it has dealt with again. A durable consumer is a subscription with a name, whose cursor
// the store keeps:
//
//   struct indexer : process<indexer, event<files>> {
//     indexer(context& self, args a) : work_{subscribe<event<files>>(self, a.store, at_least_once("search")).value()} {}
//     void on(const event<files>& e) { ... }     // returned: handled. Thrown: a failed try
//
// at_least_once: the cursor moves when the handler has returned (a coroutine: has ended), and is kept every `keep_every` events and
// whenever the consumer has caught up. After a kill -9 of the program what was handled since comes again; nothing is missed.
// effectively_once: what the handler asks of its handle (`work_.run<...>(...)`, `work_.transact(f)`) commits in one transaction with a
// compare-and-set of the cursor, so it happens once, whatever dies when. The next event comes after that commit.
//
// A try fails when the handler throws (its process crashes, its supervisor restarts it), calls `work_.fail(why)`, or when
// its actions are refused. It is tried again after a pause that doubles; after `tries` the event is buried (dead_letters.hpp) and
// the consumer goes on. In a store that does not have `dead_letters` it pauses there instead, with a report. A store's own trouble
// (a full disk, a writer that restarts) is not counted as a try.
//
// Your own notifier is `subscribe<any_event>(self, store, at_least_once("name"))` in a supervised process.
//
// Thread safety: subscribe, fail, run, perform and transact: from the process's init and handlers; the rest: any thread.
// Lifetime: the subscription ends with the incarnation, the cursor when it is forgotten. A second process that takes the
// same name takes the consumer over. Errors: `gone` when the log cannot be continued from the cursor: rebuild from a
// snapshot, then subscribe again with its offset as `reset`. Bounds: as in <herald/subscribe.hpp>. Needs the store's notifier.
// The idea: Kafka's consumer offsets; the transactional inbox.

#include <herald/consumer_cursor.hpp>
#include <herald/subscribe.hpp>

#include <functional>

namespace herald {

namespace detail {
class consumer_state;
}

/// How a consumer is called, and what it is promised.
struct durable {
  std::string name;
  bool once = false;
};
[[nodiscard]] inline durable at_least_once(std::string name) { return {std::move(name), false}; }
[[nodiscard]] inline durable effectively_once(std::string name) { return {std::move(name), true}; }

struct consumer_options {
  /// Where the first life of the consumer begins; later ones begin at its cursor.
  log_start from = earliest;
  /// The cursor is set to this before it begins: after a snapshot, when the log was gone.
  std::optional<offset> reset{};
  /// Failed tries after which an event is buried; at least 1.
  std::uint32_t tries = 5;
  /// The pause after the first failed try; each further one doubles it, up to `max_delay`.
  std::chrono::milliseconds retry_delay{100};
  std::chrono::milliseconds max_delay{30'000};
  /// at_least_once: handled events after which the cursor is kept at the latest; at least 1.
  std::uint32_t keep_every = 100;
};

/// What can be said about a consumer.
struct consumer_status {
  std::string name;
  bool once = false;
  bool attached = false;    ///< a process subscribes under this name (it may just be restarting)
  bool paused = false;
  offset at;                ///< everything up to here is handled
  std::uint64_t lag = 0;    ///< events of the log behind it, of any topic
  std::uint32_t tries = 0;  ///< failed ones, of its next event
  std::uint64_t handled = 0;  ///< since the store was opened
  std::uint64_t buried = 0;   ///< since the store was opened
  std::string last_error;
};

/// The handle of a durable subscription. Cheap to copy.
class consumer {
 public:
  explicit consumer(std::shared_ptr<detail::consumer_state> state) : state_{std::move(state)} {}

  [[nodiscard]] consumer_status status() const;
  /// No further event until resume(), over restarts of the program too. What is in hand is finished.
  void pause() const;
  /// Goes on; an event that made it pause is tried anew.
  void resume() const;

  // In its handler.

  /// This try of the event in hand has failed; it comes again.
  void fail(error why) const;
  /// effectively_once: an action that commits with the cursor, in the order of the calls.
  template <const auto& Resource, detail::fixed_string Action, class... Args>
  void run(Args&&... args) const {
    perform(request_for<Resource, Action>(std::forward<Args>(args)...));
  }
  void perform(action_request request) const;
  /// effectively_once: a function of the transaction; what it reads there includes what earlier events have made. May run twice.
  void transact(std::function<result<void>(transaction&)> function) const;

 private:
  std::shared_ptr<detail::consumer_state> state_;
};

namespace detail {
[[nodiscard]] result<consumer> consume(context& self, const std::shared_ptr<store_state>& store,
                                       const resource_table* resource, std::optional<std::string> topic,
                                       const durable& as, const consumer_options& options, follower::maker make);
}

/// Every event of the resource (any_event: of the store).
template <class E>
[[nodiscard]] result<consumer> subscribe(context& self, const store& from, const durable& as, consumer_options options = {}) {
  static_assert(detail::is_event<E>, "herald: a store's log is followed as event<resource> or any_event");
  return detail::consume(self, from.state(), detail::followed<E>, std::nullopt, as, options, &detail::make_follow_node<E>);
}

/// The events of one topic.
template <class E>
[[nodiscard]] result<consumer> subscribe(context& self, const store& from, std::string_view topic, const durable& as,
                                         consumer_options options = {}) {
  static_assert(detail::is_event<E>, "herald: a store's log is followed as event<resource> or any_event");
  return detail::consume(self, from.state(), detail::followed<E>, std::string{topic}, as, options,
                         &detail::make_follow_node<E>);
}

/// All consumers that the store knows, by name; those too whose process is not there.
[[nodiscard]] result<std::vector<consumer_status>> consumers_of(const store& of);
/// Drops a consumer's cursor, so that the log need not be kept for it. Refused (`taken`) while a process subscribes under the name.
[[nodiscard]] result<void> forget_consumer(const store& of, std::string_view name);

}  // namespace herald
