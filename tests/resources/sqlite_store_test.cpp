// What only a store on disk has to get right: files that are not what was wanted, descriptions that change, the end of the
// program, full disks and errors of the disk, and proving from the file alone that it is whole.

#include "store_fixture.hpp"

#include <herald/detail/file_lock.hpp>
#include <herald/detail/sqlite.hpp>
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

result<std::shared_ptr<detail::storage>> try_open(const std::string& file,
                                                  std::vector<const resource_table*> tables = all_tables) {
  sqlite_options options;
  options.file = file;
  options.busy_limit = 0ms;
  return detail::open_sqlite(std::move(tables), options);
}

void alter(const std::string& file, const std::string& sql) {
  auto db = detail::sqlite::connection::open(file, detail::sqlite::open_mode::write, 0ms);
  REQUIRE(db);
  const auto done = db->execute(sql.c_str(), "alter it");
  REQUIRE_MESSAGE(done.has_value(), (done ? std::string{} : done.error().to_string()));
}

bool says(const error& why, const std::string& part) {
  if (why.message().find(part) != std::string::npos) return true;
  MESSAGE(why.message());
  return false;
}

detail::sqlite::connection& connection_of(const test_store& store) {
  return dynamic_cast<detail::sqlite_storage&>(store.data()).writer_connection();
}

/// A file with one item and two counters, closed again.
std::string written_file(const temporary_directory& directory) {
  const auto file = directory.file("store.db");
  auto store = sqlite_store(file);
  REQUIRE(store.run(items, "make", {{"name", "lamp"}, {"count", 3}}));
  REQUIRE(store.run(counters, "make", {{"label", "a"}}));
  REQUIRE(store.run(counters, "make", {{"label", "b"}}));
  return file;
}

// The same table, as other versions of a program would describe it.
struct counted_more {
  std::int64_t id = 0;
  std::string label;
  std::int64_t weight = 7;
  std::optional<double> price;
  std::string colour = "it's red";
};
struct counted_other {
  std::int64_t id = 0;
  std::int64_t label = 0;
};
struct counted_bare {
  std::int64_t id = 0;
};
struct counted_open {
  std::int64_t id = 0;
  std::optional<std::string> label;
};
struct counted_renamed {
  std::int64_t id = 0;
  std::string title;
};

namespace versions {
using namespace herald::dsl;
inline constexpr auto more = herald::resource<counted_more>(
    "counters", attribute<&counted_more::id>(primary_key, generated), attribute<&counted_more::label>(),
    attribute<&counted_more::weight>(), attribute<&counted_more::price>(), attribute<&counted_more::colour>(),
    create("make", accepts<&counted_more::label, &counted_more::weight>));
inline constexpr auto needed = herald::resource<counted_more>(
    "counters", attribute<&counted_more::id>(primary_key, generated), attribute<&counted_more::label>(),
    attribute<&counted_more::weight>(required), create("make", accepts<&counted_more::label, &counted_more::weight>));
inline constexpr auto other = herald::resource<counted_other>(
    "counters", attribute<&counted_other::id>(primary_key, generated), attribute<&counted_other::label>(),
    create("make", accepts<&counted_other::label>));
inline constexpr auto bare = herald::resource<counted_bare>(
    "counters", attribute<&counted_bare::id>(primary_key, generated), create("make", accepts<>));
inline constexpr auto open = herald::resource<counted_open>(
    "counters", attribute<&counted_open::id>(primary_key, generated), attribute<&counted_open::label>(),
    create("make", accepts<&counted_open::label>));
inline constexpr auto rekeyed = herald::resource<counted>(
    "counters", attribute<&counted::id>(), attribute<&counted::label>(primary_key), create("make", accepts<&counted::id, &counted::label>));
inline constexpr auto renamed = herald::resource<counted_renamed>(
    "counters", attribute<&counted_renamed::id>(primary_key, generated), attribute<&counted_renamed::title>(was{"label"}),
    create("make", accepts<&counted_renamed::title>));
inline constexpr auto unique = herald::resource<counted>(
    "counters", attribute<&counted::id>(primary_key, generated), attribute<&counted::label>(), identity<&counted::label>("label"),
    create("make", accepts<&counted::label>));
inline constexpr auto again = herald::resource<counted>("counters", attribute<&counted::id>(primary_key, generated),
                                                        attribute<&counted::label>(), create("make", accepts<&counted::label>));
inline constexpr auto reserved = herald::resource<counted>(
    "herald_event", attribute<&counted::id>(primary_key, generated), attribute<&counted::label>(), create("make", accepts<&counted::label>));
}  // namespace versions

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

