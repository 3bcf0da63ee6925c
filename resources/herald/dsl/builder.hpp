#pragma once
// Part of <herald/resource.hpp>: joins the parts of a description, in the compiler, and checks them against each other.

#include <herald/dsl/description.hpp>

namespace herald::detail {

constexpr counts operator+(counts a, const counts& b) {
  a.attributes += b.attributes;
  a.constraints += b.constraints;
  a.values += b.values;
  a.identities += b.identities;
  a.actions += b.actions;
  a.steps += b.steps;
  a.publications += b.publications;
  a.segments += b.segments;
  a.parts += b.parts;
  return a;
}

template <class Part>
constexpr counts make_counts() {
  static_assert(!std::is_same_v<Part, Part>,
                "herald: this is not a part of a resource (attribute, create, update, destroy, identity, pub_sub are)");
  return {};
}
template <class Part>
inline constexpr counts counts_of = make_counts<Part>();
template <auto M, std::size_t C, std::size_t V>
inline constexpr counts counts_of<attribute_part<M, C, V>> = {.attributes = 1, .constraints = C, .values = V};
template <auto... M>
inline constexpr counts counts_of<identity_part<M...>> = {.identities = 1};
template <class... O>
inline constexpr counts counts_of<action_part<O...>> = {.actions = 1, .steps = action_part<O...>::step_total};
template <class... P>
inline constexpr counts counts_of<pub_sub_part<P...>> = {.publications = sizeof...(P),
                                                         .segments = (std::size_t{0} + ... + P::segment_total),
                                                         .parts = (std::size_t{0} + ... + P::part_total)};
template <>
inline constexpr counts counts_of<dsl::schema_version> = {};

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

template <class T, auto M>
constexpr auto address_in() -> const void* (*)(const void*) {
  return [](const void* row) -> const void* { return &(static_cast<const T*>(row)->*M); };
}

template <class T, class Made>
struct builder {
  Made made{};
  std::size_t attributes_read = 0, constraints_read = 0, values_read = 0, identities_read = 0, actions_read = 0,
              steps_read = 0, publications_read = 0, segments_read = 0, parts_read = 0;
  bool has_pub_sub = false;

  constexpr void name(std::string_view of) {
    if (!is_identifier(of)) rule::a_resource_needs_a_name_of_letters_digits_and_underscores();
    made.name = of;
  }

  // First pass: attributes and what stands on its own.

  template <auto M, std::size_t C, std::size_t V>
  constexpr void attributes(const attribute_part<M, C, V>& part) {
    static_assert(std::is_base_of_v<member_owner<M>, T>,
                  "herald: this member does not belong to the struct of the resource");
    if constexpr (std::is_base_of_v<member_owner<M>, T>) {
      if (attributes_read == max_attributes) rule::a_resource_has_at_most_64_attributes();
      attribute_info& info = made.attributes[attributes_read];
      info = part.info;
      info.at = address_in<T, M>();
      if (!is_identifier(info.column) || (!info.was.empty() && !is_identifier(info.was)))
        rule::a_column_needs_a_name_of_letters_digits_and_underscores();
      for (std::size_t i = 0; i < attributes_read; ++i) {
        if (made.attributes[i].spelling == info.spelling) rule::an_attribute_is_declared_twice();
        if (same_column(made.attributes[i].column, info.column)) rule::two_attributes_have_the_same_column();
      }
      info.constraints = {static_cast<std::uint16_t>(constraints_read), static_cast<std::uint16_t>(C)};
      for (constraint one : part.constraints) {
        one.allowed.first = static_cast<std::uint16_t>(one.allowed.first + values_read);
        made.constraints[constraints_read++] = one;
      }
      for (const value_view& one : part.values) made.values[values_read++] = one;
      if (info.primary_key && info.sensitive) rule::a_primary_key_must_not_be_sensitive();
      if (info.primary_key) made.key[made.keys++] = static_cast<std::uint8_t>(attributes_read);
      if (info.sensitive) made.sensitive |= bit(attributes_read);
      ++attributes_read;
    }
  }
  constexpr void attributes(dsl::schema_version version) {
    if (version.number == 0) rule::a_schema_version_begins_at_1();
    made.schema_version = version.number;
  }
  template <class Part>
  constexpr void attributes(const Part&) {}

  constexpr void close_attributes() {
    if (made.keys == 0) rule::a_resource_needs_a_primary_key();
    std::size_t locks = 0, inserted = 0, updated = 0;
    std::uint32_t hash = 2166136261U;  // FNV-1a
    const auto mix = [&](char c) { hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U; };
    for (const attribute_info& info : made.attributes) {
      locks += info.role == attribute_role::lock_version;
      inserted += info.role == attribute_role::inserted_at;
      updated += info.role == attribute_role::updated_at;
      if (info.generated == generated::integer && !(info.primary_key && made.keys == 1))
        rule::a_generated_integer_must_be_the_only_primary_key();
      for (const char c : info.name) mix(c);
      mix('\0');
      mix(static_cast<char>(info.ops->type));
      mix(static_cast<char>(info.sensitive));
    }
    if (locks > 1) rule::a_resource_has_at_most_one_optimistic_lock();
    if (inserted > 1 || updated > 1) rule::a_resource_has_at_most_one_inserted_at_and_one_updated_at();
    made.layout = hash;
  }

  // Second pass: actions and identities, which name attributes.

