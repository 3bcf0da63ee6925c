#include <herald/json.hpp>

#include <herald/detail/constraints.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace herald {

namespace {

// Members in the order in which they are written: rows read in the order of their attributes.
using json = nlohmann::ordered_json;
constexpr int deepest = 8;

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

json json_of(const record& row) {
  if (!row) return nullptr;
  json object = json::object();
  for (const detail::attribute_info& attribute : row.table().attributes) {
    if (!attribute.sensitive) object[std::string{attribute.name}] = json_of(attribute.get(row.row()));
  }
  return object;
}

std::string text_of(const json& from) { return from.dump(-1, ' ', false, json::error_handler_t::replace); }

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
value plain_value(const json& from, int depth) {
  if (from.is_boolean()) return value{from.get<bool>()};
  if (from.is_number_unsigned() && from.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
    return value{from.get<double>()};
  if (from.is_number_integer()) return value{from.get<std::int64_t>()};
  if (from.is_number()) return value{from.get<double>()};
  if (from.is_string()) return value{from.get<std::string>()};
  if (from.is_array() && depth > 0) {
    std::vector<value> parts;
    for (const json& part : from) parts.push_back(plain_value(part, depth - 1));
    return value{std::move(parts)};
  }
  if (from.is_object() && depth > 0) {
    std::vector<value> entries;
    for (const auto& [name, held] : from.items()) {
      entries.emplace_back(name);
      entries.push_back(plain_value(held, depth - 1));
    }
    return value::map_of(entries);
  }
  if (from.is_object() || from.is_array()) return value{text_of(from)};  // too deep for any attribute: refused by its type
  return value{};
}

/// The same, in the form of an attribute's type where JSON has no such form of its own.
value value_for(const detail::type_ops& type, const json& from, int depth = deepest) {
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
    for (const json& part : from) parts.push_back(value_for(*type.element, part, depth - 1));
    return value{std::move(parts)};
  }
  if (depth > 0 && wanted == value_type::map && from.is_object()) {
    std::vector<value> entries;
    for (const auto& [name, held] : from.items()) {
      const std::size_t at = type.fields == nullptr ? resource_table::none : type.fields->find_attribute(name);
      const detail::type_ops* const inside = at == resource_table::none ? type.element : type.fields->attributes[at].ops;
      entries.emplace_back(name);
      entries.push_back(inside == nullptr ? plain_value(held, depth - 1) : value_for(*inside, held, depth - 1));
    }
    return value::map_of(entries);
  }
  return plain_value(from, depth);
}

result<json> object_from(const resource_table& resource, std::string_view text) {
  json read = json::parse(text, nullptr, false);
  if (read.is_object()) return read;
  return error{resource_errc::invalid, std::string{"the input for resource "}
                                           .append(resource.name)
                                           .append(read.is_discarded() ? " is no JSON" : " is JSON, but no object")
                                           .append("; wanted is an object of attributes")};
}

/// Reads exactly `digits` decimal digits at `at`.
bool take_number(std::string_view text, std::size_t at, std::size_t digits, int& to) {
  if (at + digits > text.size()) return false;
  for (std::size_t i = at; i < at + digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
  }
  return std::from_chars(text.data() + at, text.data() + at + digits, to).ec == std::errc{};
}

}  // namespace

std::string to_json(const record& row) { return text_of(json_of(row)); }

