#pragma once
// The problem: rows that belong to others must never point to nobody, and whoever depends on a row that goes must be told.
// These functions ask and act inside an action's transaction; the single writer makes their answers final.
//
// Private. Thread safety: the writer. Errors: those of the transaction, and of the actions that on_destroy names.

#include <herald/action.hpp>
#include <herald/changeset.hpp>

namespace herald::detail {

/// The resource that an attribute's rows belong to; null when they belong to none.
[[nodiscard]] const resource_table* referenced_by(const resource_table& resource, const attribute_info& attribute);

/// Adds an error to each new or changed reference to a row that is not there.
[[nodiscard]] result<void> check_references(change_context& context, bool all_tenants);

/// Before a row is destroyed: runs the on_destroy actions of what belongs to it, and refuses when something still does.
[[nodiscard]] result<void> let_go(transaction& tx, const action_request& request, const record& row);

}  // namespace herald::detail
