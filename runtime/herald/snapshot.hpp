#pragma once
// The problem: when a program of a hundred thousand processes is slow, somebody must see what is alive, stuck or flooded,
// now and without stopping it. A snapshot is the whole tree as plain values: each host as it was at one instant, looked at
// in short steps between which its processes go on.
//
//   auto before = app.snapshot(100ms).value();
//   ...
//   auto now = app.snapshot(100ms).value();
//   set_rates(now, before);
//   std::puts(to_text(now).c_str());                       // <herald/snapshot_text.hpp>
//
// Thread safety: values; distinct objects: safe. Lifetime: needs nothing of the application but its types' names. Bounds:
// about 120 bytes a process and no string of its own; paths are put together when asked for. A host whose handler runs
// all the time of the limit is looked at from outside (host_row::from_outside), one that cannot even be looked at is
// listed with answered = false. Different hosts are seen at different instants, some microseconds or milliseconds apart.
// The idea: Erlang's observer and process_info; the consistent cut of one host is a copy-on-write of Herald's own.

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <herald/counters.hpp>
#include <herald/ref.hpp>

namespace herald {

class application;
class context;

enum class process_state : std::uint8_t {
  starting,    ///< init is running, or its children start
  running,     ///< takes messages
  busy,        ///< its handler was running when its host was looked at from outside
  stuck,       ///< its handler overruns; its host goes on without it
  suspended,   ///< an operator suspended it: messages wait
  awaiting,    ///< a suspended handler holds its mailbox until an answer comes
  stopping,    ///< asked to end
  restarting,  ///< no incarnation: its supervisor decides, or pauses before the next
  stopped,     ///< no incarnation, and none is coming by itself
};
[[nodiscard]] std::string_view name_of(process_state state) noexcept;

/// One process (a supervisor is one, too).
struct process_row {
  static constexpr std::uint32_t no_parent = ~std::uint32_t{0};

  any_ref who;
  std::string_view type;             ///< the C++ type
  std::uint64_t handled = 0;         ///< messages, over all incarnations
  std::uint32_t parent = no_parent;  ///< index of its supervisor's row; none for the root, and when that was not seen
  std::uint32_t incarnation = 0;
  std::uint32_t restarts = 0;
  std::uint32_t mailbox = 0;         ///< messages that wait; control never waits in a mailbox (host_row::control)
  std::uint32_t dropped = 0;         ///< messages its full mailbox refused
  std::uint32_t memory = 0;          ///< bytes: cell, state and what waits, as if all messages had the first one's size
  std::uint32_t subscriptions = 0;
  float rate = 0;                    ///< messages handled a second, set by set_rates
  std::uint32_t host = 0;            ///< index into snapshot::hosts
  process_state state = process_state::running;
  bool supervisor = false;
  bool own_thread = false;

 private:
  friend class snapshot;
  friend class engine::survey;
  friend class engine::survey_desk;
  std::uint16_t id_size_ = 0, label_size_ = 0;
  std::uint32_t text_ = 0;  ///< where its id, and then its label, begin
};

/// One host: the place where many processes live.
struct host_row {
  std::uint32_t number = 0;
  bool own_thread = false;
  bool answered = true;        ///< false: it could not be looked at within the limit; only its inboxes are known
  bool from_outside = false;   ///< a handler was running all the time; it was looked at while that stood still
  std::uint32_t processes = 0;
  std::uint32_t inbox = 0;     ///< messages on their way to its processes
  std::uint32_t control = 0;   ///< control messages that wait
  std::uint32_t timers = 0;
  std::uint64_t handled = 0;
  double rate = 0;             ///< messages handled a second, set by set_rates
  handler_times times;         ///< of all its processes' handlers, sampled
  std::chrono::microseconds longest_step{0};  ///< for so long it did nothing but be looked at
};

/// A handler that was running when its host was looked at.
struct running_handler {
  std::uint32_t process = 0;  ///< index of its row
  std::string_view message;   ///< the type of the message in hand; "init", "terminate" or "destructor" for those
  std::chrono::milliseconds time{0};  ///< it has been running for so long, at least
  bool overran = false;       ///< its host goes on without it
};

class snapshot {
 public:
  std::vector<process_row> processes;  ///< by host, in the order they were made, roughly
  std::vector<host_row> hosts;
  std::vector<running_handler> running;
  std::vector<handler_times> times;    ///< by process type, sampled since the start
  std::vector<std::string> zombies;    ///< paths of processes that were fenced off and whose handlers still run
  std::chrono::system_clock::time_point when{};
  std::chrono::steady_clock::time_point taken{};

  /// Every host could be looked at.
  [[nodiscard]] bool complete() const noexcept;
  /// Its name within its supervisor; empty for children of a dynamic supervisor.
  [[nodiscard]] std::string_view id(const process_row& row) const noexcept;
  [[nodiscard]] std::string_view label(const process_row& row) const noexcept;
  /// "alerts/mail"; "" is the root. A process without an id is called by its row, "alerts/#17".
  [[nodiscard]] std::string path(const process_row& row) const;
  /// The row at this path, null when there is none. Compares names, makes no strings; linear.
  [[nodiscard]] const process_row* find(std::string_view path) const noexcept;
  [[nodiscard]] const process_row* find(const any_ref& who) const noexcept;

 private:
  friend class engine::survey_desk;
  std::string text_;
};

/// Sets the rates in `later` from what was handled since `earlier`; processes that are new have been handling since then.
void set_rates(snapshot& later, const snapshot& earlier);

/// Snapshots one after the other, each with its rates since the one before: for a display that is drawn every second.
class snapshot_series {
 public:
  [[nodiscard]] result<snapshot> take(const application& app, std::chrono::milliseconds limit = default_call_limit);

 private:
  std::vector<std::pair<any_ref, std::uint64_t>> handled_;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> hosts_;
  std::chrono::steady_clock::time_point taken_{};
};

/// For handlers (a plain thread asks its application): `then` gets a result<snapshot> within the limit, as a handler of
/// this incarnation of its own. The caller's own process is seen between two messages.
template <class F>
void take_snapshot(context& self, std::chrono::milliseconds limit, F then);

namespace detail {
void take_snapshot(context& self, std::chrono::milliseconds limit, std::function<void(result<snapshot>)> then);
}

template <class F>
void take_snapshot(context& self, std::chrono::milliseconds limit, F then) {
  detail::take_snapshot(self, limit, std::move(then));
}

}  // namespace herald
