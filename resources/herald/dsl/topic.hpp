#pragma once
// The words that say where an event goes: `topic("assigned", field<&Ticket::owner>)`.
//
// A topic is the prefix of the resource and its segments, joined by the delimiter. A segment is a literal, an attribute's value,
// `pkey`, `tenant`, a function of the row, or `any_of` several; the event goes to every combination, once each. A null value
// drops its combinations; `skip` in any_of drops the segment and keeps the combination. Values are escaped, so that no value can
// forge a segment.
//
// Thread safety: constants; `computed` is a lambda without captures, which runs on the store's writer. Errors: compile errors that name
// the rule; what a computed segment throws costs that publication, and the event is kept.
// The idea: Ash.Notifier.PubSub.

#include <herald/dsl/action.hpp>

namespace herald::dsl {

struct skip_part {};
/// Inside any_of: no segment here.
inline constexpr skip_part skip{};

/// A segment computed from the row: `computed{[](const Ticket& t) { return t.subject.substr(0, 1); }}`; empty drops.
template <class F>
struct computed {
  explicit constexpr computed(F) {}
};

}  // namespace herald::dsl

namespace herald::detail {

/// A topic part before the attributes' numbers are known.
struct part_source {
  topic_part part;
  std::string_view spelling{};
};

template <std::size_t N>
struct segment_source {
  std::array<part_source, N> alternatives;
};

template <std::size_t Segments, std::size_t Parts>
struct topic_source {
  std::array<range, Segments> segments{};
  std::array<part_source, Parts> parts{};
};

template <class F>
struct row_of;
template <class R, class F, class T>
struct row_of<R (F::*)(const T&) const> {
  using type = T;
};

template <class F>
concept takes_row = requires { typename row_of<decltype(&F::operator())>::type; };

constexpr part_source source_of(std::string_view literal) {
  return {.part = {.kind = topic_part_kind::literal, .literal = literal}};
}
template <auto M>
constexpr part_source source_of(dsl::field_token<M>) {
  static_assert(codec<typename nullable_of<member_type<M>>::type>::type < value_type::list,
                "herald: a segment of a topic is one value, and this attribute is a list, a map or a struct: use computed");
  return {.part = {.kind = topic_part_kind::attribute}, .spelling = member_spelling<M>()};
}
constexpr part_source source_of(dsl::pkey_part) { return {.part = {.kind = topic_part_kind::primary_key}}; }
constexpr part_source source_of(dsl::tenant_part) { return {.part = {.kind = topic_part_kind::tenant}}; }
constexpr part_source source_of(dsl::skip_part) { return {.part = {.kind = topic_part_kind::skip}}; }
template <class F>
constexpr part_source source_of(dsl::computed<F>) {
  static_assert(stateless<F> && takes_row<F>,
                "herald: computed needs a lambda without captures that takes the row, as in [](const Ticket& t) {...}");
  return {.part = {.kind = topic_part_kind::function, .append = [](const void* row, std::string& out) {
                     using T = typename row_of<decltype(&F::operator())>::type;
                     out += F{}(*static_cast<const T*>(row));
                   }}};
}

template <std::size_t N>
constexpr segment_source<N> segment_of(const segment_source<N>& segment) {
  return segment;
}
template <class P>
constexpr segment_source<1> segment_of(const P& part) {
  return {{source_of(part)}};
}

template <class S>
inline constexpr std::size_t alternatives_of = 1;
template <std::size_t N>
inline constexpr std::size_t alternatives_of<segment_source<N>> = N;

}  // namespace herald::detail

namespace herald::dsl {

template <class P>
concept topic_segment = requires(const P& part) { detail::segment_of(part); };

/// One segment, several alternatives.
template <class... Parts>
[[nodiscard]] constexpr auto any_of(const Parts&... parts) {
  static_assert(sizeof...(Parts) > 0, "herald: any_of needs an alternative");
  return detail::segment_source<sizeof...(Parts)>{{detail::source_of(parts)...}};
}

template <class... Segments>
[[nodiscard]] constexpr auto topic(const Segments&... segments) {
  detail::topic_source<sizeof...(Segments), (std::size_t{0} + ... + detail::alternatives_of<Segments>)> made{};
  std::size_t segment = 0;
  std::size_t part = 0;
  const auto add = [&](const auto& source) {
    made.segments[segment++] = {static_cast<std::uint16_t>(part),
                                static_cast<std::uint16_t>(source.alternatives.size())};
    for (const auto& alternative : source.alternatives) made.parts[part++] = alternative;
  };
  (add(detail::segment_of(segments)), ...);
  return made;
}

}  // namespace herald::dsl
