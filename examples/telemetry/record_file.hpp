#pragma once
// The problem: a recorder that may be killed at any instant must know, on its next start, what it has written already,
// and must leave neither a half line nor a doubled one. The file itself is the memory: each line begins with the offset
// of its event, so the end of the file says where to go on, and a line without its end was never written: it is cut.
//
//   {"epoch":"018f…","sequence":17,"event":{…}}
//
// The format has its page: docs/formats/telemetry-record.md.
//
// Durability: a line is handed to the kernel by append() (it outlives the process), and to the disk by sync() (it
// outlives the machine). The log keeps every event anyway, so the recorder syncs once in a while, never per line.
//
// Thread safety: distinct objects: safe; shared objects: unsafe. One writer a file: the constructor's caller sees to
// that. Errors: values of `record_errc`; a file that is no record is refused and not touched.

#include <herald/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace telemetry {

enum class record_errc : int {
  unusable = 1,  ///< It cannot be opened, read or written. Cure: see the system's reason in the text; another --record.
  not_a_record,  ///< Its content is something else. Nothing was changed. Cure: another --record.
};
[[nodiscard]] const herald::error_domain& domain_of(record_errc) noexcept;

/// Where an event stands in a store's log.
struct record_offset {
  std::string epoch;
  std::uint64_t sequence = 0;
  friend bool operator==(const record_offset&, const record_offset&) = default;
};

/// One line, taken apart; `event` is JSON text as it stands in the file.
struct record_line {
  record_offset offset;
  std::string_view event;
};
[[nodiscard]] std::optional<record_line> parse_record_line(std::string_view line);
/// The whole line with its end. `event` must be JSON text without a line end (nlohmann's dump() is).
[[nodiscard]] std::string make_record_line(const record_offset& offset, std::string_view event);

class record_file {
 public:
  /// Opens or creates the file, cuts a torn last line, and finds the last offset by reading the file's end only.
  [[nodiscard]] static herald::result<record_file> open(const std::string& path);

  record_file(record_file&& other) noexcept;
  record_file& operator=(record_file&& other) noexcept;
  ~record_file();

  /// The offset of the last whole line; nothing in an empty file.
  [[nodiscard]] const std::optional<record_offset>& last() const noexcept { return last_; }
  /// Bytes of a torn line that open() cut off.
  [[nodiscard]] std::uint64_t torn() const noexcept { return torn_; }

  /// Writes one line. An event that is not after last() is refused: false, and nothing is written.
  [[nodiscard]] herald::result<bool> append(const record_offset& offset, std::string_view event);
  [[nodiscard]] herald::result<void> sync();

 private:
  record_file(int file, std::string path) : file_{file}, path_{std::move(path)} {}
  [[nodiscard]] herald::result<void> find_end();

  int file_ = -1;
  std::string path_;
  std::optional<record_offset> last_;
  std::uint64_t torn_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace telemetry
