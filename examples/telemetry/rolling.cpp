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

}  // namespace telemetry
