#pragma once
// The problem: rows of structs that this file has never seen go in and out of SQLite, thousands of them a batch, and each
// must cost little more than the statement itself. A table's statements are prepared once; values are bound by view, so no text
// is copied on its way in, and read straight into a fresh struct on its way out.
//
// Private. Thread safety: the connection's thread. Lifetime: ends before its connection; the resource_table is static.

#include "sqlite.hpp"

#include <herald/query.hpp>
#include <herald/record.hpp>

#include <functional>
#include <map>

namespace herald::detail {

/// Finds and lists a resource's rows.
class table_reader {
 public:
  [[nodiscard]] static result<table_reader> open(sqlite::connection& db, const resource_table& table);

  [[nodiscard]] result<record> find(sqlite::connection& db, const row_key& key);
  [[nodiscard]] result<void> scan(sqlite::connection& db, const std::function<void(const record&)>& each);
  /// The rows of a complete query, by one statement.
  [[nodiscard]] result<void> select(sqlite::connection& db, const query& of, const std::function<void(const record&)>& each);
  [[nodiscard]] result<std::uint64_t> count(sqlite::connection& db, const query& of);

  /// The row that a statement of all columns stands on.
  [[nodiscard]] result<record> row_of(const sqlite::connection& db, const sqlite::statement& at) const;

 private:
  [[nodiscard]] result<sqlite::statement*> prepared(sqlite::connection& db, const std::string& sql);

  const resource_table* table_ = nullptr;
  sqlite::statement find_;
  sqlite::statement scan_;
  std::map<std::string, sqlite::statement> queries_;  // prepared once for all values
};

/// Writes a resource's rows, within the transaction that is open on the connection.
class table_writer {
 public:
  [[nodiscard]] static result<table_writer> open(sqlite::connection& db, const resource_table& table);

  [[nodiscard]] result<record> find(sqlite::connection& db, const row_key& key) { return reader_.find(db, key); }
  [[nodiscard]] result<void> select(sqlite::connection& db, const query& of, const std::function<void(const record&)>& each) {
    return reader_.select(db, of, each);
  }
  [[nodiscard]] result<record> find_by(sqlite::connection& db, std::size_t identity, const record& like);
  [[nodiscard]] result<void> insert(sqlite::connection& db, const record& row);
  [[nodiscard]] result<void> update(sqlite::connection& db, const record& after, attribute_mask changed);
  [[nodiscard]] result<void> erase(sqlite::connection& db, const record& row);

 private:
  [[nodiscard]] sqlite::statement* update_for(sqlite::connection& db, attribute_mask changed);
  [[nodiscard]] error refusal(sqlite::connection& db, const record& row, bool inserting);
  [[nodiscard]] bool taken_by_other(sqlite::connection& db, const record& row, std::size_t identity);
  void bind(sqlite::statement& to, int parameter, const record& row, std::size_t attribute);
  void bind_key(sqlite::statement& to, int first, const record& row);

  const resource_table* table_ = nullptr;
  table_reader reader_;
  sqlite::statement insert_;
  sqlite::statement erase_;
  std::vector<sqlite::statement> by_identity_;
  // An update names the changed columns only, so that untouched indexes stay so. One statement a set of columns.
  std::map<attribute_mask, sqlite::statement> updates_;
  std::vector<std::string> encoded_;  // lists, by attribute: what is bound must outlive the step
};

}  // namespace herald::detail
