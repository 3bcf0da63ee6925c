#pragma once
// The words that describe an attribute: `attribute<&Ticket::subject>(max_length{200})`.
//
// Defaults: a new row begins as a default-constructed T, so the struct's own initialisers are the defaults;
// `default_value` and `default_from` override them. `required` says that a create must give the attribute a value.
// std::optional<V> makes an attribute nullable; every other type never is.
//
// Thread safety: constants; `matches` and `default_from` are lambdas without captures, called by whoever makes or checks a row: any
// thread. Errors: compile errors that name the rule; a value that breaks a constraint is an error of the field.

#include <herald/dsl/member.hpp>
#include <herald/dsl/rules.hpp>
#include <herald/resource_table.hpp>

#include <array>

namespace herald::dsl {

struct primary_key_option {};
struct uuid_v7_option {};
struct generated_option {};
struct required_option {};
struct sensitive_option {};
struct inserted_at_option {};
struct updated_at_option {};
struct optimistic_lock_option {};
struct tenant_part {};
struct pkey_part {};

/// Part of the row's key. Several attributes with it make a composite key, in the order of their declaration.
inline constexpr primary_key_option primary_key{};
/// Filled in on create with a version 7 uuid when the caller gives none.
inline constexpr uuid_v7_option uuid_v7{};
/// An integer key that the store counts up.
inline constexpr generated_option generated{};
inline constexpr required_option required{};
/// Never in payloads, topics, logs and error texts.
inline constexpr sensitive_option sensitive{};
/// The transaction's time at create.
inline constexpr inserted_at_option inserted_at{};
/// The transaction's time at create and at every update that changes something.
inline constexpr updated_at_option updated_at{};
/// Counted up by every update that changes something; an update from an older copy is refused as stale.
inline constexpr optimistic_lock_option optimistic_lock{};
/// The attribute that says whose row it is: filled in from the action's tenant, and other tenants do not see the row. In a
/// topic: the action's tenant.
inline constexpr tenant_part tenant{};
/// The primary key: in a topic its values, joined by "-".
inline constexpr pkey_part pkey{};

/// Lengths: characters (code points of UTF-8) of a text, bytes of bytes, parts of a list.
struct max_length {
  std::int64_t value;
};
struct min_length {
  std::int64_t value;
};
struct min {
  value_view value;
  explicit(false) constexpr min(value_view bound) : value{bound} {}
};
struct max {
  value_view value;
  explicit(false) constexpr max(value_view bound) : value{bound} {}
};

template <class V>
constexpr value_view literal(const V& v) {
  if constexpr (std::is_enum_v<V>) {
    return codec<V>::get(v);
  } else if constexpr (!std::is_constructible_v<value_view, const V&>) {
    static_assert(!std::is_same_v<V, V>, "herald: this value can only be computed: use default_from, or the struct's own initialiser");
    return {};
  } else {
    return value_view{v};
  }
}

template <std::size_t N>
struct one_of {
  std::array<value_view, N> values;
  template <class... V>
  explicit constexpr one_of(const V&... v) : values{literal(v)...} {}
};
template <class... V>
one_of(const V&...) -> one_of<sizeof...(V)>;

template <std::size_t N>
struct transition_table {
  std::array<value_view, N> pairs;  // from, to, from, to
};
/// `from("open", "assigned", "closed")`: what may follow the first value.
template <class From, class... To>
[[nodiscard]] constexpr auto from(const From& value, const To&... next) {
  static_assert(sizeof...(To) > 0, "herald: from(value, next...) needs a value that may follow");
  transition_table<2 * sizeof...(To)> made{};
  std::size_t at = 0;
  ((made.pairs[at++] = literal(value), made.pairs[at++] = literal(next)), ...);
  return made;
}
/// `transitions(from("open", "assigned", "closed"), from("assigned", "closed"))`: every other change of the attribute is
/// refused.
template <std::size_t... N>
[[nodiscard]] constexpr auto transitions(const transition_table<N>&... tables) {
  static_assert(sizeof...(N) > 0, "herald: transitions needs a from(...)");
  transition_table<(std::size_t{0} + ... + N)> made{};
  std::size_t at = 0;
  const auto add = [&](const auto& one) {
    for (const value_view& v : one.pairs) made.pairs[at++] = v;
  };
  (add(tables), ...);
  return made;
}
/// `initial("open", "draft")`: what a new row may begin with.
template <std::size_t N>
struct initial_values {
  std::array<value_view, N> values;
};
template <class... V>
[[nodiscard]] constexpr auto initial(const V&... values) {
  return initial_values<sizeof...(V)>{{literal(values)...}};
}

/// `matches{[](std::string_view s) { return ...; }, "must be ..."}`: a test of a text attribute.
template <class F>
struct matches {
  std::string_view message;
  constexpr matches(F, std::string_view says) : message{says} {}
};

/// The value of a new row's attribute when the caller gives none.
struct default_value {
  value_view value;
  template <class V>
  explicit constexpr default_value(const V& v) : value{literal(v)} {}
};
/// The same, computed: `default_from{[] { return ...; }}`.
template <class F>
struct default_from {
  explicit constexpr default_from(F) {}
};

/// The stored name, when it is not the member's.
struct column {
  std::string_view name;
};
/// The stored name in older files; a store renames it when it opens one.
struct was {
  std::string_view name;
};

}  // namespace herald::dsl

