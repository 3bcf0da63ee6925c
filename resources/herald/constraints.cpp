#include <herald/detail/constraints.hpp>

#include <herald/action.hpp>

#include <algorithm>
#include <limits>

namespace herald::detail {

namespace {

std::int64_t length_of(const value_view& held) {
  switch (held.type()) {
    case value_type::text: {
      const std::string_view text = held.text();
      // Continuation bytes of UTF-8 are no characters of their own.
      return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
    }
    case value_type::bytes: return static_cast<std::int64_t>(held.as_bytes().size());
    case value_type::list:
    case value_type::map: return static_cast<std::int64_t>(held.size());
    default: return 0;
  }
}

std::string_view unit_of(value_type type) {
  switch (type) {
    case value_type::text: return " characters";
    case value_type::bytes: return " bytes";
    default: return " parts";
  }
}

std::string shown(const attribute_info& attribute, const value_view& held) {
  return attribute.sensitive ? std::string{} : ", got " + held.describe();
}

std::string listed(std::span<const value_view> values) {
  std::string text;
  for (const value_view& one : values) text.append(text.empty() ? "" : ", ").append(one.describe());
  return text;
}

std::optional<std::string> broken(const resource_table& resource, const attribute_info& attribute, const constraint& rule,
                                  const value_view& held) {
  switch (rule.kind) {
    case constraint_kind::min:
      if (held >= rule.bound) return std::nullopt;
      return "must be at least " + rule.bound.describe() + shown(attribute, held);
    case constraint_kind::max:
      if (held <= rule.bound) return std::nullopt;
      return "must be at most " + rule.bound.describe() + shown(attribute, held);
    case constraint_kind::min_length:
    case constraint_kind::max_length: {
      const std::int64_t length = length_of(held);
      const bool least = rule.kind == constraint_kind::min_length;
      if (least ? length >= rule.bound.integer() : length <= rule.bound.integer()) return std::nullopt;
      return std::string{"must have at "}
          .append(least ? "least " : "most ")
          .append(std::to_string(rule.bound.integer()))
          .append(unit_of(held.type()))
          .append(", got ")
          .append(std::to_string(length));
    }
    case constraint_kind::one_of: {
      const auto allowed = resource.values.subspan(rule.allowed.first, rule.allowed.count);
      if (std::find(allowed.begin(), allowed.end(), held) != allowed.end()) return std::nullopt;
      return "must be one of " + listed(allowed) + shown(attribute, held);
    }
    case constraint_kind::matches:
      if (rule.accepts(held)) return std::nullopt;
      return std::string{rule.message} + shown(attribute, held);
    case constraint_kind::initial:
    case constraint_kind::transitions: return std::nullopt;  // of changes: wrong_move
  }
  return std::nullopt;
}

std::string listed_names(const type_ops& type) {
  std::string text;
  for (const std::string_view name : type.names) {
    if (!name.empty()) text.append(text.empty() ? "" : ", ").append(name);
  }
  return text;
}

/// What is wrong inside a value: in a struct's fields, in a list's parts, in a map's values.
std::optional<std::string> violation_inside(const type_ops& type, const value_view& held) {
  if (held.is_null()) return std::nullopt;
  if (type.type == value_type::real) {
    if (held.real() == held.real()) return std::nullopt;
    return "must be a number, got " + held.describe();  // SQL would make null of it, and nothing equals it
  }
  if (type.wide && held.integer() < 0)
    return "must be at most " + std::to_string(std::numeric_limits<std::int64_t>::max()) + ", which is the largest integer that a store keeps";
  if (type.names.empty() && type.element == nullptr && type.fields == nullptr) return std::nullopt;
  if (!type.names.empty() && held.text().empty()) return "holds a value without a name; wanted is one of " + listed_names(type);
  std::optional<std::string> first;
  const auto note = [&](std::string where, std::optional<std::string> what) {
    if (what && !first) first = std::move(where) + ": " + *what;
  };
  if (type.fields != nullptr) {
    std::size_t number = 0;
    held.each_entry([&](const map_entry& entry) {
      note(std::string{entry.key.text()}, violation(*type.fields, type.fields->attributes[number++], entry.held));
    });
  } else if (type.element != nullptr && type.type == value_type::map) {
    held.each_entry([&](const map_entry& entry) { note(entry.key.describe(), violation_inside(*type.element, entry.held)); });
  } else if (type.element != nullptr) {
    for (std::size_t i = 0; i < held.size() && !first; ++i) note("part " + std::to_string(i), violation_inside(*type.element, held[i]));
  }
  return first;
}

}  // namespace

std::optional<std::string> violation(const resource_table& resource, const attribute_info& attribute,
                                     const value_view& held) {
  if (held.is_null()) return std::nullopt;
  if (auto what = violation_inside(*attribute.ops, held)) {
    const bool simple = attribute.ops->element == nullptr && attribute.ops->fields == nullptr;  // then it tells no value
    return attribute.sensitive && !simple ? "has something inside that breaks a rule" : what;
  }
  for (const constraint& rule : resource.constraints_of(attribute)) {
    if (auto what = broken(resource, attribute, rule, held)) return what;
  }
  return std::nullopt;
}

result<void> take_arguments(const action_request& request, std::vector<value>& to) {
  const resource_table& resource = *request.resource;
  const action_info& action = resource.actions[request.action];
  const auto arguments = resource.arguments_of(action);
  if (arguments.empty()) return {};
  to = request.arguments;
  to.resize(arguments.size());
  std::vector<field_error> wrong;
  std::vector<field_error> missing;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const argument_info& argument = arguments[i];
    const bool given = (request.arguments_given & bit(i)) != 0;
    if (argument.info.required && (!given || to[i].is_null())) {
      missing.push_back({std::string{argument.info.name}, "is required"});
      continue;
    }
    if (!given) to[i] = argument.info.default_value.is_null() ? argument.initial() : value{argument.info.default_value};
    if (auto what = violation(resource, argument.info, to[i].view()))
      wrong.push_back({std::string{argument.info.name}, std::move(*what)});
  }
  if (wrong.empty() && missing.empty()) return {};
  return error{resource_errc::invalid, name_of(resource, action).append(" was refused"),
               wrong.empty() ? std::move(missing) : std::move(wrong)};
}

