#pragma once
// The problem: most of what reacts to events is one function, and to write a class for each hides the one thing that
// matters about a tree of them: who hears what, and who is restarted with whom. A subscriber is a child in one line: a
// process that subscribes in its init and hands each event to the function.
//
//   herald::supervisor{.name = "orders", .strategy = herald::one_for_one, .children = {
//       herald::subscriber("orders:created", [](const order_placed& o) { print_label(o); }),
//       herald::subscriber("orders:**", [](totals& t, const order_placed& o) { t.cents += o.cents; }),
//       herald::subscriber({"orders:*", "returns:*"}, audit, {.name = "audit", .restart = herald::transient})}}
//
// The function takes the event, with the subscriber's state before it and its context before both, where it wants them:
//   (const E&)    (context&, const E&)    (S&, const E&)    (context&, S&, const E&)
// It may return a coroutine<> and wait inside (coroutine.hpp); otherwise it returns nothing. The state is made anew for each
// incarnation: S{}, a copy of the value that stands before the function, or what the function that stands there gives:
//   herald::subscriber("orders:*", totals{.since = 2024}, [](totals& t, const order_placed& o) { ... })
//   herald::subscriber("orders:*", [db](herald::context&) { return db.open_ledger(); }, [](ledger& l, const order_placed& o) { ... })
// What the function captures is copied into each incarnation as well.
//
// Thread safety: specs are values; the function runs on one thread at a time. Lifetime: as of any child. Errors: a wrong
// topic or option is a fault of the spec: nothing starts, and the sentence names it (check_spec). What the function throws
// is a crash of its process, that event is gone, and the supervisor decides. The idea: Broadway's and GenStage's consumers
// under a supervisor, with the child specs of Elixir.

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <herald/child_spec.hpp>
#include <herald/process.hpp>
#include <herald/subscription.hpp>
#include <herald/typed_topic.hpp>

namespace herald {

/// One topic or pattern, or several of them.
class topic_names {
 public:
  topic_names(const char* one) : all_{one} {}                     // NOLINT: one is a list of one
  topic_names(std::string one) : all_{std::move(one)} {}          // NOLINT
  topic_names(std::string_view one) : all_{std::string{one}} {}   // NOLINT
  topic_names(std::initializer_list<std::string_view> several) : all_(several.begin(), several.end()) {}
  topic_names(std::vector<std::string> several) : all_{std::move(several)} {}  // NOLINT
  [[nodiscard]] const std::vector<std::string>& all() const noexcept { return all_; }

 private:
  std::vector<std::string> all_;
};

struct subscriber_options {
  /// Its id among its siblings; empty: the topics, joined by "+", with "/" as "%2F".
  std::string name{};
  /// Of the bus; empty: the application's default one.
  std::string bus{};

  // As in subscription_options, for each of its topics.
  std::string key{};
  std::any metadata{};
  event_filter filter{};
  policy when_slow{};
  bool retained = true;
  std::size_t history = all_history;
  /// With several topics: an event comes once, however many of them it matches (not in a group). False: once for each.
  bool once = true;
  group_policy group{};

