#include "canvas.hpp"

#include <algorithm>

namespace telemetry {

namespace {

// The next character of valid UTF-8; anything else yields U+FFFD one byte at a time.
char32_t take_character(std::string_view& text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const auto first = byte(0);
  const std::size_t length = first < 0x80                    ? 1
                             : first >= 0xC0 && first < 0xE0 ? 2
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xF0                 ? 4
                                                             : 0;
  if (length == 0 || text.size() < length) {
    text.remove_prefix(1);
    return U'\xFFFD';
  }
  char32_t character = length == 1 ? first : first & (0x7FU >> length);
  for (std::size_t at = 1; at < length; ++at) character = (character << 6U) | (byte(at) & 0x3FU);
  text.remove_prefix(length);
  return character;
}

// Latin, Greek, Cyrillic and the symbols we draw with are one column wide everywhere; for the rest (combining, wide and
// emoji) terminals do not agree.
char32_t one_column(char32_t character) {
  if (character < 0x20 || (character >= 0x7F && character < 0xA0) || character == 0xAD) return U'?';
  if (character < 0x300 || (character >= 0x370 && character < 0x483)) return character;
  if (character >= 0x2010 && character < 0x2028) return character;
  if (character >= 0x2190 && character < 0x2200) return character;
  if (character >= 0x2500 && character < 0x25FD) return character;
  return U'?';
}

char ascii_for(char32_t character) {
  if (character < 0x80) return static_cast<char>(character);
  switch (character) {
    case U'─':
    case U'—':
    case U'–':
      return '-';
    case U'│':
      return '|';
    case U'├':
    case U'└':
      return '+';
    case U'·':
      return '-';
    case U'●':
      return '*';
    case U'○':
      return 'o';
    case U'↻':
      return '~';
    case U'▁':
      return '_';
    case U'▂':
      return '.';
    case U'▃':
      return ':';
    case U'▄':
      return '-';
    case U'▅':
      return '=';
    case U'▆':
      return '+';
    case U'▇':
      return '*';
    case U'█':
      return '#';
    case U'░':
      return '.';
    default:
      return '?';
  }
}

void append_character(std::string& to, char32_t character, bool unicode) {
  if (!unicode || character < 0x80) {
    to.push_back(ascii_for(character));
    return;
  }
  const auto tail = [&](int shift) { to.push_back(static_cast<char>(0x80U | ((character >> shift) & 0x3FU))); };
  if (character < 0x800) {
    to.push_back(static_cast<char>(0xC0U | (character >> 6U)));
    tail(0);
  } else {
    to.push_back(static_cast<char>(0xE0U | (character >> 12U)));
    tail(6);
    tail(0);
  }
}

const char* select_style(style look, bool colour) {
  switch (look) {
    case style::plain:
      return "\x1b[0m";
    case style::dim:
      return colour ? "\x1b[0;90m" : "\x1b[0m";
    case style::strong:
      return "\x1b[0;1m";
    case style::title:
      return colour ? "\x1b[0;1;36m" : "\x1b[0;1m";
    case style::good:
      return colour ? "\x1b[0;32m" : "\x1b[0m";
    case style::warn:
      return colour ? "\x1b[0;33m" : "\x1b[0m";
    case style::bad:
      return colour ? "\x1b[0;1;31m" : "\x1b[0;1m";
    case style::accent:
      return colour ? "\x1b[0;35m" : "\x1b[0m";
  }
  return "\x1b[0m";
}

}  // namespace

canvas::canvas(int width, int height)
    : width_{std::clamp(width, 0, 1000)},
      height_{std::clamp(height, 0, 1000)},
      cells_(static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_)) {}

int canvas::put(int x, int y, std::string_view text, style look, int room) {
  const auto end = room > width_ - x ? width_ : x + room;
  while (!text.empty() && x < end) {
    const auto character = one_column(take_character(text));
    if (x >= 0 && y >= 0 && y < height_)
      cells_[static_cast<std::size_t>(y) * columns() + static_cast<std::size_t>(x)] = {character, look};
    ++x;
  }
  return x;
}

void canvas::put_right(int end, int y, std::string_view text, style look) {
  put(end - text_width(text), y, text, look, text_width(text));
}

std::string canvas::row_text(int y, bool unicode) const {
  std::string text;
  for (int x = 0; x < width_; ++x) append_character(text, row(y)[x].character, unicode);
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

int text_width(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    (void)take_character(text);
    ++width;
  }
  return width;
}

std::string paint(const canvas& now, const canvas* before, const terminal_look& look) {
  const bool all = before == nullptr || before->width() != now.width() || before->height() != now.height();
  std::string rows;
  for (int y = 0; y < now.height(); ++y) {
    const auto* cells = now.row(y);
    if (!all && std::equal(cells, cells + now.width(), before->row(y))) continue;
    rows += "\x1b[" + std::to_string(y + 1) + ";1H\x1b[0m";
    auto current = style::plain;
    for (int x = 0; x < now.width(); ++x) {
      if (cells[x].look != current) rows += select_style(current = cells[x].look, look.colour);
      append_character(rows, cells[x].character, look.unicode);
    }
    if (current != style::plain) rows += "\x1b[0m";
  }
  if (rows.empty()) return rows;
  // 2026: the terminal shows nothing of this before the end of it. Rows are written whole, so nothing needs clearing
  // first, except after a change of size.
  return std::string{"\x1b[?2026h"} + (all ? "\x1b[0m\x1b[2J" : "") + rows + "\x1b[?2026l";
}

}  // namespace telemetry
