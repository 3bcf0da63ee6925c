#pragma once
// A host holds thousands of processes and is plain data: one runner at a time owns it and everything in it, without
// locks or atomics. Other threads reach it only through its two inboxes and its state word.
//
// The loop: control first; then everything that came, in order, into the mailboxes (a fan-out calls its subscribers
// inline); then each ready cell for a quantum of messages, round robin. Stop requests ride in the control lane, which is
// looked at before every handler, so a busy process ends after the handler in hand and not after its backlog.

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <herald/engine/cell.hpp>
#include <herald/engine/frame.hpp>
#include <herald/engine/inbox.hpp>
#include <herald/engine/pool.hpp>
#include <herald/engine/slab.hpp>
#include <herald/engine/time_samples.hpp>
#include <herald/engine/timer_heap.hpp>

namespace herald::engine {

/// What a higher floor keeps on each host (the topic table). The runtime does not look into it.
class host_slot {
 public:
  virtual ~host_slot() = default;
  /// The incarnation is over; the process may come back in place. Called by the owner, after the state is destroyed.
  virtual void incarnation_ended(cell& c) noexcept = 0;
  /// A new incarnation's init has returned: what it did not declare again goes now.
  virtual void incarnation_started(cell& c) noexcept = 0;
  /// A new incarnation's init has failed: what it declared goes; what the one before had declared stays.
  virtual void incarnation_failed(cell& c) noexcept = 0;
  /// The process is gone for good, or rests.
  virtual void cell_gone(cell& c) noexcept = 0;
  /// How many subscriptions the process has, for snapshots.
  [[nodiscard]] virtual std::uint32_t subscriptions(const cell&) const noexcept { return 0; }
  /// The host is taken from this frame's runner, which is in user code. Under the seize mutex, by the clock thread.
  virtual void taken(frame&) noexcept {}
};
inline constexpr std::size_t host_slots = 4;

enum class run_result : std::uint8_t {
  idle,   ///< nothing left; the host sleeps until somebody wakes it
  again,  ///< the budget is used up, work is left
  lost,   ///< the host was taken away while a handler overran
};

struct run_budget {
  std::uint32_t messages = 8192;  ///< handled in one run before other hosts get their turn
  std::uint32_t quantum = 64;     ///< of one cell before the next ready cell
};

/// What a runner that lost its host brings back.
struct coming_back {
  std::shared_ptr<away_record> record;
  user_phase phase = user_phase::handler;
  envelope* in_hand = nullptr;
  bool threw = false;
  exit_reason why;
  const type_tag* type = nullptr;
  suspension* suspended = nullptr;  ///< the handler waits inside
  envelope* kept = nullptr;         ///< the message of a handler that had waited inside
  std::uint32_t handled = 0;
  keep_t keep = keep_t::no;
};

class host {
 public:
  host(core& system, std::uint32_t number);
  ~host();
  host(const host&) = delete;
  host& operator=(const host&) = delete;

  // --- any thread -------------------------------------------------------------------------------------------------
  /// Normal lane. False when the inbox is full; the envelope then still belongs to the caller.
  [[nodiscard]] bool push(envelope* e, frame* by);
  /// Normal lane whatever its depth, for what may not be lost.
  void push_notice(envelope* e, frame* by);
  void push_control(envelope* e, frame* by);
  [[nodiscard]] std::uint32_t inbox_depth() const noexcept { return mail_.depth(); }
  [[nodiscard]] core& system() const noexcept { return system_; }
  [[nodiscard]] std::uint32_t number() const noexcept { return number_; }
  void wake(frame* by);
  /// The runner that turns `scheduled` into `running` may run; everybody else's token is void.
  [[nodiscard]] bool claim() noexcept;
  [[nodiscard]] bool scheduled() const noexcept { return state_.load(std::memory_order_seq_cst) == scheduled_state; }
  /// After run() said again: gives the claim back; the caller schedules the host.
  void release_claim() noexcept { state_.store(scheduled_state, std::memory_order_seq_cst); }
  [[nodiscard]] frame& runner_frame() noexcept { return *frame_; }

