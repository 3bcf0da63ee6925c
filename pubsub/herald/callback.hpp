#pragma once
// The problem: not everything that wants events is a process: a window on its toolkit's thread, an Asio server, a test. A
// callback subscription calls a function with each event, where its owner says, for as long as its handle lives.
//
//   auto quotes = herald::bus{app}.subscribe("prices:*", herald::own_thread,
//                                            [&](const price_changed& p) { file << p.symbol << '\n'; }).value();
//   auto shown = herald::bus{app}.subscribe("prices:*", [&io](auto work) { boost::asio::post(io, std::move(work)); },
//                                           [&](const price_changed& p) { label.set_text(p.symbol); },
//                                           {.when_slow = herald::policy::latest_by(&price_changed::symbol, 100)}).value();
//
// Where it runs: a placement means Herald's threads, own_thread for callbacks that block; a function void(std::function
// <void()>) means whatever that function does with the work it is given: run it once, soon, on any thread, or destroy it.
// Events come one at a time and in order: the next is handed over when the callback has returned. What comes meanwhile
// waits under the subscription's policy, or under the default mailbox limit; so a slow callback costs its publisher
// nothing, and memory stays bounded. The callback may ask for (const E&, const callback_source&) to be told where the
// event came from and how many were lost just before. It runs in the trace of its event (trace_here()), on any thread.
//
// A tap (tapped.hpp) points into the event, and may be a callback on Herald's threads only.
//
// Behind it stands a process, "herald:callback:<n>", last among the root's children.
//
// Thread safety: distinct handles: safe. Lifetime: when the handle's destructor (or end()) has returned no call begins
// any more and none is running, unless the callback itself ends it; so do not hold a lock there that the callback wants.
// The handle may outlive the application. Errors: bad_topic, bad_option, not_started before the application runs, closed,
// timeout when the process behind it has not started within 5 s (and is ended again), and would_block in a handler (a
// process subscribes itself); what its start fails by beside these is told as the runtime says it (error.hpp). What a
// callback throws is reported (the 1st, 2nd, 4th ... time) and the next event comes. Work that the executor destroys
// unrun, or whose acceptance throws, is reported as lost in the same way. The idea: Rx's observeOn, std::stop_callback's
// destructor.

#include <any>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <herald/coroutine.hpp>
#include <herald/sink_handle.hpp>
#include <herald/spawned.hpp>
#include <herald/subscriber.hpp>
#include <herald/tapped.hpp>
#include <herald/trace.hpp>

namespace herald {

/// Where a callback runs.
class callback_executor {
 public:
  using work = std::function<void()>;
  callback_executor(placement_t where) : where_{where} {}  // NOLINT: a place is one
  template <class Post>
    requires(std::is_invocable_v<Post&, work> && !std::is_same_v<std::remove_cvref_t<Post>, callback_executor>)
  callback_executor(Post post) : post_{std::move(post)} {}  // NOLINT: a function is one

  [[nodiscard]] placement_t where() const noexcept { return where_; }
  /// Empty: the process itself calls.
  [[nodiscard]] const std::function<void(work)>& post() const noexcept { return post_; }

 private:
  placement_t where_{};
  std::function<void(work)> post_;
};

/// Where an event came from, as topic_of and missed_of tell it in a process. Valid until the callback returns.
struct callback_source {
  std::string_view topic;
  std::uint64_t missed = 0;
  std::string_view subscription{};     ///< what was subscribed to: the topic itself, or a pattern that matches it
  std::string_view key{};              ///< as in the options, and so is the metadata
  const std::any* metadata = nullptr;  ///< null: there is none
  any_ref publisher{};                 ///< empty: a plain thread published. As every ref, of no use once the application is gone
};

/// The right to be called.
class [[nodiscard]] callback_subscription {
 public:
  callback_subscription() = default;
  callback_subscription(std::shared_ptr<engine::closable> calls, spawned outlet) noexcept
      : outlet_{std::move(outlet)}, calls_{std::move(calls)} {}
  // Members end in reverse: first no call begins any more, then the process behind it ends.
  void end() {
    calls_.end();
    outlet_ = {};
  }
  explicit operator bool() const noexcept { return static_cast<bool>(calls_); }

