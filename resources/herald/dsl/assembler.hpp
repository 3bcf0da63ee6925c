#pragma once
// Part of <herald/resource.hpp>: joins the parts of a description and checks them against each other, in the compiler. It
// knows no types of rows: what it does is compiled once, however many resources there are.

#include <herald/dsl/publication.hpp>

namespace herald::detail {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr bool same_column(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (lower(left[i]) != lower(right[i])) return false;
  }
  return true;
}

constexpr bool is_identifier(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  for (const char c : text) {
    if (!((lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
  }
  return true;
}

/// Places in an array, filled one after the other.
template <class Element>
struct room {
  Element* first;
  std::size_t used = 0;
  constexpr Element& next() { return first[used++]; }
};

struct assembler {
  room<attribute_info> attributes;
  room<constraint> constraints;
  room<value_view> values;
  room<identity_info> identities;
  room<action_info> actions;
  room<argument_info> arguments;
  room<step> steps;
  room<publication_info> publications;
  room<range> segments;
  room<topic_part> parts;
  room<std::uint8_t> key;
  std::string_view name{};
  std::uint32_t schema_version = 1;
  std::string_view prefix{};
  std::string_view delimiter = ":";
  attribute_mask sensitive = 0;
  attribute_mask secrets_inside = 0;
  attribute_mask engines = 0;  // the primary key and what the engine fills in
  std::uint8_t tenant = 255;
  check (*authorise)(change_context&) = nullptr;
  bool (*authorise_subscription)(const actor&, std::string_view) = nullptr;
  condition (*authorise_reads)(const actor&) = nullptr;
  std::uint32_t layout = 0;
  bool has_pub_sub = false;

  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  [[nodiscard]] constexpr std::size_t attribute_of(std::string_view spelling) const {
    for (std::size_t i = 0; i < attributes.used; ++i) {
      if (attributes.first[i].spelling == spelling) return i;
    }
    return none;
  }
  [[nodiscard]] constexpr std::size_t action_of(std::string_view action) const {
    for (std::size_t i = 0; i < actions.used; ++i) {
      if (actions.first[i].name == action) return i;
    }
    return none;
  }

  constexpr void begin(std::string_view of) {
    if (!is_identifier(of)) rule::a_resource_needs_a_name_of_letters_digits_and_underscores();
    name = of;
  }
  constexpr void version(std::uint32_t number) {
    if (number == 0) rule::a_schema_version_begins_at_1();
    schema_version = number;
  }

  constexpr void attribute(attribute_info info, std::span<const constraint> rules, std::span<const value_view> allowed) {
    if (attributes.used == max_attributes) rule::a_resource_has_at_most_64_attributes();
    if (!is_identifier(info.column) || (!info.was.empty() && !is_identifier(info.was)))
      rule::a_column_needs_a_name_of_letters_digits_and_underscores();
    for (std::size_t i = 0; i < attributes.used; ++i) {
      if (attributes.first[i].spelling == info.spelling) rule::an_attribute_is_declared_twice();
      if (same_column(attributes.first[i].column, info.column)) rule::two_attributes_have_the_same_column();
    }
    info.constraints = {static_cast<std::uint16_t>(constraints.used), static_cast<std::uint16_t>(rules.size())};
    for (constraint one : rules) {
      one.allowed.first = static_cast<std::uint16_t>(one.allowed.first + values.used);
      constraints.next() = one;
    }
    for (const value_view& one : allowed) values.next() = one;
    if (info.primary_key && info.sensitive) rule::a_primary_key_must_not_be_sensitive();
    if (info.primary_key) key.next() = static_cast<std::uint8_t>(attributes.used);
    if (info.sensitive) sensitive |= bit(attributes.used);
    if (info.ops->hides) secrets_inside |= bit(attributes.used);
    if (info.primary_key || info.role != attribute_role::plain) engines |= bit(attributes.used);
    if (info.role == attribute_role::tenant) {
      if (tenant != 255) rule::a_resource_has_at_most_one_tenant();
      tenant = static_cast<std::uint8_t>(attributes.used);
    }
    attributes.next() = info;
  }

  constexpr void close_attributes() {
    if (key.used == 0) rule::a_resource_needs_a_primary_key();
    std::size_t locks = 0, inserted = 0, updated = 0;
    std::uint32_t hash = 2166136261U;  // FNV-1a
    const auto mix = [&](char c) { hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U; };
    for (std::size_t i = 0; i < attributes.used; ++i) {
      const attribute_info& info = attributes.first[i];
      locks += info.role == attribute_role::lock_version;
      inserted += info.role == attribute_role::inserted_at;
      updated += info.role == attribute_role::updated_at;
      if (info.generated == generated::integer && !(info.primary_key && key.used == 1))
        rule::a_generated_integer_must_be_the_only_primary_key();
      for (const char c : info.name) mix(c);
      mix('\0');
      mix(static_cast<char>(info.ops->type));
      mix(static_cast<char>(info.sensitive));
    }
    if (locks > 1) rule::a_resource_has_at_most_one_optimistic_lock();
    if (inserted > 1 || updated > 1) rule::a_resource_has_at_most_one_inserted_at_and_one_updated_at();
    layout = hash;
  }

  constexpr void close_structure() const {
    if (engines != 0) rule::a_field_of_a_struct_is_no_key_and_nothing_the_engine_fills_in();
    for (std::size_t i = 0; i < attributes.used; ++i) {
      const attribute_info& info = attributes.first[i];
      if (info.generated != generated::no || info.references != nullptr || info.refers_to_itself)
        rule::a_field_of_a_struct_is_no_key_and_nothing_the_engine_fills_in();
      if (info.required || !info.default_value.is_null() || info.set_default != nullptr || info.column != info.name)
        rule::a_field_of_a_struct_takes_constraints_and_sensitive_and_was_only();
    }
    for (std::size_t i = 0; i < constraints.used; ++i) {
      if (constraints.first[i].kind == constraint_kind::transitions || constraints.first[i].kind == constraint_kind::initial)
        rule::a_field_of_a_struct_takes_constraints_and_sensitive_and_was_only();
    }
  }

  constexpr identity_info& identity(std::string_view of, bool nils_distinct, bool all_tenants) {
    for (std::size_t i = 0; i < identities.used; ++i) {
      if (identities.first[i].name == of) rule::an_identity_is_declared_twice();
    }
    identity_info& info = identities.next();
    info.name = of;
    info.nils_distinct = nils_distinct;
    if (tenant != 255 && !all_tenants) info.attributes |= bit(tenant);
    return info;
  }
  constexpr void add(identity_info& info, std::string_view spelling) const {
    const std::size_t at = attribute_of(spelling);
    if (at == none) rule::an_identity_names_an_attribute_the_resource_does_not_have();
    if (attributes.first[at].type() >= value_type::list) rule::an_identity_names_a_list_a_map_or_a_struct();
    info.attributes |= bit(at);
  }

  constexpr action_info& begin_action(std::string_view of, op kind) {
    if (actions.used == max_attributes) rule::a_resource_has_at_most_64_actions();
    if (action_of(of) != none) rule::an_action_is_declared_twice();
    action_info& info = actions.next();
    info.name = of;
    info.kind = kind;
    info.steps.first = static_cast<std::uint16_t>(steps.used);
    info.arguments.first = static_cast<std::uint16_t>(arguments.used);
    return info;
  }
  constexpr void accept(action_info& info, std::string_view spelling) const {
    if (info.kind == op::destroy && !info.soft) rule::a_destroy_accepts_nothing();
    const std::size_t at = attribute_of(spelling);
    if (at == none) rule::accepts_names_an_attribute_the_resource_does_not_have();
    const attribute_info& of = attributes.first[at];
    if (of.role != attribute_role::plain) rule::accepts_names_an_attribute_that_the_engine_fills_in();
    if (info.kind != op::create && of.primary_key) rule::accepts_names_a_primary_key_in_an_update();
    info.accepts |= bit(at);
  }
  constexpr void require(action_info& info, std::string_view spelling) const {
    const std::size_t at = attribute_of(spelling);
    if (at == none) rule::require_names_an_attribute_the_resource_does_not_have();
    info.requires_inputs |= bit(at);
  }
  constexpr void arguments_of(action_info& info, std::span<const argument_info> given, std::span<const constraint> rules,
                              std::span<const value_view> allowed) {
    if (given.size() > max_attributes) rule::an_action_has_at_most_64_arguments();
    for (argument_info one : given) {
      for (std::size_t i = info.arguments.first; i < arguments.used; ++i) {
        if (arguments.first[i].info.name == one.info.name) rule::an_argument_is_declared_twice();
      }
      for (std::size_t i = 0; i < attributes.used; ++i) {
        if (attributes.first[i].name == one.info.name) rule::an_argument_has_the_name_of_an_attribute();
      }
      one.info.constraints.first = static_cast<std::uint16_t>(one.info.constraints.first + constraints.used);
      arguments.next() = one;
    }
    for (constraint one : rules) {
      one.allowed.first = static_cast<std::uint16_t>(one.allowed.first + values.used);
      constraints.next() = one;
    }
    for (const value_view& one : allowed) values.next() = one;
    info.arguments.count = static_cast<std::uint16_t>(given.size());
  }
  constexpr void upsert(action_info& info, std::string_view by, upsert_fields fields) const {
    if (info.kind != op::create) rule::an_upsert_belongs_to_a_create();
    if (info.upsert != action_info::no_upsert) rule::an_upsert_is_declared_twice();
    info.replaces = fields;
    info.upsert = action_info::by_key;
    for (std::size_t i = 0; i < identities.used; ++i) {
      if (identities.first[i].name == by) info.upsert = static_cast<std::uint8_t>(i);
    }
    if (!by.empty() && info.upsert == action_info::by_key) rule::an_upsert_names_an_identity_the_resource_does_not_have();
  }
  constexpr void upsert_field(action_info& info, std::string_view spelling) const {
    const std::size_t at = attribute_of(spelling);
    if (at == none) rule::an_upsert_names_an_attribute_the_resource_does_not_have();
    if (info.replaces == upsert_fields::these && (engines & bit(at)) != 0)
      rule::an_upsert_replaces_a_primary_key_or_what_the_engine_fills_in();
    info.replaced |= bit(at);
  }
  constexpr void end_action(action_info& info) const {
    info.steps.count = static_cast<std::uint16_t>(steps.used - info.steps.first);
    bool changes = false;
    for (std::size_t i = info.steps.first; i < steps.used; ++i) {
      changes = changes || steps.first[i].kind == step_kind::change || steps.first[i].kind == step_kind::before;
      info.has_done = info.has_done || steps.first[i].kind == step_kind::done;
    }
    if ((info.soft || info.upsert != action_info::no_upsert) && info.manual != nullptr)
      rule::a_manual_action_is_no_upsert_and_not_soft();
    if (info.soft && info.kind != op::destroy) rule::soft_belongs_to_a_destroy();
    if (info.soft && !changes) rule::a_soft_destroy_needs_a_change_that_marks_the_row();
    if ((info.requires_inputs & ~info.accepts) != 0) rule::require_names_an_attribute_the_action_does_not_accept();
  }

  constexpr void close_actions() const {
    for (std::size_t i = 0; i < attributes.used; ++i) {
      const attribute_info& info = attributes.first[i];
      if (info.refers_to_itself && (key.used != 1 || attributes.first[key.first[0]].type() != info.type()))
        rule::belongs_to_itself_needs_one_key_of_the_same_type();
      if (info.on_destroy.empty()) continue;
      const std::size_t at = action_of(info.on_destroy);
      if (at == none) rule::on_destroy_names_an_action_the_resource_does_not_have();
      if (actions.first[at].kind == op::create) rule::on_destroy_names_a_create();
    }
  }

  constexpr void begin_pub_sub(std::string_view with_prefix, std::string_view between) {
    if (has_pub_sub) rule::pub_sub_is_declared_twice();
    has_pub_sub = true;
    prefix = with_prefix;
    delimiter = between;
  }
  constexpr void publication(publication_info info, std::string_view action, std::span<const range> topic,
                             std::span<const part_source> sources, std::span<const std::string_view> excepts) {
    if (publications.used == max_attributes) rule::a_resource_has_at_most_64_publications();
    if (!info.all) {
      const std::size_t at = action_of(action);
      if (at == none) rule::publish_names_an_action_the_resource_does_not_have();
      info.action = static_cast<std::uint16_t>(at);
      info.kind = actions.first[at].kind;
    }
    for (const std::string_view left_out : excepts) {
      const std::size_t at = action_of(left_out);
      if (at == none) rule::except_names_an_action_the_resource_does_not_have();
      const bool upsert_as_update = info.kind == op::update && actions.first[at].upsert != action_info::no_upsert;
      if (actions.first[at].kind != info.kind && !upsert_as_update) rule::except_names_an_action_of_another_kind();
      info.except |= std::uint64_t{1} << at;
    }
    if (topic.empty() && prefix.empty()) rule::a_topic_without_a_prefix_needs_a_segment();
    info.segments = {static_cast<std::uint16_t>(segments.used), static_cast<std::uint16_t>(topic.size())};
    std::size_t combinations = 1;
    for (range segment : topic) {
      combinations *= segment.count * (info.previous_values ? std::size_t{2} : std::size_t{1});
      if (combinations > max_combinations) rule::a_publication_has_at_most_1024_combinations_of_alternatives();
      segment.first = static_cast<std::uint16_t>(segment.first + parts.used);
      segments.next() = segment;
    }
    for (const part_source& source : sources) parts.next() = resolve(source);
    publications.next() = info;
  }
  [[nodiscard]] constexpr topic_part resolve(const part_source& source) const {
    topic_part part = source.part;
    if (part.kind == topic_part_kind::literal) check_segment(part.literal, delimiter, false);
    if (part.kind == topic_part_kind::attribute) {
      const std::size_t at = attribute_of(source.spelling);
      if (at == none) rule::a_topic_names_an_attribute_the_resource_does_not_have();
      if (attributes.first[at].sensitive) rule::a_topic_must_not_show_a_sensitive_attribute();
      part.attribute = static_cast<std::uint8_t>(at);
    }
    return part;
  }
  static constexpr std::size_t max_combinations = 1024;
};

}  // namespace herald::detail
