#include "sqlite_storage.hpp"

#include "sqlite_schema.hpp"

#include <herald/payload.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace herald::detail {

namespace {

using sqlite::step_result;

// The log's pages go back to the file system as it is trimmed (auto_vacuum, before the first table), and old content is not
// zeroed where that would cost a write (Debian's SQLite does so by default).
constexpr const char* first_settings = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA secure_delete = FAST;";

}  // namespace

result<std::shared_ptr<storage>> sqlite_storage::open(std::vector<const resource_table*> tables,
                                                      const sqlite_options& options) {
  if (auto fit = check_tables(tables); !fit) return fit.error();
  auto made = std::make_shared<sqlite_storage>(std::move(tables), options);
  if (auto opened = made->open_file(); !opened) return opened.error();
  return std::shared_ptr<storage>{std::move(made)};
}

sqlite_storage::sqlite_storage(std::vector<const resource_table*> tables, const sqlite_options& options)
    : options_{options},
      name_{fmt::format("store file '{}'", options.file)},
      index_{std::move(tables)},
      clock_{options},
      inside_{*this},
      layouts_{std::make_shared<layout_book>()} {}

sqlite_storage::~sqlite_storage() {
  if (db_.handle() == nullptr || epoch_ == 0) return;
  rollback();
  // When this fails, the next opening finds the file as after a crash, and treats it so.
  if (options_.durability == durability::relaxed) static_cast<void>(log_tables::closed(db_));
}

result<void> sqlite_storage::open_file() {
  auto db = sqlite::connection::open(options_.file, sqlite::open_mode::create, options_.busy_limit);
  if (!db) return db.error();
  db_ = *std::move(db);
  const auto known = log_tables::recognise(db_);
  if (!known) return known.error();
  auto lock = file_lock::take(options_.file);
  if (!lock) return lock.error();
  lock_ = *std::move(lock);
  if (auto set = db_.execute(first_settings, "set it up"); !set) return set.error();
  const auto mode = db_.text_of("PRAGMA journal_mode = WAL", "turn on its write-ahead log");
  if (!mode) return mode.error();
  if (mode->value_or("") != "wal") {
    return error{resource_errc::io_error,
                 fmt::format("store file '{}': its file system cannot share memory between connections, which the "
                             "write-ahead log needs; put the file on a local disk",
                             options_.file)};
  }
  const auto cache = fmt::format("PRAGMA cache_size = -{}; PRAGMA synchronous = FULL", options_.cache_kib);
  if (auto set = db_.execute(cache.c_str(), "set it up"); !set) return set.error();
  if (auto begun = db_.execute("BEGIN IMMEDIATE", "begin to set it up"); !begun) return begun.error();
  // Another program may have made it meanwhile, before it let go of the lock.
  const auto made_before = log_tables::recognise(db_);
  auto prepared = made_before ? prepare_file(*made_before) : result<void>{made_before.error()};
  if (!prepared) {
    static_cast<void>(db_.execute("ROLLBACK", "leave it as it was"));
    return prepared;
  }
  if (auto committed = db_.execute("COMMIT", "set it up"); !committed) return committed.error();
  log_.committed();
  if (options_.durability == durability::relaxed) {
    if (auto set = db_.execute("PRAGMA synchronous = NORMAL", "set it up"); !set) return set.error();
  }
  readers_ = std::make_unique<reader_pool>(options_.file, options_.busy_limit,
                                           std::clamp<std::size_t>(options_.readers, 1, 64), index_, layouts_);
  return {};
}

result<void> sqlite_storage::prepare_file(bool made_before) {
  const auto state = log_tables::prepare(db_, made_before, options_.durability == durability::relaxed);
  if (!state) return state.error();
  for (const auto* table : index_.all()) {
    if (auto fits = fit_table(db_, *table); !fits) return fits;
  }
  if (auto prepared = prepare_statements(); !prepared) return prepared;
  if (auto kept = keep_layouts(); !kept) return kept;
  if (auto loaded = load_counters(); !loaded) return loaded;
  if (auto loaded = load_retention(); !loaded) return loaded;
  epoch_ = state->epoch;
  head_ = state->head;
  floor_ = state->floor;
  const auto newest = db_.integer_of("SELECT time FROM herald_event ORDER BY sequence DESC LIMIT 1", "read the log");
  if (!newest) return newest.error();
  if (*newest) clock_.not_before(timestamp{std::chrono::microseconds{**newest}});
  return {};
}

