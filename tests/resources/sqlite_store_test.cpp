// What only a store on disk has to get right: files that are not what was wanted, descriptions that change, the end of the
// program, full disks and errors of the disk, and proving from the file alone that it is whole.

#include "sqlite_store_fixture.hpp"

#include <herald/detail/sqlite_storage.hpp>

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

const resource_table& items = table_of<described::items>;
const resource_table& counters = table_of<described::counters>;

detail::sqlite::connection& connection_of(const test_store& store) {
  return dynamic_cast<detail::sqlite_storage&>(store.data()).writer_connection();
}

}  // namespace

TEST_CASE("a store that is opened again goes on with its rows, its log and its numbering") {
  temporary_directory directory;
  const auto file = written_file(directory);
  auto store = sqlite_store(file);
  CHECK(store.data().head().sequence == 3);
  CHECK(store.core->handed_over() == 3);
  CHECK(store.rows(counters) == 2);
  const auto made = store.run(counters, "make", {{"label", "c"}});
  REQUIRE(made);
  CHECK(row_key::of(made->after)[0] == value_view{3});
  CHECK(made->event->at.sequence == 4);
  CHECK(store.log().size() == 4);
  CHECK(store.log()[0]->after.as<item>()->name == "lamp");
  store.require_that_it_holds();
}

TEST_CASE("the epoch stays over restarts, and differs between files") {
  temporary_directory directory;
  const auto file = written_file(directory);
  const auto epoch = (*try_open(file))->head().epoch;
  CHECK((*try_open(file))->head().epoch == epoch);
  CHECK((*try_open(directory.file("other.db")))->head().epoch != epoch);
}

TEST_CASE("H11: relaxed: after the machine went down the epoch is new; after only the program did, it is the old one") {
  temporary_directory directory;
  const auto file = directory.file("store.db");
  const auto copy = directory.file("copy.db");
  const auto relaxed = [](const std::string& name) {
    sqlite_options options;
    options.durability = durability::relaxed;
    return sqlite_store(name, options);
  };
  std::uint64_t epoch = 0;
  {
    auto store = relaxed(file);
    REQUIRE(store.run(counters, "make", {{"label", "a"}}));
    epoch = store.data().head().epoch;
    alter(file, "PRAGMA wal_checkpoint(TRUNCATE)");
    std::filesystem::copy_file(file, copy);  // as a crash at this moment would leave it
  }
  CHECK((*try_open(file))->head().epoch == epoch);
  const auto crashed = directory.file("crashed.db");
  std::filesystem::copy_file(copy, crashed);
  CHECK(relaxed(crashed).data().head().epoch == epoch);
  alter(copy, "UPDATE herald_meta SET value = 'another boot' WHERE name = 'boot'");
  CHECK(relaxed(copy).data().head().epoch != epoch);
}

TEST_CASE("files that are no store are refused, each in one sentence that names the file and what was wanted") {
  temporary_directory directory;
  SUBCASE("not a database") {
    std::ofstream{directory.file("a")} << std::string(5000, 'x');
    const auto refused = try_open(directory.file("a"));
    REQUIRE(refused.is(resource_errc::not_a_database));
    CHECK(says(refused.error(), directory.file("a")));
  }
  SUBCASE("another program's database") {
    auto db = detail::sqlite::connection::open(directory.file("a"), detail::sqlite::open_mode::create, 0ms);
    REQUIRE(db->execute("CREATE TABLE t(a)", "make t"));
    const auto refused = try_open(directory.file("a"));
    REQUIRE(refused.is(resource_errc::not_a_database));
    CHECK(says(refused.error(), "of another program"));
    CHECK_FALSE(std::filesystem::exists(directory.file("a-lock")));
  }
  SUBCASE("a newer format") {
    const auto file = written_file(directory);
    alter(file, "PRAGMA user_version = 2");
    const auto refused = try_open(file);
    REQUIRE(refused.is(resource_errc::newer_schema));
    CHECK(says(refused.error(), "format 2"));
  }
  SUBCASE("a directory that does not exist") {
    CHECK(try_open(directory.file("no/a")).is(resource_errc::no_such_directory));
  }
  SUBCASE("a directory that cannot be written") {
    const auto file = written_file(directory);
    using std::filesystem::perms;
    std::filesystem::permissions(directory.path(), perms::owner_read | perms::owner_exec | perms::group_read |
                                                       perms::group_exec | perms::others_read | perms::others_exec);
    const bool root = ::geteuid() == 0;
    if (root) REQUIRE(::seteuid(65534) == 0);
    const auto refused = try_open(file);
    if (root) REQUIRE(::seteuid(0) == 0);
    std::filesystem::permissions(directory.path(), perms::owner_all);
    REQUIRE(refused.is(resource_errc::read_only));
    CHECK(says(refused.error(), file));
  }
  SUBCASE("open in this program already") {
    const auto first = try_open(directory.file("a"));
    REQUIRE(first);
    const auto refused = try_open(directory.file("a"));
    REQUIRE(refused.is(resource_errc::locked));
    CHECK(says(refused.error(), "another store of this program"));
  }
  SUBCASE("locked by a program that is no store") {
    const auto file = written_file(directory);
    auto other = detail::sqlite::connection::open(file, detail::sqlite::open_mode::write, 0ms);
    REQUIRE(other->execute("BEGIN IMMEDIATE", "begin"));
    const auto refused = try_open(file);
    REQUIRE(refused.is(resource_errc::locked));
    CHECK(says(refused.error(), "another program"));
  }
}

