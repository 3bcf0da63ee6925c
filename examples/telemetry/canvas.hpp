#pragma once
// The problem: a live view is drawn several times a second, must never be wider or higher than the terminal is at that
// moment, and must not flicker. A canvas is a grid of cells of the terminal's size: drawing beyond its edge is cut, so
// no layout can overflow. What goes out is the difference to the canvas shown before, row by row, inside one
// synchronized update (terminals that do not know those ignore the marks).
//
// Text is UTF-8; a character that would not be exactly one column wide is drawn as '?', since a process chooses its
// name and must not choose our columns.
//
// Thread safety: distinct objects: safe; shared objects: unsafe.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace telemetry {

/// What a piece of text means; what that looks like is the terminal's affair.
enum class style : std::uint8_t {
  plain,
  dim,
  strong,
  title,
  good,
  warn,
  bad,
  accent
};

/// What the terminal can show.
struct terminal_look {
  bool colour = true;   ///< false: NO_COLOR, or a terminal without
  bool unicode = true;  ///< false: drawn with ASCII
};

class canvas {
 public:
  struct cell {
    char32_t character = U' ';
    style look = style::plain;
    friend bool operator==(const cell&, const cell&) = default;
  };

  canvas(int width, int height);

  [[nodiscard]] int width() const noexcept { return width_; }
  [[nodiscard]] int height() const noexcept { return height_; }

  /// Draws from (x, y) to the right, at most `room` columns; what does not fit is cut. Returns the column after it.
  int put(int x, int y, std::string_view text, style look = style::plain, int room = 1 << 20);
  /// Draws so that the text ends before column `end`.
  void put_right(int end, int y, std::string_view text, style look = style::plain);

  [[nodiscard]] const cell* row(int y) const { return cells_.data() + static_cast<std::size_t>(y) * columns(); }
  /// A row as plain UTF-8, blanks at its end left out: for tests, and for people without a terminal.
  [[nodiscard]] std::string row_text(int y, bool unicode = true) const;

 private:
  [[nodiscard]] std::size_t columns() const noexcept { return static_cast<std::size_t>(width_); }
  int width_;
  int height_;
  std::vector<cell> cells_;
};

/// Columns that `text` takes on a canvas.
[[nodiscard]] int text_width(std::string_view text);

/// The bytes that turn a terminal showing `before` into one showing `now`; with another size, or without `before`, all
/// of it.
[[nodiscard]] std::string paint(const canvas& now, const canvas* before, const terminal_look& look);

}  // namespace telemetry