result<void> sqlite_storage::prepare_statements() {
  auto log = log_writer::open(db_);
  if (!log) return log.error();
  log_ = *std::move(log);
  for (const auto* table : index_.all()) {
    auto opened = table_writer::open(db_, *table);
    if (!opened) return opened.error();
    tables_.push_back(*std::move(opened));
  }
  const std::pair<sqlite::statement*, std::string_view> statements[] = {
      {&begin_, "BEGIN IMMEDIATE"},
      {&commit_, "COMMIT"},
      {&rollback_, "ROLLBACK"},
      {&keep_counter_, "INSERT INTO herald_counter VALUES (?1, ?2) ON CONFLICT(resource) DO UPDATE SET last = excluded.last"},
      {&cursor_, "SELECT epoch, sequence, tries, paused FROM herald_cursor WHERE name = ?1"},
      {&keep_cursor_, "INSERT OR REPLACE INTO herald_cursor VALUES (?1, ?2, ?3, ?4, ?5)"},
      {&drop_cursor_, "DELETE FROM herald_cursor WHERE name = ?1"},
      {&time_of_, "SELECT time FROM herald_event WHERE sequence >= ?1 ORDER BY sequence LIMIT 1"},
      {&newest_of_key_, "SELECT sequence FROM herald_key WHERE resource = ?1 AND key = ?2"},
      {&note_key_, "INSERT OR REPLACE INTO herald_key VALUES (?1, ?2, ?3)"},
      {&forget_key_, "DELETE FROM herald_key WHERE resource = ?1 AND key = ?2"},
      {&note_superseded_, "INSERT OR REPLACE INTO herald_superseded VALUES (?1, ?2)"},
  };
  for (const auto& [target, sql] : statements) {
    auto prepared = db_.prepare(sql, "prepare its statements");
    if (!prepared) return prepared.error();
    *target = *std::move(prepared);
  }
  return {};
}

result<void> sqlite_storage::keep_layouts() {
  constexpr auto doing = "keep the layouts of its payloads";
  auto put = db_.prepare("INSERT INTO herald_layout VALUES (?1, ?2, ?3) ON CONFLICT(id) DO NOTHING", doing);
  if (!put) return put.error();
  for (const auto* table : index_.all()) {
    layouts_->add(*table);
    std::string encoded;
    encode_layout(*table, encoded);
    const auto resource = log_.names().id_of(table->name);
    if (resource == 0) return db_.failure(doing);
    sqlite::reset_at_end reset{*put};
    put->bind(1, std::int64_t{table->layout});
    put->bind(2, resource);
    put->bind_blob(3, encoded);
    if (put->step() != step_result::done) return db_.failure(doing);
  }
  auto get = db_.prepare("SELECT l.id, n.text, l.encoded FROM herald_layout l JOIN herald_name n ON n.id = l.resource", doing);
  if (!get) return get.error();
  while (true) {
    const auto step = get->step();
    if (step == step_result::failed) return db_.failure(doing);
    if (step == step_result::done) return {};
    const auto* table = index_.by_name(get->bytes(1));
    if (table == nullptr) continue;
    if (auto added = layouts_->add(static_cast<std::uint32_t>(get->integer(0)), *table, get->bytes(2)); !added) return added;
  }
}

result<void> sqlite_storage::load_counters() {
  constexpr auto doing = "read its counters";
  for (const auto* table : index_.all()) {
    auto& made = counters_.emplace_back();
    if (!has_integer_key(*table)) continue;
    const auto resource = log_.names().id_of(table->name);
    const auto kept = db_.integer_of(fmt::format("SELECT last FROM herald_counter WHERE resource = {}", resource), doing);
    if (!kept) return kept.error();
    const auto largest = db_.integer_of(fmt::format("SELECT max({}) FROM {}",
                                                    sqlite::quoted(table->attributes[table->key[0]].column),
                                                    sqlite::quoted(table->name)),
                                        doing);
    if (!largest) return largest.error();
    made.last = std::max(kept->value_or(0), largest->value_or(0));
  }
  return {};
}

result<void> sqlite_storage::keep_counters() {
  for (std::size_t i = 0; i < counters_.size(); ++i) {
    if (!counters_[i].changed) continue;
    sqlite::reset_at_end reset{keep_counter_};
    keep_counter_.bind(1, log_.names().id_of(index_.all()[i]->name));
    keep_counter_.bind(2, counters_[i].last);
    if (keep_counter_.step() != step_result::done) return db_.failure("keep its counters");
    counters_[i].changed = false;
  }
  return {};
}

result<void> sqlite_storage::run(sqlite::statement& statement, std::string_view doing) {
  sqlite::reset_at_end reset{statement};
  if (statement.step() == step_result::failed) return db_.failure(doing);
  return {};
}

result<void> sqlite_storage::begin() {
  written_.clear();
  forget_savepoints();
  if (auto begun = run(begin_, "begin a batch of actions"); !begun) return begun;
  writer_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  clock_.begin();
  return {};
}

