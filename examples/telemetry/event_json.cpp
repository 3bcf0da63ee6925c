#include "event_json.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace telemetry {

namespace {

using json = nlohmann::ordered_json;

std::string hex(herald::bytes_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const auto byte : bytes) {
    text.push_back(digits[std::to_integer<std::size_t>(byte >> 4)]);
    text.push_back(digits[std::to_integer<std::size_t>(byte & std::byte{15})]);
  }
  return text;
}

json to_json(const herald::value_view& value) {
  switch (value.type()) {
    case herald::value_type::null:
      return nullptr;
    case herald::value_type::boolean:
      return value.boolean();
    case herald::value_type::integer:
      return value.integer();
    case herald::value_type::real:
      return std::isfinite(value.real()) ? json(value.real()) : json(nullptr);
    case herald::value_type::text:
      return value.text();
    case herald::value_type::bytes:
      return hex(value.as_bytes());
    case herald::value_type::uuid: {
      std::string text;
      value.append_to(text);
      return text;
    }
    case herald::value_type::time:
      return value.time().time_since_epoch().count();
    case herald::value_type::duration:
      return value.duration().count();
    case herald::value_type::list: {
      json list = json::array();
      for (std::size_t index = 0; index < value.size(); ++index) list.push_back(to_json(value[index]));
      return list;
    }
  }
  return nullptr;
}

json to_json(const herald::record& row) {
  if (!row) return nullptr;
  json object = json::object();
  const auto& attributes = row.table().attributes;
  for (std::size_t index = 0; index < attributes.size(); ++index)
    if (!attributes[index].sensitive) object[std::string{attributes[index].name}] = to_json(row.get(index));
  return object;
}

}  // namespace

std::string event_json(const herald::event_record& event) {
  const auto& table = *event.resource;
  json key = json::object();
  for (std::size_t part = 0; part < table.key.size() && part < event.key.size(); ++part)
    key[std::string{table.attributes[table.key[part]].name}] = to_json(event.key[part]);
  json changed = json::array();
  for (std::size_t index = 0; index < table.attributes.size(); ++index)
    if ((event.changed & herald::detail::bit(index)) != 0 && !table.attributes[index].sensitive)
      changed.push_back(table.attributes[index].name);
  json topics = json::array();
  for (const auto& route : event.routes) topics.push_back(route.topic);

  json object;
  object["resource"] = table.name;
  object["action"] = event.action_info().name;
  object["kind"] = herald::to_string(event.kind);
  object["time_us"] = event.time.time_since_epoch().count();
  object["key"] = std::move(key);
  object["before"] = to_json(event.before);
  object["after"] = to_json(event.after);
  object["changed"] = std::move(changed);
  object["topics"] = std::move(topics);
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

record_offset offset_of(const herald::event_record& event) {
  // "9f86d081884c7d65-42": the epoch is what stands before the dash.
  auto text = event.at.to_string();
  text.resize(text.rfind('-'));
  return {std::move(text), event.at.sequence};
}

std::optional<herald::offset> offset_of(const record_offset& offset) {
  return herald::offset::parse(offset.epoch + "-" + std::to_string(offset.sequence));
}

}  // namespace telemetry
