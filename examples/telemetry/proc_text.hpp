#pragma once
// The problem: /proc answers in text, a process may vanish between two reads, and its name may hold any byte at all.
// These are the few functions that everything reading /proc is made of: they allocate once a file, never throw for
// what they read, and hand on only text that a terminal and a JSON writer can take.
//
// Thread safety: free functions, safe. Errors: a file that cannot be read is an empty optional.

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace telemetry {

/// The content of the file, cut at `limit` bytes; nothing when it cannot be opened or vanishes while it is read.
[[nodiscard]] std::optional<std::string> read_text(const std::string& path, std::size_t limit = 4U << 20U);

/// Takes the next line (without its end) or the next word (between blanks) off the front of `rest`.
[[nodiscard]] std::string_view take_line(std::string_view& rest);
[[nodiscard]] std::string_view take_word(std::string_view& rest);

/// The number at the front of `text`, or `otherwise` where there is none or it does not fit.
template <class T>
[[nodiscard]] T number_or(std::string_view text, T otherwise = T{}) {
  T value{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc{} ? value : otherwise;
}

/// The next word of `rest` as a number; zero where it is none.
template <class T>
[[nodiscard]] T take_number(std::string_view& rest) {
  return number_or<T>(take_word(rest));
}

/// `raw` as valid UTF-8 without control characters, each bad byte as '?', at most `limit` bytes, no character cut.
[[nodiscard]] std::string clean_text(std::string_view raw, std::size_t limit = 200);

}  // namespace telemetry