TEST_CASE("added attributes: nullable ones and ones with a default get their column, old rows and old events get the default") {
  temporary_directory directory;
  const auto file = written_file(directory);
  const auto& table = table_of<versions::more>;
  auto opened = try_open(file, {&items, &table});
  REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message()));
  const auto row = row_in<counted_more>(**opened, table, row_key{2});
  CHECK(row->label == "b");
  CHECK(row->weight == 7);
  CHECK_FALSE(row->price.has_value());
  CHECK(row->colour == "it's red");
  const auto page = (*opened)->read({(*opened)->head().epoch, 0}, 10, {});
  REQUIRE(page);
  REQUIRE(page->events.size() == 3);
  CHECK(page->events[2]->after.as<counted_more>()->label == "b");
  CHECK(page->events[2]->after.as<counted_more>()->weight == 7);
}

TEST_CASE("a renamed attribute keeps its values through was{...}") {
  temporary_directory directory;
  const auto file = written_file(directory);
  const auto& table = table_of<versions::renamed>;
  auto opened = try_open(file, {&items, &table});
  REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message()));
  CHECK(row_in<counted_renamed>(**opened, table, row_key{2})->title == "b");
}

TEST_CASE("an identity that is added becomes a rule, and is refused while rows break it; one that is removed is none") {
  temporary_directory directory;
  const auto file = written_file(directory);
  const std::vector<const resource_table*> with{&items, &table_of<versions::unique>};
  {
    auto opened = try_open(file, with);
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message()));
    test_store store{*opened};
    CHECK(store.run(table_of<versions::unique>, "make", {{"label", "b"}}).is(resource_errc::taken));
  }
  {
    auto store = sqlite_store(file);
    CHECK(store.run(counters, "make", {{"label", "b"}}));
  }
  const auto refused = try_open(file, with);
  REQUIRE(refused.is(resource_errc::schema_mismatch));
  CHECK(says(refused.error(), "identity 'label'"));
}

TEST_CASE("every other difference is refused with what to do, and the file stays as it was") {
  temporary_directory directory;
  const auto file = written_file(directory);
  const auto refused = [&](const resource_table& table, const std::string& part) {
    const auto opened = try_open(file, {&items, &table});
    REQUIRE(opened.is(resource_errc::schema_mismatch));
    CHECK(says(opened.error(), "resource 'counters'"));
    CHECK(says(opened.error(), part));
  };
  refused(table_of<versions::needed>, "make it optional (std::optional) or give it a default");
  refused(table_of<versions::other>, "column 'label' is TEXT in the file and INTEGER");
  refused(table_of<versions::bare>, "ALTER TABLE \"counters\" DROP COLUMN \"label\"");
  refused(table_of<versions::open>, "may not be null in the file");
  refused(table_of<versions::rekeyed>, "part of the primary key");
  auto store = sqlite_store(file);
  CHECK(store.run(counters, "make", {{"label", "c"}}));
  store.require_that_it_holds();
}

TEST_CASE("two descriptions of one name, and reserved names, are refused") {
  temporary_directory directory;
  const auto twice = try_open(directory.file("a"), {&counters, &table_of<versions::again>});
  REQUIRE(twice.is(resource_errc::schema_mismatch));
  CHECK(says(twice.error(), "described twice"));
  CHECK(try_open(directory.file("a"), {&table_of<versions::reserved>}).is(resource_errc::schema_mismatch));
  CHECK_FALSE(std::filesystem::exists(directory.file("a")));
}

TEST_CASE("events of a resource that a program does not describe are passed over, and numbering counts them") {
  temporary_directory directory;
  const auto file = written_file(directory);
  auto opened = try_open(file, {&counters});
  REQUIRE(opened);
  const auto page = (*opened)->read({(*opened)->head().epoch, 0}, 10, {});
  REQUIRE(page);
  CHECK(page->events.size() == 2);
  CHECK(page->last.sequence == 3);
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
