// What the log may forget: store_core's half that decides, a page at a time, beside the writer's work.

#include "detail/store_core.hpp"

#include <algorithm>

namespace herald::detail {

namespace {

constexpr std::size_t page_size = 1000;      // events dropped in one transaction
constexpr std::size_t look_after = 512;      // events committed between two looks, while the writer is busy

}  // namespace

std::uint64_t store_core::needed_after() const {
  const offset head = data_->head();
  auto cursors = data_->cursors();
  if (!cursors) return 0;  // who cannot be asked may need everything
  std::uint64_t slowest = head.sequence;
  for (const named_cursor& one : *cursors) {
    if (one.cursor.at.epoch == head.epoch) slowest = std::min(slowest, one.cursor.at.sequence);
  }
  return slowest;
}

std::uint64_t store_core::aged_to(std::uint64_t floor, std::uint64_t head) const {
  const timestamp oldest = data_->time_now() - std::chrono::duration_cast<std::chrono::microseconds>(retention_.age);
  for (const std::uint64_t step : {std::uint64_t{page_size}, std::uint64_t{100}, std::uint64_t{10}, std::uint64_t{1}}) {
    if (floor + step - 1 > head) continue;
    const auto time = data_->time_of(floor + step - 1);
    if (time && *time && **time < oldest) return floor + step - 1;
  }
  return 0;
}

std::uint64_t store_core::may_go() const {
  const std::uint64_t head = data_->head().sequence;
  const std::uint64_t floor = data_->floor();
  if (head < floor) return 0;
  const std::uint64_t held = head - floor + 1;
  const std::uint64_t bytes = data_->log_bytes();
  const auto by_count = [&](std::uint64_t bound) { return bound != 0 && held > bound ? head - bound : 0; };
  // As many as bring the bytes down if all events were alike; the next look corrects it.
  const auto by_bytes = [&](std::uint64_t bound) -> std::uint64_t {
    if (bound == 0 || bytes <= bound) return 0;
    const double part = static_cast<double>(bytes - bound) / static_cast<double>(bytes);
    return floor - 1 + std::max<std::uint64_t>(1, static_cast<std::uint64_t>(part * static_cast<double>(held)));
  };
  std::uint64_t soft = std::max(by_count(retention_.events), by_bytes(retention_.bytes));
  if (retention_.age.count() > 0) soft = std::max(soft, aged_to(floor, head));
  if (soft != 0 && retention_.wait_for_consumers) soft = std::min(soft, needed_after());
  const std::uint64_t hard = std::max(by_count(retention_.hard_events), by_bytes(retention_.hard_bytes));
  return std::max({soft, hard, trim_to_.load(std::memory_order_relaxed)});
}

bool store_core::trim_page() {
  // A log that cannot be trimmed now is trimmed when the writer is idle again.
  bool more = false;
  const auto to = std::min(may_go(), handed_over());
  if (to >= data_->floor()) {
    const auto trimmed = data_->trim(to, page_size);
    more = trimmed && *trimmed != 0;
  }
  if (!retention_.compact.empty()) {
    auto newest = handed_over();
    if (retention_.wait_for_consumers) newest = std::min(newest, needed_after());
    const auto compacted = data_->compact(newest, page_size);
    more = more || (compacted && *compacted != 0);
  }
  return more;
}

void store_core::trim_some() {
  if (!retention_.bounded() && trim_to_.load(std::memory_order_relaxed) < data_->floor()) return;
  since_look_ = 0;
  while (trim_page()) {
    const std::lock_guard lock{queue_mutex_};
    if (!queue_.empty()) return;
  }
}

void store_core::trim_while_busy(std::size_t committed) {
  since_look_ += committed;
  if (since_look_ < look_after || !retention_.bounded()) return;
  since_look_ = 0;
  static_cast<void>(trim_page());
}

}  // namespace herald::detail
