#pragma once
// The problem: "nothing was lost" is a claim until someone compares. The check reads the record file again, from disk,
// and holds it against the store's log, event by event; each way in which the two can differ has its own count.
//
// Use: load() the file once, then tell() every event of the log in its order, then read `counts`.
//
// Thread safety: distinct objects: safe; shared objects: unsafe. Memory: about 50 bytes an event, by way of a hash of
// its text; two different texts count as equal with a chance of 2^-64.

#include "record_file.hpp"

#include <cstdint>
#include <string>
#include <unordered_map>

namespace telemetry {

struct check_counts {
  std::uint64_t committed = 0;     ///< events of the log
  std::uint64_t recorded = 0;      ///< of these, the ones in the record
  std::uint64_t missing = 0;       ///< of these, the ones not in the record
  std::uint64_t differing = 0;     ///< recorded with another content
  std::uint64_t duplicate = 0;     ///< lines that repeat an offset
  std::uint64_t out_of_order = 0;  ///< lines whose offset is below that of a line before
  std::uint64_t invented = 0;      ///< lines whose event the log does not have
  std::uint64_t unreadable = 0;    ///< lines that are no lines
  std::uint64_t gaps = 0;          ///< numbers that the log itself leaves out
  friend bool operator==(const check_counts&, const check_counts&) = default;

  /// Nothing missing, nothing added, nothing changed.
  [[nodiscard]] bool clean() const;
  /// What is wrong, as words: "2 missing, 1 differing"; empty when clean.
  [[nodiscard]] std::string complaints() const;
};

class record_check {
 public:
  /// Reads the whole record file. A file that does not exist is an empty record.
  [[nodiscard]] static herald::result<record_check> load(const std::string& path);

  /// The next event of the log; `event` is the same JSON text that the recorder would write.
  void tell(const record_offset& offset, std::string_view event);

  [[nodiscard]] check_counts counts() const;

 private:
  struct written {
    std::uint64_t hash = 0;
    bool told = false;
  };
  void take(std::string_view line);

  std::unordered_map<std::string, std::unordered_map<std::uint64_t, written>> lines_;  // epoch, sequence
  std::optional<record_offset> last_line_;
  std::optional<record_offset> last_event_;
  check_counts counts_;
};

}  // namespace telemetry
