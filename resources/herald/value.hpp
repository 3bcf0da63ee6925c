#pragma once
// The problem: the typed edge of a resource (C++ structs) and everything behind it (stores, logs, JSON, gateways, the
// observer) must speak of attribute values without knowing each other's types, and without copying each string on the way.
//
// `value_view` is a look at a value that lives elsewhere (24 bytes, trivially copyable, constexpr); `value` owns one.
// A null is a value of its own. Times and durations are in microseconds. A list holds values of any type; a map has keys
// and values, and is also the form of a struct inside a row: its fields under their names.
//
// Thread safety: distinct objects: safe; shared objects: safe to read. Lifetime: a value_view of text, bytes or a list is
// valid as long as what it looks at is neither changed nor destroyed. Errors: an accessor for another type than the
// value's is a bug and asserts; ask type() first.

#include <herald/uuid.hpp>

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace herald {

using byte_vector = std::vector<std::byte>;
using bytes_view = std::span<const std::byte>;

enum class value_type : std::uint8_t { null, boolean, integer, real, text, bytes, uuid, time, duration, list, map };
[[nodiscard]] std::string_view to_string(value_type type) noexcept;

class value;
class value_view;
struct map_entry;

namespace detail {

/// How to look into a list whose C++ type only its owner knows.
struct list_ops {
  std::size_t (*size)(const void* list);
  value_view (*at)(const void* list, std::size_t index);
};
/// The same for a map or struct. `each` calls `visit(to, entry)` for its entries, in the order of the keys or fields.
struct map_ops {
  std::size_t (*size)(const void* map);
  void (*each)(const void* map, void* to, void (*visit)(void* to, const map_entry& entry));
};

}  // namespace detail

class value_view {
 public:
  constexpr value_view() noexcept : type_{value_type::null}, integer_{0} {}
  constexpr value_view(std::nullptr_t) noexcept : value_view{} {}
  constexpr value_view(std::same_as<bool> auto v) noexcept : type_{value_type::boolean}, integer_{v ? 1 : 0} {}
  template <std::integral I>
    requires(!std::same_as<I, bool> && !std::same_as<I, char> && !(std::unsigned_integral<I> && sizeof(I) == 8))
  constexpr value_view(I v) noexcept : type_{value_type::integer}, integer_{static_cast<std::int64_t>(v)} {}
  constexpr value_view(std::floating_point auto v) noexcept
      : type_{value_type::real}, real_{static_cast<double>(v)} {}
  constexpr value_view(std::string_view v) noexcept : type_{value_type::text}, text_{v.data(), v.size()} {}
  constexpr value_view(const char* v) noexcept : value_view{std::string_view{v}} {}
  constexpr value_view(const std::string& v) noexcept : value_view{std::string_view{v}} {}
  constexpr value_view(bytes_view v) noexcept : type_{value_type::bytes}, bytes_{v.data(), v.size()} {}
  constexpr value_view(const uuid& v) noexcept : type_{value_type::uuid}, uuid_{v} {}
  constexpr value_view(timestamp v) noexcept : type_{value_type::time}, integer_{v.time_since_epoch().count()} {}
  constexpr value_view(std::chrono::microseconds v) noexcept : type_{value_type::duration}, integer_{v.count()} {}
  constexpr value_view(const void* list, const detail::list_ops& ops) noexcept
      : type_{value_type::list}, list_{list, &ops} {}
  constexpr value_view(const void* map, const detail::map_ops& ops) noexcept : type_{value_type::map}, map_{map, &ops} {}
  template <std::same_as<value> V>
  value_view(const V& v) noexcept : value_view{v.view()} {}  // NOLINT: a value can be looked at

  [[nodiscard]] constexpr value_type type() const noexcept { return type_; }
  [[nodiscard]] constexpr bool is_null() const noexcept { return type_ == value_type::null; }

  [[nodiscard]] constexpr bool boolean() const noexcept { return integer_ != 0; }
  [[nodiscard]] constexpr std::int64_t integer() const noexcept { return integer_; }
  [[nodiscard]] constexpr double real() const noexcept { return real_; }
  [[nodiscard]] constexpr std::string_view text() const noexcept { return {text_.data, text_.size}; }
  [[nodiscard]] constexpr bytes_view as_bytes() const noexcept { return {bytes_.data, bytes_.size}; }
  [[nodiscard]] constexpr const uuid& as_uuid() const noexcept { return uuid_; }
  [[nodiscard]] constexpr timestamp time() const noexcept { return timestamp{std::chrono::microseconds{integer_}}; }
  [[nodiscard]] constexpr std::chrono::microseconds duration() const noexcept {
    return std::chrono::microseconds{integer_};
  }
  /// A list's length and its parts; how many entries a map has.
  [[nodiscard]] std::size_t size() const {
    return type_ == value_type::map ? map_.ops->size(map_.object) : list_.ops->size(list_.object);
  }
  [[nodiscard]] value_view operator[](std::size_t index) const { return list_.ops->at(list_.object, index); }
  /// A map's entries: `each_entry([](const map_entry& entry) {...})`.
  template <class F>
  void each_entry(F visit) const;

  /// Same type and same content. A real that is not a number equals itself here: a row with one is not "changed".
  friend bool operator==(const value_view& left, const value_view& right) noexcept;
  /// A total order: by type first (in value_type's order), then by content.
  friend std::strong_ordering operator<=>(const value_view& left, const value_view& right) noexcept;

  /// As it stands in a topic: text as it is, numbers in decimal, uuids in their text form, times in microseconds,
  /// bytes in hex, list parts and a map's "key=value" joined by ",". Null and sensitive entries append nothing.
  void append_to(std::string& out) const;
  /// As it stands in a message for a person: text in quotes, null as "null", long texts cut at 80 characters.
  [[nodiscard]] std::string describe() const;
  [[nodiscard]] std::size_t hash() const noexcept;

 private:
  struct text_part {
    const char* data;
    std::size_t size;
  };
  struct bytes_part {
    const std::byte* data;
    std::size_t size;
  };
  struct list_part {
    const void* object;
    const detail::list_ops* ops;
  };
  struct map_part {
    const void* object;
    const detail::map_ops* ops;
  };

  value_type type_;
  union {
    std::int64_t integer_;
    double real_;
    text_part text_;
    bytes_part bytes_;
    uuid uuid_;
    list_part list_;
    map_part map_;
  };
};

/// One entry of a map, or one field of a struct.
struct map_entry {
  value_view key;
  value_view held;
  bool sensitive = false;  ///< a field that must not be shown
};

template <class F>
void value_view::each_entry(F visit) const {
  map_.ops->each(map_.object, &visit, [](void* to, const map_entry& entry) { (*static_cast<F*>(to))(entry); });
}

/// An owned value.
class value {
 public:
  value() noexcept = default;
  explicit value(const value_view& from);
  template <class V>
    requires(!std::same_as<std::remove_cvref_t<V>, value> && !std::same_as<std::remove_cvref_t<V>, value_view> &&
             std::constructible_from<value_view, V>)
  value(V&& from) : value{value_view{std::forward<V>(from)}} {}  // NOLINT: anything that can be looked at is a value
  value(std::string from) noexcept : type_{value_type::text}, held_{std::move(from)} {}
  value(const byte_vector& from) : value{value_view{bytes_view{from}}} {}
  value(std::vector<value> parts) noexcept : type_{value_type::list}, held_{std::move(parts)} {}
  /// A map, of keys and values in turn.
  [[nodiscard]] static value map_of(const std::vector<value>& keys_and_values);

  [[nodiscard]] value_type type() const noexcept { return type_; }
  [[nodiscard]] bool is_null() const noexcept { return type_ == value_type::null; }
  [[nodiscard]] value_view view() const noexcept;

  friend bool operator==(const value& left, const value& right) noexcept { return left.view() == right.view(); }
  friend std::strong_ordering operator<=>(const value& left, const value& right) noexcept {
    return left.view() <=> right.view();
  }

 private:
  value_type type_ = value_type::null;
  // Integer: also boolean, time and duration, and a real by its bits. String: text and bytes. Vector: of a map the key, the value,
  // and whether it is sensitive, an entry after the other.
  std::variant<std::int64_t, uuid, std::string, std::vector<value>> held_;
};

/// One named value, for calls by name and for metadata.
struct named_value {
  std::string name;
  herald::value value;
  friend bool operator==(const named_value&, const named_value&) = default;
};

}  // namespace herald

template <>
struct std::hash<herald::value> {
  std::size_t operator()(const herald::value& v) const noexcept { return v.view().hash(); }
};
