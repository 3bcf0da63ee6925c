#pragma once
// The problem: the view may be killed five times a second and must come back with what it showed, so its state is a
// function of what the store has: the rows, and the last stretch of the log. A display is that function. It is given
// rows at the start, then events, replayed or live, each with the time it happened; asked for a model, it says what
// there is to see.
//
// Thread safety: distinct objects: safe; shared objects: unsafe. Time is passed in. Bounds: one row a process of the
// machine, 240 steps a curve, 50 alerts that are closed.

#include "resources.hpp"
#include "view_model.hpp"

#include <herald/event_record.hpp>

#include <deque>
#include <map>
#include <string>

namespace telemetry {

class display {
 public:
  /// `first` is the model's unchanging part: host, limit, chaos, seed, files.
  display(view_model first, instant started);

  void load(const host_row& row);
  void load(const proc_row& row);
  void load(const alert_row& row);

  /// What an event did. Events come in the order of the log; one that was seen already is ignored.
  void apply(const herald::event_record& event);
  /// The alert that the event opened, acknowledged or closed, for those who tell it in a line.
  [[nodiscard]] static std::optional<alert_view> alert_of(const herald::event_record& event);

  void recorded(std::uint64_t sequence);

  [[nodiscard]] view_model model(instant now) const;
  [[nodiscard]] std::uint64_t seen() const noexcept { return seen_; }

 private:
  struct shown_alert {
    alert_row row;
    instant changed_at{};
  };
  void apply_host(const herald::event_record& event);
  void count(instant at);

  view_model first_;
  instant started_;
  host_row host_;
  timeline cpu_;
  rolling cpu_mean_{std::chrono::seconds{10}};
  std::map<int, timeline> cores_;
  std::map<process_key, process_row> processes_;
  std::map<std::string, shown_alert> alerts_;
  std::uint64_t alerts_opened_ = 0;
  std::map<std::int64_t, int> events_;  ///< by half seconds
  std::uint64_t seen_ = 0;
  std::uint64_t recorded_ = 0;
};

/// A row of an alert as it is shown, at a time.
[[nodiscard]] alert_view shown(const alert_row& row, instant now);

}  // namespace telemetry
