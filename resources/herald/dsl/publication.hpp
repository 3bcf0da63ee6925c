#pragma once
// The words that describe what a resource tells the bus:
//   pub_sub("ticket", publish("assign", topic("assigned", field<&Ticket::owner>), named{"reassigned"}, previous_values))
//
// `previous_values` adds the topics of the row's former values. What a topic consists of: herald/dsl/topic.hpp.
//
// What holds for all publications of the resource stands in front of them:
//   pub_sub("ticket", delimiter{"."}, on_bus{"desk"}, filter{[](const Ticket& t) { return !t.draft; }}, publish(...), ...)
// A publication's own bus and transform win over those; a filter for all is asked after the publication's own, and both must
// say true.
//
// Thread safety: constants; the functions in it run on the store's writer and, after the commit, on its notifier, and are
// lambdas without captures. Errors: compile errors that name the rule; what a filter, computed or transform throws makes that
// publication a dead letter, and the event is kept.
// The idea: Ash.Notifier.PubSub.

#include <herald/change_event.hpp>
#include <herald/dsl/hooks.hpp>
#include <herald/dsl/topic.hpp>

namespace herald::dsl {

struct previous_values_option {};
inline constexpr previous_values_option previous_values{};

/// The event's name on the bus, when it is not the action's.
struct named {
  std::string_view name;
};
struct ephemeral_option {};
/// Told once at most, from memory, behind the other topics of its event. The topic is not in the log, so nobody replays it; the
/// event itself is in the log all the same, with the row. For what is stale a moment later: a cursor's place, a progress bar.
inline constexpr ephemeral_option ephemeral{};
struct is_public_option {};
/// Gateways may offer it to clients outside. It changes nothing here, and stands in the table and the reference page.
inline constexpr is_public_option is_public{};
/// Another bus of the application than the default one: `publish("move", topic("moved"), on_bus{"metrics"})`.
struct on_bus {
  std::string_view name;
};
/// The character between segments; ":" unless said otherwise.
struct delimiter {
  std::string_view text;
};
/// Publishes only what it says true to: `filter{[](const change_event<Ticket>& e) { ... }}`, or of the row left over.
template <class F>
struct filter {
  explicit constexpr filter(F) {}
};

template <std::size_t N>
struct except_option {
  std::array<std::string_view, N> names;
};
/// Actions that a publish_all leaves out.
template <class... Names>
[[nodiscard]] constexpr auto except(const Names&... names) {
  return except_option<sizeof...(Names)>{{std::string_view{names}...}};
}

}  // namespace herald::dsl

namespace herald::detail {

/// <herald/transform.hpp> makes it true for its option.
template <class O>
inline constexpr bool is_transform = false;

template <class O>
inline constexpr std::size_t except_count = 0;
template <std::size_t N>
inline constexpr std::size_t except_count<dsl::except_option<N>> = N;

/// What `publish(...)` and `publish_all(...)` give: what depends on the row's type (filter, transform) is in the type.
template <std::size_t Segments, std::size_t Parts, std::size_t Excepts, class... Options>
struct publication_part {
  static constexpr std::size_t segment_total = Segments;
  static constexpr std::size_t part_total = Parts;
  publication_info info;
  std::string_view action;  // publish
  topic_source<Segments, Parts> topic;
  std::array<std::string_view, Excepts> excepts;
};

template <class T, class F>
bool run_filter(const event_ptr& event) {
  if constexpr (has_one_signature<F>) {
    if constexpr (std::is_invocable_v<F, const T&>) {
      return F{}(*static_cast<const T*>((event->after ? event->after : event->before).row()));
    } else {
      return F{}(change_event<T>{event});
    }
  } else {
    return F{}(change_event<T>{event});
  }
}

/// Options that need the row's type, turned into functions of the erased event.
template <class T, class O>
constexpr void type_option(publication_info&, type_of_option<O>) {}
template <class T, class F>
constexpr void type_option(publication_info& info, type_of_option<dsl::filter<F>>) {
  static_assert(stateless<F>, "herald: filter needs a lambda without captures");
  info.filter = &run_filter<T, F>;
}

template <class T, class Own, class ForAll>
bool run_filters(const event_ptr& event) {
  return run_filter<T, Own>(event) && run_filter<T, ForAll>(event);
}
/// A publication's filter and the one for all, joined.
template <class T, class ForAll, class O>
constexpr void join_filter(publication_info&, type_of_option<O>) {}
template <class T, class ForAll, class F>
constexpr void join_filter(publication_info& info, type_of_option<dsl::filter<F>>) {
  info.filter = &run_filters<T, F, ForAll>;
}

template <class... O>
struct own_options {};
template <class O>
inline constexpr bool is_filter = false;
template <class F>
inline constexpr bool is_filter<dsl::filter<F>> = true;
/// What stands for all publications, put into one. Told apart by types: with UBSan, g++ 12 compares no function's address in a constant.
template <class T, class D, class... O>
constexpr void default_option(publication_info& info, type_of_option<D> option, own_options<O...>) {
  if constexpr (!(is_transform<O> || ...)) type_option<T>(info, option);
}
template <class T, class F, class... O>
constexpr void default_option(publication_info& info, type_of_option<dsl::filter<F>> option, own_options<O...>) {
  type_option<T>(info, option);
  if constexpr ((is_filter<O> || ...)) (join_filter<T, F>(info, type_of_option<O>{}), ...);
}

/// Options of a publication that do not.
struct publication_reader {
  publication_info info;
  std::string_view* except_room;
  bool has_filter = false;
  bool has_transform = false;
  bool has_except = false;