  // As in child_options.
  restart_t restart = permanent;
  std::optional<shutdown_t> shutdown{};
  mailbox_t mailbox{};
  on_restart_t on_restart = keep;
  backoff_t backoff{};
  placement_t placement{};
  std::chrono::milliseconds start_timeout{0};
  bool significant = false;
};

namespace detail {

/// What a subscriber does in its init.
struct subscriber_plan {
  std::vector<std::string> topics;
  std::string bus;
  subscription_options options;
};
void open_subscriptions(context& self, const subscriber_plan& plan, const engine::type_tag& event);

/// The spec without its process, and what its process is to do.
struct subscriber_parts {
  child_spec spec;
  subscriber_plan plan;
};
[[nodiscard]] subscriber_parts take_apart(topic_names topics, subscriber_options options, const engine::type_tag& event);

struct no_state {};

template <class... Args>
struct handler_shape {
  static constexpr bool fits = false;
};
template <class E>
struct handler_shape<const E&> {
  static constexpr bool fits = true, wants_context = false;
  using event = E;
  using state = no_state;
};
template <class E>
struct handler_shape<context&, const E&> : handler_shape<const E&> {
  static constexpr bool wants_context = true;
};
template <class S, class E>
  requires(!std::is_const_v<S>)
struct handler_shape<S&, const E&> {
  static constexpr bool fits = true, wants_context = false;
  using event = E;
  using state = S;
};
template <class S, class E>
  requires(!std::is_const_v<S>)
struct handler_shape<context&, S&, const E&> : handler_shape<S&, const E&> {
  static constexpr bool wants_context = true;
};

template <class F>
struct shape_of : handler_shape<> {};
template <class F>
  requires requires { &F::operator(); }
struct shape_of<F> : shape_of<decltype(&F::operator())> {};
template <class R, class... A>
struct shape_of<R (*)(A...)> : handler_shape<A...> {};
template <class R, class... A>
struct shape_of<R (*)(A...) noexcept> : handler_shape<A...> {};
template <class C, class R, class... A>
struct shape_of<R (C::*)(A...)> : handler_shape<A...> {};
template <class C, class R, class... A>
struct shape_of<R (C::*)(A...) const> : handler_shape<A...> {};
template <class C, class R, class... A>
struct shape_of<R (C::*)(A...) noexcept> : handler_shape<A...> {};
template <class C, class R, class... A>
struct shape_of<R (C::*)(A...) const noexcept> : handler_shape<A...> {};

template <class F>
concept subscriber_function = shape_of<F>::fits;
template <class F>
using event_taken = typename shape_of<F>::event;
template <class F>
using state_taken = typename shape_of<F>::state;

template <class F>
constexpr void check_subscriber_function() {
  static_assert(subscriber_function<F>,
                "herald: a subscriber's function takes (const E&), (context&, const E&), (S&, const E&) or "
                "(context&, S&, const E&), where E is the event and S the subscriber's state");
}

/// S{}, a copy, or what a function gives.
template <class S, class From>
struct state_maker {
  From from;
  S operator()(context& self) const {
    if constexpr (std::is_same_v<From, no_state>) {
      static_cast<void>(self);
      static_assert(std::is_default_constructible_v<S>,
                    "herald: the state of this subscriber has no default; wanted: a value or a function that makes it, "
                    "before the subscriber's function");
      return S{};
    } else if constexpr (std::is_invocable_v<const From&, context&>) {
      return from(self);
    } else if constexpr (std::is_invocable_v<const From&>) {
      return from();
    } else {
      static_assert(std::is_convertible_v<const From&, S>,
                    "herald: what stands before a subscriber's function is its state, or makes it, and must be of the "
                    "type that the function takes");
      return from;
    }
  }
};

/// Calls the function with what it wants.
template <class F, class S>
decltype(auto) call_subscriber(F& f, context& self, S& state, const event_taken<F>& e) {
  using shape = shape_of<F>;
  if constexpr (std::is_same_v<typename shape::state, no_state>) {
    if constexpr (shape::wants_context) {
      return f(self, e);
    } else {
      return f(e);
    }
  } else if constexpr (shape::wants_context) {
    return f(self, state, e);
  } else {
    return f(state, e);
  }
}

template <class F, class From>
class subscriber_process : public process<subscriber_process<F, From>, event_taken<F>> {
 public:
  using event = event_taken<F>;
  using state = state_taken<F>;
  struct args {
    subscriber_plan plan;
    F function;
    state_maker<state, From> make;
  };
  subscriber_process(context& self, const args& a) : function_{a.function}, state_{a.make(self)} {
    open_subscriptions(self, a.plan, engine::tag_of<event>);
  }
  auto on(context& self, const event& e) {
    using returned = decltype(call_subscriber(function_, self, state_, e));
    static_assert(std::is_void_v<returned> || std::is_same_v<returned, coroutine<>>,
                  "herald: a subscriber's function returns nothing, or a coroutine<> when it waits inside");
    return call_subscriber(function_, self, state_, e);
  }

 private:
  F function_;
  [[no_unique_address]] state state_;
};

template <class From, class F>
[[nodiscard]] child_spec make_subscriber(topic_names topics, From from, F function, subscriber_options options) {
  using made = subscriber_process<F, From>;
  auto [spec, plan] = take_apart(std::move(topics), std::move(options), engine::tag_of<event_taken<F>>);
  spec.ops = &engine::ops_of<made>;
  spec.args = std::make_shared<const typename made::args>(
      typename made::args{std::move(plan), std::move(function), {std::move(from)}});
  spec.args_kind = &engine::args_ops_of<typename made::args>;
  return std::move(spec);
}

template <class T, class F>
constexpr void check_typed() {
  check_subscriber_function<F>();
  static_assert(std::is_same_v<typed_event<T>, event_taken<F>>, "herald: this topic carries events of another type");
}

}  // namespace detail

/// A process that gives each event of the topics to `function`.
template <class F>
[[nodiscard]] child_spec subscriber(topic_names topics, F function, subscriber_options options = {}) {
  detail::check_subscriber_function<F>();
  return detail::make_subscriber(std::move(topics), detail::no_state{}, std::move(function), std::move(options));
}
/// The same with the state that each incarnation begins with, or a function that makes it in init.
template <class State, detail::subscriber_function F>
[[nodiscard]] child_spec subscriber(topic_names topics, State state, F function, subscriber_options options = {}) {
  static_assert(!std::is_same_v<detail::state_taken<F>, detail::no_state>,
                "herald: a state is given, but the subscriber's function takes none");
  return detail::make_subscriber(std::move(topics), std::move(state), std::move(function), std::move(options));
}
/// The same for a typed topic, pattern or handle; the function must take its type.
template <detail::typed T, class F>
[[nodiscard]] child_spec subscriber(const T& to, F function, subscriber_options options = {}) {
  detail::check_typed<T, F>();
  return subscriber(topic_names{to.name()}, std::move(function), std::move(options));
}
template <detail::typed T, class State, detail::subscriber_function F>
[[nodiscard]] child_spec subscriber(const T& to, State state, F function, subscriber_options options = {}) {
  detail::check_typed<T, F>();
  return subscriber(topic_names{to.name()}, std::move(state), std::move(function), std::move(options));
}

}  // namespace herald