namespace herald::detail {

/// A function object that can be made anew wherever it is called: a lambda without captures.
template <class F>
concept stateless = std::is_empty_v<F> && std::is_default_constructible_v<F>;

template <class O>
inline constexpr std::size_t constraint_count = 0;
template <>
inline constexpr std::size_t constraint_count<dsl::max_length> = 1;
template <>
inline constexpr std::size_t constraint_count<dsl::min_length> = 1;
template <>
inline constexpr std::size_t constraint_count<dsl::min> = 1;
template <>
inline constexpr std::size_t constraint_count<dsl::max> = 1;
template <std::size_t N>
inline constexpr std::size_t constraint_count<dsl::one_of<N>> = 1;
template <class F>
inline constexpr std::size_t constraint_count<dsl::matches<F>> = 1;
template <std::size_t N>
inline constexpr std::size_t constraint_count<dsl::transition_table<N>> = 1;
template <std::size_t N>
inline constexpr std::size_t constraint_count<dsl::initial_values<N>> = 1;

template <class O>
inline constexpr std::size_t value_count = 0;
template <std::size_t N>
inline constexpr std::size_t value_count<dsl::one_of<N>> = N;
template <std::size_t N>
inline constexpr std::size_t value_count<dsl::transition_table<N>> = N;
template <std::size_t N>
inline constexpr std::size_t value_count<dsl::initial_values<N>> = N;

/// What `attribute<M>(...)` gives: everything but the row's type.
template <auto M, std::size_t Constraints, std::size_t Values>
struct attribute_part {
  static constexpr std::size_t constraint_total = Constraints;
  static constexpr std::size_t value_total = Values;
  attribute_info info;
  std::array<constraint, Constraints> constraints{};
  std::array<value_view, Values> values{};
};

/// Collects the options of one attribute. By the member's type, not by the member: many attributes share one reader.
template <class Member>
struct attribute_reader {
  using member = Member;
  using V = typename nullable_of<Member>::type;
  attribute_info info{};
  constraint* constraint_room;
  value_view* value_room;
  std::size_t constraints = 0;
  std::size_t values = 0;
  bool has_default = false;
  bool refers = false;  // belongs_to

  static constexpr value_type type = codec<V>::type;
  static constexpr bool has_length =
      (type == value_type::text && !std::is_enum_v<V>) || type == value_type::bytes || type == value_type::list ||
      (type == value_type::map && fields_of<V> == nullptr);

