#pragma once
// Part of <herald/resource.hpp>: what in a description has a type, erased for the assembler.

#include <herald/dsl/structure.hpp>

namespace herald::detail {

constexpr counts operator+(counts a, const counts& b) {
  a.attributes += b.attributes;
  a.constraints += b.constraints;
  a.values += b.values;
  a.identities += b.identities;
  a.actions += b.actions;
  a.arguments += b.arguments;
  a.steps += b.steps;
  a.publications += b.publications;
  a.segments += b.segments;
  a.parts += b.parts;
  return a;
}

template <class Part>
constexpr counts make_counts() {
  static_assert(!std::is_same_v<Part, Part>,
                "herald: this is not a part of a resource (attribute, create, update, destroy, identity, pub_sub, authorise, "
                "authorise_reads, authorise_subscription and schema_version are)");
  return {};
}
template <class Part>
inline constexpr counts counts_of = make_counts<Part>();
template <auto M, std::size_t C, std::size_t V>
inline constexpr counts counts_of<attribute_part<M, C, V>> = {.attributes = 1, .constraints = C, .values = V};
template <auto... M>
inline constexpr counts counts_of<identity_part<M...>> = {.identities = 1};
template <class... O>
inline constexpr counts counts_of<action_part<O...>> = {.constraints = action_part<O...>::constraint_total,
                                                        .values = action_part<O...>::value_total,
                                                        .actions = 1,
                                                        .arguments = action_part<O...>::argument_total,
                                                        .steps = action_part<O...>::step_total};
template <class F, class W>
inline constexpr counts counts_of<dsl::authorise<F, W>> = {};
template <class F>
inline constexpr counts counts_of<dsl::authorise_subscription<F>> = {};
template <class F>
inline constexpr counts counts_of<dsl::authorise_reads<F>> = {};
template <class D, class... P>
inline constexpr counts counts_of<pub_sub_part<D, P...>> = {.publications = sizeof...(P),
                                                         .segments = (std::size_t{0} + ... + P::segment_total),
                                                         .parts = (std::size_t{0} + ... + P::part_total)};
template <>
inline constexpr counts counts_of<dsl::schema_version> = {};

/// Hands the typed parts of a description, erased, to the assembler.
template <class T>
struct builder {
  assembler& all;

  // First pass: attributes.
  template <auto M, std::size_t C, std::size_t V>
  constexpr void attributes(const attribute_part<M, C, V>& part) {
    add_attribute<T>(all, part);
  }
  constexpr void attributes(dsl::schema_version version) { all.version(version.number); }
  template <class Part>
  constexpr void attributes(const Part&) {}

  // Second pass: identities, which name attributes.
  template <auto... M>
  constexpr void identities(const identity_part<M...>& part) {
    identity_info& info = all.identity(part.name, part.nils_distinct, part.all_tenants);
    (all.add(info, member_spelling<M>()), ...);
  }
  template <class Part>
  constexpr void identities(const Part&) {}

  // Third pass: actions, which name both.
  template <class... O>
  constexpr void actions(const action_part<O...>& part) {
    action_info& info = all.begin_action(part.name, part.kind);
    info.soft = (std::is_same_v<O, soft_option> || ...);
    std::size_t number = 0;
    (option(info, type_of_option<O>{}, part.texts[number++]), ...);
    if constexpr (action_part<O...>::argument_total > 0) all.arguments_of(info, part.arguments, part.constraints, part.values);
    all.end_action(info);
  }
  template <class F, class W>
  constexpr void actions(const dsl::authorise<F, W>&) {
    static_assert(std::is_same_v<W, always>, "herald: authorise of a whole resource takes no where; ask in the lambda");
    if (all.authorise != nullptr) rule::authorise_is_declared_twice();
    all.authorise = &run_authorise<T, F>;
  }
  template <class F>
  constexpr void actions(const dsl::authorise_subscription<F>&) {
    static_assert(stateless<F>, "herald: authorise_subscription needs a lambda without captures");
    if (all.authorise_subscription != nullptr) rule::authorise_is_declared_twice();
    all.authorise_subscription = [](const actor& who, std::string_view topic) -> bool { return F{}(who, topic); };
  }
  template <class F>
  constexpr void actions(const dsl::authorise_reads<F>&) {
    static_assert(stateless<F>, "herald: authorise_reads needs a lambda without captures");
    if (all.authorise_reads != nullptr) rule::authorise_is_declared_twice();
    all.authorise_reads = [](const actor& who) -> condition { return F{}(who); };
  }
  template <class Part>
  constexpr void actions(const Part&) {}

  template <auto... M>
  constexpr void option(action_info& info, type_of_option<accepts_option<M...>>, std::string_view) {
    (all.accept(info, member_spelling<M>()), ...);
  }
  template <auto... M>
  constexpr void option(action_info& info, type_of_option<require_option<M...>>, std::string_view) {
    (all.require(info, member_spelling<M>()), ...);
  }
  constexpr void option(action_info&, type_of_option<soft_option>, std::string_view) {}
  template <auto M, std::size_t C, std::size_t V>
  constexpr void option(action_info&, type_of_option<argument_part<M, C, V>>, std::string_view) {}
  template <upsert_fields Fields, auto... M>
  constexpr void option(action_info& info, type_of_option<upsert_option<fields_option<Fields, M...>>>,
                        std::string_view identity) {
    all.upsert(info, identity, Fields);
    (all.upsert_field(info, member_spelling<M>()), ...);
  }
  template <class F>
  constexpr void option(action_info& info, type_of_option<dsl::upsert_where<F>>, std::string_view) {
    static_assert(stateless<F>, "herald: upsert_where needs a lambda without captures");
    static_assert(std::is_invocable_r_v<bool, F, const T&, const T&>,
                  "herald: upsert_where takes two rows, the one there and the one made, and answers bool");
    info.upsert_where = [](const void* there, const void* made) -> bool {
      return F{}(*static_cast<const T*>(there), *static_cast<const T*>(made));
    };
  }
  template <class F>
  constexpr void option(action_info& info, type_of_option<dsl::manual<F>>, std::string_view) {
    static_assert(stateless<F>, "herald: manual needs a lambda without captures");
    if (info.manual != nullptr) rule::a_manual_action_is_declared_twice();
    info.manual = &run_manual<T, F>;
  }
  template <class O>
    requires is_step<O>
  constexpr void option(action_info&, type_of_option<O> type, std::string_view message) {
    step& made = all.steps.next();
    made = make_step<T>(type);
    made.message = message;
  }

  // Last pass: publications, which name attributes and actions.
  template <class D, class... P>
  constexpr void publications(const pub_sub_part<D, P...>& part) {
    all.begin_pub_sub(part.defaults.prefix, part.defaults.delimiter);
    part.publications.visit(*this, part.defaults);
  }
  template <class Part>
  constexpr void publications(const Part&) {}

  template <std::size_t S, std::size_t N, std::size_t E, class... O, class... D>
  constexpr void publication(const publication_part<S, N, E, O...>& part, const publication_defaults<D...>& defaults) {
    publication_info info = part.info;
    (type_option<T>(info, type_of_option<O>{}), ...);
    (default_option<T>(info, type_of_option<D>{}, own_options<O...>{}), ...);
    if (info.bus.empty()) info.bus = defaults.bus;
    all.publication(info, part.action, {part.topic.segments.data(), S}, {part.topic.parts.data(), N},
                    {part.excepts.data(), E});
  }
};

}  // namespace herald::detail
