#include "canvas.hpp"
#include "units.hpp"

#include <doctest/doctest.h>

using namespace telemetry;
using namespace std::chrono_literals;

TEST_CASE("drawing beyond an edge is cut, on every side") {
  canvas on{5, 2};
  CHECK(on.put(3, 0, "abc") == 5);
  (void)on.put(-2, 1, "xyz");
  (void)on.put(0, 7, "nowhere");
  (void)on.put(0, -1, "nowhere");
  on.put_right(2, 0, "long text");
  CHECK(on.row_text(0) == "xt ab");
  CHECK(on.row_text(1) == "z");
  CHECK(canvas{0, 0}.width() == 0);
  CHECK(canvas{-5, -5}.height() == 0);
}

TEST_CASE("a piece of text keeps to its room") {
  canvas on{10, 1};
  CHECK(on.put(0, 0, "abcdef", style::plain, 3) == 3);
  CHECK(on.row_text(0) == "abc");
}

TEST_CASE("a character that is not one column wide cannot shift the others") {
  canvas on{8, 1};
  on.put(0, 0,
         "a\xE4\xB8\xAD"
         "b\xCC\x81"
         "c\xF0\x9F\x98\x80"
         "d");  // wide, combining, emoji
  CHECK(on.row_text(0) == "a?b?c?d");
  canvas control{4, 1};
  control.put(0, 0, "\x1b[2J");
  CHECK(control.row_text(0) == "?[2J");
}

TEST_CASE("without unicode everything is drawn in ASCII") {
  canvas on{12, 1};
  on.put(0, 0, "├─ ● │▁█░ \xC3\xBC");
  CHECK(on.row_text(0, false) == "+- * |_#. ?");
  for (const char character : paint(on, nullptr, {.colour = false, .unicode = false}))
    CHECK(static_cast<unsigned char>(character) < 0x80);
}

TEST_CASE("only rows that changed are sent, and nothing when none did") {
  canvas before{10, 3};
  before.put(0, 0, "same");
  canvas now{10, 3};
  now.put(0, 0, "same");
  CHECK(paint(now, &before, {}).empty());
  now.put(0, 2, "new");
  const auto bytes = paint(now, &before, {});
  CHECK(bytes.find("new") != std::string::npos);
  CHECK(bytes.find("same") == std::string::npos);
  CHECK(bytes.find("\x1b[3;1H") != std::string::npos);
  CHECK(bytes.find("\x1b[2J") == std::string::npos);  // clearing first would flicker
  CHECK(bytes.starts_with("\x1b[?2026h"));
  CHECK(bytes.ends_with("\x1b[?2026l"));
}

TEST_CASE("after a change of size everything is sent anew") {
  const canvas before{10, 3};
  const canvas now{12, 3};
  CHECK(paint(now, &before, {}).find("\x1b[2J") != std::string::npos);
  CHECK(paint(now, nullptr, {}).find("\x1b[2J") != std::string::npos);
}

TEST_CASE("NO_COLOR means no colour, and bold is none") {
  canvas on{20, 1};
  on.put(0, 0, "a", style::bad);
  on.put(1, 0, "b", style::good);
  on.put(2, 0, "c", style::title);
  const auto bytes = paint(on, nullptr, {.colour = false, .unicode = true});
  for (const std::string colour : {"3", "9"})
    for (char digit = '0'; digit <= '7'; ++digit) {
      CHECK(bytes.find(";" + colour + digit + "m") == std::string::npos);
      CHECK(bytes.find("[" + colour + digit + "m") == std::string::npos);
    }
  CHECK(paint(on, nullptr, {}).find("31m") != std::string::npos);
}

TEST_CASE("numbers for people") {
  CHECK(human_bytes(0) == "0 B");
  CHECK(human_bytes(-5) == "0 B");
  CHECK(human_bytes(999) == "999 B");
  CHECK(human_bytes(1023) == "1.0 KiB");
  CHECK(human_bytes(1536) == "1.5 KiB");
  CHECK(human_bytes(10 * 1024) == "10 KiB");
  CHECK(human_bytes(1.3e9) == "1.2 GiB");
  CHECK(human_bytes(1e30).ends_with(" PiB"));
  CHECK(human_rate(340e3) == "340 kB/s");
  CHECK(human_rate(999'999) == "1.0 MB/s");
  CHECK(human_percent(99.6) == "100 %");
  CHECK(human_count(0) == "0");
  CHECK(human_count(999) == "999");
  CHECK(human_count(1'234'567) == "1 234 567");
  CHECK(human_span(59s) == "59s");
  CHECK(human_span(125s) == "2m 05s");
  CHECK(human_span(4h + 7min) == "4h 07m");
  CHECK(human_span(74h) == "3d 02h");
  CHECK(stop_watch(7s) == "00:07");
  CHECK(stop_watch(61min) == "61:00");
}
