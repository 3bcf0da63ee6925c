#pragma once
// The problem: a query as data becomes one SQL statement whose answer is exactly the rows that the memory store would give.
// Values are parameters, never text; columns are quoted.
//
// Private. Thread safety: functions without state.

#include <herald/query.hpp>

#include <string>
#include <vector>

namespace herald::detail {

struct sql_query {
  std::string text;
  std::vector<value> values;  // parameters 1, 2, ...
};

/// The condition as " WHERE ..." with its values; empty when every row is meant.
[[nodiscard]] sql_query where_of(const query& of);
/// " ORDER BY ...", " LIMIT ...", of a complete query; its numbers are appended to the values.
void append_order(const query& of, sql_query& to);

}  // namespace herald::detail
