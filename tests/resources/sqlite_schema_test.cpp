// A file whose tables are of another version of a description than the program's: what fits itself, and what is refused.

#include "sqlite_store_fixture.hpp"

#include <filesystem>
#include <limits>

using namespace herald;
using namespace herald::test;

namespace {

const resource_table& items = table_of<described::items>;
const resource_table& counters = table_of<described::counters>;

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

struct counted_uuid {
  uuid id;
  std::string label = "none";
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
inline constexpr auto second = herald::resource<counted>("counters", schema_version{2}, attribute<&counted::id>(primary_key, generated),
                                                         attribute<&counted::label>(), create("make", accepts<&counted::label>));
}  // namespace versions

// What rows already there get in attributes that are added.
struct counted_filled {
  std::int64_t id = 0;
  std::string label;
  std::int64_t weight = 7;
  std::optional<std::string> mood = "calm";
  std::string colour = "red";
  double reach = std::numeric_limits<double>::infinity();
  double depth = -std::numeric_limits<double>::infinity();
};
int asked_for_colour = 0;  // NOLINT: a default that is another one each time
namespace versions {
inline constexpr auto filled = herald::resource<counted_filled>(
    "counters", attribute<&counted_filled::id>(primary_key, generated), attribute<&counted_filled::label>(),
    attribute<&counted_filled::weight>(default_value{9}), attribute<&counted_filled::mood>(),
    attribute<&counted_filled::colour>(default_from{[] { return std::to_string(++asked_for_colour); }}),
    attribute<&counted_filled::reach>(), attribute<&counted_filled::depth>(), create("make", accepts<&counted_filled::label>));
inline constexpr auto unique_bare = herald::resource<counted_bare>(
    "counters", attribute<&counted_bare::id>(primary_key, generated), create("make", accepts<>));
inline constexpr auto closed = herald::resource<counted>(
    "counters", attribute<&counted::id>(primary_key, generated), attribute<&counted::label>(), create("make", accepts<&counted::label>));
inline constexpr auto two_keys = herald::resource<counted_more>(
    "counters", attribute<&counted_more::id>(primary_key), attribute<&counted_more::weight>(primary_key), attribute<&counted_more::label>(),
    create("make", accepts<&counted_more::id, &counted_more::weight, &counted_more::label>));
inline constexpr auto named_key = herald::resource<counted_uuid>(
    "counters", attribute<&counted_uuid::id>(primary_key, uuid_v7), attribute<&counted_uuid::label>(),
    create("make", accepts<&counted_uuid::label>));
inline constexpr auto loose = herald::resource<counted_open>(
    "counters", attribute<&counted_open::id>(primary_key, generated), attribute<&counted_open::label>(),
    identity<&counted_open::label>("label", nils_not_distinct), create("make", accepts<&counted_open::label>));
}  // namespace versions

}  // namespace

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

namespace {

/// Refused with statements, which are then run; afterwards the file opens, and has so many rows.
std::shared_ptr<detail::storage> opens_after_its_statements(const std::string& file, const resource_table& table, std::size_t rows) {
  const std::vector<const resource_table*> with{&items, &table};
  const auto refused = try_open(file, with);
  REQUIRE(refused.is(resource_errc::schema_mismatch));
  const std::string& why = refused.error().message();
  CAPTURE(why);
  const auto sql = why.find("; in SQL: ");
  REQUIRE(sql != std::string::npos);
  alter(file, why.substr(sql + 10));
  auto opened = try_open(file, with);
  REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message()));
  std::size_t there = 0;
  REQUIRE((*opened)->scan(table, [&](const record&) { ++there; }));
  CHECK(there == rows);
  return *opened;
}

}  // namespace

TEST_CASE("a required attribute without a value for the rows there: the statement gives them the struct's") {
  temporary_directory directory;
  const auto& table = table_of<versions::needed>;
  const auto opened = opens_after_its_statements(written_file(directory), table, 2);
  CHECK(row_in<counted_more>(*opened, table, row_key{2})->weight == 7);
}

TEST_CASE("a column of another type: the statements cast what it has") {
  temporary_directory directory;
  const auto file = written_file(directory);
  alter(file, "UPDATE counters SET label = '12' WHERE id = 2");
  const auto& table = table_of<versions::other>;
  const auto opened = opens_after_its_statements(file, table, 2);
  CHECK(row_in<counted_other>(*opened, table, row_key{1})->label == 0);
  CHECK(row_in<counted_other>(*opened, table, row_key{2})->label == 12);
}

TEST_CASE("a column that may be null and may not any more, and the other way round: the statements write the table anew") {
  temporary_directory directory;
  const auto file = written_file(directory);
  const auto open = opens_after_its_statements(file, table_of<versions::open>, 2);
  CHECK(row_in<counted_open>(*open, table_of<versions::open>, row_key{2})->label == "b");
}

