// What an action sees of a SQLite store while it runs: sqlite_storage::inside.
#include "sqlite_schema.hpp"
#include "sqlite_storage.hpp"

#include <herald/payload.hpp>

#include <fmt/format.h>

#include <cassert>

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
  return {};
}

result<void> sqlite_storage::inside::update(const record& before, const record& after, attribute_mask changed) {
  if (auto open = check(); !open) return open;
  const auto table = owner_.index_.of(before.table());
  if (table == table_index::npos) return unknown_resource(owner_.name(), before.table());
  return owner_.tables_[table].update(owner_.db_, after, changed);
}

result<void> sqlite_storage::inside::erase(const record& row) {
  if (auto open = check(); !open) return open;
  const auto table = owner_.index_.of(row.table());
  if (table == table_index::npos) return unknown_resource(owner_.name(), row.table());
  return owner_.tables_[table].erase(owner_.db_, row);
}

result<void> sqlite_storage::inside::append(std::shared_ptr<event_record> event) {
  if (auto open = check(); !open) return open;
  auto& log = owner_.log_;
  if (owner_.index_.of(*event->resource) == table_index::npos) return unknown_resource(owner_.name(), *event->resource);
  event->at = {owner_.epoch_, owner_.head_.load(std::memory_order_relaxed) + owner_.written_.size() + 1};
  const auto failed = [&] { return owner_.db_.failure(fmt::format("write event {}", event->at.sequence)); };
  log.begin_routes();
  for (const auto& route : event->routes) {
    if (!log.add_route({route.topic, event->name_on(route), route.publication})) return failed();
  }
  owner_.payload_.clear();
  encode_payload(*event, owner_.payload_);
  const log_entry entry{event->at.sequence,
                        event->time.time_since_epoch().count(),
                        event->resource->name,
                        event->action_info().name,
                        static_cast<int>(event->kind),
                        event->tenant,
                        owner_.payload_};
  if (!log.append(entry)) return failed();
  owner_.written_bytes_ += owner_.payload_.size() + log.routes_size() + event_overhead;
  if (owner_.compacts(*event->resource)) {
    if (auto noted = owner_.note_key(*event); !noted) return noted;
  }
  owner_.written_.push_back(std::move(event));
  return {};
}

result<void> sqlite_storage::inside::savepoint() {
  if (auto open = check(); !open) return open;
  if (auto made = owner_.run(owner_.savepoint_, "begin an action"); !made) return made;
  owner_.savepoints_.push_back({owner_.written_.size(), owner_.log_.point()});
  return {};
}

result<void> sqlite_storage::inside::release() {
  assert(!owner_.savepoints_.empty());
  owner_.savepoints_.pop_back();
  return owner_.run(owner_.release_, "end an action");
}

result<void> sqlite_storage::inside::rollback_to() {
  assert(!owner_.savepoints_.empty());
  const auto back = owner_.savepoints_.back();
  owner_.savepoints_.pop_back();
  owner_.written_.resize(back.events);
  owner_.log_.rolled_back_to(back.names);
  // A transaction that SQLite has ended has no savepoints any more; the writer sees that and repeats the batch.
  if (!owner_.db_.in_transaction()) return {};
  if (auto rolled = owner_.run(owner_.rollback_to_, "roll an action back"); !rolled) return rolled;
  return owner_.run(owner_.release_, "roll an action back");
}

result<std::int64_t> sqlite_storage::inside::next_integer(const resource_table& resource) {
  const auto table = owner_.index_.of(resource);
  if (table == table_index::npos) return unknown_resource(owner_.name(), resource);
  auto& counter = owner_.counters_[table];
  counter = {counter.last + 1, true};
  return counter.last;
}

}  // namespace herald::detail
