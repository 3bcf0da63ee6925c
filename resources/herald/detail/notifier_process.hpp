#pragma once
// The problem: events must reach their subscribers in the order of their commits, and a subscriber, filter or transform
// that goes wrong must not touch the action that caused them. The notifier is the supervised process in between: it gets
// each committed batch, hands every event to the bus once a topic, and serves the followers of the log.
//
// When it crashes, its next incarnation goes on after the last event it handed over, from the log: nothing is lost, and
// only the event in hand may be handed over again.
//
// Private. Thread safety: a process. Errors: what it cannot read from the log ends it; its supervisor decides.

#include "consumer_state.hpp"
#include "follower.hpp"
#include "store_state.hpp"

#include <herald/context.hpp>
#include <herald/process.hpp>

namespace herald::detail {

/// A batch that the writer has committed. It is in the log as well, where the next notifier finds it.
struct committed {
  std::shared_ptr<const std::vector<event_ptr>> events;
};
/// A follower is new.
struct follower_begun {
  std::shared_ptr<follower> who;
};
/// A follower has room again, or there is more to read for it.
struct follower_ready {
  std::shared_ptr<follower> who;
};
/// There is more of the log to hand over.
struct more_to_hand_over {};

}  // namespace herald::detail

// What they tell of is in the log, or in the follower.
template <>
inline constexpr bool herald::engine::is_wake_up<herald::detail::committed> = true;
template <>
inline constexpr bool herald::engine::is_wake_up<herald::detail::follower_ready> = true;
template <>
inline constexpr bool herald::engine::is_wake_up<herald::detail::more_to_hand_over> = true;

namespace herald::detail {

/// Sends the notifier what it must not miss; there are few of these, so a full mailbox does not drop them.
template <class M>
void tell_notifier(const any_ref& notifier, M message) {
  if (!notifier) return;
  engine::send(engine::make_node<engine::any_node<M, engine::envelope_kind::notice>>(notifier.where(), std::move(message)));
}

class notifier_process : public process<notifier_process, committed, follower_begun, follower_ready, more_to_hand_over,
                                        consumer_waits, consumer_retries> {
 public:
  struct args {
    std::shared_ptr<store_state> state;
    friend bool operator==(const args&, const args&) = default;
  };

  notifier_process(context& self, const args& with);
  ~notifier_process();

  void on(context& self, const committed& batch);
  void on(context& self, const follower_begun& begun);
  void on(context& self, const follower_ready& ready);
  void on(context& self, const more_to_hand_over&);
  void on(context& self, const consumer_waits& waits);
  void on(const consumer_retries& retries);

 private:
  void hand_over(context& self, const event_ptr& event, std::size_t routes);
  void catch_up(context& self);
  void serve(context& self, const std::shared_ptr<follower>& to);
  [[nodiscard]] static bool may_send(follower& to);
  void has_sent(follower& to) const;
  void watch(context& self, const std::shared_ptr<follower>& one);

  std::shared_ptr<store_state> state_;
};

}  // namespace herald::detail