  // --- the clock thread -------------------------------------------------------------------------------------------
  struct overrun {
    cell* who;
    std::uint32_t incarnation;
    std::shared_ptr<away_record> record;
  };
  /// Takes the host from its runner if that is in user code now; the caller owns it then and provides a new runner.
  [[nodiscard]] std::optional<overrun> seize(time_point since);
  std::mutex& seize_mutex() noexcept { return seize_mutex_; }
  /// Any thread: look(frame&) while the handler in hand stands still, with everything of the host as if one owned it. What
  /// that handler wants of the runtime meanwhile waits. False, and nothing is done: no handler is running just now.
  template <class F>
  [[nodiscard]] bool peek(F&& look) {
    const std::lock_guard lock{seize_mutex_};
    if (!stop_at_door()) return false;
    look(*frame_);
    frame_->seized.store(false, std::memory_order_release);
    return true;
  }
  /// Since when the handler in hand has been running, as far as the watchdog saw; nothing: it was not seen twice.
  [[nodiscard]] std::optional<time_point> busy_since() const noexcept;
  void note_busy(std::optional<time_point> since) noexcept;
  void ask_yield() noexcept { yield_.store(true, std::memory_order_relaxed); }

  // --- the owner --------------------------------------------------------------------------------------------------
  [[nodiscard]] run_result run(frame& f, const run_budget& budget);
  /// Puts an envelope where it belongs: this host's queue or another host's inbox, by its kind.
  static void post(envelope* e, frame* owned);
  /// A host operation for this host, behind everything that was sent before.
  void post_operation(envelope* e, frame* owned);
  /// Into its mailbox. `bounded`: the mailbox's limit is not asked, somebody else bounds messages of this kind.
  void deliver(envelope* e, bool bounded = false);
  /// In front of what waits in its mailbox, whatever its limit.
  void deliver_first(envelope* e);
  /// What others have pushed so far goes into the owner's queue, so that what it posts next is behind that.
  void take_mail() noexcept;
  [[nodiscard]] node_pool& nodes() noexcept { return nodes_; }
  [[nodiscard]] bool control_waiting() const noexcept { return !control_.probably_empty(); }

  /// A cell for a process that is about to start; the parent hears of it through `cookie`.
  [[nodiscard]] cell& make_cell(std::shared_ptr<const child_spec> spec, std::shared_ptr<const void> args,
                                const process_ops& ops, address parent, void* cookie,
                                std::shared_ptr<const std::string> parent_path);
  void free_cell(cell& c);

  void start_incarnation(cell& c, frame& f);
  /// Ends the running incarnation, or remembers to when its handler is away. kill: terminate is not run.
  void stop_cell(cell& c, frame& f, const exit_reason& why, bool kill);
  /// A handler called inline threw: ends its incarnation.
  void crashed(cell& c, frame& f, const type_tag* on, const exit_reason& why);
  /// After a handler called inline returned to its owner: what it asked for (its own stop) happens now.
  void settle(cell& c, frame& f) {
    if ((c.busy & busy_after) != 0) {
      static_cast<void>(after_handler(c, f, nullptr));
      if (c.mail.head != nullptr) make_ready(c);
    }
    if ((c.busy & busy_ending) != 0) end_life(c, f, c.ending, true);
  }
  /// Terminate (where wanted), destructor, notices, in this order; may lose the host on the way.
  void end_life(cell& c, frame& f, const exit_reason& why, bool run_terminate);
  /// The supervisor does not restart it: the mailbox goes, watchers hear down.
  void rest_cell(cell& c);
  void clear_mail(cell& c, discard_reason why, const exit_reason* because, const type_tag* only = nullptr);
  /// The runner that lost the host tells it, from outside, how its user code ended.
  void rejoin(frame& lost, user_phase phase, envelope* in_hand, bool threw, const exit_reason& why,
              const type_tag* type);
  /// After a handler called inline: it waits inside (f.suspended) and holds its mailbox until it is through.
  void park(cell& c, frame& f) noexcept;
  /// Before any other message, in the order of coming (awaited before continued).
  void put_in_front(cell& c, envelope* e) noexcept;
  /// For host operations: the one in progress is done; its node may be ended.
  void finish_operation() noexcept { operation_ = nullptr; }