TEST_CASE("nulls in what may not be null any more become what a new row has") {
  temporary_directory directory;
  const auto file = written_file(directory);
  static_cast<void>(opens_after_its_statements(file, table_of<versions::open>, 2));
  alter(file, "UPDATE counters SET label = NULL WHERE id = 1");
  const auto& table = table_of<versions::closed>;
  const auto opened = opens_after_its_statements(file, table, 2);
  CHECK(row_in<counted>(*opened, table, row_key{1})->label.empty());
  CHECK(row_in<counted>(*opened, table, row_key{2})->label == "b");
}

TEST_CASE("another primary key: the statements write the table anew, with the columns there or with keys made up") {
  const std::vector<const resource_table*> keyed{&table_of<versions::rekeyed>, &table_of<versions::two_keys>, &table_of<versions::named_key>};
  for (const resource_table* table : keyed) {
    temporary_directory directory;
    const auto opened = opens_after_its_statements(written_file(directory), *table, 2);
    if (table == keyed[0]) CHECK(row_in<counted>(*opened, *table, row_key{"b"})->id == 2);
  }
}

TEST_CASE("a column that is gone, and an identity over it: the statements drop the index first") {
  temporary_directory directory;
  const auto file = written_file(directory);
  REQUIRE(try_open(file, {&items, &table_of<versions::unique>}));
  const auto refused = try_open(file, {&items, &table_of<versions::unique_bare>});
  REQUIRE(refused.is(resource_errc::schema_mismatch));
  CHECK(says(refused.error(), "in SQL: DROP INDEX \"herald_counters_label\"; ALTER TABLE \"counters\" DROP COLUMN \"label\""));
  static_cast<void>(opens_after_its_statements(file, table_of<versions::unique_bare>, 2));
}

TEST_CASE("a column that is gone, and an identity in which two nulls conflict over it") {
  temporary_directory directory;
  const auto file = written_file(directory);
  static_cast<void>(opens_after_its_statements(file, table_of<versions::open>, 2));
  REQUIRE(try_open(file, {&items, &table_of<versions::loose>}));
  static_cast<void>(opens_after_its_statements(file, table_of<versions::unique_bare>, 2));
}

TEST_CASE("rows that share an identity: the statement leaves the first of each") {
  temporary_directory directory;
  const auto file = written_file(directory);
  alter(file, "INSERT INTO counters(id, label) VALUES (3, 'b'), (4, 'b'), (5, 'c')");
  const auto& table = table_of<versions::unique>;
  const auto opened = opens_after_its_statements(file, table, 3);
  CHECK(row_in<counted>(*opened, table, row_key{2})->label == "b");
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

TEST_CASE("an event of an action that a description no longer has is still read, as of an unknown action") {
  temporary_directory directory;
  const auto file = written_file(directory);
  {
    auto store = sqlite_store(file);
    REQUIRE(store.run(counters, "drop", {}, row_key{1}));
  }
  auto opened = try_open(file, {&items, &table_of<versions::again>});
  REQUIRE(opened);
  const auto page = (*opened)->read({(*opened)->head().epoch, 3}, 10, {});
  REQUIRE(page);
  REQUIRE(page->events.size() == 1);
  CHECK(page->events[0]->action_info().name == "unknown");
  CHECK(page->events[0]->kind == event_kind::destroyed);
  CHECK(page->events[0]->before.as<counted>()->label == "a");
}

TEST_CASE("R76: rows already there get in an added column what a new row would have, nullable or not, infinite or computed, and verify holds") {
  temporary_directory directory;
  const auto file = written_file(directory);
  const auto& table = table_of<versions::filled>;
  {
    auto opened = try_open(file, {&items, &table});
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message()));
    const auto row = row_in<counted_filled>(**opened, table, row_key{2});
    CHECK(row->weight == 9);
    CHECK(row->mood == "calm");
    CHECK(row->reach == std::numeric_limits<double>::infinity());
    CHECK(row->depth == -std::numeric_limits<double>::infinity());
    const auto page = (*opened)->read({(*opened)->head().epoch, 0}, 10, {});
    REQUIRE(page);
    CHECK(page->events.at(2)->after.as<counted_filled>()->weight == 9);
    CHECK(page->events.at(2)->after.as<counted_filled>()->mood == "calm");
    test_store{*opened}.require_that_it_holds();
  }
  // A computed default was another one when the file was extended than it is when an old event is read.
  const auto report = verify(file, {&items, &table});
  REQUIRE(report);
  CHECK_MESSAGE(report->holds(), (report->faults.empty() ? "" : report->faults.front()));
}

TEST_CASE("R77: a file that a program with a higher schema version has opened is refused by one with a lower, and stays as it is") {
  temporary_directory directory;
  const auto file = written_file(directory);
  const std::vector<const resource_table*> newer{&items, &table_of<versions::second>};
  REQUIRE(try_open(file));
  REQUIRE(try_open(file, newer));
  for (int i = 0; i < 2; ++i) {
    const auto refused = try_open(file);
    REQUIRE(refused.is(resource_errc::newer_schema));
    CHECK(says(refused.error(), "resource 'counters' is in schema version 2 in the file, and this program describes version 1"));
    CHECK(verify(file, all_tables).is(resource_errc::newer_schema));
  }
  CHECK(try_open(file, {&items}));  // who does not describe the resource does not touch it
  REQUIRE(try_open(file, newer));
}
