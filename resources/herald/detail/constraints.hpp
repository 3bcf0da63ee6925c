#pragma once
// The problem: a value may have the right type and still be wrong. These functions say in one clause what an attribute
// wants and what it got, without showing the value of a sensitive one.
// Thread safety: functions without state.

#include <herald/error.hpp>
#include <herald/resource_table.hpp>

#include <optional>
#include <string>
#include <vector>

namespace herald::detail {

/// What is wrong with a value of the attribute's type, by its constraints; nothing when all is well. Null is always well.
[[nodiscard]] std::optional<std::string> violation(const resource_table& resource, const attribute_info& attribute,
                                                   const value_view& held);

/// What is wrong with a change of an attribute with transitions or initial values; nothing when all is well. Null moves nowhere.
[[nodiscard]] std::optional<std::string> wrong_move(const resource_table& resource, const attribute_info& attribute,
                                                    const value_view& from, const value_view& to, bool was_there);

/// The values of an action's arguments: what the caller gave, else the defaults. All that is wrong with them is the error.
[[nodiscard]] result<void> take_arguments(const action_request& request, std::vector<value>& to);

/// Why a value could not become the attribute's.
[[nodiscard]] std::string cast_message(const attribute_info& attribute, const value_view& given, cast_status why);
[[nodiscard]] std::string cast_message(const type_ops& type, const value_view& given, cast_status why, bool sensitive);

/// What inside a value from outside does not fit, or fits no field of a struct; nothing when all is well. With
/// `open_only`, a sensitive field is none.
[[nodiscard]] std::optional<std::string> stranger_inside(const type_ops& type, const value_view& given, bool open_only = false);
/// The same, without showing anything of what is inside a sensitive attribute.
[[nodiscard]] std::optional<std::string> stranger_inside(const attribute_info& attribute, const value_view& given);

}  // namespace herald::detail
