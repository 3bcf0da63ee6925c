#pragma once
// A supervisor's mind: OTP's algorithm as steps. Every start, stop and retry is an order to a child's host, and its
// outcome comes back as an event; in between, requests are answered, so a supervisor in a restart loop stays responsive.
//
// Owned by its host like any process state; runs in the control lane; no user code.

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <herald/engine/child_event.hpp>
#include <herald/engine/host.hpp>
#include <herald/engine/supervisor_spec.hpp>
#include <herald/engine/timer_heap.hpp>
#include <herald/report.hpp>

namespace herald {
struct task_options;
}

namespace herald::engine {

struct child_record;
class partition_table;

extern const process_ops supervisor_ops;

/// Cells of static children, kept while their supervisor is between two lives, so that refs to them stay valid.
struct kept_children {
  struct one {
    std::shared_ptr<const child_spec> spec;
    address where;
  };
  std::vector<one> all;
};

class supervisor_state {
 public:
  explicit supervisor_state(cell& self);
  ~supervisor_state();
  supervisor_state(const supervisor_state&) = delete;
  supervisor_state& operator=(const supervisor_state&) = delete;

  /// Starts the children, one after the other; tells the parent when all are up, or when one failed.
  void begin(frame& f);
  void on_event(const child_event& event, frame& f);
  void stop(frame& f, const exit_reason& why, bool kill);
  void on_timer(child_record& child);

  void start_child(frame& f, child_spec spec, reply_once<any_ref> reply);
  void start_dynamic(frame& f, std::shared_ptr<const void> args, const process_ops* type, reply_once<any_ref> reply);
  /// Of a task supervisor. The error says why not; `reply` (may be null) is taken when it is answered later.
  [[nodiscard]] std::optional<error> start_task(frame& f, std::shared_ptr<const void> args, const task_options& o,
                                                reply_once<any_ref>* reply);
  void terminate_child(frame& f, const child_key& child, reply_once<void> reply);
  void restart_child(frame& f, const child_key& child, reply_once<any_ref> reply);
  void delete_child(frame& f, const child_key& child, reply_once<void> reply);
  void kill_child(frame& f, const child_key& child, reply_once<void> reply);
  void reset_backoff(frame& f, const child_key& child, reply_once<void> reply);
  void change(frame& f, child_spec definition, reply_once<void> reply);
  void resize(frame& f, std::size_t partitions, reply_once<void> reply);
  [[nodiscard]] std::vector<child_info> which_children() const;
  [[nodiscard]] child_counts count_children() const;
  [[nodiscard]] child_record* find(const child_key& child) const;
  [[nodiscard]] child_record* find(any_ref who) const;

 private:
  enum class mode_t : std::uint8_t { initial, normal, group, closing };

  // Children.
  child_record& add(std::shared_ptr<const child_spec> spec, bool at_run_time);
  void remove(child_record& child, frame& f);
  void launch(child_record& child, frame& f);
  void launch_with(child_record& child, std::shared_ptr<const void> args, frame& f);
  void start_one_more(frame& f, std::shared_ptr<const child_spec> spec, std::shared_ptr<const void> args,
                      reply_once<any_ref> reply);
  void ask_to_stop(child_record& child, frame& f, bool kill);
  void terminate(child_record& child, frame& f, reply_once<void> reply);
  void call_off(child_record& child, frame& f);
  template <class R, class F>
  void put_off(reply_once<R> reply, F again);
  void rest(child_record& child, frame& f);
  void arm(child_record& child, std::chrono::milliseconds time);
  void disarm(child_record& child);
  [[nodiscard]] host& place(const child_spec& spec);
  /// A start or a group restart is under way; what would get in its way has to wait, as in OTP.
  [[nodiscard]] bool occupied() const noexcept { return mode_ != mode_t::normal; }

  // Events, by kind.
  void note_slow_end(const child_record& child);
  void placed(child_record& child, const child_event& event, frame& f);
  void started(child_record& child, frame& f);
  void start_failed(child_record& child, const exit_reason& why, bool ignored, frame& f);
  void not_started(child_record& child, const exit_reason& why, bool ignored, frame& f);
  void ended(child_record& child, const exit_reason& why, bool asked, frame& f);

  // Restarts.
  void decide(child_record& child, const exit_reason& why, frame& f);
  void restart(child_record& child, const exit_reason& why, frame& f);
  void retry(child_record& child, frame& f);
  [[nodiscard]] bool add_restart();
  [[nodiscard]] bool worn_out(child_record& child);
  void leave_stopped(child_record& child, const exit_reason& why, frame& f);
  void give_up(child_record& child, const exit_reason& why, frame& f);
  void after_natural_end(bool significant, frame& f);
  [[nodiscard]] std::chrono::milliseconds pause_before(child_record& child);
  void wait_to_retry(child_record& child, std::chrono::milliseconds pause, frame& f);
  void hand_retry_on(child_record& child, time_point when);

