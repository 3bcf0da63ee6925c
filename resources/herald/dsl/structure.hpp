#pragma once
// The problem: an attribute may be a small struct of its own (an address, a price), alone or in a vector or map, and what is
// inside must be checked, stored, shown as JSON and kept secret as attributes are. Say once what it consists of:
//
//   struct Address { std::string street, town, door_code; };
//   template <> inline constexpr auto herald::described<Address> = herald::structure<Address>("address",
//     herald::dsl::attribute<&Address::street>(herald::dsl::max_length{100}), herald::dsl::attribute<&Address::town>(),
//     herald::dsl::attribute<&Address::door_code>(herald::dsl::sensitive));
//
// It stands before the first resource that uses it. Fields take constraints, `sensitive` and `was`. Members that it does not
// name are in no row. A field may be added later: old rows have what the struct's own initialiser says; one that is gone is
// skipped in old rows.
//
// Thread safety: constants. Errors: compile errors that name the rule.

#include <herald/dsl/assembler.hpp>
#include <herald/dsl/description.hpp>

namespace herald {

namespace detail {
struct undescribed {};
}  // namespace detail

template <class T>
inline constexpr detail::undescribed described{};

namespace detail {

template <class T>
concept has_description = !std::is_same_v<decltype(described<T>), const undescribed>;

template <class T, auto M>
const void* address_in(const void* row) {
  return &(static_cast<const T*>(row)->*M);
}

template <class T, auto M, std::size_t C, std::size_t V>
constexpr void add_attribute(assembler& all, const attribute_part<M, C, V>& part) {
  static_assert(std::is_base_of_v<member_owner<M>, T>, "herald: this member does not belong to the struct of the resource");
  if constexpr (std::is_base_of_v<member_owner<M>, T>) {
    attribute_info info = part.info;
    info.at = &address_in<T, M>;
    all.attribute(info, {part.constraints.data(), C}, {part.values.data(), V});
  }
}

template <class Part>
inline constexpr std::size_t field_constraints = 0;
template <class Part>
inline constexpr std::size_t field_values = 0;
template <class Part>
inline constexpr bool is_field = false;
template <auto M, std::size_t C, std::size_t V>
inline constexpr std::size_t field_constraints<attribute_part<M, C, V>> = C;
template <auto M, std::size_t C, std::size_t V>
inline constexpr std::size_t field_values<attribute_part<M, C, V>> = V;
template <auto M, std::size_t C, std::size_t V>
inline constexpr bool is_field<attribute_part<M, C, V>> = true;

template <has_description T>
inline constexpr resource_table structure_of = described<T>.table();

/// A value from outside into a struct's fields; those that it does not have stay as they are.
[[nodiscard]] cast_status set_fields(const resource_table& fields, void* object, const value_view& from);
/// Calls visit(to, entry) for each field.
void each_field(const resource_table& fields, const void* object, void* to, void (*visit)(void* to, const map_entry& entry));
void hide_fields(const resource_table& fields, void* object);

template <class T>
inline constexpr map_ops structure_ops{
    [](const void*) { return structure_of<T>.attributes.size(); },
    [](const void* object, void* to, void (*visit)(void* to, const map_entry& entry)) {
      each_field(structure_of<T>, object, to, visit);
    }};

}  // namespace detail

template <detail::has_description T>
struct codec<T> {
  static constexpr value_type type = value_type::map;
  static value_view get(const T& v) noexcept { return {&v, detail::structure_ops<T>}; }
  static cast_status set(T& to, value_view from) {
    if (from.type() != type) return cast_status::wrong_type;
    T made{};
    const cast_status status = detail::set_fields(detail::structure_of<T>, &made, from);
    if (status == cast_status::ok) to = std::move(made);
    return status;
  }
};

namespace detail {

template <has_description T>
inline constexpr bool compares_by_view<T> = true;
template <has_description T>
inline constexpr const resource_table* fields_of<T> = &structure_of<T>;
template <has_description T>
inline constexpr bool hides<T> = (described<T>.sensitive | described<T>.secrets_inside) != 0;
template <has_description T>
  requires(hides<T>)
inline constexpr auto hide_in<T> = +[](void* object) { hide_fields(structure_of<T>, object); };

}  // namespace detail

/// What a struct consists of. The name stands in the reference page.
template <class T, class... Fields>
[[nodiscard]] consteval auto structure(std::string_view name, const Fields&... fields) {
  static_assert((detail::is_field<Fields> && ...), "herald: a structure consists of attribute<&T::member>(...)");
  static_assert(std::is_default_constructible_v<T> && std::is_copy_constructible_v<T> && std::is_copy_assignable_v<T>,
                "herald: a structure must be default-constructible and copyable");
  detail::description<T, sizeof...(Fields), (std::size_t{0} + ... + detail::field_constraints<Fields>),
                      (std::size_t{0} + ... + detail::field_values<Fields>), 0, 0, 0, 0, 0, 0, 0>
      made{};
  detail::assembler all = made.room();
  all.begin(name);
  (detail::add_attribute<T>(all, fields), ...);
  all.close_structure();
  made.close(all);
  return made;
}

}  // namespace herald
