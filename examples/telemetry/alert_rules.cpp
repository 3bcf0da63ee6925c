#include "alert_rules.hpp"

#include <algorithm>

namespace telemetry {

using std::chrono::milliseconds;

std::vector<alert_rule> default_rules() {
  return {
      {.name = "machine busy",
       .watches = "cpu",
       .open_above = 80,
       .close_below = 60,
       .open_after = milliseconds{1'000}},
      {.name = "memory short", .watches = "memory", .open_above = 90, .close_below = 85},
      {.name = "disk writes", .watches = "disk_out", .open_above = 50e6, .close_below = 20e6},
      {.name = "process hot",
       .watches = "process",
       .open_above = 85,
       .close_below = 50,
       .open_after = milliseconds{1'500}},
  };
}

const char* to_string(alert_state state) {
  switch (state) {
    case alert_state::open:
      return "open";
    case alert_state::acknowledged:
      return "acknowledged";
    case alert_state::closed:
      return "closed";
  }
  return "unknown";
}

alert_watch::alert_watch(std::vector<alert_rule> rules, const std::vector<standing_alert>& standing)
    : rules_{std::move(rules)} {
  for (const auto& one : standing)
    if (one.state != alert_state::closed) subjects_[{one.rule, one.subject}].alert = one;
}

const alert_rule* alert_watch::rule_named(const std::string& name) const {
  const auto found = std::find_if(rules_.begin(), rules_.end(), [&](const auto& rule) { return rule.name == name; });
  return found == rules_.end() ? nullptr : &*found;
}

bool alert_watch::due_to_open(const alert_rule& rule, const subject_state& state, instant now) {
  return state.above_since && now - *state.above_since >= rule.open_after;
}

std::vector<alert_step> alert_watch::observe(const reading& what, instant now) {
  std::vector<alert_step> steps;
  for (const auto& rule : rules_) {
    if (rule.watches != what.watches) continue;
    const place where{rule.name, what.subject};
    const auto found = subjects_.find(where);
    if (found == subjects_.end() && what.value <= rule.open_above) continue;  // the many quiet ones cost nothing
    auto& state = found == subjects_.end() ? subjects_[where] : found->second;

    if (what.value <= rule.open_above)
      state.above_since.reset();
    else if (!state.above_since)
      state.above_since = now;
    if (what.value >= rule.close_below)
      state.below_since.reset();
    else if (!state.below_since)
      state.below_since = now;

    state.last = what.value;
    state.label = what.label;
    state.heard = true;
    if (state.alert) {
      state.alert->value = what.value;
    } else if (due_to_open(rule, state, now)) {
      state.alert = standing_alert{rule.name, what.subject, alert_state::open, now, what.value, what.label};
      steps.push_back({alert_state::open, rule.name, what.subject, what.value, what.label});
    } else if (!state.above_since) {
      subjects_.erase(where);
    }
  }
  return steps;
}

std::vector<alert_step> alert_watch::vanished(const std::string& subject) {
  std::vector<alert_step> steps;
  for (auto at = subjects_.begin(); at != subjects_.end();) {
    if (at->first.second != subject) {
      ++at;
      continue;
    }
    if (const auto& alert = at->second.alert)
      steps.push_back({alert_state::closed, alert->rule, alert->subject, alert->value});
    at = subjects_.erase(at);
  }
  return steps;
}

std::vector<alert_step> alert_watch::tick(instant now) {
  std::vector<alert_step> steps;
  for (auto at = subjects_.begin(); at != subjects_.end();) {
    auto& state = at->second;
    const auto& [name, subject] = at->first;
    const auto* rule = rule_named(name);
    if (!state.alert) {
      if (rule != nullptr && due_to_open(*rule, state, now)) {
        state.alert = standing_alert{name, subject, alert_state::open, now, state.last, state.label};
        steps.push_back({alert_state::open, name, subject, state.last, state.label});
      }
      ++at;
      continue;
    }
    if (!state.heard && !state.below_since) state.below_since = now;  // its quiet time begins with us
    const bool quiet = rule != nullptr && state.below_since && now - *state.below_since >= rule->close_after;
    if (rule == nullptr || quiet) {
      steps.push_back({alert_state::closed, state.alert->rule, state.alert->subject, state.alert->value});
      at = subjects_.erase(at);
      continue;
    }
    if (state.alert->state == alert_state::open && now - state.alert->opened_at >= rule->acknowledge_after) {
      state.alert->state = alert_state::acknowledged;
      steps.push_back({alert_state::acknowledged, state.alert->rule, state.alert->subject, state.alert->value});
    }
    ++at;
  }
  return steps;
}

std::size_t alert_watch::standing() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(subjects_.begin(), subjects_.end(), [](const auto& one) { return one.second.alert.has_value(); }));
}

}  // namespace telemetry
