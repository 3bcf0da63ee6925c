#include <herald/value.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

namespace herald {

namespace {

constexpr std::array<std::string_view, 11> type_names{"null", "boolean", "integer",  "real", "text", "bytes",
                                                       "uuid", "time",    "duration", "list", "map"};

std::size_t value_list_size(const void* list) { return static_cast<const std::vector<value>*>(list)->size(); }
value_view value_list_at(const void* list, std::size_t index) {
  return (*static_cast<const std::vector<value>*>(list))[index].view();
}
constexpr detail::list_ops value_list_ops{value_list_size, value_list_at};

constexpr detail::map_ops value_map_ops{
    [](const void* map) { return value_list_size(map) / 3; },
    [](const void* map, void* to, void (*visit)(void* to, const map_entry& entry)) {
      const auto& list = *static_cast<const std::vector<value>*>(map);
      for (std::size_t i = 0; i + 2 < list.size(); i += 3)
        visit(to, {list[i].view(), list[i + 1].view(), list[i + 2].view().boolean()});
    }};

std::vector<map_entry> entries_of(const value_view& map) {
  std::vector<map_entry> all;
  all.reserve(map.size());
  map.each_entry([&](const map_entry& entry) { all.push_back(entry); });
  return all;
}

std::strong_ordering order_of_maps(const value_view& left, const value_view& right) {
  const auto mine = entries_of(left);
  const auto other = entries_of(right);
  for (std::size_t i = 0; i < std::min(mine.size(), other.size()); ++i) {
    if (const auto order = mine[i].key <=> other[i].key; order != 0) return order;
    if (const auto order = mine[i].held <=> other[i].held; order != 0) return order;
  }
  return mine.size() <=> other.size();
}

std::strong_ordering order_of(double left, double right) noexcept {
  if (left < right) return std::strong_ordering::less;
  if (left > right) return std::strong_ordering::greater;
  return std::isnan(left) <=> std::isnan(right);
}

std::strong_ordering order_of(bytes_view left, bytes_view right) noexcept {
  const std::size_t common = std::min(left.size(), right.size());
  const int order = common == 0 ? 0 : std::memcmp(left.data(), right.data(), common);
  return order != 0 ? order <=> 0 : left.size() <=> right.size();
}

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out.append(text.data(), end);
}

constexpr std::size_t mix(std::size_t seed, std::uint64_t part) noexcept {
  return static_cast<std::size_t>((seed ^ part) * 0x9e3779b97f4a7c15U + (seed >> 29));
}

}  // namespace

std::string_view to_string(value_type type) noexcept { return type_names[static_cast<std::size_t>(type)]; }

bool operator==(const value_view& left, const value_view& right) noexcept { return (left <=> right) == 0; }

std::strong_ordering operator<=>(const value_view& left, const value_view& right) noexcept {
  if (left.type_ != right.type_) return left.type_ <=> right.type_;
  switch (left.type_) {
    case value_type::null: return std::strong_ordering::equal;
    case value_type::boolean:
    case value_type::integer:
    case value_type::time:
    case value_type::duration: return left.integer_ <=> right.integer_;
    case value_type::real: return order_of(left.real_, right.real_);
    case value_type::text: return left.text() <=> right.text();
    case value_type::bytes: return order_of(left.as_bytes(), right.as_bytes());
    case value_type::uuid: return left.uuid_ <=> right.uuid_;
    case value_type::map: return order_of_maps(left, right);
    case value_type::list: break;
  }
  const std::size_t common = std::min(left.size(), right.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (const auto order = left[i] <=> right[i]; order != 0) return order;
  }
  return left.size() <=> right.size();
}

void value_view::append_to(std::string& out) const {
  switch (type_) {
    case value_type::null: return;
    case value_type::boolean: out.append(boolean() ? "true" : "false"); return;
    case value_type::integer:
    case value_type::time:
    case value_type::duration: append_number(out, integer_); return;
    case value_type::real: append_number(out, real_); return;
    case value_type::text: out.append(text()); return;
    case value_type::uuid: uuid_.append_to(out); return;
    case value_type::bytes:
      for (const std::byte part : as_bytes()) {
        constexpr std::string_view digits = "0123456789abcdef";
        out.push_back(digits[std::to_integer<std::size_t>(part) >> 4]);
        out.push_back(digits[std::to_integer<std::size_t>(part) & 15]);
      }
      return;
    case value_type::list:
      for (std::size_t i = 0; i < size(); ++i) {
        if (i != 0) out.push_back(',');
        (*this)[i].append_to(out);
      }
      return;
    case value_type::map: {
      bool first = true;
      each_entry([&](const map_entry& entry) {
        if (entry.sensitive) return;
        if (!std::exchange(first, false)) out.push_back(',');
        entry.key.append_to(out);
        out.push_back('=');
        entry.held.append_to(out);
      });
      return;
    }
  }
}

