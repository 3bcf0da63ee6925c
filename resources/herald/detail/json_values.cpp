#include "json_values.hpp"

#include <herald/detail/constraints.hpp>
#include <herald/time_text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace herald::detail {

namespace {

constexpr int deepest = 8;                // of values inside an attribute
constexpr std::size_t deepest_text = 64;  // of brackets in a text

std::optional<byte_vector> bytes_from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  byte_vector all;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned byte = 0;
    const auto read = std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    if (read.ec != std::errc{} || read.ptr != text.data() + i + 2) return std::nullopt;
    all.push_back(static_cast<std::byte>(byte));
  }
  return all;
}

/// A value as JSON says it, without knowing what is wanted.
value plain(const json& from, int depth) {
  if (from.is_boolean()) return value{from.get<bool>()};
  if (from.is_number_unsigned() && from.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
    return value{from.get<double>()};
  if (from.is_number_integer()) return value{from.get<std::int64_t>()};
  if (from.is_number()) return value{from.get<double>()};
  if (from.is_string()) return value{from.get<std::string>()};
  if (from.is_array() && depth > 0) {
    std::vector<value> parts;
    for (const json& part : from) parts.push_back(plain(part, depth - 1));
    return value{std::move(parts)};
  }
  if (from.is_object() && depth > 0) {
    std::vector<value> entries;
    for (const auto& [name, held] : from.items()) {
      entries.emplace_back(name);
      entries.push_back(plain(held, depth - 1));
    }
    return value::map_of(entries);
  }
  if (from.is_object() || from.is_array()) return value{text_of(from)};  // too deep for any attribute: refused by its type
  return value{};
}

/// The same, in the form of an attribute's type where JSON has no such form of its own.
value fitting(const type_ops& type, const json& from, int depth) {
  const value_type wanted = type.type;
  if (from.is_string()) {
    const auto& text = from.get_ref<const std::string&>();
    if (wanted == value_type::time) {
      if (const auto time = time_from_text(text)) return value{*time};
    }
    if (wanted == value_type::bytes) {
      if (const auto bytes = bytes_from_hex(text)) return value{*bytes};
    }
    if (wanted == value_type::real) {
      if (text == "inf") return value{std::numeric_limits<double>::infinity()};
      if (text == "-inf") return value{-std::numeric_limits<double>::infinity()};
    }
  }
  if (wanted == value_type::duration && from.is_number_integer())
    return value{std::chrono::microseconds{from.get<std::int64_t>()}};
  if (depth > 0 && wanted == value_type::list && from.is_array() && type.element != nullptr) {
    std::vector<value> parts;
    for (const json& part : from) parts.push_back(fitting(*type.element, part, depth - 1));
    return value{std::move(parts)};
  }
  if (depth > 0 && wanted == value_type::map && from.is_object()) {
    std::vector<value> entries;
    for (const auto& [name, held] : from.items()) {
      const std::size_t at = type.fields == nullptr ? resource_table::none : type.fields->find_attribute(name);
      const type_ops* const inside = at == resource_table::none ? type.element : type.fields->attributes[at].ops;
      entries.emplace_back(name);
      entries.push_back(inside == nullptr ? plain(held, depth - 1) : fitting(*inside, held, depth - 1));
    }
    return value::map_of(entries);
  }
  return plain(from, depth);
}

/// How deep brackets stand in brackets. What reads and writes JSON goes as deep into the stack.
std::size_t depth_of(std::string_view text) {
  std::size_t depth = 0, most = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      most = std::max(most, ++depth);
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return most;
}

}  // namespace

json json_of(const value_view& held) {
  switch (held.type()) {
    case value_type::null: return nullptr;
    case value_type::boolean: return held.boolean();
    case value_type::integer:
    case value_type::duration: return held.integer();
    case value_type::real:
      if (std::isnan(held.real())) return "nan";
      if (std::isinf(held.real())) return held.real() > 0 ? "inf" : "-inf";
      return held.real();
    case value_type::text: return std::string{held.text()};
    case value_type::time: return to_text(held.time());
    case value_type::uuid:
    case value_type::bytes: {
      std::string text;
      held.append_to(text);
      return text;
    }
    case value_type::list: {
      json parts = json::array();
      for (std::size_t i = 0; i < held.size(); ++i) parts.push_back(json_of(held[i]));
      return parts;
    }
    case value_type::map: {
      json object = json::object();
      held.each_entry([&](const map_entry& entry) {
        if (entry.sensitive) return;
        std::string name;
        entry.key.append_to(name);
        object[name] = json_of(entry.held);
      });
      return object;
    }
  }
  return nullptr;
}

std::string text_of(const json& from) { return from.dump(-1, ' ', false, json::error_handler_t::replace); }

value plain_value(const json& from) { return plain(from, deepest); }

value value_for(const type_ops& type, const json& from) { return fitting(type, from, deepest); }

result<json> object_from(std::string_view text, std::string_view what, std::string_view wanted) {
  const auto refused = [&](std::string_view why) {
    return error{resource_errc::invalid, fmt::format("{} {}; wanted is an object of {}", what, why, wanted)};
  };
  if (depth_of(text) > deepest_text) return refused(fmt::format("is nested deeper than {}", deepest_text));
  json read = json::parse(text, nullptr, false);
  if (read.is_object()) return read;
  return refused(read.is_discarded() ? "is no JSON" : "is JSON, but no object");
}

record row_from(const resource_table& resource, const json& object, std::string_view inside, std::vector<field_error>& wrong) {
  draft row{resource};
  for (const auto& [name, held] : object.items()) {
    const auto refuse = [&, &of = name](std::string what) { wrong.push_back({std::string{inside}.append(of), std::move(what)}); };
    const std::size_t at = resource.find_attribute(name);
    if (at == resource_table::none || resource.attributes[at].sensitive) {
      refuse("is no attribute");
      continue;
    }
    const attribute_info& attribute = resource.attributes[at];
    const value given = value_for(*attribute.ops, held);
    if (const cast_status status = row.set(at, given.view()); status != cast_status::ok) {
      auto what = stranger_inside(*attribute.ops, given.view(), true);
      if (!what && !attribute.ops->names.empty()) what = cast_message(attribute, given.view(), status);
      refuse(what ? *std::move(what) : "must be of type " + std::string{to_string(attribute.type())} + ", got " + text_of(held));
    } else if (auto inner = stranger_inside(*attribute.ops, given.view(), true)) {
      refuse(*std::move(inner));
    }
  }
  return std::move(row).freeze();
}

}  // namespace herald::detail