  constexpr void add(const constraint& one) { constraint_room[constraints++] = one; }
  constexpr void once(bool& flag) {
    if (flag) rule::an_attribute_option_is_given_twice();
    flag = true;
  }
  constexpr void filled_by(generated how) {
    if (info.generated != generated::no || info.role != attribute_role::plain)
      rule::an_attribute_is_filled_in_by_uuid_v7_or_generated_or_a_timestamp_or_a_lock_or_the_tenant_and_only_one_of_them();
    info.generated = how;
  }
  constexpr void filled_by(attribute_role how) {
    if (info.generated != generated::no || info.role != attribute_role::plain)
      rule::an_attribute_is_filled_in_by_uuid_v7_or_generated_or_a_timestamp_or_a_lock_or_the_tenant_and_only_one_of_them();
    info.role = how;
  }
  static constexpr bool fits(const value_view& v) {
    if constexpr (std::is_enum_v<V>) {
      V named{};
      if (v.type() == value_type::text && !value_of_name(v.text(), named)) rule::this_text_is_no_name_of_the_enumeration();
    }
    return v.type() == type || (type == value_type::real && v.type() == value_type::integer);
  }
  /// Integers given for an attribute of reals become reals, so that they compare.
  static constexpr value_view cast(const value_view& v) {
    return type == value_type::real && v.type() == value_type::integer ? value_view{static_cast<double>(v.integer())}
                                                                       : v;
  }

