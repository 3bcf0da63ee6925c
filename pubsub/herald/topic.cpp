#include <herald/topic.hpp>

#include <cstdint>
#include <optional>

namespace herald {

namespace {

struct code_point {
  std::uint32_t value;
  std::size_t bytes;
};

/// The code point that begins at `at`; nothing where the bytes are no UTF-8 (overlong forms and surrogates neither).
std::optional<code_point> decode(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const auto first = byte(at);
  if (first < 0x80) return code_point{first, 1};
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + bytes > text.size()) return std::nullopt;
  auto value = first & (0xffu >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return std::nullopt;
    value = value << 6 | (byte(at + i) & 0x3f);
  }
  constexpr std::uint32_t smallest[]{0, 0, 0x80, 0x800, 0x10000};
  if (value < smallest[bytes] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return std::nullopt;
  return code_point{value, bytes};
}

constexpr bool control(std::uint32_t value) { return value < 0x20 || (value >= 0x7f && value < 0xa0); }

constexpr char digits[] = "0123456789ABCDEF";

void append_hex(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  out.push_back(digits[byte >> 4]);
  out.push_back(digits[byte & 15]);
}

/// The name as it can stand in a sentence: at most 64 bytes, without what would break a terminal.
std::string shown(std::string_view name) {
  std::string out{"the topic \""};
  std::size_t at = 0;
  while (at < name.size() && at < 64) {
    const auto c = decode(name, at);
    if (!c || control(c->value)) {
      out += "\\x";
      append_hex(out, name[at]);
      ++at;
    } else {
      out.append(name.substr(at, c->bytes));
      at += c->bytes;
    }
  }
  return out + (at < name.size() ? "...\" " : "\" ");
}

error refuse(std::string_view name, const std::string& what) {
  return {pubsub_errc::bad_topic, shown(name) + what};
}

/// What names and patterns have in common: the bytes.
result<void> check_bytes(std::string_view name) {
  if (name.empty()) return refuse(name, "is empty; wanted: 1 to 1024 bytes");
  if (name.size() > max_topic_bytes)
    return refuse(name, "has " + std::to_string(name.size()) + " bytes; wanted: 1 to 1024");
  for (std::size_t at = 0; at < name.size();) {
    const auto c = decode(name, at);
    if (!c) return refuse(name, "is no UTF-8 at byte " + std::to_string(at + 1) + "; wanted: UTF-8");
    if (control(c->value))
      return refuse(name, "has a control character at byte " + std::to_string(at + 1) + "; wanted: none");
    at += c->bytes;
  }
  return {};
}

bool is_wildcard(std::string_view segment) noexcept { return segment == "*" || segment == "**"; }

result<void> check_name(std::string_view name, bool pattern) {
  if (auto fine = check_bytes(name); !fine) return fine;
  std::size_t number = 0;
  bool rest = false;
  for (const auto segment : topic_segments{name}) {
    ++number;
    if (rest)
      return refuse(name, "has the wildcard \"**\" as segment " + std::to_string(number - 1) +
                              ", and another segment after it; wanted: \"**\" only as the last one");
    if (segment.empty())
      return refuse(name, "has an empty segment, number " + std::to_string(number) + "; wanted: text on both sides of each \":\"");
    if (!is_wildcard(segment)) continue;
    if (!pattern)
      return refuse(name, "has the wildcard \"" + std::string{segment} + "\" as segment " + std::to_string(number) +
                              "; wanted: a name without wildcards");
    rest = segment == "**";
  }
  return {};
}

}  // namespace

result<void> check_topic(std::string_view name) { return check_name(name, false); }
result<void> check_pattern(std::string_view pattern) { return check_name(pattern, true); }

bool is_pattern(std::string_view name) noexcept {
  if (name.find('*') == std::string_view::npos) return false;
  for (const auto segment : topic_segments{name})
    if (is_wildcard(segment)) return true;
  return false;
}

bool matches(std::string_view pattern, std::string_view topic) noexcept {
  const topic_segments wanted{pattern};
  const topic_segments given{topic};
  auto w = wanted.begin();
  auto g = given.begin();
  for (; w != wanted.end(); ++w, ++g) {
    if (*w == "**") return true;
    if (g == given.end() || (*w != "*" && *w != *g)) return false;
  }
  return g == given.end();
}

std::string escape_segment(std::string_view value) {
  if (value.empty()) return "%";
  std::string out;
  out.reserve(value.size());
  for (std::size_t at = 0; at < value.size();) {
    const auto c = decode(value, at);
    const auto bytes = c ? c->bytes : 1;
    const bool plain = c && !control(c->value) && c->value != '%' && c->value != '*' && c->value != ':';
    for (std::size_t i = 0; i < bytes; ++i) {
      if (plain) {
        out.push_back(value[at + i]);
      } else {
        out.push_back('%');
        append_hex(out, value[at + i]);
      }
    }
    at += bytes;
  }
  return out;
}

std::string unescape_segment(std::string_view segment) {
  if (segment == "%") return {};
  const auto digit = [&](std::size_t at) {
    const char c = at < segment.size() ? segment[at] : '\0';
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  std::string out;
  out.reserve(segment.size());
  for (std::size_t at = 0; at < segment.size(); ++at) {
    if (segment[at] == '%' && digit(at + 1) >= 0 && digit(at + 2) >= 0) {
      out.push_back(static_cast<char>(digit(at + 1) * 16 + digit(at + 2)));
      at += 2;
    } else {
      out.push_back(segment[at]);
    }
  }
  return out;
}

}  // namespace herald