std::string value_view::describe() const {
  constexpr std::size_t longest = 80;
  if (is_null()) return "null";
  std::string text;
  append_to(text);
  if (text.size() > longest) text.replace(longest, std::string::npos, "...");
  switch (type_) {
    case value_type::text: return '"' + text + '"';
    case value_type::list: return '[' + text + ']';
    case value_type::map: return '{' + text + '}';
    case value_type::duration: return text + "us";
    default: return text;
  }
}

std::size_t value_view::hash() const noexcept {
  const auto seed = static_cast<std::size_t>(type_);
  switch (type_) {
    case value_type::null: return seed;
    case value_type::boolean:
    case value_type::integer:
    case value_type::time:
    case value_type::duration: return mix(seed, static_cast<std::uint64_t>(integer_));
    case value_type::real: return mix(seed, std::bit_cast<std::uint64_t>(real_ == 0 ? 0.0 : real_));
    case value_type::text: return mix(seed, std::hash<std::string_view>{}(text()));
    case value_type::uuid: return mix(seed, std::hash<uuid>{}(uuid_));
    case value_type::bytes: {
      std::size_t all = seed;
      for (const std::byte part : as_bytes()) all = mix(all, std::to_integer<std::uint64_t>(part));
      return all;
    }
    case value_type::list: {
      std::size_t all = seed;
      for (std::size_t i = 0; i < size(); ++i) all = mix(all, (*this)[i].hash());
      return all;
    }
    case value_type::map: {
      std::size_t all = seed;
      each_entry([&](const map_entry& entry) { all = mix(mix(all, entry.key.hash()), entry.held.hash()); });
      return all;
    }
  }
  return seed;
}

value::value(const value_view& from) : type_{from.type()} {
  switch (type_) {
    case value_type::null: break;
    case value_type::boolean: held_ = std::int64_t{from.boolean()}; break;
    case value_type::integer:
    case value_type::time:
    case value_type::duration: held_ = from.integer(); break;
    case value_type::real: held_ = std::bit_cast<std::int64_t>(from.real()); break;
    case value_type::text: held_.emplace<std::string>(from.text()); break;
    case value_type::uuid: held_ = from.as_uuid(); break;
    case value_type::bytes: {
      const bytes_view parts = from.as_bytes();
      auto& text = held_.emplace<std::string>(parts.size(), '\0');
      std::transform(parts.begin(), parts.end(), text.begin(), [](std::byte b) { return static_cast<char>(b); });
      break;
    }
    case value_type::list: {
      auto& list = held_.emplace<std::vector<value>>();
      list.reserve(from.size());
      for (std::size_t i = 0; i < from.size(); ++i) list.emplace_back(from[i]);
      break;
    }
    case value_type::map: {
      auto& list = held_.emplace<std::vector<value>>();
      list.reserve(from.size() * 3);
      from.each_entry([&list](const map_entry& entry) {
        list.emplace_back(entry.key);
        list.emplace_back(entry.held);
        list.emplace_back(entry.sensitive);
      });
      break;
    }
  }
}

value value::map_of(const std::vector<value>& keys_and_values) {
  value made;
  made.type_ = value_type::map;
  auto& list = made.held_.emplace<std::vector<value>>();
  for (std::size_t i = 0; i + 1 < keys_and_values.size(); i += 2)
    list.insert(list.end(), {keys_and_values[i], keys_and_values[i + 1], value{false}});
  return made;
}

value_view value::view() const noexcept {
  const auto integer = [this] { return *std::get_if<std::int64_t>(&held_); };
  const auto text = [this]() -> const std::string& { return *std::get_if<std::string>(&held_); };
  const auto list = [this] { return std::get_if<std::vector<value>>(&held_); };
  switch (type_) {
    case value_type::null: break;
    case value_type::boolean: return value_view{integer() != 0};
    case value_type::integer: return value_view{integer()};
    case value_type::real: return value_view{std::bit_cast<double>(integer())};
    case value_type::text: return value_view{std::string_view{text()}};
    case value_type::bytes: return value_view{std::as_bytes(std::span{text().data(), text().size()})};
    case value_type::uuid: return value_view{*std::get_if<uuid>(&held_)};
    case value_type::time: return value_view{timestamp{std::chrono::microseconds{integer()}}};
    case value_type::duration: return value_view{std::chrono::microseconds{integer()}};
    case value_type::list: return value_view{list(), value_list_ops};
    case value_type::map: return value_view{list(), value_map_ops};
  }
  return {};
}

}  // namespace herald
