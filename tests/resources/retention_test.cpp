// What a log forgets, and what it must not: by age, number and weight, behind its consumers, and superseded events of state.

#include "sqlite_store_fixture.hpp"

#include <map>

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

const resource_table& counters = table_of<described::counters>;
const resource_table& cells = table_of<described::cells>;

timestamp the_time{};

/// A store of either kind with these bounds.
struct in_memory_with {
  test_store store;
  explicit in_memory_with(const log_retention& keeps) : store{make(keeps)} {}
  static test_store make(const log_retention& keeps) {
    memory_options options;
    options.retention = keeps;
    options.clock = [] { return the_time; };
    return memory_store(options);
  }
};
struct on_sqlite_with {
  temporary_directory directory;
  test_store store;
  explicit on_sqlite_with(const log_retention& keeps) : store{make(directory.file("store.db"), keeps)} {}
  static test_store make(const std::string& file, const log_retention& keeps) {
    sqlite_options options;
    options.retention = keeps;
    options.durability = durability::relaxed;
    options.clock = [] { return the_time; };
    return sqlite_store(file, options);
  }
};

void write(test_store& store, int count, const std::string& label = "x") {
  for (int i = 0; i < count; ++i) static_cast<void>(store.submit(request(counters, "make", {{"label", label}})));
  while (store.execute() != 0) {
  }
}

void keep_cursor(test_store& store, std::uint64_t at) {
  const auto epoch = store.data().head().epoch;
  const auto kept = store.run([&](transaction& tx) -> result<action_outcome> {
    if (auto done = tx.keep_cursor("slow", {{epoch, at}, 0, false}); !done) return done.error();
    return action_outcome{};
  });
  REQUIRE(kept);
  while (store.execute() != 0) {
  }
}

}  // namespace

TEST_CASE_TEMPLATE("a log with a bound on events keeps that many, and says where it begins", Store, in_memory_with, on_sqlite_with) {
  Store fixture{{.events = 100}};
  write(fixture.store, 50);
  CHECK(fixture.store.data().floor() == 1);
  write(fixture.store, 2500);
  CHECK(fixture.store.data().floor() == 2451);
  const auto left = fixture.store.log(2450);
  CHECK(left.size() == 100);
  const auto below = fixture.store.data().read({fixture.store.data().head().epoch, 2449}, 10, std::nullopt);
  REQUIRE_FALSE(below);
  CHECK(below.error().is(resource_errc::gone));
  CHECK(fixture.store.log(2450, "counter:made").size() == 100);
  fixture.store.require_that_it_holds();
}

TEST_CASE_TEMPLATE("old events go by their age, also when nothing is written any more", Store, in_memory_with, on_sqlite_with) {
  the_time = timestamp{std::chrono::hours{1000}};
  Store fixture{{.age = 60s}};
  write(fixture.store, 1200);
  the_time += 50s;
  write(fixture.store, 7);
  CHECK(fixture.store.data().floor() == 1);
  the_time += 11s;
  CHECK(fixture.store.execute() == 0);
  CHECK(fixture.store.data().floor() == 1201);
  the_time += 60s;
  CHECK(fixture.store.execute() == 0);
  CHECK(fixture.store.data().floor() == 1208);
  CHECK(fixture.store.data().head().sequence == 1207);
  write(fixture.store, 1);
  CHECK(fixture.store.log(1207).size() == 1);
  fixture.store.require_that_it_holds();
  the_time = {};
}

