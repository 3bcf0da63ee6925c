#include "alert_keeper.hpp"

namespace telemetry {

using herald::dsl::field;
using std::chrono::milliseconds;

namespace {

std::vector<alert_row> standing_rows(const surroundings& around) {
  auto found = around.store.all<alerts>();
  if (!found) throw herald::bad_result{found.error()};  // a start error: the supervisor tries again
  std::erase_if(found->rows, [](const alert_row& row) { return !row.standing; });
  return std::move(found->rows);
}

std::vector<standing_alert> standing(const surroundings& around) {
  std::vector<standing_alert> alerts;
  for (const auto& row : standing_rows(around))
    alerts.push_back({.rule = row.rule,
                      .subject = row.subject,
                      .state = row.state == "acknowledged" ? alert_state::acknowledged : alert_state::open,
                      .opened_at = std::chrono::floor<milliseconds>(row.opened_at),
                      .value = row.value});
  return alerts;
}

instant now(const herald::context& self) { return std::chrono::floor<milliseconds>(self.wall()); }

}  // namespace

alert_keeper::alert_keeper(herald::context& self, args around)
    : around_{std::move(around)}, watch_{default_rules(), standing(around_)} {
  for (const auto& row : standing_rows(around_)) alerts_[{row.rule, row.subject}].id = row.id;
  subscribe<reading>(self, readings_topic);
  subscribe<subject_gone>(self, gone_topic);
  self.send_every(milliseconds{500}, judge_now{});
}

void alert_keeper::on(herald::context& self, const reading& what) { take(self, watch_.observe(what, now(self))); }

void alert_keeper::on(herald::context& self, const subject_gone& what) { take(self, watch_.vanished(what.subject)); }

void alert_keeper::on(herald::context& self, const judge_now&) {
  take(self, watch_.tick(now(self)));
  std::vector<place> waiting;  // the writer may have been away when they were tried
  for (const auto& [where, alert] : alerts_)
    if (!alert.to_do.empty()) waiting.push_back(where);
  for (const auto& where : waiting) proceed(self, where);
}

void alert_keeper::take(herald::context& self, std::vector<alert_step> steps) {
  for (auto& step : steps) {
    const place where{step.rule, step.subject};
    alerts_[where].to_do.push_back(std::move(step));
    proceed(self, where);
  }
}

void alert_keeper::proceed(herald::context& self, const place& where) {
  auto& alert = alerts_[where];
  if (alert.on_its_way || alert.to_do.empty()) return;
  alert.on_its_way = true;
  const auto& step = alert.to_do.front();
  auto then = [this, &self, where](const herald::result<alert_row>& how) { settled(self, where, how); };
  switch (step.to) {
    case alert_state::open:
      around_.store.run<alerts, "open">(
          self, field<& alert_row::rule> = step.rule, field<& alert_row::subject> = step.subject,
          field<& alert_row::label> = step.label, field<& alert_row::value> = step.value, std::move(then));
      break;
    case alert_state::acknowledged:
      around_.store.run<alerts, "acknowledge">(self, alert.id, field<& alert_row::value> = step.value, std::move(then));
      break;
    case alert_state::closed:
      around_.store.run<alerts, "close">(self, alert.id, field<& alert_row::value> = step.value, std::move(then));
      break;
  }
}

std::optional<herald::uuid> alert_keeper::find_standing(const place& where) const {
  for (const auto& row : standing_rows(around_))
    if (row.rule == where.first && row.subject == where.second) return row.id;
  return std::nullopt;
}

void alert_keeper::settled(herald::context& self, const place& where, const herald::result<alert_row>& how) {
  using herald::resource_errc;
  auto& alert = alerts_[where];
  around_.heed(how);
  alert.on_its_way = false;
  if (alert.to_do.empty()) return;
  const auto to = alert.to_do.front().to;
  if (to == alert_state::open) {
    if (how)
      alert.id = how->id;
    else if (how.is(resource_errc::taken))  // by an incarnation that did not live to hear of it
      alert.id = find_standing(where).value_or(herald::uuid{});
    else
      return;  // the next tick tries again
  } else if (!how && !how.is(resource_errc::not_found) && !how.is(resource_errc::invalid)) {
    return;
  }
  alert.to_do.pop_front();
  if (to == alert_state::closed && alert.to_do.empty()) {
    alerts_.erase(where);
    return;
  }
  proceed(self, where);
}

}  // namespace telemetry
