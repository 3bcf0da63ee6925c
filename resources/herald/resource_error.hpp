#pragma once
// The resources module's own failures, each with its cause and its cure. The text of the error names the resource, the
// action and the fields; this enumeration is for code that decides.
//
// Thread safety: constant.

#include <herald/error.hpp>

namespace herald {

enum class resource_errc : int {
  invalid = 1,       ///< Input or result broke a rule of the resource; nothing was written. Cure: see the fields.
  forbidden,         ///< An authorise hook said no; nothing was written. Cure: ask as somebody who may.
  tenant_required,   ///< The resource's rows belong to tenants, and none was named. Cure: action_options::tenant.
  not_found,         ///< No row has this key. Cure: look it up again; it may have been destroyed.
  stale,             ///< The row changed or went since the copy was read. Cure: read it again and repeat the action.
  taken,             ///< A row with this primary key or identity exists already; the fields say which. Cure: another value.
  no_such_resource,  ///< The store does not describe a resource of this name. Cure: list it when opening the store.
  no_such_action,    ///< The resource has no action of this name. Cure: see the names in the text.
  wrong_action_kind, ///< The action exists, but is a create where an update was asked for, or the like.
  no_such_input,     ///< The action has no input of this name. Cure: see its accept list in the text.
  invalid_keyset,    ///< A page's keyset is damaged, or of a query with another order. Cure: begin with the first page.
  hook_failed,       ///< A change, validation or hook threw. A bug in it; nothing was written.
  unavailable,       ///< The writer cannot serve now (restarting, stuck, or stopping). Cure: try again.
  overload,          ///< The writer's mailbox is full. Cure: fewer actions in flight.
  would_block,       ///< The waiting form was used inside a handler. Cure: the continuation form.
  timeout,           ///< No answer within the limit; the action may still commit. Cure: look before repeating it.
  closed,            ///< The store is closed. Cure: none; open it again.
  tx_expired,        ///< An interactive transaction outlived its deadline and was rolled back. Cure: do less in it.
  gone,              ///< The offset lies below the retention floor or in another epoch. Cure: begin with a snapshot.
  not_a_database,    ///< The file is something else. Cure: another path.
  read_only,         ///< The file or its folder cannot be written. Cure: permissions, another path.
  no_such_file,      ///< The file does not exist, and this use of it does not make it. Cure: another path.
  no_such_directory, ///< The folder of the file does not exist. Cure: make it, or another path.
  locked,            ///< Another program holds the file's write lock. Cure: stop it; a store has one writer.
  newer_schema,      ///< A newer program wrote this file. Cure: run that one, or newer.
  schema_mismatch,   ///< The file's tables differ in a way that is not only additive. Cure: as the text says.
  disk_full,         ///< The disk is full; the action was rolled back. Cure: make room.
  out_of_memory,     ///< The action was rolled back. Cure: more memory, smaller actions.
  io_error,          ///< Reading or writing failed; the action was rolled back. Cure: see the text for the cause.
  corrupt,           ///< Stored bytes cannot be read back. Cure: restore a copy.
};
[[nodiscard]] const error_domain& domain_of(resource_errc) noexcept;

}  // namespace herald
