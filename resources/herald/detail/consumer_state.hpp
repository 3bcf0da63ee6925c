#pragma once
// The problem: who handles a durable consumer's events (its process), who sends them (the notifier) and who keeps its cursor
// (the writer) live on three threads and die at their own times. The state is what they agree on, and outlives all of them.
//
// An event is sent in a round. Whatever makes the consumer start over from its cursor (a failed try, a pause, another
// process) begins a new round: what is on its way of the old one is passed over unhandled, and the notifier reads again.
//
// Private. Thread safety: shared objects: safe; one short lock an event. Lifetime: by shared_ptr, from store_state.

#include "follower.hpp"

#include <herald/consumer.hpp>

#include <mutex>

namespace herald::detail {

class consumer_state : public std::enable_shared_from_this<consumer_state> {
 public:
  using step = std::function<result<void>(transaction&)>;

  consumer_state(std::shared_ptr<store_state> of, const durable& as, const consumer_cursor& from);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  // Its process.
  /// Takes the consumer over for this follower.
  void begin(const std::shared_ptr<follower>& by, const durable& as, const consumer_options& options);
  /// Sets the cursor.
  void reset(offset to);
  [[nodiscard]] offset position() const;
  void fail(error why);
  void add(step what);
  void pause(bool paused);
  [[nodiscard]] consumer_status status() const;
  [[nodiscard]] bool attached() const;

  // On its process's thread, around the handler.
  /// False: this event is not to be handled now.
  [[nodiscard]] bool starts(const follower& by, std::uint64_t round);
  using passing = follower::passing;
  /// The event is through. True: the follower may take it off its window now, false: it will be done from here.
  [[nodiscard]] bool ended(const std::shared_ptr<follower>& by, std::uint64_t round, const event_ptr& event, passing how,
                           std::string_view why);

  // The notifier.
  struct course {
    bool open = false;  ///< events may be sent
    std::uint64_t round = 0;
    offset from;  ///< where a round that is new to the follower begins
  };
  [[nodiscard]] course ask(const follower& by) const;
  /// Everything up to here is handled or not wanted, as seen when nothing was on the way.
  void caught_up(const follower& by, std::uint64_t round, std::uint64_t sequence);
  /// The pause after a failed try is over, or its notifier is.
  void end_wait();
  /// What must be told in the reports, once.
  [[nodiscard]] std::vector<std::string> take_troubles();

 private:
  enum class hold : std::uint8_t { none, waits, buries, ended };

  void failed(const event_ptr& event, error why, bool crashed);
  [[nodiscard]] bool is_held() const;
  void start_over();
  void wait_and_retry();
  void bury(const event_ptr& event);
  void commit(const std::shared_ptr<follower>& by, const event_ptr& event);
  void committed(const std::shared_ptr<follower>& by, std::uint64_t round, const event_ptr& event,
                 const result<action_outcome>& outcome);
  void keep(bool now);
  void kick();
  [[nodiscard]] consumer_cursor cursor() const { return {position_, tries_, paused_}; }

  const std::string name_;
  const std::weak_ptr<store_state> store_;

  mutable std::mutex mutex_;
  bool once_;
  consumer_options options_;
  std::weak_ptr<follower> holder_;
  const follower* held_by_ = nullptr;
  std::uint64_t round_ = 1;
  hold hold_ = hold::none;
  offset position_;        // everything up to here is handled
  consumer_cursor kept_;   // as the store has it
  bool keeping_ = false;   // a transaction that keeps the cursor is on its way
  std::uint32_t tries_ = 0;
  bool paused_ = false;
  std::optional<error> in_hand_failed_;
  std::vector<step> steps_;
  std::uint64_t handled_ = 0;
  std::uint64_t buried_ = 0;
  std::string last_error_;
  std::vector<std::string> troubles_;
};

/// A consumer waits after a failed try, or has something to report.
struct consumer_waits {
  std::shared_ptr<consumer_state> who;
  std::chrono::milliseconds delay{0};
};
/// The wait is over.
struct consumer_retries {
  std::shared_ptr<consumer_state> who;
};

}  // namespace herald::detail
