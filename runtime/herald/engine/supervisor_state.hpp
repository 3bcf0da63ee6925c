#pragma once
// A supervisor's mind: OTP's algorithm as steps. Every start, stop and retry is an order to a child's host, and its
// outcome comes back as an event; in between, requests are answered, so a supervisor in a restart loop stays responsive.
//
// Owned by its host like any process state; runs in the control lane; no user code.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <herald/engine/child_event.hpp>
#include <herald/engine/host.hpp>
#include <herald/engine/supervisor_spec.hpp>

namespace herald::engine {

struct child_record;

extern const process_ops supervisor_ops;

/// Cells of static children, kept while their supervisor is between two lives, so that refs to them stay valid.
struct kept_children {
  std::unordered_map<std::string, address> by_id;
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
  void terminate_child(frame& f, const std::string& id, reply_once<void> reply);
  void terminate_child(frame& f, any_ref who, reply_once<void> reply);
  void restart_child(frame& f, const std::string& id, reply_once<any_ref> reply);
  void delete_child(frame& f, const std::string& id, reply_once<void> reply);
  void kill_child(frame& f, any_ref who, reply_once<void> reply);
  [[nodiscard]] std::vector<child_info> which_children() const;
  [[nodiscard]] child_counts count_children() const;
  [[nodiscard]] child_record* find(const std::string& id) const;
  [[nodiscard]] child_record* find(any_ref who) const;
  [[nodiscard]] bool dynamic() const noexcept { return spec_->dynamic; }

 private:
  enum class mode_t : std::uint8_t { initial, normal, group, closing };

  // Children.
  child_record& add(std::shared_ptr<const child_spec> spec, bool at_run_time);
  void remove(child_record& child, frame& f);
  void launch(child_record& child, frame& f);
  void launch_with(child_record& child, std::shared_ptr<const void> args, frame& f);
  void ask_to_stop(child_record& child, frame& f, bool kill);
  void terminate(child_record& child, frame& f, reply_once<void> reply);
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
  void ended(child_record& child, const exit_reason& why, bool asked, frame& f);

  // Restarts.
  void decide(child_record& child, const exit_reason& why, frame& f);
  void restart(child_record& child, frame& f);
  void retry(child_record& child, frame& f);
  [[nodiscard]] bool add_restart();
  void give_up(frame& f);
  void after_natural_end(bool significant, frame& f);
  [[nodiscard]] std::chrono::milliseconds pause_before(child_record& child);
  void wait_to_retry(child_record& child, std::chrono::milliseconds pause, frame& f);
  void hand_retry_on(child_record& child, time_point when);

  // Group restarts and the way down: one child after the other, in reverse.
  void begin_group(child_record& cause, child_record& first, std::chrono::milliseconds pause, frame& f);
  void group_stop_next(frame& f);
  void group_start_next(frame& f);
  void group_failed(child_record& child, frame& f);
  void group_done(frame& f);
  void close(frame& f, const exit_reason& why);
  void close_next(frame& f);
  void finish(frame& f);
  void initial_next(frame& f);
  void run_deferred(frame& f);

  cell& cell_;
  std::shared_ptr<const child_spec> self_;  ///< keeps the tree alive over a release of the cell
  const supervisor_spec* spec_;
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
  std::deque<time_point> restarts_;
  std::deque<std::function<void(frame&)>> deferred_;
};

[[nodiscard]] inline supervisor_state& supervisor_of(cell& c) noexcept {
  return **static_cast<supervisor_state**>(c.state);
}
/// The supervisor's cell rests or goes: the cells it kept for a next life go too.
void release_kept(cell& c, frame* owned);

}  // namespace herald::engine
