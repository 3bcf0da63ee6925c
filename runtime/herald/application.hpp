#pragma once
// The problem: a program of processes needs one place that starts them in order, finds them, and ends them all, in
// order, within limits, whatever they are doing. The application is that place: the root of a supervision tree with its
// hosts, its clock and its reports.
//
// Thread safety: all members from any plain thread; not from inside a handler. Lifetime: owns everything; refs are usable
// until it is destroyed. The destructor stops it. Two applications may live in one program; there are no globals.
// Errors: start() throws start_error, because a program whose tree did not start has nothing to go on with; try_start()
// gives the same as a value. The idea: Erlang/OTP's application and its top supervisor.

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <herald/application_options.hpp>
#include <herald/inspect.hpp>
#include <herald/snapshot.hpp>
#include <herald/spawned.hpp>
#include <herald/supervisor.hpp>

namespace herald {

class start_error : public std::runtime_error {
 public:
  explicit start_error(herald::error why) : std::runtime_error{why.to_string()}, why_{std::move(why)} {}
  [[nodiscard]] const herald::error& why() const noexcept { return why_; }

 private:
  herald::error why_;
};

/// A process that was there when the stop began.
struct alive_process {
  std::string path;
  std::uint32_t incarnation = 0;
  std::uint32_t mailbox = 0;  ///< messages that waited
  bool stuck = false;         ///< its handler was overrunning
};

/// A process or supervisor that took long to end (application_options::slow_end).
struct slow_ending {
  std::string path;
  std::chrono::milliseconds took{0};
};

/// How an application ended.
struct stop_report {
  static constexpr std::size_t max_listed = 64;

  exit_reason reason;                ///< the root supervisor's: shutdown, also when it gave up
  bool gave_up = false;              ///< it ended by itself, because restarts came too often
  std::vector<std::string> zombies;  ///< what still runs, fenced off: handlers, offloaded functions, shutdown tasks
  std::chrono::milliseconds took{0};
  std::size_t alive = 0;             ///< processes when the stop began, supervisors included
  std::vector<alive_process> listed; ///< up to 64 of them, those that were stuck or had most messages first
  std::vector<slow_ending> slow;     ///< up to 64, the slowest first
  shutdown_report shutdown;          ///< the phases

  /// Some lines for a log.
  [[nodiscard]] std::string to_string() const;
};

/// One process of the tree at the moment its supervisor was asked.
struct tree_entry {
  std::string path;
  child_info info;
};

class application {
 public:
  explicit application(supervisor root, application_options options = {});
  ~application();
  application(const application&) = delete;
  application& operator=(const application&) = delete;

  /// Starts the tree in order; returns when every init has returned. Throws start_error, and then nothing is left running.
  void start();
  [[nodiscard]] result<void> try_start();

  /// Stops the tree in reverse order, each child within its own limit; waits for the end. A second call gives the same.
  /// With a coordinated shutdown: its phases, the tree's stop among them; `from_phase`: that one and those behind it only.
  stop_report stop(std::string_view from_phase = {});
  /// Waits until SIGINT or SIGTERM (then stops; a second signal kills what is left), or until the tree has ended by
  /// itself. Returns the program's exit code: 0, or 1 when the tree gave up. With zombies it flushes and leaves the
  /// program, because nobody can wait for them.
  int run_until_signal();
  /// True when the tree has ended by itself or was stopped.
  [[nodiscard]] bool ended() const;
  /// Waits for that, at most `limit`.
  bool wait_for_end(std::chrono::milliseconds limit);

  /// Adds a tree, or a single process, while the application runs (spawned.hpp): a child of the root, started when this
  /// returns, ended with the handle. From plain threads; spawn(self, ...) in handlers.
  [[nodiscard]] result<spawned> spawn(child_spec tree, std::chrono::milliseconds limit = default_call_limit);

  /// The process at this path ("alerts/mail"), an empty ref when there is none or it is of another type.
  template <class P>
  [[nodiscard]] ref<P> find(std::string_view path) const {
    return ref<P>{find_cell(path, &engine::ops_of<P>)};
  }
  [[nodiscard]] supervisor_ref find_supervisor(std::string_view path) const;
  [[nodiscard]] supervisor_ref root() const;
  /// Ends a process (or a supervisor with its children) by force, as Erlang's exit(Pid, kill): terminate is not run, and
  /// its supervisor decides what follows. not_found when nothing has this path.
  [[nodiscard]] result<void> kill(std::string_view path);
  /// Every process of the tree, parents before children, in start order.
  [[nodiscard]] std::vector<tree_entry> tree(std::chrono::milliseconds limit = default_call_limit) const;

  /// Every process with its figures, each host at one instant (snapshot.hpp). Cheap enough to take every second. Comes
  /// within the limit, whoever is stuck; closed hosts are listed as not answered.
  [[nodiscard]] result<herald::snapshot> snapshot(std::chrono::milliseconds limit = default_call_limit) const;

  /// All that is known of one process (inspect.hpp). not_found when nothing has this path.
  [[nodiscard]] result<inspection> inspect(std::string_view path, std::chrono::milliseconds limit = default_call_limit) const;

  /// What was done so far (counters.hpp).
  [[nodiscard]] application_counters counters() const;
  /// From now on, and until the handle ends: messages that reach nobody (dead_letter.hpp).
  [[nodiscard]] sink_handle on_dead_letters(dead_letter_sink sink);

  /// One more receiver of reports.
  void add_sink(report_sink sink);
  /// Returns when every report told so far has reached the sinks.
  void flush_reports();
  /// Messages that could not be delivered so far, of all kinds.
  [[nodiscard]] std::uint64_t dead_letters() const noexcept;

  /// For higher floors.
  [[nodiscard]] engine::core& inside() const noexcept;

 private:
  struct impl;
  [[nodiscard]] engine::address find_cell(std::string_view path, const engine::process_ops* type) const;
  std::unique_ptr<impl> impl_;
};

}  // namespace herald
