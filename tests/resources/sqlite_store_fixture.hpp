#pragma once
// What the tests of the SQLite store have in common: opening with nothing to wait for, and doing things to a file behind the
// store's back.

#include "store_fixture.hpp"

#include <herald/detail/sqlite.hpp>

namespace herald::test {

inline result<std::shared_ptr<detail::storage>> try_open(const std::string& file,
                                                  std::vector<const resource_table*> tables = all_tables) {
  sqlite_options options;
  options.file = file;
  options.busy_limit = std::chrono::milliseconds{0};
  return detail::open_sqlite(std::move(tables), options);
}

inline void alter(const std::string& file, const std::string& sql) {
  auto db = detail::sqlite::connection::open(file, detail::sqlite::open_mode::write, std::chrono::milliseconds{0});
  REQUIRE(db);
  const auto done = db->execute(sql.c_str(), "alter it");
  REQUIRE_MESSAGE(done.has_value(), (done ? std::string{} : done.error().to_string()));
}

inline bool says(const error& why, const std::string& part) {
  if (why.message().find(part) != std::string::npos) return true;
  MESSAGE(why.message());
  return false;
}

/// A file with one item and two counters, closed again.
inline std::string written_file(const temporary_directory& directory) {
  const auto file = directory.file("store.db");
  auto store = sqlite_store(file);
  REQUIRE(store.run(table_of<described::items>, "make", {{"name", "lamp"}, {"count", 3}}));
  REQUIRE(store.run(table_of<described::counters>, "make", {{"label", "a"}}));
  REQUIRE(store.run(table_of<described::counters>, "make", {{"label", "b"}}));
  return file;
}

}  // namespace herald::test