  // Changes at run time.
  [[nodiscard]] std::optional<error> unchangeable(const supervisor_spec& to) const;
  void take_over_children(frame& f);
  void remember_definition(frame& f);
  void open_partitions();
  void show_partition(const child_record& child);
  void retire(child_record& child, frame& f);
  void one_resized(std::optional<error> failed, frame& f);

  // Reports.
  [[nodiscard]] std::string path_of(const child_record& child) const;
  [[nodiscard]] report report_on(const child_record& child, report::kind_t kind, const exit_reason& why) const;
  void tell_gave_up(const child_record& child, const exit_reason& why) const;
  void tell_worn_out(const child_record& child, const exit_reason& why) const;
  void tell_killed(const child_record& child) const;
  void note_stop_reason(const child_record& child, const exit_reason& why);
  void tell_stop_errors();

  // Group restarts and the way down: one child after the other, in reverse.
  void begin_group(child_record& cause, child_record& first, std::chrono::milliseconds pause, frame& f);
  void group_stop_next(frame& f);
  void group_start_next(frame& f);
  void group_failed(child_record& child, frame& f);
  void group_done(frame& f);
  void close(frame& f, const exit_reason& why);
  void close_next(frame& f);
  void arm_closing(const shutdown_t& limit);
  void closing_overdue();
  void finish(frame& f);
  void initial_next(frame& f);
  void run_deferred(frame& f);

  cell& cell_;
  std::shared_ptr<const supervisor_spec> spec_;
  std::shared_ptr<const std::string> path_;
  mode_t mode_ = mode_t::initial;
  bool start_failed_ = false;
  bool killing_ = false;
  bool finishing_ = false;
  bool group_starts_ = false;  ///< the group is down; its members are being started
  exit_reason closing_reason_;
  child_record* first_ = nullptr;  ///< in start order
  child_record* last_ = nullptr;
  std::unordered_map<std::string, child_record*> by_id_;
  std::size_t count_ = 0;
  std::size_t alive_ = 0;                ///< children with an incarnation, or on their way
  std::size_t ended_meanwhile_ = 0;      ///< children whose end is still to be decided about
  child_record* cursor_ = nullptr;       ///< next to be started (initial, group), or to be stopped (closing)
  child_record* group_first_ = nullptr;  ///< it and all that were started after it are restarted together
  child_record* group_cause_ = nullptr;  ///< who pauses before the group starts, null: no pause
  std::chrono::milliseconds group_pause_{0};
  std::unique_ptr<std::deque<time_point>> restarts_;  ///< those within the period; null: none ever
  std::list<std::function<void(frame&)>> deferred_;
  std::unordered_map<const cell*, child_record*> abroad_;  ///< children on other hosts, to be found by ref
  std::unordered_map<const process_ops*, std::shared_ptr<const child_spec>> patterns_;  ///< of start_child<P>(args)
  std::shared_ptr<partition_table> partitions_;
  struct resizing {
    std::size_t partitions = 0;
    std::size_t left = 0;  ///< children that still have to start or to end
    std::optional<error> failed;
    reply_once<void> reply;
  };
  std::unique_ptr<resizing> resizing_;
  struct stop_error {
    exit_reason why;
    std::shared_ptr<const child_spec> spec;
    std::size_t children;
  };
  struct closing_timer final : timer {
    explicit closing_timer(supervisor_state& s) : supervisor{&s} {}
    void fire(host&) override { supervisor->closing_overdue(); }
    supervisor_state* supervisor;
  };
  time_point closing_since_{};  ///< when those that end now (a dynamic supervisor's all, else the one whose turn it is) were asked
  std::unique_ptr<closing_timer> closing_limit_;  ///< theirs
  std::vector<stop_error> stop_errors_;  ///< of a dynamic supervisor that ends
};

/// While it is occupied a supervisor puts off what would get in its way, in order, and not without limit.
template <class R, class F>
void supervisor_state::put_off(reply_once<R> reply, F again) {
  if (deferred_.size() >= max_deferred_requests)
    return reply.answer(error{errc::overload, "the supervisor is occupied, and " + std::to_string(max_deferred_requests) +
                                                  " requests wait for it already"});
  deferred_.emplace_back([again = std::move(again), shared = std::make_shared<reply_once<R>>(std::move(reply))](
                             frame& by) mutable { again(by, std::move(*shared)); });
}

[[nodiscard]] error no_such_child(const child_key& child);

[[nodiscard]] inline supervisor_state& supervisor_of(cell& c) noexcept {
  return **static_cast<supervisor_state**>(c.state);
}
/// The supervisor's cell rests or goes: the cells it kept for a next life go too.
void release_kept(cell& c, frame* owned);

}  // namespace herald::engine
