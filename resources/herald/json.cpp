#include <herald/json.hpp>

#include <herald/action.hpp>
#include <herald/detail/json_values.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace herald {

namespace {

using detail::json;
using detail::json_of;
using detail::plain_value;
using detail::text_of;
using detail::value_for;

json json_of(const record& row) {
  if (!row) return nullptr;
  json object = json::object();
  for (const detail::attribute_info& attribute : row.table().attributes) {
    if (!attribute.sensitive) object[std::string{attribute.name}] = json_of(attribute.get(row.row()));
  }
  return object;
}

result<json> object_for(const resource_table& resource, std::string_view text, std::string_view wanted) {
  return detail::object_from(text, fmt::format("the input for resource {}", resource.name), wanted);
}

/// Reads the members of an event in turn, and keeps what is wrong with them.
class event_reader {
 public:
  explicit event_reader(const json& from) : from_{from} {}

  [[nodiscard]] result<event_ptr> read(std::span<const resource_table* const> tables) {
    const std::string name = text("resource");
    for (const resource_table* one : tables) {
      if (one->name == name) event_->resource = one;
    }
    if (event_->resource == nullptr) {
      if (wrong_.empty()) refuse("resource", fmt::format("is none of the {} resources asked for, got \"{}\"", tables.size(), name));
      return failure();
    }
    read_action();
    read_rows();
    if (const auto at = offset::parse(text("offset"))) event_->at = *at;
    else refuse("offset", "must be an epoch of 16 hex digits, \"-\" and a sequence");
    if (const auto time = time_from_text(text("time"))) event_->time = *time;
    else refuse("time", "must be a time as \"2026-11-22T12:00:00.000000Z\"");
    event_->tenant = text("tenant", false);
    event_->actor = text("actor", false);
    read_changed();
    read_topics();
    if (const json* const held = member("metadata", json::value_t::object, false)) {
      for (const auto& [entry, one] : held->items()) event_->metadata.push_back({entry, plain_value(one)});
    }
    for (const auto& [member, held] : from_.items()) {
      if (std::find(known_.begin(), known_.end(), member) == known_.end()) refuse(member, "is no member of an event");
    }
    if (!wrong_.empty()) return failure();
    return event_ptr{std::move(event_)};
  }

 private:
  void refuse(std::string_view member, std::string what) {
    if (std::none_of(wrong_.begin(), wrong_.end(), [&](const field_error& one) { return one.field == member; }))
      wrong_.push_back({std::string{member}, std::move(what)});
  }
  [[nodiscard]] error failure() {
    return {resource_errc::invalid,
            event_->resource == nullptr ? "the object is no event" : fmt::format("the object is no event of resource {}", event_->resource->name),
            std::move(wrong_)};
  }
  /// Null when it is not there or of another type, which is said.
  [[nodiscard]] const json* member(std::string_view name, json::value_t wanted, bool needed = true) {
    known_.push_back(name);
    const auto at = from_.find(std::string{name});
    if (at == from_.end()) {
      if (needed) refuse(name, "is missing");
      return nullptr;
    }
    if (at->type() == wanted) return &*at;
    refuse(name, fmt::format("must be {} {}, got {}", wanted == json::value_t::string ? "a" : "an", json(wanted).type_name(), text_of(*at)));
    return nullptr;
  }
  [[nodiscard]] std::string text(std::string_view name, bool needed = true) {
    const json* const held = member(name, json::value_t::string, needed);
    return held == nullptr ? std::string{} : held->get<std::string>();
  }

  void read_action() {
    const std::string action = text("action");
    const std::size_t at = event_->resource->find_action(action);
    event_->action = at == resource_table::none ? std::numeric_limits<std::uint16_t>::max() : static_cast<std::uint16_t>(at);
    if (at == resource_table::none && action != unknown_action.name)
      refuse("action", fmt::format("is no action of the resource, got \"{}\"", action));
    const std::string kind = text("kind");
    bool is_one = false;
    for (const event_kind one : {event_kind::created, event_kind::updated, event_kind::destroyed, event_kind::unchanged}) {
      if (to_string(one) != kind) continue;
      event_->kind = one;
      is_one = true;
    }
    if (!is_one) refuse("kind", fmt::format("must be created, updated, destroyed or unchanged, got \"{}\"", kind));
  }

