#pragma once
// The problem: what a supervised program did while nobody looked (crashes, restarts, giving up, overruns, lost messages)
// must be told, without slowing what it tells of. Reports are values; a thread of their own hands them to the sinks, so a
// restart costs the same with and without them (OTP's logger makes it ten times dearer).
//
// Thread safety: a sink is called by one thread at a time. Errors: what a sink throws is counted and ignored.
// Bounds: 10 000 reports wait at most; what comes beyond is counted and told as one report `reports_lost`.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <herald/exit_reason.hpp>

namespace herald {

/// The child that a supervisor's report is about. For a dynamic supervisor's children together: how many.
struct offender_t {
  std::string id, path;
  std::string_view restart;  ///< "permanent", "transient", "temporary"
  std::string shutdown;      ///< "5000 ms", "infinity", "brutal_kill"
  std::string_view type;     ///< "worker", "supervisor"
  std::size_t children = 0;  ///< above 0: so many children of a dynamic supervisor, and no path
};

/// Of a handler that runs too long.
struct overrun_details {
  std::string message_type;             ///< of the message in hand; empty in init, terminate and destructors
  std::chrono::milliseconds running{0};
  int thread = 0;                       ///< as gettid() gives it; 0 in a simulation
  std::string doing;                    ///< "computing", "in poll"; empty when it cannot be told
  std::vector<std::string> stack;       ///< innermost first; empty when it could not be had without disturbing the handler
};

class description;

struct report {
  enum class kind_t : std::uint8_t {
    started,       ///< a supervisor and its first children run
    start_failed,  ///< ... or not
    crashed,       ///< an incarnation ended with a failure
    ended,         ///< an incarnation ended cleanly
    restarted,     ///< a new incarnation of a process runs
    gave_up,       ///< a supervisor reached its restart intensity, or a child its max_restarts
    killed,        ///< a child did not end within its limit and was killed
    shutdown_error,  ///< a child that its supervisor stopped ended with another reason than asked for
    overran,       ///< a handler runs longer than the limit; its host goes on without it. Again, ever more rarely, while it runs
    came_back,     ///< that handler has returned
    zombie,        ///< a process was fenced off while its handler runs on
    dead_letter,   ///< messages that could not be delivered (sampled: the 1st, 2nd, 4th, 8th ... of a kind)
    sink_lost,     ///< reports were lost because a sink is too slow
    runner_lost,   ///< a host's runner died and was replaced
    starved,       ///< stuck handlers have eaten all threads: hosts wait until one returns
    shutdown_failed,  ///< a task of the coordinated shutdown failed, or did not end within its limit
    note,          ///< something else worth knowing
  };
  using enum kind_t;

  kind_t kind = note;
  std::chrono::system_clock::time_point when{};
  std::string path;          ///< of the process or supervisor concerned
  std::string process_type;  ///< the C++ type, empty for supervisors
  std::string label;         ///< the process's own name for itself, where it has one
  std::uint32_t incarnation = 0;
  exit_reason reason;
  std::string message_type;  ///< of a crash: the message in hand, empty when it was none
  /// Of a crash: what the process's describe() says of its state, secrets hidden (describe.hpp); null when it has none.
  std::shared_ptr<const description> state{};
  // What a supervisor tells has these as well.
  std::string_view context{};  ///< what it was about: "shutdown_error", "reached_max_restart_intensity" ...
  std::string supervisor;      ///< its path
  std::shared_ptr<const offender_t> offender;
  std::string text;  ///< one sentence more, where there is one
  std::shared_ptr<const overrun_details> overrun{};  ///< of overran and zombie

  [[nodiscard]] bool failure() const noexcept {
    return kind != started && kind != ended && kind != restarted && kind != came_back && kind != note;
  }
  /// One line for a log, at most `max_length` bytes (16 up) and cut with "..." where it would be more. Line breaks and
  /// control characters in reasons and texts become spaces.
  [[nodiscard]] std::string to_string(std::size_t max_length = 4096) const;
};
[[nodiscard]] std::string_view name_of(report::kind_t kind) noexcept;

using report_sink = std::function<void(const report&)>;

/// Writes failures (everything: verbose) to standard error through spdlog, one line each. What an application does with
/// its reports when it is not told otherwise.
[[nodiscard]] report_sink log_sink(bool verbose = false);

}  // namespace herald
