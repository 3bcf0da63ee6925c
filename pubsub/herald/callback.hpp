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
// nothing, and memory stays bounded. The callback may ask for (const E&, const callback_source&) to be told the topic and
// how many events were lost just before.
//
// Behind it stands a process, "herald:callback:<n>", last among the root's children.
//
// Thread safety: distinct handles: safe. Lifetime: when the handle's destructor (or end()) has returned no call begins any
// more and none is running, unless the callback itself ends it; so do not hold a lock there that the callback wants. The
// handle may outlive the application. Errors: bad_topic, bad_option, closed, and would_block in a handler (a process
// subscribes itself). What a callback throws is reported (the 1st, 2nd, 4th ... time) and the next event comes. Work that
// the executor destroys unrun, or whose acceptance throws, is reported as lost in the same way.
// The idea: Rx's observeOn, std::stop_callback's destructor.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <herald/coroutine.hpp>
#include <herald/sink_handle.hpp>
#include <herald/spawned.hpp>
#include <herald/subscriber.hpp>

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

struct callback_source {
  std::string_view topic;
  std::uint64_t missed = 0;
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

/// Begins the process; errors in this module's words.
[[nodiscard]] result<spawned> begin_outlet(const bus& where, std::string_view topic, child_spec spec);
/// The spec of one, without its process.
[[nodiscard]] result<subscriber_parts> outlet_parts(std::string_view kind, const bus& where, std::string_view topic,
                                                    placement_t place, subscription_options options,
                                                    const engine::type_tag& event);

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
    subscriber_plan plan;
    std::shared_ptr<calls_of<E>> calls;
  };
  calling_outlet(context& self, const args& a) : calls_{a.calls} { open_subscriptions(self, a.plan, engine::tag_of<E>); }
  void on(context& self, const E& e) {
    const called_with<E> with{&e, {topic_of(self).topic, missed_of(self)}, {}};
    (*calls_)(with);
    if (!with.failed.empty()) troubles_.tell(self, with.source.topic, with.failed);
  }

 private:
  std::shared_ptr<calls_of<E>> calls_;
  callback_troubles troubles_;
};

/// Work for somebody else's thread: everything it needs is its own, because it may outlive the application.
template <class E>
struct posted_call {
  using value_type = bool;
  std::shared_ptr<calls_of<E>> calls;
  const std::function<void(callback_executor::work)>* post;
  std::shared_ptr<const E> event;
  std::string topic;
  std::uint64_t missed;

  void start(context&, reply_to<bool> to) {
    auto work = [calls = calls, event = event, topic = topic, missed = missed, to] {
      const called_with<E> with{event.get(), {topic, missed}, {}};
      (*calls)(with);
      if (with.failed.empty()) {
        to.reply(true);
      } else {
        to.fail(error{errc::failed, with.failed});
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
    subscriber_plan plan;
    std::shared_ptr<calls_of<E>> calls;
    std::function<void(callback_executor::work)> post;
  };
  posting_outlet(context& self, const args& a) : calls_{a.calls}, post_{a.post} {
    open_subscriptions(self, a.plan, engine::tag_of<E>);
  }
  coroutine<> on(context& self, const E& e) {
    const std::string topic{topic_of(self).topic};
    // A value of its own: g++ 12 destroys an aggregate twice that is made inside of a co_await.
    posted_call<E> call{calls_, &post_, std::make_shared<const E>(e), topic, missed_of(self)};
    const auto done = co_await std::move(call);
    if (!done) troubles_.tell(self, topic, done.error().message());
  }

 private:
  std::shared_ptr<calls_of<E>> calls_;
  std::function<void(callback_executor::work)> post_;
  callback_troubles troubles_;
};

template <class E, class F>
[[nodiscard]] result<callback_subscription> subscribe_callback(const bus& where, std::string_view topic, callback_executor place,
                                                               F callback, subscription_options options) {
  auto parts = outlet_parts("herald:callback:", where, topic, place.where(), std::move(options), engine::tag_of<E>);
  if (!parts) return parts.error();
  auto& [spec, plan] = *parts;
  auto calls = make_calls<E>(std::move(callback));
  const auto fill = [&spec = parts->spec]<class P>(typename P::args a) {
    spec.ops = &engine::ops_of<P>;
    spec.args = std::make_shared<const typename P::args>(std::move(a));
    spec.args_kind = &engine::args_ops_of<typename P::args>;
  };
  if (!place.post()) {
    fill.template operator()<calling_outlet<E>>({std::move(plan), calls});
  } else if constexpr (std::is_copy_constructible_v<E>) {
    fill.template operator()<posting_outlet<E>>({std::move(plan), calls, place.post()});
  } else {
    return error{pubsub_errc::bad_option, "the events of \"" + std::string{topic} +
                                              "\" cannot be copied, so their callbacks run on Herald's threads only; wanted: "
                                              "a placement, as own_thread"};
  }
  auto outlet = begin_outlet(where, topic, std::move(spec));
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

}  // namespace herald
