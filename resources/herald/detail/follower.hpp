#pragma once
// The problem: one subscription that reads the log and then lives on what is committed, without a gap or a duplicate, and
// without growing anybody's memory when its process is slow. A follower is its record: whose it is, what it wants, how far
// it got, and how much of what it was sent is not handled yet.
//
// The notifier serves followers: it alone moves `position`, and it sends at most `window` events ahead of the process. Each
// event on its way says so to its follower when it is handled or dropped; at half the window the notifier is woken to go
// on, from the log. So a slow process is read for from the log, at its own speed, and nothing waits in memory.
//
// Private. Thread safety: position and monitored: the notifier; the rest: shared. Lifetime: by shared_ptr, from store_state,
// until its incarnation has ended.

#include <herald/context.hpp>
#include <herald/engine/nodes.hpp>
#include <herald/event.hpp>
#include <herald/log_start.hpp>

#include <atomic>

namespace herald::detail {

class store_state;

class follower {
 public:
  static constexpr std::uint32_t window = 512;
  static constexpr std::size_t no_route = static_cast<std::size_t>(-1);
  using maker = engine::envelope* (*)(const std::shared_ptr<follower>&, const event_ptr&, std::size_t route);

  follower(std::weak_ptr<store_state> of, incarnation_ref subscriber, std::weak_ptr<const void> application,
           const resource_table* resource, std::optional<std::string> topic, offset from, maker make)
      : position{from},
        store_{std::move(of)},
        subscriber_{subscriber},
        application_{std::move(application)},
        resource_{resource},
        topic_{std::move(topic)},
        make_{make} {}

  /// True when its process's application is gone: its address must not be used any more.
  [[nodiscard]] bool orphaned() const noexcept { return application_.expired(); }

  [[nodiscard]] const incarnation_ref& subscriber() const noexcept { return subscriber_; }
  [[nodiscard]] const std::optional<std::string>& topic() const noexcept { return topic_; }
  /// How many more events may be sent now.
  [[nodiscard]] std::uint32_t room() const noexcept {
    const std::uint32_t ahead = ahead_.load(std::memory_order_acquire);
    return ahead < window ? window - ahead : 0;
  }
  /// Sends the event, once for each of its routes that the follower wants.
  static void send(const std::shared_ptr<follower>& to, const event_ptr& event);
  /// To be told when there is room again. False: there is already.
  [[nodiscard]] bool wait_for_room() noexcept;
  /// One event has been handled or dropped.
  static void handled(const std::shared_ptr<follower>& by) noexcept;

  offset position;         // the last event it was sent, or that it does not want
  bool monitored = false;  // by the notifier of now

 private:
  std::weak_ptr<store_state> store_;
  incarnation_ref subscriber_;
  std::weak_ptr<const void> application_;
  const resource_table* resource_;  // null: of any
  std::optional<std::string> topic_;
  maker make_;
  std::atomic<std::uint32_t> ahead_{0};
  std::atomic<bool> waiting_{false};
};

/// One event on its way to a follower's process. Its kind is never dropped for lack of room: the window bounds it.
template <class E>
struct follow_node final : engine::envelope {
  follow_node(std::shared_ptr<follower> of, E e)
      : envelope{ops, of->subscriber().who().where(), of->subscriber().incarnation()},
        content{std::move(of), std::move(e)} {}
  ~follow_node() {}  // NOLINT: the content's end is its own affair

  struct parts {
    std::shared_ptr<follower> from;
    E event;
  };
  union {
    parts content;
  };

  /// Ends the content, and says that the event is through.
  struct guard {
    parts& held;
    envelope* in = nullptr;
    const engine::frame* by = nullptr;
    ~guard() {
      if (by != nullptr && by->suspended != nullptr) {
        in->ops = &waiting_ops;  // its handler waits inside and reads on
        return;
      }
      const auto from = std::move(held.from);
      std::destroy_at(&held);
      follower::handled(from);
    }
  };

  static void run(envelope* e, engine::cell* c, engine::frame& by) {
    auto& held = static_cast<follow_node*>(e)->content;
    const guard end{held, e, &by};
    if (const auto* handler = c->ops->find(engine::tag_of<E>)) {
      handler->invoke(by.state, engine::context_at(by.state), &held.event);
    } else {
      engine::dead_letter(*e, engine::discard_reason::unhandled);
    }
  }
  static void finish(envelope* e, engine::frame&, const exit_reason*) noexcept {
    discard(e, engine::discard_reason::stale, nullptr);
  }
  static void discard(envelope* e, engine::discard_reason why, const exit_reason*) noexcept {
    if (why != engine::discard_reason::stale) engine::dead_letter(*e, why);
    auto* self = static_cast<follow_node*>(e);
    { const guard end{self->content}; }
    engine::free_node(self);
  }
  static constexpr engine::envelope_ops ops{run,     nullptr, discard, nullptr, &engine::tag_of<E>,
                                            engine::envelope_kind::notice};
  static constexpr engine::envelope_ops waiting_ops{nullptr, finish, discard, nullptr, &engine::tag_of<E>,
                                                    engine::envelope_kind::notice};
};

template <class E>
engine::envelope* make_follow_node(const std::shared_ptr<follower>& to, const event_ptr& event, std::size_t route) {
  if constexpr (std::is_same_v<E, any_event>) {
    return engine::make_node<follow_node<E>>(to, E{event});
  } else {
    return engine::make_node<follow_node<E>>(to, E{event, route});
  }
}

/// Begins a subscription of the calling process.
[[nodiscard]] result<void> follow(context& self, const std::shared_ptr<store_state>& store, const resource_table* resource,
                                  std::optional<std::string> topic, log_start from, follower::maker make);

}  // namespace herald::detail
