#include <herald/topic.hpp>

#include <set>
#include <vector>

#include <doctest/doctest.h>

using namespace herald;

namespace {

std::string why(std::string_view name) {
  const auto r = check_topic(name);
  if (r) return "fine";
  CHECK(r.error() == pubsub_errc::bad_topic);
  return r.error().message();
}

}  // namespace

TEST_CASE("P14: a topic is 1 to 1024 bytes of UTF-8 in segments") {
  CHECK(why("prices") == "fine");
  CHECK(why("orders:eu:created") == "fine");
  CHECK(why("Größe:日本:😀") == "fine");
  CHECK(why(std::string(1024, 'x')) == "fine");
  CHECK(why("a b:c/d.e") == "fine");
  CHECK(why("a*b:**c") == "fine");  // only a whole segment is a wildcard
}

TEST_CASE("P14: what is wrong with a topic is said in one sentence") {
  CHECK(why("") == "the topic \"\" is empty; wanted: 1 to 1024 bytes");
  CHECK(why(std::string(1025, 'x')).find("has 1025 bytes; wanted: 1 to 1024") != std::string::npos);
  CHECK(why("a::b") == "the topic \"a::b\" has an empty segment, number 2; wanted: text on both sides of each \":\"");
  CHECK(why(":a").find("empty segment, number 1") != std::string::npos);
  CHECK(why("a:").find("empty segment, number 2") != std::string::npos);
  CHECK(why("a:*:b") == "the topic \"a:*:b\" has the wildcard \"*\" as segment 2; wanted: a name without wildcards");
  CHECK(why("**").find("wildcard \"**\" as segment 1") != std::string::npos);
  CHECK(why("a\nb") == "the topic \"a\\x0Ab\" has a control character at byte 2; wanted: none");
  CHECK(why(std::string{"a\0b", 3}).find("control character at byte 2") != std::string::npos);
  CHECK(why("a\x7f").find("control character at byte 2") != std::string::npos);
  CHECK(why("a\xc2\x85").find("control character at byte 2") != std::string::npos);  // U+0085
}

TEST_CASE("P14: what is no UTF-8 is refused") {
  for (const std::string_view bad : {"\x80", "a\xff", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "ab\xe2\x82"}) {
    CAPTURE(bad);
    CHECK(why(bad).find("is no UTF-8 at byte") != std::string::npos);
  }
}

TEST_CASE("a topic's segments come one after the other") {
  std::vector<std::string_view> all;
  for (const auto s : topic_segments{"a:bc:d"}) all.push_back(s);
  CHECK(all == std::vector<std::string_view>{"a", "bc", "d"});
}

TEST_CASE("an escaped value is one segment, and different values stay different") {
  std::set<std::string> made;
  const std::vector<std::string> values{"", "%", "*", "**", ":", "a:b", "a%3Ab", "x y", "ü", "\n", "\xff", "%%", "a", "%25"};
  for (const auto& v : values) {
    const auto s = escape_segment(v);
    CAPTURE(s);
    CHECK(check_topic(s));
    CHECK(check_topic("a:" + s + ":b"));
    made.insert(s);
  }
  CHECK(made.size() == values.size());
  CHECK(escape_segment("plain") == "plain");
}
