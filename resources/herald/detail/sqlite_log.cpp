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

result<log_writer> log_writer::open(sqlite::connection& db) {
  log_writer made;
  auto names = intern_table::open(db, "herald_name", 10'000);
  if (!names) return names.error();
  auto topics = intern_table::open(db, "herald_topic", 100'000);
  if (!topics) return topics.error();
  auto event = db.prepare("INSERT INTO herald_event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", "write events");
  if (!event) return event.error();
  auto topic = db.prepare("INSERT INTO herald_event_topic VALUES (?1, ?2)", "write events' topics");
  if (!topic) return topic.error();
  made.names_ = *std::move(names);
  made.topics_ = *std::move(topics);
  made.insert_event_ = *std::move(event);
  made.insert_topic_ = *std::move(topic);
  return made;
}

void log_writer::begin_routes() noexcept {
  routes_.clear();
  topic_ids_.clear();
}

bool log_writer::add_route(const log_route& route) {
  const auto topic = topics_.id_of(route.topic);
  const auto event = names_.id_of(route.event);
  if (topic == 0 || event == 0) return false;
  append_varint(routes_, static_cast<std::uint64_t>(topic));
  append_varint(routes_, static_cast<std::uint64_t>(event));
  append_varint(routes_, route.publication);
  if (std::find(topic_ids_.begin(), topic_ids_.end(), topic) == topic_ids_.end()) topic_ids_.push_back(topic);
  return true;
}

bool log_writer::append(const log_entry& entry) {
  const auto resource = names_.id_of(entry.resource);
  const auto action = names_.id_of(entry.action);
  if (resource == 0 || action == 0) return false;
  const auto sequence = static_cast<std::int64_t>(entry.sequence);
  {
    sqlite::reset_at_end reset{insert_event_};
    insert_event_.bind(1, sequence);
    insert_event_.bind(2, entry.time);
    insert_event_.bind(3, resource);
    insert_event_.bind(4, action);
    insert_event_.bind(5, std::int64_t{entry.kind});
    insert_event_.bind_text(6, entry.tenant);
    insert_event_.bind_blob(7, routes_);
    insert_event_.bind_blob(8, entry.payload);
    if (insert_event_.step() != step_result::done) return false;
  }
  for (const auto topic : topic_ids_) {
    sqlite::reset_at_end reset{insert_topic_};
    insert_topic_.bind(1, topic);
    insert_topic_.bind(2, sequence);
    if (insert_topic_.step() != step_result::done) return false;
  }
  return true;
}

void log_writer::rolled_back() {
  names_.rolled_back();
  topics_.rolled_back();
}

void log_writer::committed() noexcept {
  names_.committed();
  topics_.committed();
}

}  // namespace herald::detail