std::string to_json(const event_record& event) {
  json object = json::object();
  object["offset"] = event.at.to_string();
  object["resource"] = std::string{event.resource->name};
  object["action"] = std::string{event.action_info().name};
  object["kind"] = std::string{to_string(event.kind)};
  object["key"] = event.key.to_string();
  object["before"] = json_of(event.before);
  object["after"] = json_of(event.after);
  json changed = json::array();
  for (std::size_t i = 0; i < event.resource->attributes.size(); ++i) {
    if ((event.changed & detail::bit(i)) != 0) changed.push_back(std::string{event.resource->attributes[i].name});
  }
  object["changed"] = std::move(changed);
  json topics = json::array();
  for (const auto& route : event.routes) {
    json one = json::object();
    one["topic"] = route.topic;
    one["event"] = std::string{event.name_on(route)};
    topics.push_back(std::move(one));
  }
  object["topics"] = std::move(topics);
  object["time"] = to_text(event.time);
  if (!event.tenant.empty()) object["tenant"] = event.tenant;
  if (!event.actor.empty()) object["actor"] = event.actor;
  if (!event.metadata.empty()) {
    json metadata = json::object();
    for (const named_value& entry : event.metadata) metadata[entry.name] = json_of(entry.value.view());
    object["metadata"] = std::move(metadata);
  }
  return text_of(object);
}

result<record> row_from_json(const resource_table& resource, std::string_view text) {
  const auto object = object_from(resource, text);
  if (!object) return object.error();
  draft row{resource};
  std::vector<field_error> wrong;
  for (const auto& [name, held] : object->items()) {
    const std::size_t at = resource.find_attribute(name);
    if (at == resource_table::none || resource.attributes[at].sensitive) {
      wrong.push_back({name, "is no attribute"});
      continue;
    }
    const detail::attribute_info& attribute = resource.attributes[at];
    const value given = value_for(*attribute.ops, held);
    if (const cast_status status = row.set(at, given.view()); status != cast_status::ok) {
      auto what = detail::stranger_inside(*attribute.ops, given.view(), true);
      if (!what && !attribute.ops->names.empty()) what = detail::cast_message(attribute, given.view(), status);
      wrong.push_back({name, what ? *std::move(what)
                                  : "must be of type " + std::string{to_string(attribute.type())} + ", got " + text_of(held)});
    } else if (auto what = detail::stranger_inside(*attribute.ops, given.view(), true)) {
      wrong.push_back({name, *std::move(what)});
    }
  }
  if (wrong.empty()) return std::move(row).freeze();
  return error{resource_errc::invalid, "the object is no row of resource " + std::string{resource.name}, std::move(wrong)};
}

result<std::vector<named_value>> inputs_from_json(const resource_table& resource, std::string_view text) {
  const auto object = object_from(resource, text);
  if (!object) return object.error();
  std::vector<named_value> inputs;
  for (const auto& [name, held] : object->items()) {
    const std::size_t at = resource.find_attribute(name);
    inputs.push_back({name, at == resource_table::none ? plain_value(held, deepest)
                                                       : value_for(*resource.attributes[at].ops, held)});
  }
  return inputs;
}

std::string to_text(timestamp time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  std::array<char, 40> text{};
  const int size = std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ",
                                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                                 static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                                 static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
                                 static_cast<int>(clock.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

std::optional<timestamp> time_from_text(std::string_view text) noexcept {
  using namespace std::chrono;
  // "YYYY-MM-DDThh:mm:ss", up to six digits of a second, "Z".
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' ||
      text.back() != 'Z' || !take_number(text, 0, 4, y) || !take_number(text, 5, 2, mo) || !take_number(text, 8, 2, d) ||
      !take_number(text, 11, 2, h) || !take_number(text, 14, 2, mi) || !take_number(text, 17, 2, s))
    return std::nullopt;
  int micros = 0;
  if (text[19] == '.') {
    const std::size_t digits = text.size() - 21;
    if (digits < 1 || digits > 6 || !take_number(text, 20, digits, micros)) return std::nullopt;
    for (std::size_t i = digits; i < 6; ++i) micros *= 10;
  } else if (text.size() != 20) {
    return std::nullopt;
  }
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)}, day{static_cast<unsigned>(d)}};
  if (!date.ok() || h > 23 || mi > 59 || s > 59) return std::nullopt;
  return timestamp{sys_days{date}.time_since_epoch() + hours{h} + minutes{mi} + seconds{s} + microseconds{micros}};
}

}  // namespace herald