void sqlite_storage::leave_transaction() noexcept { writer_.store({}, std::memory_order_relaxed); }

void sqlite_storage::forget_savepoints() noexcept {
  savepoints_.clear();
  written_rows_.clear();
  former_cursors_.clear();
}

result<void> sqlite_storage::write_events() {
  written_bytes_ = 0;
  result<void> done;
  for (const auto& event : written_) {
    done = write_event(*event);
    if (!done) break;
  }
  if (done && !log_.flush()) done = db_.failure("write events");
  if (!done) rollback();
  return done;
}

result<void> sqlite_storage::write_event(const event_record& event) {
  const auto failed = [&] { return db_.failure(fmt::format("write events up to {}", event.at.sequence)); };
  log_entry& entry = log_.begin();
  entry.sequence = event.at.sequence;
  entry.time = event.time.time_since_epoch().count();
  entry.resource = event.resource->name;
  entry.action = event.action_info().name;
  entry.kind = static_cast<int>(event.kind);
  entry.tenant = event.tenant;
  encode_payload(event, entry.payload);
  for (const auto& route : event.routes) {
    if (!log_.add_route({route.topic, event.name_on(route), route.publication})) return failed();
  }
  written_bytes_ += entry.payload.size() + log_.routes_size() + event_overhead;
  if (!log_.append()) return failed();
  if (!compacts(*event.resource)) return {};
  return note_key(event);
}

result<void> sqlite_storage::commit() {
  const auto begun = std::chrono::steady_clock::now();
  auto done = keep_counters();
  if (done) done = run(commit_, "commit a batch of actions");
  commit_time_ += (std::chrono::steady_clock::now() - begun - commit_time_) / 8;
  if (!done) {
    rollback();
    return done;
  }
  log_.committed();
  bytes_ += written_bytes_;
  head_.fetch_add(written_.size(), std::memory_order_release);
  leave_transaction();
  return {};
}

void sqlite_storage::rollback() noexcept {
  // Where SQLite has ended the transaction itself, there is none to roll back, and what was noted must go all the same.
  if (db_.in_transaction()) static_cast<void>(run(rollback_, "roll a batch back"));
  log_.rolled_back();
  written_.clear();
  forget_savepoints();
  // The counters stay where they are: a key that was given once is not given again, even if its row never came to be.
  for (auto& kept : counters_) kept.changed = kept.last != 0;
  leave_transaction();
}

result<record> sqlite_storage::find(const resource_table& resource, const row_key& key) {
  const auto table = index_.of(resource);
  if (table == table_index::npos) return unknown_resource(name(), resource);
  if (is_writer()) return reading_inside(name());
  const auto reader = readers_->take();
  if (!reader) return reader.error();
  return (*reader)->find(table, key);
}

result<offset> sqlite_storage::scan(const resource_table& resource, const std::function<void(const record&)>& each) {
  const auto table = index_.of(resource);
  if (table == table_index::npos) return unknown_resource(name(), resource);
  if (is_writer()) return reading_inside(name());
  const auto reader = readers_->take();
  if (!reader) return reader.error();
  return (*reader)->scan(table, each);
}

result<offset> sqlite_storage::select(const query& of, const std::function<void(const record&)>& each) {
  const auto table = index_.of(*of.resource);
  if (table == table_index::npos) return unknown_resource(name(), *of.resource);
  if (is_writer()) return reading_inside(name());
  const auto reader = readers_->take();
  if (!reader) return reader.error();
  return (*reader)->select(table, of, each);
}

result<std::uint64_t> sqlite_storage::count(const query& of) {
  const auto table = index_.of(*of.resource);
  if (table == table_index::npos) return unknown_resource(name(), *of.resource);
  if (is_writer()) return reading_inside(name());
  const auto reader = readers_->take();
  if (!reader) return reader.error();
  return (*reader)->count(table, of);
}

result<log_page> sqlite_storage::read(const offset& after, std::size_t limit,
                                      const std::optional<std::string_view>& topic) {
  if (is_writer()) return reading_inside(name());
  const auto reader = readers_->take();
  if (!reader) return reader.error();
  return (*reader)->read(after, limit, topic);
}

result<std::vector<named_cursor>> sqlite_storage::cursors() {
  if (is_writer()) return reading_inside(name());
  const auto reader = readers_->take();
  if (!reader) return reader.error();
  return (*reader)->cursors();
}

result<std::vector<std::string>> sqlite_storage::check_itself() {
  const auto reader = readers_->take();
  if (!reader) return reader.error();
  return (*reader)->check();
}

}  // namespace herald::detail
