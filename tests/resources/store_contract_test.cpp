// The contract that every store keeps (DESIGN 5.2), run over the memory store and over SQLite.

#include "store_fixture.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <stdexcept>

using namespace herald;
using namespace herald::test;

namespace {

const resource_table& items = table_of<described::items>;
const resource_table& counters = table_of<described::counters>;
const resource_table& cells = table_of<described::cells>;

/// A hook's work: what a parent action does to others in its transaction.
result<action_outcome> nested(transaction& tx, const resource_table& table, std::string_view action,
                              std::vector<named_value> inputs) {
  if (auto made = tx.savepoint(); !made) return made.error();
  auto done = apply(tx, request(table, action, std::move(inputs)));
  auto ended = done ? tx.release() : tx.rollback_to();
  if (!ended) return ended.error();
  return done;
}

}  // namespace

TEST_CASE_TEMPLATE("a created row is found again as it was written, and its event is in the log", Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  const auto made = store.run(items, "make",
                                 {{"name", "lamp"}, {"count", 3}, {"note", std::string{"a\0b", 3}},
                                  {"tags", std::vector<value>{value{"red"}, value{""}}}, {"secret", "s3"}});
  const auto key = key_of(made);
  auto found = store.data().find(items, key);
  REQUIRE(found);
  REQUIRE(*found);
  const auto row = found->as<item>();
  CHECK(row->name == "lamp");
  CHECK(row->count == 3);
  CHECK(row->note == std::string{"a\0b", 3});
  CHECK(row->tags == std::vector<std::string>{"red", ""});
  CHECK(row->secret == "s3");
  const auto log = store.log();
  REQUIRE(log.size() == 1);
  CHECK(log[0]->at == store.data().head());
  CHECK(log[0]->key == key);
  CHECK(log[0]->after.as<item>()->name == "lamp");
  REQUIRE(log[0]->routes.size() == 1);
  CHECK(log[0]->routes[0].topic == "item:made");
  CHECK(log[0]->name_on(log[0]->routes[0]) == "make");
  store.require_that_it_holds();
}

TEST_CASE_TEMPLATE("H12: a sensitive attribute is in the row and in no event of the log", Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  const auto key = key_of(store.run(items, "make", {{"name", "safe"}, {"secret", "1234"}}));
  REQUIRE(store.run(items, "annotate", {{"note", "x"}, {"secret", "9876"}}, key));
  CHECK(row_in<item>(store.data(), items, key)->secret == "9876");
  for (const auto& event : store.log()) {
    CHECK(event->after.as<item>()->secret == "none");
    if (event->before) CHECK(event->before.as<item>()->secret == "none");
  }
}

TEST_CASE_TEMPLATE("N23, H1: events of one transaction over several resources come once, after commit, in the order of "
                   "writing",
                   Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  std::vector<std::string> heard;
  store.core->on_commit([&](std::span<const event_ptr> events) {
    for (auto& name : names({events.begin(), events.end()})) heard.push_back(std::move(name));
  });
  const auto done = store.run([&](transaction& tx) -> result<action_outcome> {
    CHECK(nested(tx, items, "make", {{"name", "z1"}}));
    CHECK(nested(tx, counters, "make", {{"label", "a"}}));
    CHECK(nested(tx, items, "make", {{"name", "z2"}}));
    CHECK(heard.empty());
    return nested(tx, counters, "make", {{"label", "b"}});
  });
  REQUIRE(done);
  const std::vector<std::string> written{"1 items.make created", "2 counters.make created", "3 items.make created",
                                         "4 counters.make created"};
  CHECK(heard == written);
  CHECK(names(store.log()) == written);
}

TEST_CASE_TEMPLATE("N24, N26: a transaction that fails leaves neither rows nor events, and its numbers are used again", Store,
                   EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  std::size_t heard = 0;
  store.core->on_commit([&](std::span<const event_ptr> events) { heard += events.size(); });
  const auto failed = store.run([&](transaction& tx) -> result<action_outcome> {
    CHECK(nested(tx, items, "make", {{"name", "z1"}}));
    CHECK(nested(tx, counters, "make", {{"label", "a"}}));
    return error{resource_errc::invalid, "no"};
  });
  CHECK(failure(failed).message() == "no");
  CHECK(store.rows(items) == 0);
  CHECK(store.rows(counters) == 0);
  CHECK(heard == 0);
  REQUIRE(store.run(items, "make", {{"name", "z1"}}));
  CHECK(names(store.log()) == std::vector<std::string>{"1 items.make created"});
  CHECK(heard == 1);
}

