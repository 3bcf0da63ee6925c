#include <herald/reference.hpp>

#include <herald/time_text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace herald {

namespace {

using detail::attribute_info;
using detail::attribute_role;
using detail::bit;
using detail::constraint;
using detail::constraint_kind;
using detail::topic_part_kind;

void add(std::string& list, std::string_view one) {
  if (one.empty()) return;
  if (!list.empty()) list += ", ";
  list += one;
}

/// A text that may stand in a table's cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string shown(const value_view& of) {
  if (of.type() == value_type::time) return to_text(of.time());
  return of.type() == value_type::text ? fmt::format("\"{}\"", of.text()) : of.describe();
}

std::string listed(const resource_table& resource, const detail::range& which) {
  std::string list;
  for (const value_view& one : resource.values.subspan(which.first, which.count)) add(list, shown(one));
  return list;
}

std::string rule_of(const resource_table& resource, const constraint& rule) {
  switch (rule.kind) {
    case constraint_kind::min: return "at least " + shown(rule.bound);
    case constraint_kind::max: return "at most " + shown(rule.bound);
    case constraint_kind::min_length: return fmt::format("at least {} long", rule.bound.integer());
    case constraint_kind::max_length: return fmt::format("at most {} long", rule.bound.integer());
    case constraint_kind::one_of: return "one of " + listed(resource, rule.allowed);
    case constraint_kind::matches: return std::string{rule.message};
    case constraint_kind::initial: return "begins as " + listed(resource, rule.allowed);
    case constraint_kind::transitions: {
      std::string list;
      const auto pairs = resource.values.subspan(rule.allowed.first, rule.allowed.count);
      for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) add(list, shown(pairs[i]) + " to " + shown(pairs[i + 1]));
      return "changes from " + list;
    }
  }
  return {};
}

std::string rules_of(const resource_table& resource, const attribute_info& attribute) {
  std::string rules;
  if (attribute.primary_key) add(rules, "primary key");
  if (attribute.generated == detail::generated::uuid_v7) add(rules, "generated (uuid v7)");
  if (attribute.generated == detail::generated::integer) add(rules, "generated (counts up)");
  if (attribute.required) add(rules, "required");
  if (attribute.sensitive) add(rules, "sensitive");
  switch (attribute.role) {
    case attribute_role::inserted_at: add(rules, "time of creation"); break;
    case attribute_role::updated_at: add(rules, "time of the last change"); break;
    case attribute_role::lock_version: add(rules, "lock version"); break;
    case attribute_role::tenant: add(rules, "tenant"); break;
    case attribute_role::plain: break;
  }
  for (const constraint& one : resource.constraints_of(attribute)) add(rules, rule_of(resource, one));
  if (!attribute.default_value.is_null()) add(rules, "default " + shown(attribute.default_value));
  if (attribute.set_default != nullptr) add(rules, "default computed");
  if (attribute.references != nullptr || attribute.refers_to_itself) {
    add(rules, fmt::format("belongs to {}", attribute.refers_to_itself ? resource.name : attribute.references().name));
    add(rules, attribute.on_destroy.empty() ? "keeps that from being destroyed" : fmt::format("{} when that is destroyed", attribute.on_destroy));
  }
  if (attribute.column != attribute.name) add(rules, fmt::format("stored as {}", attribute.column));
  if (!attribute.was.empty()) add(rules, fmt::format("formerly stored as {}", attribute.was));
  return rules;
}

std::string type_of(const detail::type_ops& type);

std::string fields_in(const resource_table& structure) {
  std::string fields;
  for (const auto& field : structure.attributes) {
    std::string rules;
    if (field.sensitive) add(rules, "sensitive");
    for (const constraint& one : structure.constraints_of(field)) add(rules, rule_of(structure, one));
    add(fields, fmt::format("{} {}{}", field.name, type_of(*field.ops), rules.empty() ? "" : " (" + rules + ")"));
  }
  return fields;
}

std::string type_of(const detail::type_ops& type) {
  const std::string_view null = type.nullable ? " or null" : "";
  if (!type.names.empty()) {
    std::string names;
    for (const std::string_view name : type.names) add(names, name);
    return fmt::format("one of {}{}", names, null);
  }
  if (type.fields != nullptr) return fmt::format("{} {{{}}}{}", type.fields->name, fields_in(*type.fields), null);
  if (type.element != nullptr) return fmt::format("{} of {}{}", to_string(type.type), type_of(*type.element), null);
  return fmt::format("{}{}", to_string(type.type), null);
}

std::string type_of(const attribute_info& attribute) { return type_of(*attribute.ops); }

std::string names_in(const resource_table& resource, detail::attribute_mask which) {
  std::string names;
  for (std::size_t i = 0; i < resource.attributes.size(); ++i) {
    if ((which & bit(i)) != 0) add(names, resource.attributes[i].name);
  }
  return names;
}

/// What an argument is when nobody gives it: what the description says, else what its struct says.
std::string default_of(const detail::argument_info& argument) {
  if (!argument.info.default_value.is_null()) return "default " + shown(argument.info.default_value);
  const value initial = argument.initial();
  return initial.is_null() ? std::string{} : "default " + shown(initial.view());
}

