#include "rolling.hpp"

#include <algorithm>

namespace telemetry {

rolling::rolling(std::chrono::milliseconds window, std::size_t limit)
    : window_{window}, limit_{limit == 0 ? 1 : limit} {}

void rolling::add(instant now, double value) {
  if (!points_.empty()) now = std::max(now, points_.back().at);
  if (points_.size() == limit_) points_.pop_front();
  points_.push_back({now, value});
  advance(now);
}

void rolling::advance(instant now) {
  while (!points_.empty() && points_.front().at + window_ < now) points_.pop_front();
}

double rolling::mean() const noexcept {
  if (points_.empty()) return 0;
  // Summed anew each time: a running sum of doubles drifts, and a window holds a few dozen points.
  double sum = 0;
  for (const auto& one : points_) sum += one.value;
  return sum / static_cast<double>(points_.size());
}

double rolling::least() const noexcept {
  if (points_.empty()) return 0;
  return std::min_element(points_.begin(), points_.end(), [](auto& a, auto& b) { return a.value < b.value; })->value;
}

double rolling::most() const noexcept {
  if (points_.empty()) return 0;
  return std::max_element(points_.begin(), points_.end(), [](auto& a, auto& b) { return a.value < b.value; })->value;
}

double rolling::last() const noexcept { return points_.empty() ? 0 : points_.back().value; }

std::chrono::milliseconds rolling::covered() const noexcept {
  return points_.empty() ? std::chrono::milliseconds{0} : points_.back().at - points_.front().at;
}

void timeline::add(instant now, double value) {
  auto at = now.time_since_epoch() / step;
  if (!points_.empty()) at = std::max(at, points_.back().step);
  if (!points_.empty() && points_.back().step == at)
    points_.back().value = value;
  else
    points_.push_back({at, value});
  // One older than the minute stays: it says what its beginning was like.
  while (points_.size() > 1 && points_[1].step <= at - static_cast<std::int64_t>(steps)) points_.pop_front();
}

std::vector<double> timeline::points(instant now) const {
  std::vector<double> values;
  if (points_.empty()) return values;
  const auto last = std::max(now.time_since_epoch() / step, points_.back().step);
  const auto first = std::max(points_.front().step, last - static_cast<std::int64_t>(steps) + 1);
  auto next = points_.begin();
  double value = 0;
  for (auto at = first; at <= last; ++at) {
    for (; next != points_.end() && next->step <= at; ++next) value = next->value;
    values.push_back(value);
  }
  return values;
}

}  // namespace telemetry