TEST_CASE("a write lock that another program takes later fails the batch with its reason, and the store goes on afterwards") {
  temporary_directory directory;
  sqlite_options options;
  options.busy_limit = 1ms;
  auto store = sqlite_store(directory.file("store.db"), options);
  auto other = detail::sqlite::connection::open(directory.file("store.db"), detail::sqlite::open_mode::write, 0ms);
  REQUIRE(other->execute("BEGIN IMMEDIATE", "begin"));
  CHECK(store.run(counters, "make", {{"label", "a"}}).is(resource_errc::locked));
  REQUIRE(other->execute("COMMIT", "commit"));
  CHECK(store.run(counters, "make", {{"label", "a"}}));
  store.require_that_it_holds();
}

TEST_CASE("a full disk: who does not fit is told so, who fits is served, and afterwards everything holds") {
  temporary_directory directory;
  auto store = sqlite_store(directory.file("store.db"));
  REQUIRE(store.run(items, "make", {{"name", "first"}}));
  auto& db = connection_of(store);
  const auto pages = db.integer_of("PRAGMA page_count", "count pages").value().value();
  REQUIRE(db.execute(("PRAGMA max_page_count = " + std::to_string(pages + 8)).c_str(), "limit it"));
  const std::string large(40, 'x');
  int full = 0, kept = 0;
  for (int batch = 0; batch < 30; ++batch) {
    std::vector<test_store::answer> answers;
    for (int i = 0; i < 16; ++i) {
      std::vector<value> tags(20, value{large});
      answers.push_back(store.submit(request(
          items, "make", {{"name", std::to_string(batch) + "." + std::to_string(i)}, {"tags", value{tags}}})));
    }
    while (store.execute() != 0) {
    }
    for (const auto& answer : answers) {
      REQUIRE(answer->has_value());
      if ((*answer)->has_value()) {
        ++kept;
      } else {
        CHECK_MESSAGE((*answer)->error().is(resource_errc::disk_full), (*answer)->error().to_string());
        ++full;
      }
    }
  }
  CHECK(full > 0);
  CHECK(kept > 0);
  CHECK(store.rows(items) == static_cast<std::size_t>(kept) + 1);
  CHECK(store.data().head().sequence == static_cast<std::uint64_t>(kept) + 1);
  store.require_that_it_holds();
  REQUIRE(db.execute("PRAGMA max_page_count = 1000000", "make room"));
  CHECK(store.run(items, "make", {{"name", "last"}}));
  store.require_that_it_holds();
}

TEST_CASE("a failure that ends the whole transaction costs only the action that met it: the others run again singly") {
  temporary_directory directory;
  auto store = sqlite_store(directory.file("store.db"));
  std::vector<std::uint64_t> heard;
  store.core->on_commit([&](std::span<const event_ptr> events) {
    for (const auto& event : events) heard.push_back(event->at.sequence);
  });
  auto& db = connection_of(store);
  int runs_of_first = 0;
  auto first = store.submit([&](transaction& tx) {
    ++runs_of_first;
    return apply(tx, request(counters, "make", {{"label", "first"}}));
  });
  // Stands for a disk that fails under an action: SQLite ends the transaction and the statement answers an error.
  auto unlucky = store.submit([&](transaction& tx) -> result<action_outcome> {
    CHECK(apply(tx, request(counters, "make", {{"label", "unlucky"}})));
    static_cast<void>(db.execute("ROLLBACK", "end it"));
    return error{resource_errc::io_error, "the disk failed"};
  });
  // The same, and the action overlooks it and writes on: nothing of that may be kept.
  auto careless = store.submit([&](transaction& tx) -> result<action_outcome> {
    static_cast<void>(db.execute("ROLLBACK", "end it"));
    static_cast<void>(apply(tx, request(counters, "make", {{"label", "careless"}})));
    return action_outcome{};
  });
  auto last = store.submit(request(counters, "make", {{"label", "last"}}));
  CHECK(store.execute() == 4);
  CHECK(runs_of_first == 2);
  CHECK((*first)->has_value());
  CHECK((*unlucky)->error().message() == "the disk failed");
  CHECK((*careless)->error().is(resource_errc::io_error));
  CHECK((*last)->has_value());
  CHECK(store.rows(counters) == 2);
  CHECK(heard == std::vector<std::uint64_t>{1, 2});
  store.require_that_it_holds();
}

