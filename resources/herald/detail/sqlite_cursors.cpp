// The cursors of durable consumers: a row each of herald_cursor.

#include "sqlite_storage.hpp"

namespace herald::detail {

namespace {

using sqlite::step_result;

/// The cursor in the columns from `first` on.
consumer_cursor cursor_in(const sqlite::statement& row, int first) {
  return {{static_cast<std::uint64_t>(row.integer(first)), static_cast<std::uint64_t>(row.integer(first + 1))},
          static_cast<std::uint32_t>(row.integer(first + 2)),
          row.integer(first + 3) != 0};
}

}  // namespace

result<std::vector<named_cursor>> sqlite_reader::cursors() {
  constexpr auto doing = "read the consumers' cursors";
  auto& db = log_.connection();
  auto ask = db.prepare("SELECT name, epoch, sequence, tries, paused FROM herald_cursor ORDER BY name", doing);
  if (!ask) return ask.error();
  std::vector<named_cursor> all;
  while (true) {
    const auto step = ask->step();
    if (step == step_result::failed) return db.failure(doing);
    if (step == step_result::done) return all;
    all.push_back({std::string{ask->bytes(0)}, cursor_in(*ask, 1)});
  }
}

result<std::optional<consumer_cursor>> sqlite_storage::inside::cursor(std::string_view consumer) {
  auto& ask = owner_.cursor_;
  sqlite::reset_at_end reset{ask};
  ask.bind_text(1, consumer);
  const auto step = ask.step();
  if (step == step_result::failed) return owner_.db_.failure("read a consumer's cursor");
  if (step == step_result::done) return std::optional<consumer_cursor>{};
  return std::optional{cursor_in(ask, 0)};
}

result<void> sqlite_storage::put_cursor(std::string_view consumer, const consumer_cursor& what) {
  sqlite::reset_at_end reset{keep_cursor_};
  keep_cursor_.bind_text(1, consumer);
  keep_cursor_.bind(2, static_cast<std::int64_t>(what.at.epoch));
  keep_cursor_.bind(3, static_cast<std::int64_t>(what.at.sequence));
  keep_cursor_.bind(4, std::int64_t{what.tries});
  keep_cursor_.bind(5, std::int64_t{what.paused});
  if (keep_cursor_.step() != step_result::done) return db_.failure("keep a consumer's cursor");
  return {};
}

result<void> sqlite_storage::delete_cursor(std::string_view consumer) {
  sqlite::reset_at_end reset{drop_cursor_};
  drop_cursor_.bind_text(1, consumer);
  if (drop_cursor_.step() != step_result::done) return db_.failure("drop a consumer's cursor");
  return {};
}

result<void> sqlite_storage::note_cursor(std::string_view consumer) {
  if (savepoints_.empty()) return {};
  auto former = inside_.cursor(consumer);
  if (!former) return former.error();
  former_cursors_.emplace_back(consumer, *former);
  return {};
}

result<void> sqlite_storage::inside::keep_cursor(std::string_view consumer, const consumer_cursor& what) {
  if (auto open = check(); !open) return open;
  if (auto noted = owner_.note_cursor(consumer); !noted) return noted;
  return owner_.put_cursor(consumer, what);
}

result<void> sqlite_storage::inside::drop_cursor(std::string_view consumer) {
  if (auto open = check(); !open) return open;
  if (auto noted = owner_.note_cursor(consumer); !noted) return noted;
  return owner_.delete_cursor(consumer);
}

}  // namespace herald::detail
