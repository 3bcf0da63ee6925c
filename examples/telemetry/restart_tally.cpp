#include "restart_tally.hpp"

namespace telemetry {

void restart_tally::take(const herald::report& report) {
  const std::lock_guard lock{mutex_};
  auto& one = processes_[report.path];
  using kind = herald::report::kind_t;
  switch (report.kind) {
    case kind::started:
      one.running = true;
      break;
    case kind::crashed:
    case kind::ended:
    case kind::killed:
    case kind::zombie:
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
    case kind::gave_up:
      gave_up_ = report.to_string();
      break;
    default:
      break;
  }
}

std::uint64_t restart_tally::total() const {
  const std::lock_guard lock{mutex_};
  return total_;
}

std::string restart_tally::gave_up() const {
  const std::lock_guard lock{mutex_};
  return gave_up_;
}

void restart_tally::fill(std::vector<tree_view>& tree, const std::vector<std::string>& paths, instant now) const {
  constexpr std::chrono::milliseconds fresh{1'500};
  const std::lock_guard lock{mutex_};
  for (std::size_t index = 0; index < tree.size() && index < paths.size(); ++index) {
    const auto found = processes_.find(paths[index]);
    if (found == processes_.end()) continue;
    tree[index].restarts = found->second.restarts;
    tree[index].running = tree[index].supervisor || found->second.running;
    tree[index].fresh = found->second.restarts > 0 && now - found->second.last < fresh;
  }
}

std::vector<restart_notice> restart_tally::take_notices() {
  const std::lock_guard lock{mutex_};
  std::vector<restart_notice> taken{notices_.begin(), notices_.end()};
  notices_.clear();
  return taken;
}

}  // namespace telemetry
