#pragma once
// The problem: a value near its limit crosses it many times a minute, and an alert that opens and closes each time is
// soon ignored. A rule therefore has two levels: it opens above the one, and closes only below the other, after staying
// there for a while (hysteresis). An alert nobody looks at is acknowledged by itself after a while, so that a list of
// alerts tells what is new from what is known.
//
// A rule watches one kind of value ("cpu", "memory", "process"); each subject of it (the host, one process) has its own
// alert.
//
// Thread safety: distinct objects: safe; shared objects: unsafe. Time is passed in; the rules own no clock.

#include "rolling.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace telemetry {

struct alert_rule {
  std::string name;     ///< what the alert is called
  std::string watches;  ///< which readings it judges
  double open_above = 0;
  double close_below = 0;                        ///< less than open_above: the gap is the hysteresis
  std::chrono::milliseconds open_after{0};       ///< above for at least this long
  std::chrono::milliseconds close_after{2'000};  ///< below for at least this long
  std::chrono::milliseconds acknowledge_after{5'000};
};

/// The rules of the demo: a busy machine, a full memory, a disk that is written to hard, a process that hogs a core.
[[nodiscard]] std::vector<alert_rule> default_rules();

/// One value of one subject at one time.
struct reading {
  std::string watches;
  std::string subject;
  double value = 0;
  std::string label{};  ///< the subject as people call it
};

enum class alert_state {
  open,
  acknowledged,
  closed
};
[[nodiscard]] const char* to_string(alert_state state);

/// An alert that stands. `id` is the row's key once the store has given one.
struct standing_alert {
  std::string rule;
  std::string subject;
  alert_state state = alert_state::open;
  instant opened_at{};
  double value = 0;
  std::string label{};
};

/// What a rule wants done now.
struct alert_step {
  alert_state to = alert_state::open;
  std::string rule;
  std::string subject;
  double value = 0;
  std::string label{};
  friend bool operator==(const alert_step&, const alert_step&) = default;
};

class alert_watch {
 public:
  /// `standing` are the alerts of the store that are not closed; one whose rule is gone is closed by the next tick.
  alert_watch(std::vector<alert_rule> rules, const std::vector<standing_alert>& standing);

  /// A new value. At most one step for each rule that watches it.
  [[nodiscard]] std::vector<alert_step> observe(const reading& what, instant now);
  /// The subject is no more: its alerts close at once.
  [[nodiscard]] std::vector<alert_step> vanished(const std::string& subject);
  /// Time has passed: opens what has stayed above without a new reading (only changes are told), acknowledges what is
  /// due, closes what has been quiet or unheard of for long enough.
  [[nodiscard]] std::vector<alert_step> tick(instant now);

  [[nodiscard]] std::size_t standing() const noexcept;

 private:
  struct subject_state {
    std::optional<instant> above_since;
    std::optional<instant> below_since;
    std::optional<standing_alert> alert;
    double last = 0;
    std::string label{};
    bool heard = false;  ///< false: found standing at the start, and no reading yet
  };
  using place = std::pair<std::string, std::string>;  // rule, subject

  [[nodiscard]] const alert_rule* rule_named(const std::string& name) const;
  [[nodiscard]] static bool due_to_open(const alert_rule& rule, const subject_state& state, instant now);

  std::vector<alert_rule> rules_;
  std::map<place, subject_state> subjects_;
};

}  // namespace telemetry
