#include "record_file.hpp"

#include "proc_text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace telemetry {

namespace {

std::string_view record_code_name(int code) {
  constexpr std::array<std::string_view, 3> names{"none", "unusable", "not_a_record"};
  const auto index = static_cast<std::size_t>(code);
  return index < names.size() ? names[index] : "unknown";
}

constexpr herald::error_domain record_domain{"record", record_code_name};
constexpr std::string_view head = R"({"epoch":")";
constexpr std::string_view middle = R"(","sequence":)";
constexpr std::string_view body = R"(,"event":)";
constexpr std::size_t longest_line = 1U << 20U;

herald::error unusable(const std::string& path, std::string_view what) {
  return {record_errc::unusable, "record file \"" + path + "\": " + std::string{what} + ": " + std::strerror(errno)};
}

// What a writer that died in mid-line may leave: the beginning of a line, or (after a power cut) a run of zero bytes.
bool may_be_torn(std::string_view piece) {
  if (piece.find_first_not_of('\0') == std::string_view::npos) return true;
  const auto length = std::min(piece.size(), head.size());
  return piece.substr(0, length) == head.substr(0, length);
}

}  // namespace

const herald::error_domain& domain_of(record_errc) noexcept { return record_domain; }

std::optional<record_line> parse_record_line(std::string_view line) {
  if (!line.starts_with(head)) return std::nullopt;
  line.remove_prefix(head.size());
  const auto quote = line.find(middle);
  if (quote == std::string_view::npos) return std::nullopt;
  record_line parsed;
  parsed.offset.epoch = line.substr(0, quote);
  if (parsed.offset.epoch.find_first_of("\"\\") != std::string::npos) return std::nullopt;
  line.remove_prefix(quote + middle.size());
  const auto comma = line.find(body);
  if (comma == std::string_view::npos || comma == 0 || comma > 20) return std::nullopt;
  const auto digits = line.substr(0, comma);
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  parsed.offset.sequence = number_or<std::uint64_t>(digits);
  line.remove_prefix(comma + body.size());
  if (parsed.offset.sequence == 0 || line.size() < 3 || line.front() != '{' || !line.ends_with("}}"))
    return std::nullopt;
  parsed.event = line.substr(0, line.size() - 1);
  return parsed;
}

std::string make_record_line(const record_offset& offset, std::string_view event) {
  std::string line;
  line.reserve(head.size() + offset.epoch.size() + middle.size() + 20 + body.size() + event.size() + 2);
  line.append(head).append(offset.epoch).append(middle).append(std::to_string(offset.sequence));
  line.append(body).append(event).append("}\n");
  return line;
}

herald::result<record_file> record_file::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) return unusable(path, "cannot be opened for writing");
  record_file opened{file, path};
  struct stat facts {};
  if (::fstat(file, &facts) != 0) return unusable(path, "cannot be examined");
  if (!S_ISREG(facts.st_mode))
    return herald::error{record_errc::not_a_record, "record file \"" + path + "\" is no regular file"};
  opened.size_ = static_cast<std::uint64_t>(facts.st_size);
  if (auto found = opened.find_end(); !found) return found.error();
  return opened;
}

record_file::record_file(record_file&& other) noexcept
    : file_{std::exchange(other.file_, -1)},
      path_{std::move(other.path_)},
      last_{std::move(other.last_)},
      torn_{other.torn_},
      size_{other.size_} {}

record_file& record_file::operator=(record_file&& other) noexcept {
  std::swap(file_, other.file_);
  path_.swap(other.path_);
  last_.swap(other.last_);
  std::swap(torn_, other.torn_);
  std::swap(size_, other.size_);
  return *this;
}

record_file::~record_file() {
  if (file_ >= 0) ::close(file_);
}

// Reads backwards, piece by piece, until it holds one whole line; cuts what follows the last line end.
herald::result<void> record_file::find_end() {
  constexpr std::uint64_t piece_bytes = 64U << 10U;
  const auto no_record = [&](std::string_view why) {
    return herald::error{record_errc::not_a_record, "record file \"" + path_ + "\" is no telemetry record: " +
                                                        std::string{why} + "; nothing was changed"};
  };
  std::string tail;
  auto begin = size_;
  while (begin > 0) {
    const auto take = std::min(piece_bytes, begin);
    std::string piece(static_cast<std::size_t>(take), '\0');
    begin -= take;
    for (std::size_t got = 0; got < piece.size();) {
      const auto more = ::pread(file_, piece.data() + got, piece.size() - got, static_cast<off_t>(begin + got));
      if (more < 0 && errno == EINTR) continue;
      if (more < 0) return unusable(path_, "cannot be read");
      if (more == 0) return no_record("it shrank while it was read");
      got += static_cast<std::size_t>(more);
    }
    tail.insert(0, piece);
    const auto end = tail.rfind('\n');
    const bool whole =
        begin == 0 || (end != std::string::npos && end > 0 && tail.rfind('\n', end - 1) != std::string::npos);
    if (whole) break;
    if (tail.size() > 2 * longest_line) return no_record("it has a line of more than 1 MiB");
  }
  const auto end = tail.rfind('\n');
  const auto kept = end == std::string::npos ? 0 : end + 1;
  const std::string_view torn{tail.data() + kept, tail.size() - kept};
  if (!torn.empty() && !may_be_torn(torn)) return no_record("its last line does not begin as one of ours");
  if (kept > 0) {
    const auto before = end == 0 ? std::string::npos : tail.rfind('\n', end - 1);
    const auto first = before == std::string::npos ? 0 : before + 1;
    const auto line = parse_record_line(std::string_view{tail}.substr(first, end - first));
    if (!line) return no_record("its last whole line is not one of ours");
    last_ = line->offset;
  }
  if (!torn.empty()) {
    torn_ = torn.size();
    if (::ftruncate(file_, static_cast<off_t>(size_ - torn_)) != 0) return unusable(path_, "cannot be cut");
    size_ -= torn_;
  }
  return {};
}

herald::result<bool> record_file::append(const record_offset& offset, std::string_view event) {
  if (last_ && last_->epoch == offset.epoch && offset.sequence <= last_->sequence) return false;
  const auto line = make_record_line(offset, event);
  for (std::size_t done = 0; done < line.size();) {
    const auto put = ::write(file_, line.data() + done, line.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      const auto why = unusable(path_, "cannot be written");
      // A disk that is full mid-line: the half line goes, so that the next attempt starts clean.
      if (done > 0 && ::ftruncate(file_, static_cast<off_t>(size_)) != 0) return unusable(path_, "cannot be cut");
      return why;
    }
    done += static_cast<std::size_t>(put);
  }
  size_ += line.size();
  last_ = offset;
  return true;
}

herald::result<void> record_file::sync() {
  if (::fdatasync(file_) != 0) return unusable(path_, "cannot be synced to disk");
  return {};
}

}  // namespace telemetry