  template <auto... M>
  constexpr void actions(const identity_part<M...>& part) {
    identity_info& info = made.identities[identities_read++];
    info.name = part.name;
    for (const std::string_view spelling : {member_spelling<M>()...}) {
      const std::size_t at = made.attribute_of(spelling);
      if (at == Made::none) rule::an_identity_names_an_attribute_the_resource_does_not_have();
      info.attributes |= bit(at);
    }
  }

  template <class... O>
  constexpr void actions(const action_part<O...>& part) {
    if (actions_read == max_attributes) rule::a_resource_has_at_most_64_actions();
    action_info& info = made.actions[actions_read];
    info.name = part.name;
    info.kind = part.kind;
    for (std::size_t i = 0; i < actions_read; ++i) {
      if (made.actions[i].name == part.name) rule::an_action_is_declared_twice();
    }
    info.steps.first = static_cast<std::uint16_t>(steps_read);
    std::apply([&](const O&... options) { (option(info, options), ...); }, part.options);
    info.steps.count = static_cast<std::uint16_t>(steps_read - info.steps.first);
    if ((info.requires_inputs & ~info.accepts) != 0) rule::require_names_an_attribute_the_action_does_not_accept();
    ++actions_read;
  }
  template <class Part>
  constexpr void actions(const Part&) {}

  template <auto... M>
  constexpr void option(action_info& info, accepts_option<M...>) {
    if (info.kind == op::destroy && sizeof...(M) > 0) rule::a_destroy_accepts_nothing();
    (accept(info, member_spelling<M>()), ...);
  }
  constexpr void accept(action_info& info, std::string_view spelling) {
    const std::size_t at = made.attribute_of(spelling);
    if (at == Made::none) rule::accepts_names_an_attribute_the_resource_does_not_have();
    const attribute_info& attribute = made.attributes[at];
    if (attribute.role != attribute_role::plain) rule::accepts_names_an_attribute_that_the_engine_fills_in();
    if (info.kind == op::update && attribute.primary_key) rule::accepts_names_a_primary_key_in_an_update();
    info.accepts |= bit(at);
  }
  template <auto... M>
  constexpr void option(action_info& info, require_option<M...>) {
    for (const std::string_view spelling : {member_spelling<M>()...}) {
      const std::size_t at = made.attribute_of(spelling);
      if (at == Made::none) rule::require_names_an_attribute_the_resource_does_not_have();
      info.requires_inputs |= bit(at);
    }
  }
  template <class O>
    requires is_step<O>
  constexpr void option(action_info&, const O& one) {
    made.steps[steps_read++] = make_step<T>(one);
  }

  // Third pass: publications, which name both.

  template <class... P>
  constexpr void publications(const pub_sub_part<P...>& part) {
    if (has_pub_sub) rule::pub_sub_is_declared_twice();
    has_pub_sub = true;
    made.prefix = part.prefix;
    made.delimiter = part.delimiter;
    std::apply([&](const P&... each) { (publication(each), ...); }, part.publications);
  }
  template <class Part>
  constexpr void publications(const Part&) {}

  template <std::size_t S, std::size_t N, class... O>
  constexpr void publication(const publication_part<S, N, O...>& part) {
    publication_reader<T> reader{};
    publication_info& info = reader.info;
    info.all = part.all;
    info.kind = part.kind;
    if (!part.all) {
      const std::size_t action = made.action_of(part.action);
      if (action == Made::none) rule::publish_names_an_action_the_resource_does_not_have();
      info.action = static_cast<std::uint16_t>(action);
      info.kind = made.actions[action].kind;
    }
    std::apply([&](const O&... options) { (reader.read(options), ...); }, part.options);
    std::apply([&](const O&... options) { (except(info, options), ...); }, part.options);
    if (S == 0 && made.prefix.empty()) rule::a_topic_without_a_prefix_needs_a_segment();
    info.segments = {static_cast<std::uint16_t>(segments_read), static_cast<std::uint16_t>(S)};
    for (range segment : part.topic.segments) {
      segment.first = static_cast<std::uint16_t>(segment.first + parts_read);
      made.segments[segments_read++] = segment;
    }
    for (const part_source& source : part.topic.parts) made.parts[parts_read++] = resolve(source);
    made.publications[publications_read++] = info;
  }

  template <std::size_t N>
  constexpr void except(publication_info& info, const dsl::except_option<N>& option) {
    for (const std::string_view action : option.names) {
      const std::size_t at = made.action_of(action);
      if (at == Made::none) rule::except_names_an_action_the_resource_does_not_have();
      if (made.actions[at].kind != info.kind) rule::except_names_an_action_of_another_kind();
      info.except |= std::uint64_t{1} << at;
    }
  }
  template <class O>
  constexpr void except(publication_info&, const O&) {}

  constexpr topic_part resolve(const part_source& source) const {
    topic_part part = source.part;
    if (part.kind == topic_part_kind::literal) check_segment(part.literal, made.delimiter, false);
    if (part.kind == topic_part_kind::attribute) {
      const std::size_t at = made.attribute_of(source.spelling);
      if (at == Made::none) rule::a_topic_names_an_attribute_the_resource_does_not_have();
      if (made.attributes[at].sensitive) rule::a_topic_must_not_show_a_sensitive_attribute();
      part.attribute = static_cast<std::uint8_t>(at);
    }
    return part;
  }
};

}  // namespace herald::detail
