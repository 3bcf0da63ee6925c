#include <herald/detail/constraints.hpp>

#include <algorithm>

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
    case value_type::list: return static_cast<std::int64_t>(held.size());
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

}  // namespace

std::optional<std::string> violation(const resource_table& resource, const attribute_info& attribute,
                                     const value_view& held) {
  if (held.is_null()) return std::nullopt;
  for (const constraint& rule : resource.constraints_of(attribute)) {
    if (auto what = broken(resource, attribute, rule, held)) return what;
  }
  return std::nullopt;
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

std::string cast_message(const attribute_info& attribute, const value_view& given, cast_status why) {
  if (why == cast_status::is_null) return "is required";
  std::string text{"must be of type "};
  if (why == cast_status::out_of_range) text = "must be a value in the range of its type, ";
  text.append(to_string(attribute.type()));
  if (attribute.sensitive) return text.append(", got ").append(to_string(given.type()));
  return text.append(", got ").append(to_string(given.type())).append(" ").append(given.describe());
}

}  // namespace herald::detail
