#include "sqlite_log.hpp"

#include "varint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sys/random.h>
#include <system_error>

namespace herald::detail {

namespace {

using sqlite::step_result;

constexpr const char* make_tables = R"(
CREATE TABLE herald_meta(name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE herald_name(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE herald_topic(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE herald_layout(id INTEGER PRIMARY KEY, resource INTEGER NOT NULL, encoded BLOB NOT NULL) STRICT;
CREATE TABLE herald_counter(resource INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT;
CREATE TABLE herald_event(
  sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL,
  resource INTEGER NOT NULL, action INTEGER NOT NULL, kind INTEGER NOT NULL,
  tenant TEXT NOT NULL, routes BLOB NOT NULL, payload BLOB NOT NULL) STRICT;
CREATE TABLE herald_event_topic(topic INTEGER NOT NULL, sequence INTEGER NOT NULL,
  PRIMARY KEY(topic, sequence)) STRICT, WITHOUT ROWID;
INSERT INTO herald_meta VALUES ('floor', 1), ('boot', ''), ('relaxed', 0);
)";

// Files of earlier versions do not have these.
constexpr const char* make_later_tables = R"(
CREATE TABLE IF NOT EXISTS herald_cursor(name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL,
  tries INTEGER NOT NULL, paused INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS herald_key(resource INTEGER NOT NULL, key BLOB NOT NULL, sequence INTEGER NOT NULL,
  PRIMARY KEY(resource, key)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS herald_superseded(sequence INTEGER PRIMARY KEY, newer INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS herald_schema(resource TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
)";

/// Names the kernel's run: it differs after the machine went down.
std::string boot_id() {
  std::ifstream file{"/proc/sys/kernel/random/boot_id"};
  std::string text;
  std::getline(file, text);
  return text;
}

result<std::uint64_t> random_epoch() {
  std::uint64_t epoch = 0;
  if (::getrandom(&epoch, sizeof epoch, 0) != static_cast<ssize_t>(sizeof epoch)) {
    return error{resource_errc::io_error,
                 fmt::format("no random bytes for a store's epoch: {}", std::system_category().message(errno))};
  }
  return epoch | 1;  // never 0, which stands for "no log"
}

result<void> set_meta(sqlite::connection& db, std::string_view name, const std::function<void(sqlite::statement&)>& bind) {
  auto put = db.prepare("INSERT INTO herald_meta VALUES (?1, ?2) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
                        "write the store's description");
  if (!put) return put.error();
  put->bind_text(1, name);
  bind(*put);
  if (put->step() == step_result::failed) return db.failure("write the store's description");
  return {};
}

result<void> set_new_epoch(sqlite::connection& db) {
  const auto epoch = random_epoch();
  if (!epoch) return epoch.error();
  return set_meta(db, "epoch", [&](sqlite::statement& put) { put.bind(2, static_cast<std::int64_t>(*epoch)); });
}

}  // namespace

result<bool> log_tables::recognise(sqlite::connection& db) {
  const auto application = db.integer_of("PRAGMA application_id", "read it");
  if (!application) return application.error();
  const auto format = db.integer_of("PRAGMA user_version", "read it");
  if (!format) return format.error();
  const auto tables = db.integer_of("SELECT count(*) FROM sqlite_schema", "read it");
  if (!tables) return tables.error();
  if (**application == 0 && **format == 0 && **tables == 0) return false;
  if (**application != log_application_id) {
    return error{resource_errc::not_a_database,
                 fmt::format("store file '{}' is an SQLite database of another program (application_id {}, {} tables), and "
                             "a Herald store or a new file was wanted",
                             db.file(), **application, **tables)};
  }
  if (**format > log_format) {
    return error{resource_errc::newer_schema,
                 fmt::format("store file '{}' has format {}, written by a newer Herald, and this one knows formats up to {}; "
                             "use that newer Herald",
                             db.file(), **format, log_format)};
  }
  return true;
}

result<log_state> log_tables::prepare(sqlite::connection& db, bool made_before, bool relaxed) {
  constexpr auto doing = "prepare the log's tables";
  if (!made_before) {
    if (auto made = db.execute(make_tables, doing); !made) return made.error();
    const auto stamp =
        fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", log_application_id, log_format);
    if (auto stamped = db.execute(stamp.c_str(), doing); !stamped) return stamped.error();
    if (auto set = set_new_epoch(db); !set) return set.error();
  } else {
    const auto was_relaxed = db.integer_of("SELECT value FROM herald_meta WHERE name = 'relaxed'", doing);
    if (!was_relaxed) return was_relaxed.error();
    const auto boot = db.text_of("SELECT value FROM herald_meta WHERE name = 'boot'", doing);
    if (!boot) return boot.error();
    if (was_relaxed->value_or(0) == 1 && boot->value_or("") != boot_id()) {
      if (auto set = set_new_epoch(db); !set) return set.error();
    }
  }
  if (auto made = db.execute(make_later_tables, doing); !made) return made.error();
  const auto boot = boot_id();
  if (auto set = set_meta(db, "boot", [&](sqlite::statement& put) { put.bind_text(2, boot); }); !set) return set.error();
  if (auto set = set_meta(db, "relaxed", [&](sqlite::statement& put) { put.bind(2, std::int64_t{relaxed}); }); !set) {
    return set.error();
  }
  return read(db);
}

result<log_state> log_tables::read(sqlite::connection& db) {
  constexpr auto doing = "read the log's state";
  log_state state;
  const auto epoch = db.integer_of("SELECT value FROM herald_meta WHERE name = 'epoch'", doing);
  if (!epoch) return epoch.error();
  const auto floor = db.integer_of("SELECT value FROM herald_meta WHERE name = 'floor'", doing);
  if (!floor) return floor.error();
  const auto head = db.integer_of("SELECT max(sequence) FROM herald_event", doing);
  if (!head) return head.error();
  if (!*epoch || !*floor) {
    return error{resource_errc::corrupt,
                 fmt::format("store file '{}' lacks its epoch or floor, which every store has; restore it from a copy",
                             db.file())};
  }
  state.epoch = static_cast<std::uint64_t>(**epoch);
  state.floor = static_cast<std::uint64_t>(**floor);
  state.head = std::max(static_cast<std::uint64_t>(head->value_or(0)), state.floor - 1);
  return state;
}

result<void> log_tables::give_new_epoch(sqlite::connection& db) { return set_new_epoch(db); }

result<void> log_tables::closed(sqlite::connection& db) {
  return set_meta(db, "relaxed", [](sqlite::statement& put) { put.bind(2, std::int64_t{0}); });
}

result<intern_table> intern_table::open(sqlite::connection& db, std::string_view table, std::size_t limit) {
  intern_table made;
  auto find = db.prepare(fmt::format("SELECT id FROM {} WHERE text = ?1", table), "read names");
  if (!find) return find.error();
  auto insert = db.prepare(fmt::format("INSERT INTO {}(text) VALUES (?1) RETURNING id", table), "write names");
  if (!insert) return insert.error();
  made.find_ = *std::move(find);
  made.insert_ = *std::move(insert);
  made.limit_ = limit;
  return made;
}

std::int64_t intern_table::id_of(std::string_view text) {
  if (const auto known = known_.find(text); known != known_.end()) return known->second;
  // Emptied as a whole: what is in use comes back by itself, and no order of use has to be kept on the fast path.
  if (known_.size() >= limit_) known_.clear();
  std::int64_t id = 0;
  for (auto* statement : {&find_, &insert_}) {
    sqlite::reset_at_end reset{*statement};
    statement->bind_text(1, text);
    const auto step = statement->step();
    if (step == step_result::failed) return 0;
    if (step == step_result::done) continue;
    id = statement->integer(0);
    // An INSERT with RETURNING is through only when it has been stepped to its end.
    if (statement == &insert_) {
      if (statement->step() == step_result::failed) return 0;
      fresh_.emplace_back(text);
    }
    break;
  }
  if (id != 0) known_.emplace(text, id);
  return id;
}

void intern_table::rolled_back() {
  for (const auto& text : fresh_) known_.erase(text);
  fresh_.clear();
}

namespace {

constexpr std::size_t event_columns = 8;
constexpr std::size_t topic_columns = 2;

/// "INSERT INTO t VALUES (?1, ?2), (?3, ?4)": so many rows of so many columns.
std::string insert_rows(std::string_view table, std::size_t rows, std::size_t columns) {
  auto sql = fmt::format("INSERT INTO {} VALUES ", table);
  for (std::size_t i = 0; i < rows * columns; ++i) {
    const std::string_view between = i % columns != 0 ? ", " : i != 0 ? "), (" : "(";
    sql += fmt::format("{}?{}", between, i + 1);
  }
  return sql += ')';
}

}  // namespace

result<log_writer> log_writer::open(sqlite::connection& db) {
  log_writer made;
  auto names = intern_table::open(db, "herald_name", 10'000);
  if (!names) return names.error();
  auto topics = intern_table::open(db, "herald_topic", 100'000);
  if (!topics) return topics.error();
  made.names_ = *std::move(names);
  made.topics_ = *std::move(topics);
  const std::pair<sqlite::statement*, std::string> statements[] = {
      {&made.insert_event_, insert_rows("herald_event", 1, event_columns)},
      {&made.insert_events_, insert_rows("herald_event", at_once, event_columns)},
      {&made.insert_topic_, insert_rows("herald_event_topic", 1, topic_columns)},
      {&made.insert_topics_, insert_rows("herald_event_topic", at_once, topic_columns)},
  };
  for (const auto& [target, sql] : statements) {
    auto prepared = db.prepare(sql, "write events");
    if (!prepared) return prepared.error();
    *target = *std::move(prepared);
  }
  return made;
}

log_entry& log_writer::begin() noexcept {
  auto& next = places_[filled_];
  next.routes.clear();
  next.entry.payload.clear();
  next.first_topic = topics_waiting_.size();
  return next.entry;
}

bool log_writer::add_route(const log_route& route) {
  const auto topic = topics_.id_of(route.topic);
  const auto event = names_.id_of(route.event);
  if (topic == 0 || event == 0) return false;
  auto& of = places_[filled_];
  append_varint(of.routes, static_cast<std::uint64_t>(topic));
  append_varint(of.routes, static_cast<std::uint64_t>(event));
  append_varint(of.routes, route.publication);
  const auto own = topics_waiting_.begin() + static_cast<std::ptrdiff_t>(of.first_topic);
  if (std::any_of(own, topics_waiting_.end(), [&](const auto& one) { return one.topic == topic; })) return true;
  topics_waiting_.push_back({topic, static_cast<std::int64_t>(of.entry.sequence)});
  return true;
}

bool log_writer::append() {
  auto& done = places_[filled_];
  done.resource = names_.id_of(done.entry.resource);
  done.action = names_.id_of(done.entry.action);
  if (done.resource == 0 || done.action == 0) return false;
  if (++filled_ < at_once) return true;
  filled_ = 0;
  return write_events(insert_events_, 0, at_once) && write_topic_groups();
}

bool log_writer::flush() {
  for (std::size_t i = 0; i < filled_; ++i) {
    if (!write_events(insert_event_, i, 1)) return false;
  }
  filled_ = 0;
  if (!write_topic_groups()) return false;
  for (std::size_t i = 0; i < topics_waiting_.size(); ++i) {
    if (!write_topics(insert_topic_, i, 1)) return false;
  }
  topics_waiting_.clear();
  return true;
}

bool log_writer::write_topic_groups() {
  std::size_t written = 0;
  for (; topics_waiting_.size() - written >= at_once; written += at_once) {
    if (!write_topics(insert_topics_, written, at_once)) return false;
  }
  topics_waiting_.erase(topics_waiting_.begin(), topics_waiting_.begin() + static_cast<std::ptrdiff_t>(written));
  return true;
}

bool log_writer::write_events(sqlite::statement& with, std::size_t first, std::size_t count) {
  sqlite::reset_at_end reset{with};
  int parameter = 0;
  for (std::size_t i = first; i < first + count; ++i) {
    const auto& [entry, resource, action, routes, first_topic] = places_[i];
    with.bind(++parameter, static_cast<std::int64_t>(entry.sequence));
    with.bind(++parameter, entry.time);
    with.bind(++parameter, resource);
    with.bind(++parameter, action);
    with.bind(++parameter, std::int64_t{entry.kind});
    with.bind_text(++parameter, entry.tenant);
    with.bind_blob(++parameter, routes);
    with.bind_blob(++parameter, entry.payload);
  }
  return with.step() == step_result::done;
}

bool log_writer::write_topics(sqlite::statement& with, std::size_t first, std::size_t count) {
  sqlite::reset_at_end reset{with};
  int parameter = 0;
  for (std::size_t i = first; i < first + count; ++i) {
    with.bind(++parameter, topics_waiting_[i].topic);
    with.bind(++parameter, topics_waiting_[i].sequence);
  }
  return with.step() == step_result::done;
}

void log_writer::rolled_back() {
  names_.rolled_back();
  topics_.rolled_back();
  filled_ = 0;
  topics_waiting_.clear();
}

void log_writer::committed() noexcept {
  names_.committed();
  topics_.committed();
}

}  // namespace herald::detail