  /// No message is taken from the mailbox of `c` while the bit is set; the end of its life clears it, too.
  void hold(cell& c, busy_bit bit) noexcept;
  void release(cell& c, busy_bit bit) noexcept;

  /// Runs code of somebody else's as if it were a handler of `c`, between two messages. The code lets no exception out.
  /// It may lose the host: ask f.lost.
  void visit(cell& c, frame& f, const std::function<void()>& code);
  /// A survey in progress sees each process before it changes (survey.hpp).
  void before_change(cell& c) {
    if (survey_ != nullptr) [[unlikely]]
      note_change(c);
  }
  [[nodiscard]] survey* surveyed() const noexcept { return survey_; }
  void begin_survey(survey* s) noexcept { survey_ = s; }
  /// Calls f(cell&) for those with messages to handle now, at most `limit`.
  template <class F>
  void each_ready(std::size_t limit, F&& f) {
    for (auto* c = ready_head_; c != nullptr && limit-- != 0; c = c->ready_next) f(*c);
  }
  [[nodiscard]] const slab& cells() const noexcept { return cells_; }
  [[nodiscard]] std::size_t living() const noexcept { return living_; }
  [[nodiscard]] std::uint32_t control_depth() const noexcept { return control_.depth(); }
  [[nodiscard]] std::size_t timers() const noexcept { return timers_.size(); }

  void attach(cell& c, attachment& a) noexcept;
  void detach(attachment& a) noexcept;
  void arm(timer& t);
  void disarm(timer& t) noexcept {
    timers_.remove(t);
    count_to(timers_armed_, timers_.size());
  }
  void fire_timers();
  /// Any thread: this host's earliest deadline has come.
  void ring();
  [[nodiscard]] time_point now() const;

  // Pending calls and monitors of this host's processes, found again by number.
  void expect(std::uint64_t id, attachment& a) { expected_.emplace(id, &a); }
  [[nodiscard]] attachment* expected(std::uint64_t id) noexcept;
  void forget(std::uint64_t id) noexcept { expected_.erase(id); }
  // Monitors on this host's processes, by number.
  std::unordered_map<std::uint64_t, watch*> watches;
  bool dedicated = false;  ///< its runner is a thread of its own; fixed when the host is made
  std::size_t token = 0;   ///< the executor's number for its runner

