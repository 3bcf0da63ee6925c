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
#include <exception>

namespace herald::detail {

class consumer_state;
class storage;
class store_state;

/// How one event got through its process.
enum class follower_passing : std::uint8_t { handled, failed, dropped };

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
    return ahead < limit_ ? limit_ - ahead : 0;
  }
  [[nodiscard]] bool idle() const noexcept { return ahead_.load(std::memory_order_acquire) == 0; }
  /// Sends the event, once for each of its routes that the follower wants.
  static void send(const std::shared_ptr<follower>& to, const event_ptr& event);
  /// Makes it a durable consumer's, of which at most `limit` events may be on their way.
  void serve_durable(std::shared_ptr<consumer_state> consumer, std::uint32_t limit) {
    durable_ = std::move(consumer);
    limit_ = limit;
  }
  [[nodiscard]] const std::shared_ptr<consumer_state>& durable() const noexcept { return durable_; }
  /// To be told when there is room again. False: there is already.
  [[nodiscard]] bool wait_for_room() noexcept;
  /// One event has been handled or dropped.
  static void handled(const std::shared_ptr<follower>& by) noexcept;
  /// The notifier has read up to here.
  void has_read(offset to) noexcept {
    position = to;
    read_to_.store(to.sequence, std::memory_order_seq_cst);
  }

  /// The notifier begins a round of a durable consumer.
  void begin_round(std::uint64_t number, offset from) noexcept {
    round = number;
    reading_.store(0, std::memory_order_seq_cst);  // no round has it: until both are set, nobody takes one for the other's
    position = from;
    read_to_.store(from.sequence, std::memory_order_seq_cst);
    reading_.store(number, std::memory_order_seq_cst);
  }
  /// A burial that this consumer has caused: it would never end.
  [[nodiscard]] bool buries(const event_record& event) const;

  using passing = follower_passing;
  /// False: a durable consumer that does not want this one now.
  [[nodiscard]] bool wants(std::uint64_t of_round) const;
  static void through(const std::shared_ptr<follower>& by, std::uint64_t of_round, const event_ptr& event, passing how,
                      std::string_view why) noexcept;

  offset position;         // the last event it was sent, or that it does not want
  std::uint64_t round = 0; // of a durable consumer: see consumer_state; the notifier's
  bool monitored = false;  // by the notifier of now
  bool wants_bookmarks = false;
  std::uint64_t told = 0;  // the last event or bookmark it was sent; the notifier's

 private:
  std::weak_ptr<store_state> store_;
  incarnation_ref subscriber_;
  std::weak_ptr<const void> application_;
  const resource_table* resource_;  // null: of any
  std::optional<std::string> topic_;
  maker make_;
  std::shared_ptr<consumer_state> durable_;
  std::uint32_t limit_ = window;
  std::atomic<std::uint64_t> reading_{0};  // `round`, for other threads
  std::atomic<std::uint64_t> read_to_{0};  // how far in it
  std::atomic<std::uint32_t> ahead_{0};
  std::atomic<bool> waiting_{false};
};

/// One event on its way to a follower's process. Its kind is never dropped for lack of room: the window bounds it.
template <class E>
struct follow_node final : engine::envelope {
  follow_node(std::shared_ptr<follower> of, E e)
      : envelope{ops, of->subscriber().who().where(), of->subscriber().incarnation()},
        content{of->durable() ? of->round : 0, std::move(of), std::move(e)} {}
  ~follow_node() {}  // NOLINT: the content's end is its own affair

  struct parts {
    std::uint64_t round;
    std::shared_ptr<follower> from;
    E event;
    [[nodiscard]] const event_ptr& share() const noexcept {
      if constexpr (std::is_same_v<E, any_event>) {
        return event.share();
      } else {
        return event.erased();
      }
    }
  };
  union {
    parts content;
  };

  /// Ends the content, and says how the event got through.
  struct guard {
    guard(parts& of, follower_passing passing, envelope* node = nullptr, const engine::frame* frame = nullptr) noexcept
        : held{of}, how{passing}, in{node}, by{frame} {}
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;
    parts& held;
    follower_passing how;
    envelope* in;
    const engine::frame* by;
    std::string_view why{};
    ~guard() {
      if (by != nullptr && by->suspended != nullptr) {
        in->ops = &waiting_ops;  // its handler waits inside and reads on
        return;
      }
      const auto from = std::move(held.from);
      const auto event = held.share();
      const auto round = held.round;
      std::destroy_at(&held);
      follower::through(from, round, event, how, why);
    }
  };

  static void run(envelope* e, engine::cell* c, engine::frame& by) {
    auto& held = static_cast<follow_node*>(e)->content;
    std::string thrown;
    guard end{held, follower_passing::dropped, e, &by};
    if (held.from->durable() && !held.from->wants(held.round)) return;
    const auto* handler = c->ops->find(engine::tag_of<E>);
    if (handler == nullptr) return engine::dead_letter(*e, engine::discard_reason::unhandled);
    end.how = follower_passing::failed;
    try {
      handler->invoke(by.state, engine::context_at(by.state), &held.event);
    } catch (const std::exception& failure) {
      thrown = failure.what();
      end.why = thrown;
      throw;
    }
    end.how = follower_passing::handled;
  }
  static void finish(envelope* e, engine::frame&, const exit_reason* because) noexcept {
    auto* self = static_cast<follow_node*>(e);
    {
      guard end{self->content, follower_passing::handled};
      if (because != nullptr) {
        const bool crash = because->kind() == exit_reason::kind_t::crash;
        end.how = crash ? follower_passing::failed : follower_passing::dropped;
        end.why = because->text();
      }
    }
    engine::free_node(self);
  }
  static void discard(envelope* e, engine::discard_reason why, const exit_reason*) noexcept {
    if (why != engine::discard_reason::stale) engine::dead_letter(*e, why);
    auto* self = static_cast<follow_node*>(e);
    { const guard end{self->content, follower_passing::dropped}; }
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

/// Where a subscription of this store begins.
[[nodiscard]] result<offset> position_of(storage& data, log_start from);
[[nodiscard]] std::shared_ptr<follower> make_follower(context& self, const std::shared_ptr<store_state>& store,
                                                      const resource_table* resource, std::optional<std::string> topic,
                                                      offset from, follower::maker make);
/// Begins a subscription of the calling process.
[[nodiscard]] result<void> follow(context& self, const std::shared_ptr<store_state>& store, const resource_table* resource,
                                  std::optional<std::string> topic, log_start from, follower::maker make);

}  // namespace herald::detail