 private:
  spawned outlet_;
  sink_handle calls_;
};

namespace detail {

/// What the process behind a callback or an actor does in its init, and where that says why it does not.
struct outlet_plan {
  std::string topic;
  std::string bus;
  std::shared_ptr<const subscription_options> options;
  std::shared_ptr<std::optional<error>> refused;  ///< written by an init, read when that has failed
};
/// The spec without its process, and what its process is to do.
struct outlet_parts {
  child_spec spec;
  outlet_plan plan;
};
[[nodiscard]] result<outlet_parts> prepare_outlet(std::string_view kind, const bus& where, std::string_view topic,
                                                  placement_t place, subscription_options options,
                                                  const engine::type_tag& event);
void open_outlet(context& self, const outlet_plan& plan, const engine::type_tag& event);
/// Begins the process; errors in this module's words.
[[nodiscard]] result<spawned> begin_outlet(const bus& where, const outlet_plan& plan, child_spec spec);

/// Tells of what goes wrong in a callback, more rarely the more often.
class callback_troubles {
 public:
  void tell(context& self, std::string_view topic, std::string_view what);

 private:
  std::uint64_t count_ = 0;
};

template <class E>
struct called_with {
  const E* event;
  callback_source source;
  std::string failed;  ///< what the callback threw
};
template <class E>
using calls_of = engine::sink_slot<called_with<E>>;

[[nodiscard]] std::string text_of_current_exception();

/// Calls and notes what it throws.
template <class E, class F>
[[nodiscard]] std::shared_ptr<calls_of<E>> make_calls(F callback) {
  return std::make_shared<calls_of<E>>([callback = std::move(callback)](const called_with<E>& with) mutable {
    try {
      if constexpr (std::is_invocable_v<F&, const E&, const callback_source&>) {
        callback(*with.event, with.source);
      } else {
        callback(*with.event);
      }
    } catch (...) {
      const_cast<std::string&>(with.failed) = text_of_current_exception();
    }
  });
}

template <class E>
class calling_outlet : public process<calling_outlet<E>, E> {
 public:
  struct args {
    outlet_plan plan;
    std::shared_ptr<calls_of<E>> calls;
  };
  calling_outlet(context& self, const args& a) : calls_{a.calls} { open_outlet(self, a.plan, engine::tag_of<E>); }
  void on(context& self, const E& e) {
    const auto from = topic_of(self);
    const called_with<E> with{&e, {from.topic, missed_of(self), from.subscription, from.key, from.metadata, from.publisher}, {}};
    (*calls_)(with);
    if (!with.failed.empty()) troubles_.tell(self, with.source.topic, with.failed);
  }

 private:
  std::shared_ptr<calls_of<E>> calls_;
  callback_troubles troubles_;
};

/// An event for somebody else's thread: everything it needs is its own, because it may outlive the application.
template <class E>
struct posted_event {
  std::shared_ptr<calls_of<E>> calls;
  std::shared_ptr<const E> event;
  std::shared_ptr<const subscription_options> options;
  std::string topic;
  std::string subscription;
  std::uint64_t missed;
  any_ref publisher;
  trace_context trace;

  /// Answers what the callback threw.
  [[nodiscard]] std::string operator()() const {
    const trace_scope within{trace};  // of none, too: what else this thread does is no part of it
    const auto* metadata = options->metadata.has_value() ? &options->metadata : nullptr;
    const called_with<E> with{event.get(), {topic, missed, subscription, options->key, metadata, publisher}, {}};
    (*calls)(with);
    return with.failed;
  }
};

template <class E>
struct posted_call {
  using value_type = bool;
  posted_event<E> event;
  const std::function<void(callback_executor::work)>* post;