TEST_CASE_TEMPLATE("a log with a bound on bytes keeps about that much", Store, in_memory_with, on_sqlite_with) {
  Store fixture{{.bytes = 100'000}};
  write(fixture.store, 3000, std::string(200, 'b'));
  CHECK(fixture.store.data().log_bytes() <= 100'000);
  CHECK(fixture.store.data().log_bytes() > 80'000);
  const auto count = fixture.store.log(fixture.store.data().floor() - 1).size();
  CHECK(count > 200);
  CHECK(count < 400);
  fixture.store.require_that_it_holds();
}

TEST_CASE_TEMPLATE("what a consumer has not handled stays, up to the hard bound", Store, in_memory_with, on_sqlite_with) {
  Store fixture{{.events = 100, .hard_events = 1000}};
  write(fixture.store, 20);
  keep_cursor(fixture.store, 10);
  write(fixture.store, 480);
  CHECK(fixture.store.data().floor() == 11);
  keep_cursor(fixture.store, 350);
  CHECK(fixture.store.data().floor() == 351);
  keep_cursor(fixture.store, 450);
  CHECK(fixture.store.data().floor() == 401);
  write(fixture.store, 900);
  CHECK(fixture.store.data().floor() == 451);
  write(fixture.store, 600);
  CHECK(fixture.store.data().floor() == 2000 - 1000 + 1);
  fixture.store.require_that_it_holds();
}

TEST_CASE_TEMPLATE("without waiting for consumers, the bounds alone decide", Store, in_memory_with, on_sqlite_with) {
  Store fixture{{.events = 100, .wait_for_consumers = false}};
  write(fixture.store, 20);
  keep_cursor(fixture.store, 10);
  write(fixture.store, 480);
  CHECK(fixture.store.data().floor() == 401);
}

TEST_CASE_TEMPLATE("a writer that is never idle trims all the same", Store, in_memory_with, on_sqlite_with) {
  Store fixture{{.events = 100}};
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 100; ++i) static_cast<void>(fixture.store.submit(request(counters, "make", {{"label", "x"}})));
    CHECK(fixture.store.execute() != 0);  // and never until there is nothing left to do
  }
  CHECK(fixture.store.data().floor() > 1800);
  fixture.store.require_that_it_holds();
}

TEST_CASE_TEMPLATE("of a compacted resource the newest event of each key is kept; the others' history stays", Store, in_memory_with,
                   on_sqlite_with) {
  Store fixture{{.compact = {&cells}}};
  auto& store = fixture.store;
  std::map<std::int64_t, double> expected;
  for (std::int64_t row = 0; row < 5; ++row) {
    REQUIRE(store.run(cells, "make", {{"sheet", "a"}, {"row", row}, {"content", 0.0}}));
    expected[row] = 0;
  }
  write(store, 3);
  for (int i = 1; i <= 40; ++i) {
    const std::int64_t row = i % 4;
    REQUIRE(store.run(cells, "fill", {{"content", static_cast<double>(i)}}, row_key{std::vector<value>{value{"a"}, value{row}}}));
    expected[row] = i;
  }
  REQUIRE(store.run(cells, "drop", {}, row_key{std::vector<value>{value{"a"}, value{std::int64_t{4}}}}));
  REQUIRE(store.execute() == 0);
  std::map<std::int64_t, double> found;
  std::size_t made = 0, gone = 0;
  for (const auto& event : store.log()) {
    if (event->resource == &counters) ++made;
    else if (event->kind == event_kind::destroyed) ++gone;
    else CHECK(found.emplace(event->after.template as<cell>()->row, event->after.template as<cell>()->content).second);
  }
  expected.erase(4);
  CHECK(found == expected);
  CHECK(made == 3);
  CHECK(gone == 1);
  CHECK(store.data().floor() == 1);
  CHECK(store.data().compacted() > 40);
  store.require_that_it_holds();
  // A page may hold fewer events than it covers, and reading goes on behind it.
  const auto page = store.data().read({store.data().head().epoch, 0}, 2, std::nullopt).value();
  CHECK(page.events.size() == 2);
  CHECK(page.events.back()->at.sequence <= page.last.sequence);
}

TEST_CASE("a compacted file is compacted on after it was opened again, and waits for its consumers") {
  temporary_directory directory;
  const auto file = directory.file("store.db");
  const row_key key{std::vector<value>{value{"a"}, value{std::int64_t{1}}}};
  const auto fill = [&](test_store& store, int count) {
    for (int i = 0; i < count; ++i) REQUIRE(store.run(cells, "fill", {{"content", static_cast<double>(store.data().head().sequence) + 0.5}}, key));
  };
  {
    auto store = on_sqlite_with::make(file, {.compact = {&cells}});
    REQUIRE(store.run(cells, "make", {{"sheet", "a"}, {"row", std::int64_t{1}}, {"content", 0.0}}));
    keep_cursor(store, 5);
    fill(store, 9);
    CHECK(store.log().size() == 6);  // 5 to 10: above 5 nothing was superseded for the consumer yet
  }
  auto store = on_sqlite_with::make(file, {.compact = {&cells}});
  fill(store, 1);
  keep_cursor(store, 11);
  CHECK(store.log().size() == 1);
  CHECK(store.data().compacted() == 10);
  store.require_that_it_holds();
}

TEST_CASE("a trimmed file gives its pages back: it does not grow with what it has forgotten") {
  temporary_directory directory;
  const auto file = directory.file("store.db");
  auto store = on_sqlite_with::make(file, {.events = 500});
  const auto pages = [&] {
    auto db = detail::sqlite::connection::open(file, detail::sqlite::open_mode::read, 1s);
    REQUIRE(db);
    return db->integer_of("PRAGMA page_count", "count").value().value();
  };
  const auto churn = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const auto made = store.run(counters, "make", {{"label", std::string(100, 'l')}});
      REQUIRE(store.run(counters, "drop", {}, key_of(made)));
    }
  };
  churn(500);
  const auto early = pages();
  churn(3000);
  CHECK(pages() < early + early / 2);
  store.require_that_it_holds();
}