TEST_CASE("a COMMIT that fails is every caller's error, and nothing of the batch is kept") {
  temporary_directory directory;
  auto store = sqlite_store(directory.file("store.db"));
  std::size_t heard = 0;
  store.core->on_commit([&](std::span<const event_ptr> events) { heard += events.size(); });
  auto& db = connection_of(store);
  // A deferred foreign key makes COMMIT itself fail, as a disk would that fails at the last moment.
  REQUIRE(db.execute("PRAGMA foreign_keys = ON; CREATE TABLE herald_test(a INTEGER PRIMARY KEY, b INTEGER REFERENCES "
                     "herald_test(a) DEFERRABLE INITIALLY DEFERRED)",
                     "make it fail"));
  auto first = store.submit(request(counters, "make", {{"label", "first"}}));
  auto poison = store.submit([&](transaction& tx) {
    CHECK(db.execute("INSERT INTO herald_test VALUES (1, 2)", "make it fail"));
    return apply(tx, request(counters, "make", {{"label", "poison"}}));
  });
  auto invalid = store.submit([](transaction&) -> result<action_outcome> { return error{resource_errc::invalid, "own"}; });
  CHECK(store.execute() == 3);
  CHECK((*first)->error().message().find("commit") != std::string::npos);
  CHECK((*poison)->error().message() == (*first)->error().message());
  CHECK((*invalid)->error().message() == "own");
  CHECK(heard == 0);
  CHECK(store.rows(counters) == 0);
  CHECK(store.data().head().sequence == 0);
  REQUIRE(store.run(counters, "make", {{"label", "after"}}));
  CHECK(store.data().head().sequence == 1);
  CHECK(heard == 1);
  store.require_that_it_holds();
}

TEST_CASE("names that were new in a batch that was rolled back are interned again by the next") {
  temporary_directory directory;
  auto store = sqlite_store(directory.file("store.db"));
  const auto failed = store.run([](transaction& tx) -> result<action_outcome> {
    CHECK(apply(tx, request(items, "make", {{"name", "a"}})));
    return error{resource_errc::invalid, "no"};
  });
  REQUIRE_FALSE(failed);
  REQUIRE(store.run(items, "make", {{"name", "a"}}));
  CHECK(store.log(0, "item:made").size() == 1);
  store.require_that_it_holds();
}

TEST_CASE("topics of trimmed events are forgotten, and one that comes back is found again, by old readers too") {
  temporary_directory directory;
  auto store = sqlite_store(directory.file("store.db"));
  const auto made = store.run(items, "make", {{"name", "a"}});
  REQUIRE(made);
  REQUIRE(store.run(items, "rename", {{"name", "b"}}, row_key::of(made->after)));
  CHECK(store.log(0, "item:name:a").size() == 1);
  store.core->trim_to(2);
  CHECK(store.execute() == 0);
  auto& db = connection_of(store);
  CHECK(db.integer_of("SELECT count(*) FROM herald_topic", "count").value().value() == 1);
  REQUIRE(store.run(items, "rename", {{"name", "a"}}, row_key::of(made->after)));
  REQUIRE(store.run(items, "rename", {{"name", "c"}}, row_key::of(made->after)));
  CHECK(store.log(2, "item:name:a").size() == 2);
  CHECK(store.log(2, "item:name:b").size() == 1);
  CHECK(store.log(2, "item:name:c").size() == 1);
  store.require_that_it_holds();
}

TEST_CASE("verify finds what somebody else did to the file") {
  temporary_directory directory;
  const auto file = written_file(directory);
  const auto faults = [&](const std::string& sql) {
    const auto damaged = directory.file("damaged.db");
    std::filesystem::copy_file(file, damaged, std::filesystem::copy_options::overwrite_existing);
    alter(damaged, sql);
    auto report = verify(damaged, all_tables);
    REQUIRE(report);
    return report->fault_count;
  };
  {
    const auto report = verify(file, all_tables);
    REQUIRE(report);
    CHECK(report->holds());
    CHECK(report->events == 3);
    CHECK(report->rows == 3);
    CHECK(report->head == 3);
  }
  CHECK(faults("UPDATE items SET count = 4") == 1);
  CHECK(faults("DELETE FROM items") == 1);
  CHECK(faults("INSERT INTO counters VALUES (9, 'x')") == 1);
  CHECK(faults("DELETE FROM herald_event_topic WHERE sequence = 2") == 1);
  CHECK(faults("INSERT INTO herald_event_topic VALUES (1, 77)") == 1);
  CHECK(faults("DELETE FROM herald_event WHERE sequence = 2; DELETE FROM herald_event_topic WHERE sequence = 2") == 2);
  CHECK(faults("UPDATE herald_event SET kind = 2 WHERE sequence = 3") >= 1);
}

TEST_CASE("verify of a file that is not there says so, and makes none") {
  temporary_directory directory;
  CHECK(verify(directory.file("a"), all_tables).is(resource_errc::no_such_file));
  CHECK_FALSE(std::filesystem::exists(directory.file("a")));
}
