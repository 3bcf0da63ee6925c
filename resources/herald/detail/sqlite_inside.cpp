// What an action sees of a SQLite store while it runs: sqlite_storage::inside.
#include "sqlite_schema.hpp"
#include "sqlite_storage.hpp"

#include <herald/payload.hpp>

#include <fmt/format.h>

#include <cassert>
#include <limits>

namespace herald::detail {

result<record> sqlite_storage::inside::find(const resource_table& resource, const row_key& key) {
  const auto table = owner_.index_.of(resource);
  if (table == table_index::npos) return unknown_resource(owner_.name(), resource);
  return owner_.tables_[table].find(owner_.db_, key);
}

result<record> sqlite_storage::inside::find_by(const resource_table& resource, std::size_t identity, const record& like) {
  const auto table = owner_.index_.of(resource);
  if (table == table_index::npos) return unknown_resource(owner_.name(), resource);
  return owner_.tables_[table].find_by(owner_.db_, identity, like);
}

result<void> sqlite_storage::inside::select(const query& of, const std::function<void(const record&)>& each) {
  const auto table = owner_.index_.of(*of.resource);
  if (table == table_index::npos) return unknown_resource(owner_.name(), *of.resource);
  return owner_.tables_[table].select(owner_.db_, of, each);
}

result<void> sqlite_storage::inside::check() const {
  // A full disk or an I/O error may have ended the transaction unasked. Each later statement of an action that overlooks
  // that would commit by itself.
  if (owner_.db_.in_transaction()) return {};
  return error{resource_errc::io_error,
               fmt::format("{}: the transaction was rolled back by an earlier failure, so nothing more can be written in it",
                           owner_.name())};
}

result<void> sqlite_storage::inside::insert(const record& row) {
  if (auto open = check(); !open) return open;
  const auto& resource = row.table();
  const auto table = owner_.index_.of(resource);
  if (table == table_index::npos) return unknown_resource(owner_.name(), resource);
  if (auto inserted = owner_.tables_[table].insert(owner_.db_, row); !inserted) return inserted;
  if (has_integer_key(resource)) {
    auto& counter = owner_.counters_[table];
    if (const auto key = row.get(resource.key[0]).integer(); key > counter.last) counter = {key, true};
  }
  if (!owner_.savepoints_.empty()) owner_.written_rows_.push_back({table, {}, row, 0});
  return {};
}

result<void> sqlite_storage::inside::update(const record& before, const record& after, attribute_mask changed) {
  if (auto open = check(); !open) return open;
  const auto table = owner_.index_.of(before.table());
  if (table == table_index::npos) return unknown_resource(owner_.name(), before.table());
  if (auto updated = owner_.tables_[table].update(owner_.db_, after, changed); !updated) return updated;
  if (!owner_.savepoints_.empty()) owner_.written_rows_.push_back({table, before, after, changed});
  return {};
}

result<void> sqlite_storage::inside::erase(const record& row) {
  if (auto open = check(); !open) return open;
  const auto table = owner_.index_.of(row.table());
  if (table == table_index::npos) return unknown_resource(owner_.name(), row.table());
  if (auto erased = owner_.tables_[table].erase(owner_.db_, row); !erased) return erased;
  if (!owner_.savepoints_.empty()) owner_.written_rows_.push_back({table, row, {}, 0});
  return {};
}

/// Events are written together, before the COMMIT: nobody reads them earlier, and an action that fails leaves none to undo.
result<void> sqlite_storage::inside::append(std::shared_ptr<event_record> event) {
  if (auto open = check(); !open) return open;
  if (owner_.index_.of(*event->resource) == table_index::npos) return unknown_resource(owner_.name(), *event->resource);
  event->at = {owner_.epoch_, owner_.head_.load(std::memory_order_relaxed) + owner_.written_.size() + 1};
  owner_.written_.push_back(std::move(event));
  return {};
}

result<void> sqlite_storage::inside::savepoint() {
  if (auto open = check(); !open) return open;
  owner_.savepoints_.push_back({owner_.written_.size(), owner_.written_rows_.size(), owner_.former_cursors_.size()});
  return {};
}

result<void> sqlite_storage::inside::release() {
  assert(!owner_.savepoints_.empty());
  owner_.savepoints_.pop_back();
  if (owner_.savepoints_.empty()) owner_.forget_savepoints();
  return check();
}

result<void> sqlite_storage::inside::rollback_to() {
  assert(!owner_.savepoints_.empty());
  const auto back = owner_.savepoints_.back();
  owner_.savepoints_.pop_back();
  owner_.written_.resize(back.events);
  // A transaction that SQLite has ended has nothing to undo any more; the writer sees that and repeats the batch.
  auto undone = owner_.db_.in_transaction() ? owner_.undo_to(back) : result<void>{};
  owner_.written_rows_.resize(back.rows);
  owner_.former_cursors_.resize(back.cursors);
  // Half undone is worse than all undone: the writer repeats the batch then, too.
  if (!undone && owner_.db_.in_transaction()) static_cast<void>(owner_.run(owner_.rollback_, "roll a batch back"));
  return undone;
}

result<void> sqlite_storage::undo_to(const mark& back) {
  for (auto i = written_rows_.size(); i > back.rows; --i) {
    if (auto undone = undo(written_rows_[i - 1]); !undone) return undone;
  }
  for (auto i = former_cursors_.size(); i > back.cursors; --i) {
    const auto& [name, cursor] = former_cursors_[i - 1];
    if (auto undone = cursor ? put_cursor(name, *cursor) : delete_cursor(name); !undone) return undone;
  }
  return {};
}

result<void> sqlite_storage::undo(const written_row& one) {
  auto& table = tables_[one.table];
  if (!one.before) return table.erase(db_, one.after);
  if (!one.after) return table.insert(db_, one.before);
  return table.update(db_, one.before, one.changed);
}

result<std::int64_t> sqlite_storage::inside::next_integer(const resource_table& resource) {
  const auto table = owner_.index_.of(resource);
  if (table == table_index::npos) return unknown_resource(owner_.name(), resource);
  auto& counter = owner_.counters_[table];
  if (counter.last == std::numeric_limits<std::int64_t>::max()) return no_key_left(resource);
  counter = {counter.last + 1, true};
  return counter.last;
}

}  // namespace herald::detail
