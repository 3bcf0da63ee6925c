#include "process_watch.hpp"

#include <algorithm>
#include <cmath>

namespace telemetry {

std::string state_word(char letter) {
  switch (letter) {
    case 'D':
      return "blocked";
    case 'T':
    case 't':
      return "stopped";
    case 'Z':
    case 'X':
      return "zombie";
    default:
      return "running";  // R, S and I alternate many times a second and mean the same to an onlooker
  }
}

process_watch::process_watch(process_thresholds thresholds, std::vector<process_row> known, long ticks_per_second)
    : thresholds_{thresholds}, ticks_per_second_{ticks_per_second} {
  for (auto& row : known) {
    auto& one = entries_[row.key];
    one.cpu_percent = row.cpu_percent;
    one.reported = std::move(row);
  }
}

process_row process_watch::measure(entry& of, const process_sample& sample, seconds_f elapsed) const {
  if (of.ticks) {
    // A tick is 10 ms, so one interval of 250 ms measures in steps of 4 %: half of the past smooths that away.
    const auto now = process_percent(*of.ticks, sample.cpu_ticks, elapsed, ticks_per_second_);
    of.cpu_percent = 0.5 * of.cpu_percent + 0.5 * now;
  }
  of.ticks = sample.cpu_ticks;
  return {.key = sample.key,
          .parent = sample.parent,
          .user = sample.user,
          .threads = sample.threads,
          .name = sample.name,
          .state = state_word(sample.state),
          .cpu_percent = std::round(of.cpu_percent * 10) / 10,
          .memory = static_cast<std::int64_t>(sample.memory)};
}

bool process_watch::beyond(const process_row& reported, const process_row& now) const {
  if (reported.name != now.name || reported.state != now.state || reported.parent != now.parent) return true;
  if (reported.user != now.user) return true;
  const auto points = std::abs(reported.cpu_percent - now.cpu_percent);
  if (points >= thresholds_.cpu_points) return true;
  // Whoever has gone quiet is said to be quiet, or a row would show its last few percent for ever.
  if (now.cpu_percent == 0 && points > 0) return true;
  const auto grown = std::abs(static_cast<double>(reported.memory - now.memory));
  return grown >= static_cast<double>(thresholds_.memory_bytes) &&
         grown >= thresholds_.memory_share * static_cast<double>(reported.memory);
}

process_changes process_watch::step(const std::vector<process_sample>& samples, seconds_f elapsed) {
  process_changes changes;
  std::map<process_key, bool> alive;
  for (const auto& sample : samples) {
    alive[sample.key] = true;
    auto& one = entries_[sample.key];
    auto now = measure(one, sample, elapsed);
    if (one.on_its_way || one.ending) continue;
    if (!one.reported)
      changes.appeared.push_back(now);
    else if (beyond(*one.reported, now))
      changes.changed.push_back(now);
    else
      continue;
    one.on_its_way = std::move(now);
  }
  for (auto at = entries_.begin(); at != entries_.end();) {
    auto& [key, one] = *at;
    const bool gone = !alive.contains(key);
    if (gone && !one.reported && !one.on_its_way) {
      at = entries_.erase(at);  // came and went between two reports
      continue;
    }
    if (gone && !one.on_its_way && !one.ending) {
      one.ending = true;
      changes.ended.push_back(key);
    }
    ++at;
  }
  return changes;
}

void process_watch::settled(const process_key& key, settlement how) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  auto& one = found->second;
  const auto sent = std::move(one.on_its_way);
  one.on_its_way.reset();
  const bool ended = one.ending;
  one.ending = false;
  if (how == settlement::missing || (how == settlement::done && ended)) {
    entries_.erase(found);
    return;
  }
  if ((how == settlement::done || how == settlement::exists) && sent) one.reported = *sent;
  // What the row that was found holds is not known: the next step shall differ from it, and report.
  if (how == settlement::exists && one.reported) one.reported->state.clear();
}

}  // namespace telemetry
