#pragma once
// The problem: an attribute may have any C++ type, and behind the typed edge there are only values. `codec<V>` says, once
// per type, which value a V is and how to make a V from a value that came from outside.
//
// Known: bool, the integers, float and double, std::string, uuid, timestamp, std::chrono durations (kept in
// microseconds), byte_vector, enumerations (kept as text, by name: herald/enum_names.hpp), std::optional<V> (nullable),
// std::vector<V> (a list), std::map<K, V> (K: a text, an enumeration or a uuid) and structs that herald::described says
// the fields of (herald/dsl/structure.hpp). Teach your own type by specialising `codec`: a `type`, a `get` that gives a
// view into the object, a `set` that says what was wrong.
//
// Casts are strict but for three that lose nothing: an integer may stand for the real that equals it, a text for the enumerator it
// names and for the uuid it spells. A "7" where 7 is wanted is refused: who sends it should learn of it. What a type has no value
// for is out of its range: 300 for an int8_t, 1500 ms for std::chrono::seconds, 1e300 for a float, and what is not a number for
// every real. Rounded is only a real that comes to a float, and what a duration of its own has below a microsecond.
// A store keeps integers of 64 bits with a sign: a std::uint64_t above 9223372036854775807 is an error of its attribute.
//
// Thread safety: no state. Errors: cast_status.

#include <herald/detail/number_range.hpp>
#include <herald/enum_names.hpp>
#include <herald/value.hpp>

#include <chrono>
#include <limits>
#include <map>
#include <optional>
#include <type_traits>
#include <utility>

