#pragma once
// The view as a process: it hears of every event, keeps a display up to date, and shows it: a frame several times a
// second in a live terminal, else lines. What it shows is made of the store's rows and the last stretch of the log, so
// an incarnation that follows a killed one shows the same picture.
//
// Thread safety: a process; it wants a thread of its own, since a terminal may be slow.

#include "display.hpp"
#include "recorder.hpp"
#include "restart_tally.hpp"
#include "terminal.hpp"

#include <atomic>
#include <memory>

namespace telemetry {

/// Where the view shows what it has; it belongs to main and outlives every view.
struct screen {
  std::unique_ptr<live_terminal> live;  ///< empty: lines on standard output
  bool json = false;
  std::atomic<bool> gone{false};  ///< nobody reads any more
  /// Writes one line on standard output.
  void line(const std::string& text);
};

/// The timers' messages.
struct show_frame {};
struct show_status {};

class view_process : public herald::process<view_process, herald::any_event, herald::log_gone, record_progress,
                                            show_frame, show_status> {
 public:
  struct args {
    surroundings around;
    view_model first;
    instant started{};
    std::shared_ptr<screen> on;
    std::shared_ptr<restart_tally> tally;
  };
  view_process(herald::context& self, args a);
  void on(herald::context& self, const herald::any_event& event);
  /// The log was trimmed while nobody looked: the next incarnation begins with the rows.
  void on(herald::context& self, const herald::log_gone&) {
    self.stop({herald::exit_reason::custom, "fell behind the log"});
  }
  void on(const record_progress& progress) { display_.recorded(progress.sequence); }
  void on(herald::context& self, const show_frame&);
  void on(herald::context& self, const show_status&);

 private:
  void await_next_second(herald::context& self);
  [[nodiscard]] view_model model(const herald::context& self) const;
  args args_;
  display display_;
  std::uint64_t live_from_ = 0;  ///< events up to here are told already, or are history
};

}  // namespace telemetry
