#include "bare_sqlite.hpp"

#include "resources.hpp"

#include <sqlite3.h>

#include <array>
#include <chrono>
#include <cstring>
#include <stdexcept>

namespace bench::bare_sqlite {

namespace {

void check(bool fine, sqlite3* db) {
  if (!fine) throw std::runtime_error{std::string{"bare SQLite: "} + sqlite3_errmsg(db)};
}

class database {
 public:
  explicit database(const std::string& file) {
    check(sqlite3_open_v2(file.c_str(), &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr) == SQLITE_OK,
          handle_);
  }
  database(const database&) = delete;
  database& operator=(const database&) = delete;
  ~database() { sqlite3_close(handle_); }

  void run(const char* sql) { check(sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) == SQLITE_OK, handle_); }
  [[nodiscard]] sqlite3* handle() const { return handle_; }

 private:
  sqlite3* handle_ = nullptr;
};

class statement {
 public:
  statement(database& db, const char* sql) : db_{db.handle()} {
    check(sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle_, nullptr) == SQLITE_OK, db_);
  }
  statement(const statement&) = delete;
  statement& operator=(const statement&) = delete;
  ~statement() { sqlite3_finalize(handle_); }

  void bind(int at, std::int64_t value) { sqlite3_bind_int64(handle_, at, value); }
  void text(int at, const std::string& value) {
    sqlite3_bind_text64(handle_, at, value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8);
  }
  void blob(int at, const void* data, std::size_t size) { sqlite3_bind_blob64(handle_, at, data, size, SQLITE_STATIC); }
  void run() {
    check(sqlite3_step(handle_) == SQLITE_DONE, db_);
    sqlite3_reset(handle_);
  }
  [[nodiscard]] bool step() { return sqlite3_step(handle_) == SQLITE_ROW; }
  [[nodiscard]] std::int64_t integer(int column) { return sqlite3_column_int64(handle_, column); }
  [[nodiscard]] std::string bytes(int column) {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(handle_, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
  }

 private:
  sqlite3* db_;
  sqlite3_stmt* handle_ = nullptr;
};

/// Grows like a version 7 uuid: the milliseconds first, then what tells the rows of one millisecond apart.
void next_key(std::array<unsigned char, 16>& key, std::int64_t number) {
  for (int i = 0; i < 8; ++i) key[static_cast<std::size_t>(8 + i)] = static_cast<unsigned char>(number >> (56 - 8 * i));
}

}  // namespace

prepared prepare(const std::string& file) {
  const auto store = resources::open_file(file);
  if (auto placed = store.perform(resources::place_an_order()); !placed) throw std::runtime_error{placed.error().to_string()};
  database db{file};
  prepared made;
  statement event{db, "SELECT resource, action, routes, payload FROM herald_event LIMIT 1"};
  if (!event.step()) throw std::runtime_error{"bare SQLite: the store wrote no event to imitate"};
  made.resource = event.integer(0);
  made.action = event.integer(1);
  made.routes = event.bytes(2);
  made.payload = event.bytes(3);
  statement topic{db, "SELECT topic FROM herald_event_topic LIMIT 1"};
  if (topic.step()) made.topic = topic.integer(0);
  statement row{db, "SELECT customer, status, amount FROM orders LIMIT 1"};
  if (!row.step()) throw std::runtime_error{"bare SQLite: the store wrote no row to imitate"};
  made.customer = row.bytes(0);
  made.status = row.bytes(1);
  made.amount = row.integer(2);
  return made;
}

void write(const std::string& file, const prepared& what, std::int64_t actions, int batch) {
  database db{file};
  db.run("PRAGMA secure_delete = FAST; PRAGMA journal_mode = WAL; PRAGMA cache_size = -65536; PRAGMA synchronous = FULL");
  statement begin{db, "BEGIN IMMEDIATE"}, commit{db, "COMMIT"};
  statement row{db, "INSERT INTO orders(id, customer, status, amount, version) VALUES (?1, ?2, ?3, ?4, ?5)"};
  statement event{db, "INSERT INTO herald_event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"};
  statement topic{db, "INSERT INTO herald_event_topic VALUES (?1, ?2)"};
  std::int64_t sequence = 0;
  {
    statement head{db, "SELECT max(sequence) FROM herald_event"};
    if (head.step()) sequence = head.integer(0);
  }
  const auto time = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch());
  std::array<unsigned char, 16> key{0xff};
  const std::string tenant;
  for (std::int64_t done = 0; done < actions;) {
    begin.run();
    for (int i = 0; i < batch && done < actions; ++i, ++done) {
      next_key(key, done);
      row.blob(1, key.data(), key.size());
      row.text(2, what.customer);
      row.text(3, what.status);
      row.bind(4, what.amount);
      row.bind(5, 1);
      row.run();
      event.bind(1, ++sequence);
      event.bind(2, time.count());
      event.bind(3, what.resource);
      event.bind(4, what.action);
      event.bind(5, 0);
      event.text(6, tenant);
      event.blob(7, what.routes.data(), what.routes.size());
      event.blob(8, what.payload.data(), what.payload.size());
      event.run();
      topic.bind(1, what.topic);
      topic.bind(2, sequence);
      topic.run();
    }
    commit.run();
  }
}

std::int64_t read_events(const std::string& file) {
  database db{file};
  statement all{db, "SELECT sequence, time, resource, action, kind, tenant, routes, payload FROM herald_event ORDER BY sequence"};
  std::int64_t count = 0;
  for (; all.step(); ++count) {
    for (const int column : {0, 1, 2, 3, 4}) keep(all.integer(column));
    for (const int column : {5, 6, 7}) keep(all.bytes(column));
  }
  return count;
}

std::int64_t bytes_of(const std::string& file, const std::string& names) {
  database db{file};
  db.run("PRAGMA wal_checkpoint(TRUNCATE)");
  statement pages{db, ("SELECT sum(pgsize) FROM dbstat WHERE name IN (" + names + ")").c_str()};
  if (!pages.step()) throw std::runtime_error{"bare SQLite: no sizes"};
  return pages.integer(0);
}

std::int64_t bytes_of_payloads(const std::string& file, const std::string& payload, std::int64_t count) {
  database db{file};
  db.run("CREATE TABLE payloads(sequence INTEGER PRIMARY KEY, payload BLOB NOT NULL) STRICT; BEGIN");
  statement put{db, "INSERT INTO payloads VALUES (?1, ?2)"};
  for (std::int64_t i = 1; i <= count; ++i) {
    put.bind(1, i);
    put.blob(2, payload.data(), payload.size());
    put.run();
  }
  db.run("COMMIT");
  return bytes_of(file, "'payloads'");
}

}  // namespace bench::bare_sqlite