namespace herald {

enum class cast_status : std::uint8_t { ok, wrong_type, out_of_range, is_null };

struct resource_table;  // <herald/resource_table.hpp>

template <class V>
struct codec;

template <class V>
concept has_codec = requires(V& v, const V& c, value_view from) {
  { codec<V>::type } -> std::convertible_to<value_type>;
  { codec<V>::get(c) } -> std::same_as<value_view>;
  { codec<V>::set(v, from) } -> std::same_as<cast_status>;
};

template <>
struct codec<bool> {
  static constexpr value_type type = value_type::boolean;
  static constexpr value_view get(bool v) noexcept { return v; }
  static constexpr cast_status set(bool& to, value_view from) noexcept {
    if (from.type() != type) return cast_status::wrong_type;
    to = from.boolean();
    return cast_status::ok;
  }
};

template <std::integral I>
struct codec<I> {
  static constexpr value_type type = value_type::integer;
  /// Negative, for an unsigned one that is too large: detail::type_ops::wide.
  static constexpr value_view get(I v) noexcept { return static_cast<std::int64_t>(v); }
  static constexpr cast_status set(I& to, value_view from) noexcept {
    if (from.type() != type) return cast_status::wrong_type;
    if (!std::in_range<I>(from.integer())) return cast_status::out_of_range;
    to = static_cast<I>(from.integer());
    return cast_status::ok;
  }
};

template <std::floating_point R>
struct codec<R> {
  static constexpr value_type type = value_type::real;
  static constexpr value_view get(R v) noexcept { return static_cast<double>(v); }
  static constexpr cast_status set(R& to, value_view from) noexcept {
    if (from.type() == value_type::integer) {
      if (!detail::holds<R>(from.integer())) return cast_status::out_of_range;
      to = static_cast<R>(from.integer());
      return cast_status::ok;
    }
    if (from.type() != type) return cast_status::wrong_type;
    if (from.real() != from.real() || !detail::holds<R>(from.real())) return cast_status::out_of_range;
    to = static_cast<R>(from.real());
    return cast_status::ok;
  }
};

template <>
struct codec<std::string> {
  static constexpr value_type type = value_type::text;
  static value_view get(const std::string& v) noexcept { return std::string_view{v}; }
  static cast_status set(std::string& to, value_view from) {
    if (from.type() != type) return cast_status::wrong_type;
    to.assign(from.text());
    return cast_status::ok;
  }
};

template <>
struct codec<byte_vector> {
  static constexpr value_type type = value_type::bytes;
  static value_view get(const byte_vector& v) noexcept { return bytes_view{v}; }
  static cast_status set(byte_vector& to, value_view from) {
    if (from.type() != type) return cast_status::wrong_type;
    to.assign(from.as_bytes().begin(), from.as_bytes().end());
    return cast_status::ok;
  }
};

template <>
struct codec<uuid> {
  static constexpr value_type type = value_type::uuid;
  static constexpr value_view get(const uuid& v) noexcept { return v; }
  static cast_status set(uuid& to, value_view from) noexcept {
    if (from.type() == value_type::text) {
      const auto parsed = uuid::parse(from.text());
      if (!parsed) return cast_status::wrong_type;
      to = *parsed;
      return cast_status::ok;
    }
    if (from.type() != type) return cast_status::wrong_type;
    to = from.as_uuid();
    return cast_status::ok;
  }
};

template <>
struct codec<timestamp> {
  static constexpr value_type type = value_type::time;
  static constexpr value_view get(timestamp v) noexcept { return v; }
  static constexpr cast_status set(timestamp& to, value_view from) noexcept {
    if (from.type() != type) return cast_status::wrong_type;
    to = from.time();
    return cast_status::ok;
  }
};

template <class Rep, class Period>
struct codec<std::chrono::duration<Rep, Period>> {
  using duration = std::chrono::duration<Rep, Period>;
  static constexpr value_type type = value_type::duration;
  static constexpr value_view get(duration v) noexcept {
    return std::chrono::duration_cast<std::chrono::microseconds>(v);
  }
  static constexpr cast_status set(duration& to, value_view from) noexcept {
    if (from.type() != type) return cast_status::wrong_type;
    const std::chrono::microseconds given = from.duration();
    if constexpr (!std::chrono::treat_as_floating_point_v<Rep>) {
      if constexpr (std::ratio_less_v<Period, std::micro>) {
        if (given > std::chrono::duration_cast<std::chrono::microseconds>(duration::max()) ||
            given < std::chrono::duration_cast<std::chrono::microseconds>(duration::min()))
          return cast_status::out_of_range;
      } else if (get(std::chrono::duration_cast<duration>(given)).duration() != given) {
        return cast_status::out_of_range;
      }
    }
    to = std::chrono::duration_cast<duration>(given);
    return cast_status::ok;
  }
};

template <class E>
  requires std::is_enum_v<E>
struct codec<E> {
  static constexpr value_type type = value_type::text;
  /// The name; of a value without one, an empty text, which no attribute takes.
  static constexpr value_view get(E v) noexcept { return detail::name_of_value(v); }
  static constexpr cast_status set(E& to, value_view from) noexcept {
    if (from.type() != type) return cast_status::wrong_type;
    return detail::value_of_name(from.text(), to) ? cast_status::ok : cast_status::out_of_range;
  }
};

namespace detail {

template <class V>
inline constexpr list_ops vector_ops{
    [](const void* list) { return static_cast<const std::vector<V>*>(list)->size(); },
    [](const void* list, std::size_t index) {
      return codec<V>::get((*static_cast<const std::vector<V>*>(list))[index]);
    }};

template <class K, class V>
inline constexpr map_ops std_map_ops{
    [](const void* map) { return static_cast<const std::map<K, V>*>(map)->size(); },
    [](const void* map, void* to, void (*visit)(void* to, const map_entry& entry)) {
      for (const auto& [key, held] : *static_cast<const std::map<K, V>*>(map))
        visit(to, {codec<K>::get(key), codec<V>::get(held)});
    }};

template <class V>
struct nullable_of {
  using type = V;
  static constexpr bool value = false;
};
template <class V>
struct nullable_of<std::optional<V>> {
  using type = V;
  static constexpr bool value = true;
};

/// Everything an attribute's C++ type can do, behind pointers: one table a type, shared by all attributes of the type.
struct type_ops {
  value_type type;
  bool nullable;
  value_view (*get)(const void* member);
  cast_status (*set)(void* member, const value_view& from);
  bool (*same)(const void* left, const void* right);
  void (*copy)(void* to, const void* from);
  /// Whether a value fits, without anything to put it into.
  cast_status (*fits)(const value_view& from);
  /// Makes what is sensitive inside as in a new object; null, and `hides` false: nothing is.
  void (*hide)(void* member);
  bool hides;
  std::span<const std::string_view> names;    // of an enumeration's values; empty ones are gaps
  const type_ops* element;                    // of a list's parts, of a map's values
  const resource_table* fields;               // of a struct
  bool wide;                                  // an unsigned integer of 64 bits: its upper half, negative in a view, is not kept
};

/// What only some codecs have: a look into the type.
template <class V>
inline constexpr bool compares_by_view = false;  // == of the C++ type may be missing
template <class V>
inline constexpr bool hides = false;  // a function's address is compared with null at run time only, says g++ 12 with UBSan
template <class V>
inline constexpr void (*hide_in)(void* member) = nullptr;
template <class V>
inline constexpr const type_ops* element_of = nullptr;
template <class V>
inline constexpr const resource_table* fields_of = nullptr;
template <class V>
inline constexpr std::span<const std::string_view> names_of{};
template <class E>
  requires std::is_enum_v<E>
inline constexpr std::span<const std::string_view> names_of<E>{enum_table<E>.names};

template <class M>
value_view get_member(const void* member) {
  using V = typename nullable_of<M>::type;
  const M& at = *static_cast<const M*>(member);
  if constexpr (nullable_of<M>::value) {
    return at ? codec<V>::get(*at) : value_view{};
  } else {
    return codec<V>::get(at);
  }
}

template <class M>
cast_status set_member(void* member, const value_view& from) {
  using V = typename nullable_of<M>::type;
  M& at = *static_cast<M*>(member);
  if constexpr (nullable_of<M>::value) {
    if (from.is_null()) {
      at.reset();
      return cast_status::ok;
    }
    V made{};
    const cast_status status = codec<V>::set(made, from);
    if (status == cast_status::ok) at.emplace(std::move(made));
    return status;
  } else {
    return from.is_null() ? cast_status::is_null : codec<V>::set(at, from);
  }
}

template <class M>
inline constexpr type_ops type_ops_of{
    codec<typename nullable_of<M>::type>::type,
    nullable_of<M>::value,
    &get_member<M>,
    &set_member<M>,
    [](const void* left, const void* right) {
      if constexpr (compares_by_view<typename nullable_of<M>::type>) {
        return get_member<M>(left) == get_member<M>(right);
      } else {
        return *static_cast<const M*>(left) == *static_cast<const M*>(right);
      }
    },
    [](void* to, const void* from) { *static_cast<M*>(to) = *static_cast<const M*>(from); },
    [](const value_view& from) {
      M made{};
      return set_member<M>(&made, from);
    },
    hide_in<M>,
    hides<M>,
    names_of<typename nullable_of<M>::type>,
    element_of<typename nullable_of<M>::type>,
    fields_of<typename nullable_of<M>::type>,
    std::is_unsigned_v<typename nullable_of<M>::type> && sizeof(typename nullable_of<M>::type) == sizeof(std::int64_t)};

}  // namespace detail

template <has_codec V>
struct codec<std::vector<V>> {
  static constexpr value_type type = value_type::list;
  static value_view get(const std::vector<V>& v) noexcept { return {&v, detail::vector_ops<V>}; }
  static cast_status set(std::vector<V>& to, value_view from) {
    if (from.type() != type) return cast_status::wrong_type;
    std::vector<V> parts(from.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (from[i].is_null()) return cast_status::wrong_type;
      if (const cast_status status = codec<V>::set(parts[i], from[i]); status != cast_status::ok) return status;
    }
    to = std::move(parts);
    return cast_status::ok;
  }
};

/// Keys are what a JSON object's names can spell.
template <class K, has_codec V>
  requires(std::is_same_v<K, std::string> || std::is_same_v<K, uuid> || std::is_enum_v<K>)
struct codec<std::map<K, V>> {
  static constexpr value_type type = value_type::map;
  static value_view get(const std::map<K, V>& v) noexcept { return {&v, detail::std_map_ops<K, V>}; }
  static cast_status set(std::map<K, V>& to, value_view from) {
    if (from.type() != type) return cast_status::wrong_type;
    std::map<K, V> made;
    cast_status all = cast_status::ok;
    from.each_entry([&](const map_entry& entry) {
      K key{};
      V held{};
      cast_status one = codec<K>::set(key, entry.key);
      if (one == cast_status::ok) one = entry.held.is_null() ? cast_status::wrong_type : codec<V>::set(held, entry.held);
      if (one == cast_status::ok) made.insert_or_assign(std::move(key), std::move(held));
      if (all == cast_status::ok) all = one;
    });
    if (all == cast_status::ok) to = std::move(made);
    return all;
  }
};

namespace detail {

template <class V>
inline constexpr bool compares_by_view<std::vector<V>> = compares_by_view<V>;
template <class K, class V>
inline constexpr bool compares_by_view<std::map<K, V>> = compares_by_view<V>;

template <class V>
inline constexpr const type_ops* element_of<std::vector<V>> = &type_ops_of<V>;
template <>
inline constexpr const type_ops* element_of<byte_vector> = nullptr;  // bytes are one value
template <class K, class V>
inline constexpr const type_ops* element_of<std::map<K, V>> = &type_ops_of<V>;

template <class V>
inline constexpr bool hides<std::optional<V>> = hides<V>;
template <class V>
inline constexpr bool hides<std::vector<V>> = hides<V>;
template <class K, class V>
inline constexpr bool hides<std::map<K, V>> = hides<V>;

template <class V>
  requires(hides<V>)
inline constexpr auto hide_in<std::optional<V>> = +[](void* member) {
  auto& held = *static_cast<std::optional<V>*>(member);
  if (held) hide_in<V>(&*held);
};
template <class V>
  requires(hides<V>)
inline constexpr auto hide_in<std::vector<V>> = +[](void* member) {
  for (V& one : *static_cast<std::vector<V>*>(member)) hide_in<V>(&one);
};
template <class K, class V>
  requires(hides<V>)
inline constexpr auto hide_in<std::map<K, V>> = +[](void* member) {
  for (auto& [key, held] : *static_cast<std::map<K, V>*>(member)) hide_in<V>(&held);
};

}  // namespace detail

}  // namespace herald