std::optional<std::string> wrong_move(const resource_table& resource, const attribute_info& attribute,
                                      const value_view& from, const value_view& to, bool was_there) {
  for (const constraint& rule : resource.constraints_of(attribute)) {
    const auto values = resource.values.subspan(rule.allowed.first, rule.allowed.count);
    if (rule.kind == constraint_kind::initial && !was_there) {
      if (std::find(values.begin(), values.end(), to) != values.end()) continue;
      return "must begin as " + listed(values) + shown(attribute, to);
    }
    if (rule.kind != constraint_kind::transitions || !was_there || from == to) continue;
    std::vector<value_view> next;
    for (std::size_t i = 0; i + 1 < values.size(); i += 2) {
      if (values[i] == from) next.push_back(values[i + 1]);
    }
    if (std::find(next.begin(), next.end(), to) != next.end()) continue;
    if (attribute.sensitive) return "cannot change so";
    return "cannot go from " + from.describe() + " to " + to.describe() + "; " +
           (next.empty() ? std::string{"nothing follows"} : "from there it goes to " + listed(next));
  }
  return std::nullopt;
}

std::optional<std::string> stranger_inside(const type_ops& type, const value_view& given, bool open_only) {
  std::optional<std::string> first;
  const auto look = [&](std::string where, const type_ops* inside, const value_view& held) {
    if (first || inside == nullptr) return;
    if (auto what = stranger_inside(*inside, held, open_only)) {
      first = std::move(where) + ": " + *what;
    } else if (const cast_status status = inside->fits(held); status != cast_status::ok) {
      first = std::move(where) + ": " + cast_message(*inside, held, status, false);
    }
  };
  if (given.type() != type.type || (type.fields == nullptr && type.element == nullptr)) return first;
  if (type.fields != nullptr) {
    given.each_entry([&](const map_entry& entry) {
      const std::size_t at = entry.key.type() == value_type::text ? type.fields->find_attribute(entry.key.text()) : resource_table::none;
      if (at == resource_table::none || (open_only && type.fields->attributes[at].sensitive)) {
        if (!first) first = "has no field " + entry.key.describe();
        return;
      }
      if (type.fields->attributes[at].sensitive && type.fields->attributes[at].ops->fits(entry.held) != cast_status::ok) {
        if (!first) first = std::string{entry.key.text()} + ": has the wrong type";
        return;
      }
      look(std::string{entry.key.text()}, type.fields->attributes[at].ops, entry.held);
    });
  } else if (type.type == value_type::map) {
    given.each_entry([&](const map_entry& entry) { look(entry.key.describe(), type.element, entry.held); });
  } else if (type.type == value_type::list) {
    for (std::size_t i = 0; i < given.size() && !first; ++i) look("part " + std::to_string(i), type.element, given[i]);
  }
  return first;
}

std::optional<std::string> stranger_inside(const attribute_info& attribute, const value_view& given) {
  auto what = stranger_inside(*attribute.ops, given);
  if (what && attribute.sensitive) return "has something inside that does not fit";
  return what;
}

std::string cast_message(const type_ops& type, const value_view& given, cast_status why, bool sensitive) {
  if (why == cast_status::is_null) return "is required";
  std::string text{"must be of type "};
  if (why == cast_status::out_of_range) text = "must be a value in the range of its type, ";
  text.append(to_string(type.type));
  if (!type.names.empty()) text = "must be one of " + listed_names(type);
  if (!sensitive) {
    if (auto what = stranger_inside(type, given)) return *what;
  }
  if (sensitive) return text.append(", got ").append(to_string(given.type()));
  return text.append(", got ").append(to_string(given.type())).append(" ").append(given.describe());
}

std::string cast_message(const attribute_info& attribute, const value_view& given, cast_status why) {
  return cast_message(*attribute.ops, given, why, attribute.sensitive);
}

}  // namespace herald::detail