  constexpr void read(dsl::primary_key_option) {
    static_assert(type != value_type::list && type != value_type::map && type != value_type::real,
                  "herald: a primary key must not be a list, a map, a struct or a real");
    once(info.primary_key);
    if (info.ops->nullable) rule::a_primary_key_must_not_be_nullable();
  }
  constexpr void read(dsl::uuid_v7_option) {
    static_assert(type == value_type::uuid, "herald: uuid_v7 needs an attribute of type herald::uuid");
    filled_by(generated::uuid_v7);
  }
  constexpr void read(dsl::generated_option) {
    static_assert(type == value_type::integer, "herald: generated needs an attribute of an integer type");
    filled_by(generated::integer);
  }
  constexpr void read(dsl::required_option) { once(info.required); }
  constexpr void read(dsl::sensitive_option) { once(info.sensitive); }
  constexpr void read(dsl::inserted_at_option) {
    static_assert(type == value_type::time, "herald: inserted_at needs an attribute of type herald::timestamp");
    filled_by(attribute_role::inserted_at);
  }
  constexpr void read(dsl::updated_at_option) {
    static_assert(type == value_type::time, "herald: updated_at needs an attribute of type herald::timestamp");
    filled_by(attribute_role::updated_at);
  }
  constexpr void read(dsl::optimistic_lock_option) {
    static_assert(std::is_integral_v<member> && type == value_type::integer && sizeof(member) == sizeof(std::int64_t),
                  "herald: optimistic_lock needs an attribute of an integer type of 64 bits");
    filled_by(attribute_role::lock_version);
  }
  constexpr void read(dsl::tenant_part) {
    static_assert(std::is_same_v<member, std::string>, "herald: a tenant needs an attribute of type std::string");
    filled_by(attribute_role::tenant);
  }
  constexpr void read(dsl::max_length o) { length(constraint_kind::max_length, o.value); }
  constexpr void read(dsl::min_length o) { length(constraint_kind::min_length, o.value); }
  constexpr void length(constraint_kind kind, std::int64_t value) {
    static_assert(has_length, "herald: max_length and min_length need a text, bytes, a list or a map");
    if (value < 0) rule::a_length_must_not_be_negative();
    add({.kind = kind, .bound = value});
  }
  constexpr void read(dsl::min o) { bound(constraint_kind::min, o.value); }
  constexpr void read(dsl::max o) { bound(constraint_kind::max, o.value); }
  constexpr void bound(constraint_kind kind, const value_view& value) {
    static_assert(!std::is_enum_v<V>, "herald: min and max are not for enumerations, whose names have no order: use one_of");
    if (!fits(value)) rule::min_and_max_need_a_bound_of_the_attributes_own_type();
    add({.kind = kind, .bound = cast(value)});
  }
  template <std::size_t N>
  constexpr void read(const dsl::one_of<N>& o) {
    add({.kind = constraint_kind::one_of,
         .allowed = {static_cast<std::uint16_t>(values), static_cast<std::uint16_t>(N)}});
    for (const value_view& v : o.values) {
      if (!fits(v)) rule::one_of_needs_values_of_the_attributes_own_type();
      value_room[values++] = cast(v);
    }
  }
  template <std::size_t N>
  constexpr void read(const dsl::transition_table<N>& o) {
    for (std::size_t i = 0; i < constraints; ++i) {
      if (constraint_room[i].kind == constraint_kind::transitions) rule::transitions_are_declared_twice();
    }
    moves(constraint_kind::transitions, o.pairs);
  }
  template <std::size_t N>
  constexpr void read(const dsl::initial_values<N>& o) {
    moves(constraint_kind::initial, o.values);
  }
  template <std::size_t N>
  constexpr void moves(constraint_kind kind, const std::array<value_view, N>& of) {
    add({.kind = kind, .allowed = {static_cast<std::uint16_t>(values), static_cast<std::uint16_t>(N)}});
    for (const value_view& v : of) {
      if (!fits(v)) rule::transitions_need_values_of_the_attributes_own_type();
      value_room[values++] = cast(v);
    }
  }
  template <class F>
  constexpr void read(dsl::matches<F> o) {
    static_assert(type == value_type::text && !std::is_enum_v<V>, "herald: matches needs an attribute of text");
    static_assert(stateless<F>, "herald: matches needs a lambda without captures");
    add({.kind = constraint_kind::matches,
         .accepts = [](const value_view& v) -> bool { return F{}(v.text()); },
         .message = o.message});
  }
  constexpr void read(const dsl::default_value& o) {
    once(has_default);
    if (!fits(o.value)) rule::a_default_value_must_have_the_attributes_own_type();
    if constexpr (is_number<V> && std::is_integral_v<V>) {
      if (o.value.type() == type && !holds<V>(o.value.integer())) rule::a_default_value_must_have_the_attributes_own_type();
    }
    info.default_value = cast(o.value);
  }
  template <class F>
  constexpr void read(dsl::default_from<F>) {
    static_assert(stateless<F>, "herald: default_from needs a lambda without captures");
    static_assert(std::is_assignable_v<V&, std::invoke_result_t<F>>,
                  "herald: default_from must give a value of the attribute's own type");
    once(has_default);
    info.set_default = [](void* at) { *static_cast<member*>(at) = F{}(); };
  }
  constexpr void read(dsl::column o) { info.column = o.name; }
  constexpr void read(dsl::was o) { info.was = o.name; }
  /// Options of other headers.
  template <class O>
    requires requires(const O& option, attribute_reader& reader) { option.apply(reader); }
  constexpr void read(const O& option) {
    option.apply(*this);
  }
  template <class O>
  constexpr void read(const O&) {
    static_assert(!std::is_same_v<O, O>, "herald: this is not an option of an attribute");
  }

};

template <auto M, class Part>
constexpr auto reader_of(Part& into) {
  attribute_reader<member_type<M>> reader{.constraint_room = into.constraints.data(), .value_room = into.values.data()};
  reader.info.spelling = member_spelling<M>();
  reader.info.name = reader.info.column = member_name<M>();
  reader.info.ops = &type_ops_of<member_type<M>>;
  reader.info.tag = &member_tag<M>;
  return reader;
}

}  // namespace herald::detail

namespace herald::dsl {

template <auto M, class... Options>
[[nodiscard]] constexpr auto attribute(const Options&... options) {
  static_assert(std::is_member_object_pointer_v<decltype(M)>, "herald: attribute<> names a data member, as in &Ticket::id");
  using member = detail::member_type<M>;
  using bare = typename detail::nullable_of<member>::type;
  static_assert(has_codec<bare>, "herald: there is no herald::codec for the type of this attribute; a struct needs herald::described");
  if constexpr (has_codec<bare>) {
    using part = detail::attribute_part<M, (std::size_t{0} + ... + detail::constraint_count<Options>),
                                        (std::size_t{0} + ... + detail::value_count<Options>)>;
    part made{};
    auto reader = detail::reader_of<M>(made);
    (reader.read(options), ...);
    if (reader.has_default && reader.info.required)
      rule::an_attribute_has_a_default_or_is_required_but_not_both();
    if (!reader.info.on_destroy.empty() && !reader.refers) rule::on_destroy_belongs_to_belongs_to();
    made.info = reader.info;
    return made;
  } else {
    return detail::attribute_part<M, 0, 0>{};
  }
}

}  // namespace herald::dsl
