#pragma once
// The problem: a value may have the right type and still be wrong. These functions say in one clause what an attribute
// wants and what it got, without showing the value of a sensitive one.
// Thread safety: functions without state.

#include <herald/resource_table.hpp>

#include <optional>
#include <string>

namespace herald::detail {

/// What is wrong with a value of the attribute's type, by its constraints; nothing when all is well. Null is always well.
[[nodiscard]] std::optional<std::string> violation(const resource_table& resource, const attribute_info& attribute,
                                                   const value_view& held);

/// Why a value could not become the attribute's.
[[nodiscard]] std::string cast_message(const attribute_info& attribute, const value_view& given, cast_status why);

}  // namespace herald::detail
