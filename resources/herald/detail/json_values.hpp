#pragma once
// The problem: rows, inputs and events speak JSON alike. What they share: a value as JSON and back, in the form of a type where JSON
// has no such form of its own, and an object of attributes as a row. For .cpp files only, since it includes nlohmann's header.
//
// Thread safety: functions without state. Errors: resource_errc::invalid, or field errors.

#include <herald/record.hpp>
#include <herald/resource_error.hpp>

#include <nlohmann/json.hpp>

namespace herald::detail {

// Members in the order in which they are written: rows read in the order of their attributes.
using json = nlohmann::ordered_json;

[[nodiscard]] json json_of(const value_view& held);
[[nodiscard]] std::string text_of(const json& from);

/// A value as JSON says it, without knowing what is wanted.
[[nodiscard]] value plain_value(const json& from);
/// The same, in the form of a type.
[[nodiscard]] value value_for(const type_ops& type, const json& from);

/// The object that a text is. `what` is what it should be: "the input for resource tickets"; `wanted`: "an object of " it.
[[nodiscard]] result<json> object_from(std::string_view text, std::string_view what, std::string_view wanted);
/// Puts an object's members into a new row, and what is wrong with them, their names behind `inside`, into `wrong`.
[[nodiscard]] record row_from(const resource_table& resource, const json& object, std::string_view inside, std::vector<field_error>& wrong);

}  // namespace herald::detail
