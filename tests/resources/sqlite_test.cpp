// The layer over SQLite's C interface: what it owns, and what it says when a file is not what was wanted.

#include "temporary_directory.hpp"

#include <herald/detail/sqlite.hpp>
#include <herald/detail/file_lock.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

using namespace herald;
using namespace herald::detail;
using namespace std::chrono_literals;
using herald::test::temporary_directory;

namespace {

sqlite::connection opened(const std::string& file, sqlite::open_mode mode = sqlite::open_mode::create) {
  auto made = sqlite::connection::open(file, mode, 0ms);
  REQUIRE_MESSAGE(made.has_value(), made.error().to_string());
  return *std::move(made);
}

bool says(const error& why, const std::string& part) { return why.message().find(part) != std::string::npos; }

/// Runs as a user whom file permissions bind; the tests may run as root.
class without_root {
 public:
  without_root() : changed_{::geteuid() == 0 && ::seteuid(65534) == 0} {}
  without_root(const without_root&) = delete;
  without_root& operator=(const without_root&) = delete;
  ~without_root() {
    if (changed_) REQUIRE(::seteuid(0) == 0);
  }

 private:
  bool changed_;
};

}  // namespace

TEST_CASE("what is bound comes back: numbers, text and bytes with zeros in them, empty ones, null") {
  temporary_directory directory;
  auto db = opened(directory.file("a.db"));
  REQUIRE(db.execute("CREATE TABLE t(a INTEGER, b REAL, c TEXT, d BLOB, e BLOB, f TEXT) STRICT", "make t"));
  auto insert = db.prepare("INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5, ?6)", "insert").value();
  const std::string bytes{"a\0b", 3};
  insert.bind(1, std::int64_t{-5});
  insert.bind(2, 0.25);
  insert.bind_text(3, bytes);
  insert.bind_blob(4, bytes);
  insert.bind_blob(5, {});
  insert.bind_null(6);
  REQUIRE(insert.step() == sqlite::step_result::done);
  insert.reset();
  CHECK(db.changes() == 1);

  auto select = db.prepare("SELECT a, b, c, d, e, f FROM t", "select").value();
  REQUIRE(select.step() == sqlite::step_result::row);
  CHECK(select.integer(0) == -5);
  CHECK(select.real(1) == 0.25);
  CHECK(select.bytes(2) == bytes);
  CHECK(select.bytes(3) == bytes);
  CHECK(select.bytes(4).empty());
  CHECK_FALSE(select.is_null(4));
  CHECK(select.is_null(5));
  CHECK(select.step() == sqlite::step_result::done);
}

TEST_CASE("a file that is no database is refused by name") {
  temporary_directory directory;
  const auto file = directory.file("notes.txt");
  std::ofstream{file} << std::string(4096, 'x');
  auto made = sqlite::connection::open(file, sqlite::open_mode::create, 0ms);
  REQUIRE(made.is(resource_errc::not_a_database));
  CHECK(says(made.error(), file));
  CHECK(says(made.error(), "not a database"));
}

TEST_CASE("a directory in place of the file is refused") {
  temporary_directory directory;
  CHECK(sqlite::connection::open(directory.path(), sqlite::open_mode::create, 0ms).is(resource_errc::not_a_database));
}

TEST_CASE("a file in a directory that does not exist is refused, and the directory is named") {
  temporary_directory directory;
  auto made = sqlite::connection::open(directory.file("no/such.db"), sqlite::open_mode::create, 0ms);
  REQUIRE(made.is(resource_errc::no_such_directory));
  CHECK(says(made.error(), directory.file("no") + "'"));
}

TEST_CASE("a missing file is made only when that is asked for") {
  temporary_directory directory;
  CHECK(sqlite::connection::open(directory.file("a.db"), sqlite::open_mode::read, 0ms).is(resource_errc::no_such_file));
  CHECK(sqlite::connection::open(directory.file("a.db"), sqlite::open_mode::write, 0ms).is(resource_errc::no_such_file));
  CHECK_FALSE(std::filesystem::exists(directory.file("a.db")));
}

TEST_CASE("a file without write permission is refused for writing and taken for reading") {
  temporary_directory directory;
  const auto file = directory.file("a.db");
  { REQUIRE(opened(file).execute("CREATE TABLE t(a)", "make t")); }
  using std::filesystem::perms;
  std::filesystem::permissions(directory.path(), perms::all);
  std::filesystem::permissions(file, perms::owner_read | perms::group_read | perms::others_read);
  without_root bound;
  auto made = sqlite::connection::open(file, sqlite::open_mode::write, 0ms);
  REQUIRE(made.is(resource_errc::read_only));
  CHECK(says(made.error(), "read-only"));
  CHECK(sqlite::connection::open(file, sqlite::open_mode::read, 0ms));
}

TEST_CASE("a statement that meets another program's lock gives up at its limit and says so") {
  temporary_directory directory;
  const auto file = directory.file("a.db");
  auto first = opened(file);
  REQUIRE(first.execute("CREATE TABLE t(a)", "make t"));
  REQUIRE(first.execute("BEGIN IMMEDIATE", "begin"));
  auto second = opened(file);
  auto begun = second.execute("BEGIN IMMEDIATE", "begin a batch");
  REQUIRE(begun.is(resource_errc::locked));
  CHECK(says(begun.error(), "could not begin a batch"));
  CHECK(says(begun.error(), "another program"));
}

TEST_CASE("a database that may not grow answers that the disk is full") {
  temporary_directory directory;
  auto db = opened(directory.file("a.db"));
  REQUIRE(db.execute("CREATE TABLE t(a BLOB); PRAGMA max_page_count = 8", "make t"));
  auto wrote = db.execute("INSERT INTO t VALUES (zeroblob(100000))", "insert");
  REQUIRE(wrote.is(resource_errc::disk_full));
  CHECK(sqlite::is_environment(db.last_code()));
}

TEST_CASE("a constraint that an action violates is the action's failure, not the file's") {
  temporary_directory directory;
  auto db = opened(directory.file("a.db"));
  REQUIRE(db.execute("CREATE TABLE t(a INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)", "make t"));
  CHECK_FALSE(db.execute("INSERT INTO t VALUES (1)", "insert"));
  CHECK_FALSE(sqlite::is_environment(db.last_code()));
}

TEST_CASE("names are quoted so that they stay names") { CHECK(sqlite::quoted("a\"b") == "\"a\"\"b\""); }

TEST_CASE("a store file is locked against a second store, by any spelling of its name, until the first lets go") {
  temporary_directory directory;
  const auto file = directory.file("a.db");
  std::ofstream{file} << "";
  std::filesystem::create_symlink(file, directory.file("b.db"));
  {
    auto first = file_lock::take(file);
    REQUIRE(first);
    auto second = file_lock::take(directory.file("b.db"));
    REQUIRE(second.is(resource_errc::locked));
    CHECK(says(second.error(), "another store of this program"));
  }
  CHECK(file_lock::take(file));
}
