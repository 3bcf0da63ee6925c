#include "restart_tally.hpp"

namespace telemetry {

void restart_tally::shape(std::vector<tree_place> tree) {
  const std::lock_guard lock{mutex_};
  tree_ = std::move(tree);
}

void restart_tally::killed() noexcept {
  const std::lock_guard lock{mutex_};
  ++kills_;
}

void restart_tally::remember(const herald::report& report) {
  constexpr std::size_t most = 20;
  if (failures_.size() < most) failures_.push_back(report.to_string());
}

void restart_tally::take(const herald::report& report) {
  const std::lock_guard lock{mutex_};
  auto& one = processes_[report.path];
  using kind = herald::report::kind_t;
  switch (report.kind) {
    case kind::started:
      one.running = true;
      break;
    case kind::crashed:
      if (report.reason.kind() != herald::exit_reason::killed) remember(report);
      [[fallthrough]];
    case kind::ended:
    case kind::killed:
      one.running = false;
      one.reason = report.reason.to_string();
      break;
    case kind::restarted:
      one.running = true;
      one.last = std::chrono::floor<std::chrono::milliseconds>(report.when);
      ++one.restarts;
      ++total_;
      if (notices_.size() == 256) notices_.pop_front();
      notices_.push_back({report.path, one.reason, one.restarts});
      break;
    case kind::start_failed:
    case kind::gave_up:
    case kind::zombie:
    case kind::runner_lost:
      one.running = false;
      remember(report);
      break;
    default:
      break;
  }
}

std::uint64_t restart_tally::total() const {
  const std::lock_guard lock{mutex_};
  return total_;
}

std::uint64_t restart_tally::kills() const {
  const std::lock_guard lock{mutex_};
  return kills_;
}

std::vector<std::string> restart_tally::failures() const {
  const std::lock_guard lock{mutex_};
  return failures_;
}

void restart_tally::fill(view_model& model, instant now) const {
  constexpr std::chrono::milliseconds fresh{1'500};
  const std::lock_guard lock{mutex_};
  model.tree.clear();
  for (const auto& place : tree_) {
    auto node = place.node;
    if (const auto found = processes_.find(place.path); found != processes_.end()) {
      const auto& one = found->second;
      node.restarts = one.restarts;
      node.running = node.supervisor || one.running;
      node.fresh = one.restarts > 0 && now - one.last < fresh;
    }
    model.tree.push_back(std::move(node));
  }
  model.restarts = total_;
  model.kills = kills_;
}

std::vector<restart_notice> restart_tally::take_notices() {
  const std::lock_guard lock{mutex_};
  std::vector<restart_notice> taken{notices_.begin(), notices_.end()};
  notices_.clear();
  return taken;
}

}  // namespace telemetry
