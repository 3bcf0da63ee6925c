#pragma once
// The problem: rows and events must commit together, whatever the store. The action engine therefore works against this
// small interface, which a store implements for the time of one savepoint: whatever the engine did through it is kept
// when the store releases the savepoint, and is gone when it rolls back.
//
// Who implements what: a store implements `transaction` (rows, numbering of events); its writer calls
// `apply(transaction&, action_request)` (<herald/action.hpp>) inside a savepoint and rolls back when that fails.
// The engine never commits, never publishes, never keeps the transaction.
//
// Expected of a store:
//  - find gives an empty record when there is no such row (not an error).
//  - insert answers resource_errc::taken when the key exists.
//  - update is called only when something changed, never with a changed primary key; erase only for a row that find gave.
//    Both see the row as find gave it: nobody else writes between the two.
//  - append numbers the event (event.at), keeps it in the log in this transaction, and keeps the pointer for the hand-over
//    after COMMIT. A rolled-back number is used again: the log has no gaps.
//  - now() is the same for the whole batch or action, and never goes back; new_uuid() grows.
//  - insert and update answer resource_errc::taken with a field error "has already been taken" per attribute of the identity.
//  - savepoint, release and rollback_to nest: an action inside an action takes one, and a roll-back forgets its events too.
//  - next_integer gives 1 above the largest key ever given for the resource, also over restarts.
// Errors are those of resource_errc. An exception is a bug and rolls back as an error does.
//
// Thread safety: none; the writer only. Lifetime: until the store says commit or roll back.

#include <herald/event_record.hpp>
#include <herald/resource_error.hpp>

namespace herald {

class transaction {
 public:
  transaction() = default;
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  virtual ~transaction() = default;

  [[nodiscard]] virtual result<record> find(const resource_table& resource, const row_key& key) = 0;
  virtual result<void> insert(const record& row) = 0;
  virtual result<void> update(const record& before, const record& after, detail::attribute_mask changed) = 0;
  virtual result<void> erase(const record& row) = 0;
  virtual result<void> append(std::shared_ptr<event_record> event) = 0;

  virtual result<void> savepoint() = 0;
  virtual result<void> release() = 0;
  virtual result<void> rollback_to() = 0;

  [[nodiscard]] virtual timestamp now() = 0;
  [[nodiscard]] virtual uuid new_uuid() = 0;
  [[nodiscard]] virtual result<std::int64_t> next_integer(const resource_table& resource) = 0;
};

}  // namespace herald