TEST_CASE_TEMPLATE("an action that fails does not touch the others of its batch", Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  auto first = store.submit(request(items, "make", {{"name", "a"}}));
  auto failing = store.submit([](transaction& tx) -> result<action_outcome> {
    static_cast<void>(apply(tx, request(items, "make", {{"name", "b"}})));
    return error{resource_errc::invalid, "no"};
  });
  auto throwing = store.submit([](transaction& tx) -> result<action_outcome> {
    static_cast<void>(apply(tx, request(items, "make", {{"name", "c"}})));
    throw std::runtime_error{"boom"};
  });
  auto last = store.submit(request(items, "make", {{"name", "b"}}));
  CHECK(store.execute() == 4);
  CHECK((*first)->has_value());
  CHECK((*failing)->error().is(resource_errc::invalid));
  CHECK((*throwing)->error().is(resource_errc::hook_failed));
  CHECK((*throwing)->error().message().find("boom") != std::string::npos);
  CHECK((*last)->has_value());
  CHECK(store.rows(items) == 2);
  CHECK(names(store.log()) == std::vector<std::string>{"1 items.make created", "2 items.make created"});
  store.require_that_it_holds();
}

TEST_CASE_TEMPLATE("a nested action that is rolled back takes its events along, and the outer one's stay", Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  const auto done = store.run([&](transaction& tx) -> result<action_outcome> {
    auto outer = apply(tx, request(items, "make", {{"name", "outer"}}));
    CHECK(tx.savepoint());
    CHECK(apply(tx, request(items, "make", {{"name", "inner"}})));
    CHECK(tx.rollback_to());
    CHECK(nested(tx, counters, "make", {{"label", "kept"}}));
    return outer;
  });
  REQUIRE(done);
  CHECK(names(store.log()) == std::vector<std::string>{"1 items.make created", "2 counters.make created"});
  store.require_that_it_holds();
}

TEST_CASE_TEMPLATE("nobody is answered, and nothing is seen by readers, before the batch is committed", Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  std::shared_ptr<std::optional<result<action_outcome>>> first;
  bool answered = true;
  bool refused = false;
  first = store.submit(request(items, "make", {{"name", "a"}}));
  auto second = store.submit([&](transaction& tx) {
    answered = first->has_value();
    // A reader on the writer's own thread would wait for itself; it is refused.
    refused = store.data().find(items, row_key{uuid{}}).is(resource_errc::would_block);
    CHECK(store.data().head().sequence == 0);
    return apply(tx, request(items, "make", {{"name", "b"}}));
  });
  CHECK(store.execute() == 2);
  CHECK_FALSE(answered);
  CHECK(refused);
  CHECK(store.data().head().sequence == 2);
}

TEST_CASE_TEMPLATE("C15: an update changes what it names and nothing else", Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  const auto key = key_of(store.run(items, "make", {{"name", "a"}, {"count", 1}, {"note", "n"}}));
  REQUIRE(store.run(items, "count", {{"count", 2}}, key));
  const auto row = row_in<item>(store.data(), items, key);
  CHECK(row->count == 2);
  CHECK(row->name == "a");
  CHECK(row->note == "n");
  const auto log = store.log();
  REQUIRE(log.size() == 2);
  CHECK(log[1]->before.as<item>()->count == 1);
  CHECK(log[1]->after.as<item>()->count == 2);
  CHECK((log[1]->changed & detail::bit(2)) != 0);
}

TEST_CASE_TEMPLATE("C18: an action on a row that is gone answers not_found and emits nothing", Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  const auto key = key_of(store.run(items, "make", {{"name", "a"}}));
  REQUIRE(store.run(items, "drop", {}, key));
  CHECK(failure(store.run(items, "count", {{"count", 2}}, key)).is(resource_errc::not_found));
  CHECK(failure(store.run(items, "drop", {}, key)).is(resource_errc::not_found));
  CHECK(store.log().size() == 2);
  CHECK(store.rows(items) == 0);
  store.require_that_it_holds();
}