  [[nodiscard]] host_slot* slot(std::size_t index) noexcept { return slots_[index].get(); }
  void set_slot(std::size_t index, std::unique_ptr<host_slot> s) { slots_[index] = std::move(s); }
  [[nodiscard]] std::uint64_t handled() const noexcept { return handled_.load(std::memory_order_relaxed); }
  /// For counters, any thread.
  struct tally {
    std::uint64_t handled, sent, restarts, crashes, timers;
  };
  [[nodiscard]] tally counted() const noexcept;
  /// Sampled handler times; null before the first.
  [[nodiscard]] const time_samples* times() const noexcept { return times_.get(); }
  void count_handled(std::uint64_t n) noexcept {
    handled_.store(handled_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void count_from_mail(std::uint64_t n) noexcept {
    count_handled(n);
    count_to(from_mail_, from_mail_.load(std::memory_order_relaxed) + n);
  }
  /// Ends everything that waits; called when no runner will come any more.
  void drop_everything() noexcept;

 private:
  static constexpr int idle_state = 0;
  static constexpr int scheduled_state = 1;
  static constexpr int running_state = 2;
  enum class user_end : std::uint8_t { returned, threw, lost };

  /// Under the seize mutex. True: the runner is in user code and cannot come out of it before `seized` is false again.
  [[nodiscard]] bool stop_at_door();
  void note_change(cell& c);
  [[nodiscard]] bool drain_mail(frame& f);
  [[nodiscard]] bool drain_control(frame& f);
  [[nodiscard]] bool run_cell(cell& c, frame& f, std::uint32_t quantum, std::uint32_t& handled);
  /// Asks the hooks of a watched cell. False: the message is not to be run, and is gone.
  [[nodiscard]] bool looked_at(cell& c, frame& f, envelope* e, std::chrono::nanoseconds& stall);
  [[nodiscard]] bool crash_in_hand(cell& c, frame& f, envelope* e, std::uint32_t n, const exit_reason& why);
  void make_ready(cell& c) noexcept;
  void overflow(cell& c, envelope* e);
  /// Ends a message for which there is no room, and tells its sender where the receiver's policy says so.
  static void refuse(envelope* e, frame* owned) noexcept;
  [[nodiscard]] bool look_after(cell& c, frame& f, envelope* e);
  /// Puts the message in hand away and brings back others, as its handler asked (stash.hpp). True: `e` is not over.
  bool after_handler(cell& c, frame& f, envelope* e);
  /// The incarnation is over: what it put away waits in the mailbox again.
  void return_stash(cell& c) noexcept;
  /// False: the host is lost.
  [[nodiscard]] bool ran_empty(cell& c, frame& f);
  /// After a handler that returned or crashed; `owned` is the frame of the caller, if it still has one.
  static void end_in_hand(envelope* e, frame& by, frame* owned, const exit_reason* crash) noexcept;
  void ask_to_end(cell& c, frame& f, const exit_reason& why);
  /// A handler that waits inside ends with its incarnation. False: the host was lost on the way.
  [[nodiscard]] bool end_suspended(cell& c, frame& f);
  void take_up(cell& c, frame& f) noexcept;
  [[nodiscard]] envelope* part_over(cell& c, frame& f, envelope* e);
  void end_terminate(cell& c, frame& f, bool run_terminate);
  void finish_end(cell& c, frame& f);
  void after_destroy(cell& c);
  void after_init(cell& c, frame& f, bool threw, const exit_reason& why);
  friend struct rejoin_node;
  void back_from_away(coming_back& what, frame& f);
  void bury_zombie(const coming_back& what, frame& f);
  void fence(cell& c);
  void wipe_attachments(cell& c) noexcept;
  void free_state(cell& c) noexcept;
  struct ringing {
    void operator()(frame& by) const;
  };
  template <class F>
  [[nodiscard]] user_end call_user(cell& c, frame& f, user_phase phase, F&& code, exit_reason& why);

  core& system_;
  std::uint32_t number_;
  alignas(64) inbox mail_;
  inbox control_;
  std::atomic<int> state_{idle_state};
  std::atomic<bool> yield_{false};
  alignas(64) std::mutex seize_mutex_;
  std::unique_ptr<frame> frame_;
  node_pool nodes_;
  envelope_queue local_;
  envelope* taken_to_ = nullptr;  ///< the last one in local_ that was in the inbox; null: none is left
  envelope_queue local_control_;
  envelope* operation_ = nullptr;  ///< the host operation in progress; survives a change of runner
  bool draining_ = false;
  cell* ready_head_ = nullptr;
  cell* ready_tail_ = nullptr;
  slab cells_;
  timer_heap timers_;
  time_point noted_alarm_ = time_point::max();  ///< the deadline the clock knows of
  std::unordered_map<std::uint64_t, attachment*> expected_;
  std::size_t living_ = 0;  ///< cells in use
  survey* survey_ = nullptr;
  std::atomic<time_point::rep> busy_since_{0};  ///< 0: nothing noted
  std::array<std::unique_ptr<host_slot>, host_slots> slots_;
  // Written by the owner, read by whoever counts.
  static void count_to(std::atomic<std::uint64_t>& counter, std::uint64_t value) noexcept {
    counter.store(value, std::memory_order_relaxed);
  }
  static void count_one(std::atomic<std::uint64_t>& counter) noexcept {
    count_to(counter, counter.load(std::memory_order_relaxed) + 1);
  }
  [[nodiscard]] bool run_sampled(cell& c, frame& f, std::uint32_t& handled);
  std::atomic<std::uint64_t> handled_{0};
  std::atomic<std::uint64_t> from_mail_{0};  ///< of those: not called inline by a fan-out
  std::atomic<std::uint64_t> delivered_{0};  ///< casts, calls and events for a mailbox
  std::atomic<std::uint64_t> restarts_{0};
  std::atomic<std::uint64_t> crashes_{0};
  std::atomic<std::uint64_t> timers_armed_{0};
  std::uint32_t unsampled_ = 0;  ///< messages since the last one whose handler was timed
  std::unique_ptr<time_samples> times_;
};

}  // namespace herald::engine
