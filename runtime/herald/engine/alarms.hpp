#pragma once
// The earliest deadline of each host, as the clock knows it. Thread safety: safe for all.

#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include <herald/engine/timer_heap.hpp>

namespace herald::engine {

class alarms {
 public:
  /// Puts this deadline in place of the host's former one. True: it is now the earliest of all.
  bool set(host& h, time_point when) {
    const std::lock_guard lock{mutex_};
    auto& own = of_host_.try_emplace(&h, by_time_.end()).first->second;
    if (own != by_time_.end()) by_time_.erase(own);
    own = by_time_.emplace(when, &h);
    return own == by_time_.begin();
  }
  [[nodiscard]] std::optional<time_point> earliest() const {
    const std::lock_guard lock{mutex_};
    if (by_time_.empty()) return std::nullopt;
    return by_time_.begin()->first;
  }
  /// Takes out the hosts whose deadline has come.
  [[nodiscard]] std::vector<host*> due(time_point now) {
    std::vector<host*> hosts;
    const std::lock_guard lock{mutex_};
    while (!by_time_.empty() && by_time_.begin()->first <= now) {
      hosts.push_back(by_time_.begin()->second);
      of_host_.erase(hosts.back());
      by_time_.erase(by_time_.begin());
    }
    return hosts;
  }

 private:
  mutable std::mutex mutex_;
  std::multimap<time_point, host*> by_time_;
  // One deadline a host: each that comes makes its host set the next, so a second one would go on for ever.
  std::unordered_map<host*, std::multimap<time_point, host*>::iterator> of_host_;
};

}  // namespace herald::engine
