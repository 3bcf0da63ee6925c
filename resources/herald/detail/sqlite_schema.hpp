#pragma once
// The problem: a description changes while files with rows of its older form exist. What can be done without asking anybody
// (a table that is not there yet, an added column with a value for the old rows, a renamed one, indexes of identities) is done;
// everything else is refused with a sentence that says what to do, and then nothing at all is changed.
//
// Private. Thread safety: the connection's thread. Errors: schema_mismatch.

#include "sqlite.hpp"

#include <herald/resource_table.hpp>

namespace herald::detail {

/// Makes the file's table fit the description. Within a transaction, which the caller rolls back on failure.
[[nodiscard]] result<void> fit_table(sqlite::connection& db, const resource_table& table);

/// A value's storage class: INTEGER, REAL, TEXT or BLOB.
[[nodiscard]] std::string_view column_type(value_type type) noexcept;
/// An attribute in an identity's index and in its look-ups, of a column or a parameter: where two nulls conflict, they are a
/// value that no row of the column's type can hold.
[[nodiscard]] std::string identity_term(const identity_info& identity, const attribute_info& attribute, std::string_view of);
/// True when the key is SQLite's own row number: one integer.
[[nodiscard]] bool has_integer_key(const resource_table& table) noexcept;

}  // namespace herald::detail
