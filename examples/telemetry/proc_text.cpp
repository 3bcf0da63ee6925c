#include "proc_text.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace telemetry {

std::optional<std::string> read_text(const std::string& path, std::size_t limit) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  std::string text;
  std::array<char, 8192> piece;
  while (text.size() < limit) {
    const auto got = ::read(file, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      ::close(file);
      return std::nullopt;
    }
    if (got == 0) break;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  ::close(file);
  if (text.size() > limit) text.resize(limit);
  return text;
}

std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

std::string_view take_word(std::string_view& rest) {
  constexpr std::string_view blanks = " \t\n";
  const auto begin = rest.find_first_not_of(blanks);
  if (begin == std::string_view::npos) {
    rest = {};
    return {};
  }
  rest.remove_prefix(begin);
  const auto end = rest.find_first_of(blanks);
  const auto word = rest.substr(0, end);
  rest.remove_prefix(word.size());
  return word;
}

namespace {

// The length of the well-formed UTF-8 character at the front of `text`; 0 when the bytes are none (RFC 3629, table 3-7
// of the Unicode standard: no overlong forms, no surrogates, nothing above U+10FFFF).
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const auto first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                             : first >= 0xE0 && first <= 0xEF ? 3
                             : first >= 0xF0 && first <= 0xF4 ? 4
                                                              : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t at = 1; at < length; ++at)
    if ((byte(at) & 0xC0U) != 0x80) return 0;
  const auto second = byte(1);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;
  if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;
  return length;
}

bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (first < 0x20 || first == 0x7F) return true;
  return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;  // C1: terminals may obey these too
}

}  // namespace

std::string clean_text(std::string_view raw, std::size_t limit) {
  std::string clean;
  clean.reserve(raw.size() < limit ? raw.size() : limit);
  while (!raw.empty()) {
    const auto length = character_length(raw);
    const auto taken = raw.substr(0, length == 0 ? 1 : length);
    const bool bad = length == 0 || is_control(taken);
    if (clean.size() + (bad ? 1 : taken.size()) > limit) break;
    if (bad)
      clean.push_back('?');
    else
      clean.append(taken);
    raw.remove_prefix(taken.size());
  }
  return clean;
}

}  // namespace telemetry
