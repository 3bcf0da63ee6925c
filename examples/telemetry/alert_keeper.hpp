#pragma once
// The alert keeper: judges readings by the rules and keeps the alerts in the store: opened, acknowledged by itself
// after a while, closed. What stands is in the store, so a new incarnation goes on from there. What the rules want is
// done one action an alert at a time, and again when the writer was not there.
//
// Thread safety: a process.

#include "aggregates.hpp"

#include <deque>
#include <map>

namespace telemetry {

/// The timer's message.
struct judge_now {};

class alert_keeper : public herald::process<alert_keeper, reading, subject_gone, judge_now> {
 public:
  using args = surroundings;
  alert_keeper(herald::context& self, args around);
  void on(herald::context& self, const reading& what);
  void on(herald::context& self, const subject_gone& what);
  void on(herald::context& self, const judge_now&);

 private:
  struct kept_alert {
    herald::uuid id{};
    std::deque<alert_step> to_do;
    bool on_its_way = false;
  };
  using place = std::pair<std::string, std::string>;  ///< rule, subject

  void take(herald::context& self, std::vector<alert_step> steps);
  void proceed(herald::context& self, const place& where);
  void settled(herald::context& self, const place& where, const herald::result<alert_row>& how);
  [[nodiscard]] std::optional<herald::uuid> find_standing(const place& where) const;

  args around_;
  std::map<place, kept_alert> alerts_;
  alert_watch watch_;
};

}  // namespace telemetry