  void start(context&, reply_to<bool> to) {
    auto work = [event = std::move(event), to] {
      auto failed = event();
      if (failed.empty()) {
        to.reply(true);
      } else {
        to.fail(error{errc::failed, std::move(failed)});
      }
    };
    try {
      (*post)(std::move(work));
    } catch (...) {
      to.fail(error{errc::failed, "an executor that threw: " + text_of_current_exception()});
    }
  }
};

template <class E>
class posting_outlet : public process<posting_outlet<E>, E> {
 public:
  struct args {
    outlet_plan plan;
    std::shared_ptr<calls_of<E>> calls;
    std::function<void(callback_executor::work)> post;
  };
  posting_outlet(context& self, const args& a) : calls_{a.calls}, options_{a.plan.options}, post_{a.post} {
    open_outlet(self, a.plan, engine::tag_of<E>);
  }
  coroutine<> on(context& self, const E& e) {
    const auto from = topic_of(self);
    const std::string topic{from.topic};
    // A value of its own: g++ 12 destroys an aggregate twice that is made inside of a co_await.
    posted_call<E> call{{calls_, std::make_shared<const E>(e), options_, topic, std::string{from.subscription}, missed_of(self),
                         from.publisher, trace_of(self)},
                        &post_};
    const auto done = co_await std::move(call);
    if (!done) troubles_.tell(self, topic, done.error().message());
  }

 private:
  std::shared_ptr<calls_of<E>> calls_;
  std::shared_ptr<const subscription_options> options_;
  std::function<void(callback_executor::work)> post_;
  callback_troubles troubles_;
};

template <class E, class F>
[[nodiscard]] result<callback_subscription> subscribe_callback(const bus& where, std::string_view topic, callback_executor place,
                                                               F callback, subscription_options options) {
  auto parts = prepare_outlet("herald:callback:", where, topic, place.where(), std::move(options), engine::tag_of<E>);
  if (!parts) return parts.error();
  auto& [spec, plan] = *parts;
  auto calls = make_calls<E>(std::move(callback));
  [[maybe_unused]] const auto refuse = [&](const std::string& why) {
    return error{pubsub_errc::bad_option, why + ", so their callbacks run on Herald's threads only; wanted: a placement, as own_thread"};
  };
  const auto fill = [&spec = parts->spec]<class P>(typename P::args a) {
    spec.ops = &engine::ops_of<P>;
    spec.args = std::make_shared<const typename P::args>(std::move(a));
    spec.args_kind = &engine::args_ops_of<typename P::args>;
  };
  if (!place.post()) {
    fill.template operator()<calling_outlet<E>>({plan, calls});
  } else if constexpr (std::is_same_v<E, tapped>) {
    return refuse("the taps of \"" + std::string{topic} + "\" point into their events, which end with their handler");
  } else if constexpr (std::is_copy_constructible_v<E>) {
    fill.template operator()<posting_outlet<E>>({plan, calls, place.post()});
  } else {
    return refuse("the events of \"" + std::string{topic} + "\" cannot be copied");
  }
  auto outlet = begin_outlet(where, plan, std::move(spec));
  if (!outlet) return outlet.error();
  return callback_subscription{std::move(calls), *std::move(outlet)};
}

}  // namespace detail

template <class F>
  requires engine::event_function<F>
result<callback_subscription> bus::subscribe(std::string_view topic, callback_executor place, F callback,
                                             subscription_options options) const {
  return detail::subscribe_callback<engine::event_of<F>>(*this, topic, std::move(place), std::move(callback), std::move(options));
}

template <engine::typed_name T, class F>
  requires engine::event_function<F>
result<callback_subscription> bus::subscribe(const T& to, callback_executor place, F callback, subscription_options options) const {
  static_assert(std::is_same_v<typename T::event, engine::event_of<F>>, "herald: this topic carries events of another type");
  return detail::subscribe_callback<typename T::event>(*this, to.name(), std::move(place), std::move(callback), std::move(options));
}

}  // namespace herald