TEST_CASE_TEMPLATE("C36: an identity that is taken is refused on its fields, also by an update, and is free again after a "
                   "destroy",
                   Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  const auto first = key_of(store.run(items, "make", {{"name", "a"}}));
  const auto second = key_of(store.run(items, "make", {{"name", "b"}}));
  const std::vector<field_error> fields{{"name", "has already been taken"}};
  const auto again = failure(store.run(items, "make", {{"name", "a"}}));
  CHECK(again.is(resource_errc::taken));
  CHECK(again.fields() == fields);
  const auto renamed = failure(store.run(items, "rename", {{"name", "a"}}, second));
  CHECK(renamed.is(resource_errc::taken));
  CHECK(renamed.fields() == fields);
  REQUIRE(store.run(items, "drop", {}, first));
  CHECK(store.run(items, "rename", {{"name", "a"}}, second));
  CHECK(store.run(items, "make", {{"name", "b"}}));
  store.require_that_it_holds();
}

TEST_CASE_TEMPLATE("an identity that a rolled back action took is free again", Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  const auto failed = store.run([&](transaction& tx) -> result<action_outcome> {
    CHECK(apply(tx, request(items, "make", {{"name", "a"}})));
    return error{resource_errc::invalid, "no"};
  });
  REQUIRE_FALSE(failed);
  CHECK(store.run(items, "make", {{"name", "a"}}));
}

TEST_CASE_TEMPLATE("C43: an update from an old copy is refused as stale, and success raises the version by one", Store,
                   EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  const auto key = key_of(store.run(items, "make", {{"name", "a"}}));
  const auto version = row_in<item>(store.data(), items, key)->version;
  auto ask = request(items, "count", {{"count", 1}}, key);
  ask.version = version;
  REQUIRE(store.run(ask));
  CHECK(row_in<item>(store.data(), items, key)->version == version + 1);
  auto old = request(items, "count", {{"count", 2}}, key);
  old.version = version;
  CHECK(failure(store.run(old)).is(resource_errc::stale));
  CHECK(store.log().size() == 2);
}

TEST_CASE_TEMPLATE("H5: an update that changes nothing emits nothing", Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  const auto key = key_of(store.run(items, "make", {{"name", "a"}, {"count", 1}}));
  const auto done = store.run(items, "count", {{"count", 1}}, key);
  REQUIRE(done);
  CHECK(done->kind == event_kind::unchanged);
  CHECK(store.log().size() == 1);
}

TEST_CASE_TEMPLATE("composite keys: rows are told apart by all parts", Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  REQUIRE(store.run(cells, "make", {{"sheet", "a"}, {"row", 1}, {"content", 0.5}}));
  REQUIRE(store.run(cells, "make", {{"sheet", "a"}, {"row", 2}, {"content", 1.5}}));
  REQUIRE(store.run(cells, "make", {{"sheet", "b"}, {"row", 1}, {"content", 2.5}}));
  const auto again = failure(store.run(cells, "make", {{"sheet", "a"}, {"row", 1}, {"content", 9}}));
  CHECK(again.is(resource_errc::taken));
  CHECK(again.fields().size() == 2);
  const row_key second{std::vector<value>{value{"a"}, value{2}}};
  REQUIRE(store.run(cells, "fill", {{"content", 7.5}}, second));
  CHECK(row_in<cell>(store.data(), cells, second)->content == 7.5);
  CHECK(row_in<cell>(store.data(), cells, row_key{std::vector<value>{value{"a"}, value{1}}})->content == 0.5);
  store.require_that_it_holds();
}

TEST_CASE_TEMPLATE("R83: an infinite real comes back as it went in, and what is not a number is refused", Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  constexpr double infinite = std::numeric_limits<double>::infinity();
  const auto key = key_of(store.run(cells, "make", {{"sheet", "a"}, {"row", 1}, {"content", infinite}}));
  CHECK(row_in<cell>(store.data(), cells, key)->content == infinite);
  CHECK(store.log().at(0)->after.as<cell>()->content == infinite);
  REQUIRE(store.run(cells, "fill", {{"content", -infinite}}, key));
  CHECK(row_in<cell>(store.data(), cells, key)->content == -infinite);
  const auto refused = store.run([&](transaction& tx) {
    auto asked = request(cells, "fill", {{"content", 1.5}}, key);
    draft spoilt{cells};  // as code that goes round every cast would do
    static_cast<cell*>(spoilt.row())->content = std::numeric_limits<double>::quiet_NaN();
    asked.input = std::move(spoilt).freeze();
    return apply(tx, asked);
  });
  REQUIRE(failure(refused).is(resource_errc::invalid));
  CHECK(failure(refused).fields() == std::vector<field_error>{{"content", "must be a number, got nan"}});
  store.require_that_it_holds();
}