  constexpr void once(bool& flag) {
    if (flag) rule::a_publication_option_is_given_twice();
    flag = true;
  }
  constexpr void read(dsl::previous_values_option) { once(info.previous_values); }
  constexpr void read(dsl::ephemeral_option) { once(info.ephemeral); }
  constexpr void read(dsl::is_public_option) { once(info.is_public); }
  constexpr void read(dsl::on_bus o) {
    if (!info.bus.empty()) rule::a_publication_option_is_given_twice();
    if (o.name.empty()) rule::a_bus_needs_a_name();
    info.bus = o.name;
  }
  constexpr void read(dsl::named o) {
    if (!info.name.empty()) rule::a_publication_option_is_given_twice();
    if (o.name.empty()) rule::an_event_needs_a_name();
    info.name = o.name;
  }
  template <class F>
  constexpr void read(dsl::filter<F>) {
    once(has_filter);
  }
  template <std::size_t N>
  constexpr void read(const dsl::except_option<N>& o) {
    once(has_except);
    if (!info.all) rule::except_belongs_to_publish_all();
    for (std::size_t i = 0; i < N; ++i) except_room[i] = o.names[i];
  }
  template <class O>
  constexpr void read(const O&) {
    static_assert(is_transform<O>, "herald: this is not an option of a publication");
    once(has_transform);
  }
};

/// Publications of several types, held one after the other.
template <std::size_t I, class P>
struct publication_slot {
  P held;
};
template <class Numbers, class... P>
struct publication_pack;
template <std::size_t... I, class... P>
struct publication_pack<std::index_sequence<I...>, P...> : publication_slot<I, P>... {
  template <class Visitor, class Defaults>
  constexpr void visit(Visitor& visitor, const Defaults& defaults) const {
    (visitor.publication(static_cast<const publication_slot<I, P>&>(*this).held, defaults), ...);
  }
};

/// What a pub_sub says for all its publications: filter and transform in the type.
template <class... Options>
struct publication_defaults {
  std::string_view prefix;
  std::string_view delimiter{};  // empty: not said
  std::string_view bus{};
  bool has_filter = false;
  bool has_transform = false;
};

template <class Defaults, class... Publications>
struct pub_sub_part {
  Defaults defaults;
  publication_pack<std::index_sequence_for<Publications...>, Publications...> publications;
};

template <class P>
inline constexpr bool is_publication = false;
template <std::size_t S, std::size_t P, std::size_t E, class... O>
inline constexpr bool is_publication<publication_part<S, P, E, O...>> = true;

constexpr void check_delimiter(std::string_view text) {
  const char c = text.size() == 1 ? text[0] : ' ';
  const bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  if (c <= ' ' || c > '~' || c == '%' || c == '*' || word)
    rule::a_delimiter_is_one_printable_character_that_is_neither_letter_nor_digit_nor_percent_nor_star();
}

constexpr void check_segment(std::string_view literal, std::string_view delimiter, bool several) {
  if (literal.empty()) rule::a_topic_segment_must_not_be_empty();
  for (std::size_t i = 0; i < literal.size(); ++i) {
    const char c = literal[i];
    if (c == delimiter[0]) {
      if (!several) rule::a_topic_segment_must_not_contain_the_delimiter();
      if (i == 0 || i + 1 == literal.size() || literal[i + 1] == c) rule::a_topic_segment_must_not_be_empty();
    }
    if (c == '*' || c == '%') rule::a_topic_segment_must_not_contain_a_wildcard_or_a_percent_sign();
    if ((c >= 0 && c < ' ') || c == 127) rule::a_topic_segment_must_not_contain_control_characters();
  }
}

template <std::size_t S, std::size_t P, class... Options>
constexpr auto make_publication(std::string_view action, const publication_info& info, const topic_source<S, P>& to,
                                const Options&... options) {
  publication_part<S, P, (std::size_t{0} + ... + except_count<Options>), Options...> part{info, action, to, {}};
  publication_reader reader{.info = info, .except_room = part.excepts.data()};
  (reader.read(options), ...);
  part.info = reader.info;
  return part;
}

template <class... D>
constexpr auto take_default(publication_defaults<D...> all, dsl::delimiter between) {
  if (!all.delimiter.empty()) rule::a_publication_option_is_given_twice();
  check_delimiter(between.text);
  all.delimiter = between.text;
  return all;
}
template <class... D>
constexpr auto take_default(publication_defaults<D...> all, dsl::on_bus bus) {
  if (!all.bus.empty()) rule::a_publication_option_is_given_twice();
  if (bus.name.empty()) rule::a_bus_needs_a_name();
  all.bus = bus.name;
  return all;
}
template <class... D, class O>
constexpr auto take_default(const publication_defaults<D...>& all, const O&) {
  static_assert(is_filter<O> || is_transform<O>,
                "herald: pub_sub takes a prefix, what holds for all (delimiter, on_bus, filter, transform), and then publish(...) "
                "and publish_all(...)");
  if (is_filter<O> ? all.has_filter : all.has_transform) rule::a_publication_option_is_given_twice();
  return publication_defaults<D..., O>{all.prefix, all.delimiter, all.bus, all.has_filter || is_filter<O>, all.has_transform || !is_filter<O>};
}

template <class... D, class First, class... Rest>
constexpr auto next_default(const publication_defaults<D...>& all, const First& first, const Rest&... rest);

/// Takes what stands in front of the publications one after the other.
template <class... D, class... Parts>
constexpr auto make_pub_sub(publication_defaults<D...> all, const Parts&... parts) {
  if constexpr ((is_publication<Parts> && ...)) {
    if (all.delimiter.empty()) all.delimiter = ":";
    if (!all.prefix.empty()) check_segment(all.prefix, all.delimiter, true);
    return pub_sub_part<publication_defaults<D...>, Parts...>{all, {{parts}...}};
  } else {
    return next_default(all, parts...);
  }
}
template <class... D, class First, class... Rest>
constexpr auto next_default(const publication_defaults<D...>& all, const First& first, const Rest&... rest) {
  static_assert(!is_publication<First>, "herald: in pub_sub, what holds for all stands in front of the first publication");
  if constexpr (!is_publication<First>) return make_pub_sub(take_default(all, first), rest...);
}

}  // namespace herald::detail

namespace herald::dsl {

template <std::size_t S, std::size_t P, class... Options>
[[nodiscard]] constexpr auto publish(std::string_view action, const detail::topic_source<S, P>& to,
                                     const Options&... options) {
  return detail::make_publication(action, {}, to, options...);
}
template <std::size_t S, std::size_t P, class... Options>
[[nodiscard]] constexpr auto publish_all(op kind, const detail::topic_source<S, P>& to, const Options&... options) {
  return detail::make_publication({}, {.all = true, .kind = kind}, to, options...);
}

template <class... Parts>
[[nodiscard]] constexpr auto pub_sub(std::string_view prefix, const Parts&... parts) {
  return detail::make_pub_sub(detail::publication_defaults<>{.prefix = prefix}, parts...);
}

}  // namespace herald::dsl
