#pragma once
// A value as it stands in an SQL statement that a person may read and run: the default of an added column, a row written anew.
//
// Private. Thread safety: no state. Errors: none; an infinite real is a number beyond SQL's.

#include <herald/value.hpp>

#include <string>

namespace herald::detail {

[[nodiscard]] std::string literal_of(const value_view& value);

}  // namespace herald::detail