TEST_CASE_TEMPLATE("generated integer keys grow and are never given twice, not even after the newest row is gone", Store,
                   EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  CHECK(key_of(store.run(counters, "make", {{"label", "a"}}))[0] == value_view{1});
  const auto second = key_of(store.run(counters, "make", {{"label", "b"}}));
  CHECK(second[0] == value_view{2});
  REQUIRE(store.run(counters, "drop", {}, second));
  CHECK(key_of(store.run(counters, "make", {{"label", "c"}}))[0] == value_view{3});
}

namespace {

/// Keeps a consumer's cursor in a transaction that may fail.
result<action_outcome> keep(test_store& store, std::string_view consumer, std::uint64_t at, bool fails = false) {
  return store.run([&](transaction& tx) -> result<action_outcome> {
    if (auto kept = tx.keep_cursor(consumer, {{store.data().head().epoch, at}, 2, true}); !kept) return kept.error();
    CHECK(tx.cursor(consumer).value()->at.sequence == at);  // the transaction sees what it did
    if (fails) return error{resource_errc::invalid, "no"};
    return action_outcome{};
  });
}

}  // namespace

TEST_CASE_TEMPLATE("a consumer's cursor is part of the transaction: kept with it, undone with it, by savepoints too, and dropped", Store,
                   EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  CHECK(store.data().cursors().value().empty());
  CHECK_FALSE(keep(store, "search", 3, true));
  CHECK(store.data().cursors().value().empty());
  REQUIRE(keep(store, "search", 5));
  REQUIRE(keep(store, "mail", 1));
  CHECK_FALSE(keep(store, "search", 9, true));
  REQUIRE(store.run([&](transaction& tx) -> result<action_outcome> {
    CHECK(tx.savepoint());
    CHECK(tx.keep_cursor("search", {{store.data().head().epoch, 8}, 0, false}));
    CHECK(tx.drop_cursor("mail"));
    CHECK_FALSE(tx.cursor("mail").value());
    CHECK(tx.rollback_to());
    CHECK(tx.cursor("search").value()->at.sequence == 5);
    return action_outcome{};
  }));
  auto kept = store.data().cursors().value();
  std::sort(kept.begin(), kept.end(), [](const auto& left, const auto& right) { return left.name < right.name; });
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].name == "mail");
  CHECK(kept[1].cursor == consumer_cursor{{store.data().head().epoch, 5}, 2, true});
  REQUIRE(store.run([&](transaction& tx) -> result<action_outcome> {
    if (auto dropped = tx.drop_cursor("mail"); !dropped) return dropped.error();
    return action_outcome{};
  }));
  CHECK(store.data().cursors().value().size() == 1);
}

TEST_CASE_TEMPLATE("trimming raises the floor page by page, and numbering goes on", Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  for (int i = 0; i < 10; ++i) REQUIRE(store.run(counters, "make", {{"label", "x"}}));
  CHECK(store.data().trim(6, 4).value() == 4);
  CHECK(store.data().floor() == 5);
  CHECK(store.data().trim(6, 100).value() == 2);
  CHECK(store.data().trim(6, 100).value() == 0);
  CHECK(store.data().floor() == 7);
  CHECK(store.log(6).size() == 4);
  CHECK(store.data().trim(100, 100).value() == 4);
  CHECK(store.data().floor() == 11);
  REQUIRE(store.run(counters, "make", {{"label", "y"}}));
  CHECK(names(store.log(10)) == std::vector<std::string>{"11 counters.make created"});
  store.require_that_it_holds();
}

TEST_CASE_TEMPLATE("a store says what it can do, and does it: a copy is made where backup is said, and refused where not", Store,
                   EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  const auto can = store.data().capabilities();
  CHECK_FALSE(can.kind.empty());
  CHECK((can.survives_program || !can.survives_machine));
  REQUIRE(store.run(counters, "make", {{"label", "x"}}));
  temporary_directory directory;
  const auto made = store.data().backup(directory.file("copy.db"));
  CHECK(made.has_value() == can.backup);
  CHECK(std::filesystem::exists(directory.file("copy.db")) == can.backup);
  CHECK(store.data().check_itself().value().empty());
}
