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

}  // namespace

result<void> check_topic(std::string_view name) {
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
  std::size_t number = 0;
  for (const auto segment : topic_segments{name}) {
    ++number;
    if (segment.empty())
      return refuse(name, "has an empty segment, number " + std::to_string(number) + "; wanted: text on both sides of each \":\"");
    if (segment == "*" || segment == "**")
      return refuse(name, "has the wildcard \"" + std::string{segment} + "\" as segment " + std::to_string(number) +
                              "; wanted: a name without wildcards");
  }
  return {};
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

}  // namespace herald
