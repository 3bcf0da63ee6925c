#pragma once
// The problem: CAF actors that exist already want the events of a topic, as they had a group's messages. A CAF actor can
// subscribe through the door (caf.hpp): each event arrives as an ordinary CAF message, sent anonymously.
//
//   caf::behavior display(caf::event_based_actor*) { return {[](const price_changed& p) { ... }}; }
//   herald::subscribe_actor<price_changed>(herald::bus{app}, "prices:*", system.spawn(display)).value();
//
// The subscription is forgotten when the actor ends; the handle that is returned may be dropped, and ends it earlier. CAF
// must know the event's type (its type ids, or inspect), as for any message. The event is copied once for each actor.
// Nothing bounds an actor's mailbox; what a filter or a policy (subscription_options) does, is done before that.
// Actors publish like everybody: a bus is a value, broadcast it from any handler.
//
// Behind it stands a process, "herald:actor:<n>", last among the root's children; it holds the actor by a strong reference.
//
// Thread safety: subscribe_actor blocks until the process runs: from plain threads, and from CAF actors only where another
// worker of their system is free to run it. Lifetime: the handle may outlive the application, and holds no actor.
// Errors: bad_topic, bad_option (also for an invalid actor), not_started before the application runs, closed, timeout when the
// process has not started within 5 s (and is ended again), would_block in a handler of a process; what its start fails by
// beside these is told as the runtime says it (error.hpp). The idea: CAF's groups, without their names' types and their remote part.

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <herald/caf.hpp>
#include <herald/callback.hpp>

namespace herald {

namespace detail {

/// The right to end the process behind an actor's subscription, for whoever is first: the handle, or the process itself.
class actor_hold {
 public:
  void set(spawned outlet) {
    const std::lock_guard lock{mutex_};
    if (!over_) outlet_ = std::move(outlet);
  }
  void end() {
    spawned last;
    const std::lock_guard lock{mutex_};
    over_ = true;
    std::swap(last, outlet_);
  }

 private:
  std::mutex mutex_;
  bool over_ = false;
  spawned outlet_;
};

struct actor_gone {};

template <class E>
class actor_outlet : public process<actor_outlet<E>, E, actor_gone> {
 public:
  struct args {
    outlet_plan plan;
    caf::actor to;
    std::shared_ptr<actor_hold> hold;
  };
  actor_outlet(context& self, const args& a)
      : hold_{a.hold}, to_{a.to}, watch_{engine::watch_actor(to_, [me = self.life()] { me.cast(actor_gone{}); })} {
    open_outlet(self, a.plan, engine::tag_of<E>);
  }
  void on(const E& e) { engine::post_to_actor(to_, caf::make_message(e)); }
  void on(const actor_gone&) { hold_->end(); }

 private:
  std::shared_ptr<actor_hold> hold_;
  caf::actor to_;
  std::shared_ptr<void> watch_;
};

}  // namespace detail

/// A CAF actor's subscription. Copies stand for the same one; dropping it changes nothing.
class actor_subscription {
 public:
  actor_subscription() = default;
  explicit actor_subscription(std::shared_ptr<detail::actor_hold> hold) noexcept : hold_{std::move(hold)} {}
  /// No event is sent to the actor any more when this has returned (in a handler: soon after).
  void end() const {
    if (hold_) hold_->end();
  }

 private:
  std::shared_ptr<detail::actor_hold> hold_;
};

/// Each event of the topic or pattern as a message to the actor, until it ends.
template <class E>
result<actor_subscription> subscribe_actor(const bus& where, std::string_view topic, const caf::actor& to,
                                           subscription_options options = {}) {
  static_assert(!std::is_same_v<E, tapped>, "herald: a tap points into its event, and cannot be sent to an actor");
  if (!to) return error{pubsub_errc::bad_option, "the subscription to \"" + std::string{topic} + "\" is for an actor that is none"};
  auto parts = detail::prepare_outlet("herald:actor:", where, topic, placement_t{}, std::move(options), engine::tag_of<E>);
  if (!parts) return parts.error();
  using outlet = detail::actor_outlet<E>;
  auto hold = std::make_shared<detail::actor_hold>();
  auto& spec = parts->spec;
  spec.ops = &engine::ops_of<outlet>;
  spec.args = std::make_shared<const typename outlet::args>(typename outlet::args{parts->plan, to, hold});
  spec.args_kind = &engine::args_ops_of<typename outlet::args>;
  auto begun = detail::begin_outlet(where, parts->plan, std::move(spec));
  if (!begun) return begun.error();
  hold->set(*std::move(begun));
  return actor_subscription{std::move(hold)};
}
/// The same for a typed topic, pattern or handle.
template <detail::typed T>
result<actor_subscription> subscribe_actor(const bus& where, const T& to, const caf::actor& who, subscription_options options = {}) {
  return subscribe_actor<detail::typed_event<T>>(where, to.name(), who, std::move(options));
}

}  // namespace herald