std::string inputs_of(const resource_table& resource, const detail::action_info& action) {
  std::string inputs;
  for (std::size_t i = 0; i < resource.attributes.size(); ++i) {
    if ((action.accepts & bit(i)) == 0) continue;
    const bool required = (action.requires_inputs & bit(i)) != 0 || (action.kind == op::create && resource.attributes[i].required);
    add(inputs, fmt::format("{}{}", resource.attributes[i].name, required ? " (required)" : ""));
  }
  for (const auto& argument : resource.arguments_of(action)) {
    std::string rules = "argument";
    add(rules, type_of(argument.info));
    if (!argument.by_name) add(rules, "private");
    if (argument.info.required) add(rules, "required");
    if (argument.info.sensitive) add(rules, "sensitive");
    for (const constraint& one : resource.constraints_of(argument.info)) add(rules, rule_of(resource, one));
    if (!argument.info.required && !argument.info.sensitive) add(rules, default_of(argument));
    add(inputs, fmt::format("{} ({})", argument.info.name, rules));
  }
  return inputs.empty() ? "none" : inputs;
}

std::string part_of(const resource_table& resource, const detail::topic_part& part) {
  switch (part.kind) {
    case topic_part_kind::literal: return std::string{part.literal};
    case topic_part_kind::attribute: return fmt::format("<{}>", resource.attributes[part.attribute].name);
    case topic_part_kind::primary_key: {
      std::string key;
      for (const auto at : resource.key) key += fmt::format("{}<{}>", key.empty() ? "" : "-", resource.attributes[at].name);
      return key;
    }
    case topic_part_kind::tenant: return "<tenant>";
    case topic_part_kind::function: return "<computed>";
    case topic_part_kind::skip: break;
  }
  return {};
}

std::string selected_by(const resource_table& resource, const detail::publication_info& publication) {
  if (!publication.all) return std::string{resource.actions[publication.action].name};
  std::string excepted;
  for (std::size_t i = 0; i < resource.actions.size() && i < 64; ++i) {
    if ((publication.except & (std::uint64_t{1} << i)) != 0) add(excepted, resource.actions[i].name);
  }
  return fmt::format("every {}{}{}", to_string(publication.kind), excepted.empty() ? "" : " but ", excepted);
}

void add_actions(const resource_table& resource, std::string& page) {
  if (resource.actions.empty()) return;
  page += "\n### Actions\n\n| action | kind | inputs |\n| --- | --- | --- |\n";
  for (const auto& action : resource.actions) {
    std::string kind{to_string(action.kind)};
    if (action.soft) kind += ", soft";
    if (action.manual != nullptr) kind += ", manual";
    if (action.upsert == detail::action_info::by_key) kind += ", upsert by the primary key";
    else if (action.upsert != detail::action_info::no_upsert) kind += fmt::format(", upsert by {}", resource.identities[action.upsert].name);
    const auto steps = resource.steps_of(action);
    if (std::any_of(steps.begin(), steps.end(), [](const detail::step& one) { return one.kind == detail::step_kind::authorise; })) kind += ", authorised";
    page += fmt::format("| `{}` | {} | {} |\n", action.name, kind, cell(inputs_of(resource, action)));
  }
}

void add_publications(const resource_table& resource, std::string& page) {
  if (resource.publications.empty()) return;
  page += "\n### Topics\n\n| topic | of | event | notes |\n| --- | --- | --- | --- |\n";
  for (const auto& publication : resource.publications) {
    std::string notes;
    if (publication.previous_values) add(notes, "former values too");
    if (publication.filter != nullptr) add(notes, "filtered");
    if (publication.transform != nullptr) add(notes, "a message of its own");
    if (publication.ephemeral) add(notes, "ephemeral");
    if (publication.is_public) add(notes, "public");
    if (!publication.bus.empty()) add(notes, fmt::format("on the bus {}", publication.bus));
    page += fmt::format("| `{}` | {} | {} | {} |\n", cell(topic_template(resource, publication)), selected_by(resource, publication),
                        publication.name.empty() ? "the action's name" : publication.name, notes);
  }
}

}  // namespace

std::string topic_template(const resource_table& resource, const detail::publication_info& publication) {
  std::string topic{resource.prefix};
  for (const detail::range& alternatives : resource.segments_of(publication)) {
    if (!topic.empty()) topic += resource.delimiter;
    std::string segment;
    for (const auto& part : resource.parts.subspan(alternatives.first, alternatives.count)) {
      if (!segment.empty()) segment += '|';
      segment += part.kind == topic_part_kind::skip ? "nothing" : part_of(resource, part);
    }
    topic += alternatives.count > 1 ? "[" + segment + "]" : segment;
  }
  return topic;
}

std::string reference_of(const resource_table& resource) {
  std::string page = fmt::format("## {}\n\n| attribute | type | rules |\n| --- | --- | --- |\n", resource.name);
  for (const auto& attribute : resource.attributes) {
    page += fmt::format("| `{}` | {} | {} |\n", attribute.name, cell(type_of(attribute)), cell(rules_of(resource, attribute)));
  }
  for (const auto& identity : resource.identities) {
    const bool of_all = resource.has_tenant() && (identity.attributes & bit(resource.tenant)) == 0;
    page += fmt::format("\nIdentity `{}`: {} together are unique{}{}.\n", identity.name, names_in(resource, identity.attributes),
                        identity.nils_distinct ? "" : ", nulls too", of_all ? ", across tenants" : "");
  }
  std::string asked;
  if (resource.authorise != nullptr) add(asked, "run an action");
  if (resource.authorise_reads != nullptr) add(asked, "read rows");
  if (resource.authorise_subscription != nullptr) add(asked, "subscribe to a topic");
  if (!asked.empty()) page += fmt::format("\nNot everybody may: {}.\n", asked);
  add_actions(resource, page);
  add_publications(resource, page);
  return page;
}

std::string reference_page(std::span<const resource_table* const> tables) {
  std::string page = "# Resources\n";
  for (const resource_table* one : tables) page += "\n" + reference_of(*one);
  return page;
}

}  // namespace herald
