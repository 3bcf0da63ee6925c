#include "library.hpp"

#include <herald/detail/sqlite_storage.hpp>
#include <herald/detail/store_state.hpp>
#include <herald/verify.hpp>

#include <algorithm>

using namespace library_test;

TEST_CASE_TEMPLATE("R10: a row cannot belong to one that is not there, on create and on update", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  const auto refused = add(s, {.id = 1, .title = "t", .shelf = 7});
  REQUIRE(refused.is(resource_errc::invalid));
  CHECK(message_of(refused.error(), "shelf") == "does not exist: shelves 7");
  shelf(s, 7);
  REQUIRE(add(s, {.id = 1, .title = "t", .shelf = 7}));
  REQUIRE(add(s, {.id = 2, .title = "t"}));
  CHECK(s.run<books, "edit">(1, field<&Book::shelf> = 8).is(resource_errc::invalid));
  CHECK(s.run<books, "edit">(1, field<&Book::title> = "u"));
  CHECK(s.run<books, "edit">(1, field<&Book::shelf> = std::nullopt));
}

TEST_CASE_TEMPLATE("R11: a row that others belong to cannot go", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  REQUIRE(add(s, {.id = 1, .title = "t"}));
  REQUIRE(s.run<loans, "lend">(field<&Loan::id> = 1, field<&Loan::book> = 1));
  const auto before = s.head();
  const auto refused = s.run<books, "drop">(1);
  REQUIRE(refused.is(resource_errc::invalid));
  CHECK(refused.error().message() == "books.drop: the row 1 cannot go: it is what rows of loans belong to (book)");
  CHECK(s.head() == before);
  REQUIRE(s.run<loans, "give_back">(1));
  CHECK(s.run<books, "drop">(1));
}

TEST_CASE_TEMPLATE("R12: a cascade runs an action on each child, tells each, children first; one that cannot go undoes all", Store,
                   in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  shelf(s, 1);
  shelf(s, 2, 1);
  shelf(s, 3, 2);
  shelf(s, 4);
  for (std::int64_t id = 1; id <= 4; ++id) REQUIRE(add(s, {.id = id, .title = "t", .shelf = id == 4 ? 4 : 3}));
  REQUIRE(s.run<loans, "lend">(field<&Loan::id> = 1, field<&Loan::book> = 2));
  const auto before = s.head();
  CHECK(s.run<shelves, "remove">(1).is(resource_errc::invalid));
  CHECK(s.head() == before);
  CHECK(s.count<books>().value() == 4);
  REQUIRE(s.run<loans, "give_back">(1));
  const auto from = s.head();
  REQUIRE(s.run<shelves, "remove">(1, action_options{.by = herald::actor{"ada"}}));
  std::vector<std::string> told;
  const auto gone = s.read(from, 100).value();
  for (const auto& event : gone.events) {
    told.push_back(std::string{event->resource->name} + event->key.to_string());
    CHECK(event->kind == event_kind::destroyed);
    CHECK(event->actor == "ada");
  }
  CHECK(told == std::vector<std::string>{"books1", "books2", "books3", "shelves3", "shelves2", "shelves1"});
  CHECK(s.count<shelves>().value() == 1);
  CHECK(s.count<books>().value() == 1);
}

TEST_CASE_TEMPLATE("R13: a row may belong to itself, and to its like in a ring, and go all the same", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  shelf(s, 1, 1);
  CHECK(s.run<shelves, "remove">(1));
  shelf(s, 1);
  shelf(s, 2, 1);
  shelf(s, 3, 2);
  REQUIRE(s.run<shelves, "hang">(1, field<&Shelf::inside> = 3));
  CHECK(s.run<shelves, "remove">(2));
  CHECK(s.count<shelves>().value() == 0);
}

TEST_CASE_TEMPLATE("R15: a chain that is too long is an error, and nothing of it has gone", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  shelf(s, 1);
  for (std::int64_t id = 2; id <= 300; ++id) shelf(s, id, id - 1);
  const auto refused = s.run<shelves, "remove">(1);
  REQUIRE(refused.is(resource_errc::hook_failed));
  CHECK(refused.error().message().find("more than 200 actions run inside each other") != std::string::npos);
  CHECK(s.count<shelves>().value() == 300);
  CHECK(s.run<shelves, "remove">(150));
  CHECK(s.count<shelves>().value() == 149);
}

TEST_CASE_TEMPLATE("R14: what a row belongs to is part of its topic", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  shelf(s, 7);
  const auto from = s.head();
  REQUIRE(add(s, {.id = 1, .title = "t", .shelf = 7}));
  REQUIRE(add(s, {.id = 2, .title = "t"}));
  const auto told = s.read(from, 10).value();
  CHECK(told.events[0]->routes.at(0).topic == "book:7:added");
  CHECK(told.events[1]->routes.empty());
}

TEST_CASE("R16: verify finds a row that belongs to one that is not there") {
  on_sqlite at;
  REQUIRE(add(at.store, {.id = 1, .title = "t"}));
  REQUIRE(at.store.run<loans, "lend">(field<&Loan::id> = 5, field<&Loan::book> = 1));
  auto& data = at.store.state()->data();
  CHECK(herald::detail::verify(data).value().holds());
  auto& db = static_cast<herald::detail::sqlite_storage&>(data).writer_connection();
  REQUIRE(db.execute("DELETE FROM books", "damage it"));
  const auto report = herald::detail::verify(data).value();
  REQUIRE(report.faults.size() == 2);  // the row that its event left in being, and the reference to it
  CHECK(std::count(report.faults.begin(), report.faults.end(), "row loans '5' belongs to books '1' by book, and that is not there") == 1);
}