  [[nodiscard]] record row(std::string_view name) {
    known_.push_back(name);
    const auto at = from_.find(std::string{name});
    if (at == from_.end() || at->is_null()) return {};
    if (at->is_object()) return detail::row_from(*event_->resource, *at, std::string{name} + ".", wrong_);
    refuse(name, "must be an object or null, got " + text_of(*at));
    return {};
  }
  void read_rows() {
    event_->before = row("before");
    event_->after = row("after");
    const std::string key = text("key");
    const record& left = event_->after ? event_->after : event_->before;
    if (!left) return refuse("after", "is missing, and so is before: an event has a row");
    event_->key = row_key::of(left);
    if (event_->key.to_string() != key) refuse("key", fmt::format("must be the row's, {}, got \"{}\"", event_->key.to_string(), key));
  }
  void read_changed() {
    const json* const held = member("changed", json::value_t::array);
    if (held == nullptr) return;
    for (const json& one : *held) {
      const std::size_t at = one.is_string() ? event_->resource->find_attribute(one.get_ref<const std::string&>()) : resource_table::none;
      if (at == resource_table::none) refuse("changed", "must hold names of attributes, got " + text_of(one));
      else event_->changed |= detail::bit(at);
    }
  }

  void read_topics() {
    const json* const held = member("topics", json::value_t::array);
    if (held == nullptr) return;
    for (const json& one : *held) {
      const auto topic = one.is_object() ? one.find("topic") : one.end();
      const auto name = one.is_object() ? one.find("event") : one.end();
      const bool fits = one.is_object() && one.size() == 2 && topic != one.end() && name != one.end() && topic->is_string() && name->is_string();
      if (!fits || event_->routes.size() == most_topics)
        return refuse("topics", fmt::format("must hold at most {} objects of a topic and an event's name, got {}", most_topics, text_of(one)));
      event_->routes.push_back({topic->get<std::string>(), publication_of(name->get<std::string>())});
    }
  }
  /// The first publication that gives the action's events this name; one of the event's own when there is none.
  [[nodiscard]] std::uint16_t publication_of(std::string name) {
    const auto publications = event_->resource->publications;
    for (std::size_t i = 0; i < publications.size(); ++i) {
      const bool concerns = publications[i].all ? publications[i].kind == happened() : publications[i].action == event_->action;
      if (concerns && event_->name_on({{}, static_cast<std::uint16_t>(i)}) == name) return static_cast<std::uint16_t>(i);
    }
    if (name == event_->action_info().name) return event_record::unknown_publication;
    event_->own_names.push_back(std::move(name));
    return static_cast<std::uint16_t>(event_record::own_route + event_->own_names.size() - 1);
  }

  [[nodiscard]] op happened() const {
    switch (event_->kind) {
      case event_kind::created: return op::create;
      case event_kind::updated: return op::update;
      case event_kind::destroyed: return op::destroy;
      case event_kind::unchanged: break;
    }
    return event_->action_info().kind;
  }

  static constexpr std::size_t most_topics = 16'384;
  const json& from_;
  std::shared_ptr<event_record> event_ = std::make_shared<event_record>();
  std::vector<field_error> wrong_;
  std::vector<std::string_view> known_;
};

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
  const auto object = object_for(resource, text, "attributes");
  if (!object) return object.error();
  std::vector<field_error> wrong;
  record row = detail::row_from(resource, *object, {}, wrong);
  if (wrong.empty()) return row;
  return error{resource_errc::invalid, fmt::format("the object is no row of resource {}", resource.name), std::move(wrong)};
}

result<event_ptr> event_from_json(std::span<const resource_table* const> tables, std::string_view text) {
  const auto object = detail::object_from(text, "the input for an event", "an event's members, as to_json writes them");
  if (!object) return object.error();
  return event_reader{*object}.read(tables);
}

result<std::vector<named_value>> inputs_from_json(const resource_table& resource, std::string_view action, std::string_view text) {
  const auto number = action_by_name(resource, action);
  if (!number) return number.error();
  const auto object = object_for(resource, text, "attributes and arguments");
  if (!object) return object.error();
  const auto arguments = resource.arguments_of(resource.actions[*number]);
  std::vector<named_value> inputs;
  for (const auto& [name, held] : object->items()) {
    const detail::type_ops* type = nullptr;
    if (const std::size_t at = resource.find_attribute(name); at != resource_table::none) type = resource.attributes[at].ops;
    for (const detail::argument_info& one : arguments) {
      if (one.info.name == name) type = one.info.ops;
    }
    inputs.push_back({name, type == nullptr ? plain_value(held) : value_for(*type, held)});
  }
  return inputs;
}

}  // namespace herald
