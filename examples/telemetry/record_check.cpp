#include "record_check.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>

namespace telemetry {

bool check_counts::clean() const { return complaints().empty(); }

std::string check_counts::complaints() const {
  struct entry {
    std::uint64_t count;
    const char* word;
  };
  const std::array<entry, 7> entries{{{missing, "missing"},
                                      {differing, "differing"},
                                      {duplicate, "duplicate"},
                                      {out_of_order, "out of order"},
                                      {invented, "not in the log"},
                                      {unreadable, "unreadable"},
                                      {gaps, "left out by the log's numbering"}}};
  std::string text;
  for (const auto& one : entries) {
    if (one.count == 0) continue;
    if (!text.empty()) text += ", ";
    text += std::to_string(one.count) + " " + one.word;
  }
  return text;
}

herald::result<record_check> record_check::load(const std::string& path) {
  record_check check;
  errno = 0;
  std::ifstream file{path, std::ios::binary};
  if (!file) {
    if (errno == ENOENT) return check;
    return herald::error{record_errc::unusable,
                         "record file \"" + path + "\": cannot be opened for reading: " + std::strerror(errno)};
  }
  for (std::string line; std::getline(file, line);) {
    // A last line without its end was never written: the recorder would cut it.
    if (file.eof()) break;
    check.take(line);
  }
  if (file.bad())
    return herald::error{record_errc::unusable, "record file \"" + path + "\": cannot be read to its end"};
  return check;
}

void record_check::take(std::string_view line) {
  const auto parsed = parse_record_line(line);
  if (!parsed) {
    ++counts_.unreadable;
    return;
  }
  const auto& offset = parsed->offset;
  const auto [at, fresh] =
      lines_[offset.epoch].try_emplace(offset.sequence, written{std::hash<std::string_view>{}(parsed->event), false});
  if (!fresh) {
    ++counts_.duplicate;
    return;
  }
  if (last_line_ && last_line_->epoch == offset.epoch && offset.sequence < last_line_->sequence)
    ++counts_.out_of_order;
  else
    last_line_ = offset;
}

void record_check::tell(const record_offset& offset, std::string_view event) {
  ++counts_.committed;
  if (last_event_ && last_event_->epoch == offset.epoch && offset.sequence > last_event_->sequence + 1)
    counts_.gaps += offset.sequence - last_event_->sequence - 1;
  last_event_ = offset;
  const auto epoch = lines_.find(offset.epoch);
  if (epoch == lines_.end()) {
    ++counts_.missing;
    return;
  }
  const auto line = epoch->second.find(offset.sequence);
  if (line == epoch->second.end()) {
    ++counts_.missing;
    return;
  }
  ++counts_.recorded;
  line->second.told = true;
  if (line->second.hash != std::hash<std::string_view>{}(event)) ++counts_.differing;
}

check_counts record_check::counts() const {
  auto counts = counts_;
  for (const auto& [epoch, lines] : lines_)
    for (const auto& [sequence, line] : lines)
      if (!line.told) ++counts.invented;
  return counts;
}

}  // namespace telemetry
