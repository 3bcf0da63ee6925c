#pragma once
// The problem: a description's tables must have exactly the size they need, and live in read-only memory. `description`
// holds one resource's arrays, their lengths in its type; the erased resource_table is a set of spans into it.

#include <herald/dsl/assembler.hpp>

namespace herald {

namespace dsl {

/// The version of the stored form; raise it when an older program must not open the file any more. Begins at 1.
struct schema_version {
  std::uint32_t number;
};

}  // namespace dsl

namespace detail {

template <auto... M>
struct identity_part {
  std::string_view name;
  bool nils_distinct = true;
  bool all_tenants = false;
};

template <std::size_t N>
struct fixed_string {
  char text[N]{};
  consteval fixed_string(const char (&from)[N]) {  // NOLINT: a literal is a template argument
    for (std::size_t i = 0; i < N; ++i) text[i] = from[i];
  }
  [[nodiscard]] constexpr std::string_view view() const { return {text, N - 1}; }
};

/// How many of each thing a description has.
struct counts {
  std::size_t attributes = 0, constraints = 0, values = 0, identities = 0, actions = 0, arguments = 0, steps = 0, publications = 0,
              segments = 0, parts = 0;
};

template <class T>
inline constexpr row_ops row_ops_of{sizeof(T), alignof(T),
                                    [](void* at, const void* from) {
                                      if (from == nullptr) {
                                        ::new (at) T();
                                      } else {
                                        ::new (at) T(*static_cast<const T*>(from));
                                      }
                                    },
                                    [](void* row) noexcept { static_cast<T*>(row)->~T(); }};

/// The description of one resource, in arrays of exactly the needed size.
template <class T, std::size_t Attributes, std::size_t Constraints, std::size_t Values, std::size_t Identities,
          std::size_t Actions, std::size_t Arguments, std::size_t Steps, std::size_t Publications, std::size_t Segments, std::size_t Parts>
struct description {
  using row_type = T;
  std::string_view name;
  std::uint32_t schema_version = 1;
  std::string_view prefix;
  std::string_view delimiter = ":";
  std::array<attribute_info, Attributes> attributes{};
  std::array<constraint, Constraints> constraints{};
  std::array<value_view, Values> values{};
  std::array<identity_info, Identities> identities{};
  std::array<action_info, Actions> actions{};
  std::array<argument_info, Arguments> arguments{};
  std::array<step, Steps> steps{};
  std::array<publication_info, Publications> publications{};
  std::array<range, Segments> segments{};
  std::array<topic_part, Parts> parts{};
  std::array<std::uint8_t, Attributes> key{};
  std::size_t keys = 0;
  attribute_mask sensitive = 0;
  attribute_mask secrets_inside = 0;
  std::uint8_t tenant = 255;
  check (*authorise)(change_context&) = nullptr;
  bool (*authorise_subscription)(const actor&, std::string_view) = nullptr;
  condition (*authorise_reads)(const actor&) = nullptr;
  std::uint32_t layout = 0;

  [[nodiscard]] constexpr assembler room() {
    return {{attributes.data()}, {constraints.data()}, {values.data()}, {identities.data()}, {actions.data()},
            {arguments.data()}, {steps.data()}, {publications.data()}, {segments.data()}, {parts.data()}, {key.data()}};
  }
  constexpr void close(const assembler& all) {
    name = all.name;
    schema_version = all.schema_version;
    prefix = all.prefix;
    delimiter = all.delimiter;
    keys = all.key.used;
    sensitive = all.sensitive;
    secrets_inside = all.secrets_inside;
    tenant = all.tenant;
    authorise = all.authorise;
    authorise_subscription = all.authorise_subscription;
    authorise_reads = all.authorise_reads;
    layout = all.layout;
  }

  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  [[nodiscard]] constexpr std::size_t attribute_of(std::string_view spelling) const {
    for (std::size_t i = 0; i < Attributes; ++i) {
      if (attributes[i].spelling == spelling) return i;
    }
    return none;
  }
  [[nodiscard]] constexpr std::size_t action_of(std::string_view action) const {
    for (std::size_t i = 0; i < Actions; ++i) {
      if (actions[i].name == action) return i;
    }
    return none;
  }
  /// The place of an argument among those of an action.
  [[nodiscard]] constexpr std::size_t argument_of(std::size_t action, std::string_view spelling) const {
    const range of = actions[action].arguments;
    for (std::size_t i = 0; i < of.count; ++i) {
      if (arguments[of.first + i].info.spelling == spelling) return i;
    }
    return none;
  }
  [[nodiscard]] constexpr resource_table table() const {
    return {.name = name,
            .schema_version = schema_version,
            .prefix = prefix,
            .delimiter = delimiter,
            .attributes = {attributes.data(), attributes.size()},
            .constraints = {constraints.data(), constraints.size()},
            .values = {values.data(), values.size()},
            .actions = {actions.data(), actions.size()},
            .arguments = {arguments.data(), arguments.size()},
            .steps = {steps.data(), steps.size()},
            .publications = {publications.data(), publications.size()},
            .segments = {segments.data(), segments.size()},
            .parts = {parts.data(), parts.size()},
            .key = {key.data(), keys},
            .identities = {identities.data(), identities.size()},
            .sensitive = sensitive,
            .secrets_inside = secrets_inside,
            .layout = layout,
            .tenant = tenant,
            .authorise = authorise,
            .authorise_subscription = authorise_subscription,
            .authorise_reads = authorise_reads,
            .ops = &row_ops_of<T>};
  }
};

template <const auto& R>
using row_type = typename std::remove_cvref_t<decltype(R)>::row_type;

}  // namespace detail

namespace dsl {

struct nils_not_distinct_option {};
struct across_tenants_option {};
/// Option of an identity: two rows that both have null there conflict.
inline constexpr nils_not_distinct_option nils_not_distinct{};
/// Option of an identity: one row of all tenants together. Without it, each tenant has its own.
inline constexpr across_tenants_option across_tenants{};

/// Attributes that no two rows may share: `identity<&User::email>("email")`. Rows with a null in one never conflict, unless
/// the identity says nils_not_distinct. A conflict is the error `taken`, on these fields.
template <auto... M, class... Options>
[[nodiscard]] constexpr auto identity(std::string_view name, const Options&...) {
  static_assert(((std::is_same_v<Options, nils_not_distinct_option> || std::is_same_v<Options, across_tenants_option>) && ...),
                "herald: this is not an option of an identity (nils_not_distinct and across_tenants are)");
  if (name.empty()) rule::an_identity_needs_a_name();
  return detail::identity_part<M...>{name, !(std::is_same_v<Options, nils_not_distinct_option> || ...),
                                     (std::is_same_v<Options, across_tenants_option> || ...)};
}

}  // namespace dsl

}  // namespace herald
