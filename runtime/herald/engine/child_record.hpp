#pragma once
// What a supervisor remembers of one child. Small: there may be a million. What only a few need at a time (a running
// limit, an answer owed) is kept aside.

#include <memory>
#include <vector>

#include <herald/engine/frame.hpp>
#include <herald/engine/pool.hpp>
#include <herald/engine/supervisor_state.hpp>
#include <herald/engine/timer_heap.hpp>

namespace herald::engine {

enum class child_phase : std::uint8_t {
  undefined,  ///< no incarnation
  launching,  ///< its cell is being made on another host; no address yet
  starting,   ///< init is running
  running,
  stopping,   ///< asked to end, by us
  waiting,    ///< to be started again: at the next step, after a pause, or with a sibling that waits
};

/// A limit or a pause of one child: how long it may take to end or to start, or how long we wait to start it again.
struct child_timer final : timer {
  child_timer(supervisor_state& s, child_record& c) : supervisor{&s}, child{&c} {}
  void fire(host&) override { supervisor->on_timer(*child); }
  supervisor_state* supervisor;
  child_record* child;
};

struct child_extras {
  child_extras(supervisor_state& s, child_record& c) : limit{s, c} {}
  child_timer limit;
  reply_once<any_ref> start_reply;
  std::vector<reply_once<void>> stop_replies;
  time_point asked_to_stop{};
  exit_reason pending_end;     ///< how it ended while a start or a group restart was under way
  std::uint32_t attempts = 0;  ///< restarts in a row, of a child with a backoff
  time_point up_since{};       ///< likewise
};

struct child_record {
  std::shared_ptr<const child_spec> spec;
  [[no_unique_address]] address where;  ///< its padding holds what follows
  std::uint32_t incarnation = 0;
  child_phase phase = child_phase::undefined;
  bool is_static : 1 = false;
  bool at_run_time : 1 = false;       ///< not in its supervisor's spec: the supervisor's next life does not know it
  bool again : 1 = false;             ///< this start is a restart
  bool stop_when_placed : 1 = false;
  bool resumes : 1 = false;           ///< its retry starts itself and those after it, and stops nobody
  bool first_start = false;      ///< a start that, when it fails, leaves nothing behind
  bool requested = false;        ///< it ends because somebody asked the supervisor to end it
  bool overdue = false;          ///< its init took longer than its start_timeout: it is being killed
  bool resizing = false;         ///< its start or end is waited for by a resize
  bool ended_meanwhile = false;  ///< see child_extras::pending_end
  std::unique_ptr<child_extras> extras;
  child_record* previous = nullptr;  ///< started before this one
  child_record* following = nullptr;

  // From the host's pool, because there may be a million.
  static void* operator new(std::size_t size) {
    const runtime_entry entry;
    return allocate_node(size, entry.owned());
  }
  static void operator delete(void* memory, std::size_t size) noexcept {
    const runtime_entry entry;
    free_node_memory(memory, size, entry.owned());
  }

  [[nodiscard]] bool alive() const noexcept {
    return phase == child_phase::launching || phase == child_phase::starting || phase == child_phase::running ||
           phase == child_phase::stopping;
  }
  /// Somebody waits for this start: it concerns nobody else.
  [[nodiscard]] bool on_request() const noexcept { return first_start || resizing || (extras && extras->start_reply.owed()); }
  /// While nothing is owed and no limit runs.
  void drop_extras() noexcept {
    if (extras && extras->limit.place == timer::npos && !extras->start_reply.owed() && extras->stop_replies.empty() &&
        !ended_meanwhile && extras->attempts == 0 && extras->up_since == time_point{})
      extras.reset();
  }
  [[nodiscard]] child_extras& extra(supervisor_state& s) {
    if (!extras) extras = std::make_unique<child_extras>(s, *this);
    return *extras;
  }
};

static_assert(sizeof(child_record) <= 64, "a million children: a record is one cache line");

}  // namespace herald::engine
