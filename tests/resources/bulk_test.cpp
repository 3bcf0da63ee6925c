#include "library.hpp"

#include <numeric>

using namespace library_test;
using herald::bulk_errors;
using herald::bulk_options;
using herald::bulk_status;

namespace {

std::vector<std::int64_t> numbers(std::int64_t from, std::int64_t count) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), from);
  return all;
}
/// Multiples of 5 break a rule.
herald::action_request book(std::int64_t id) {
  return request_for<books, "add">(field<&Book::id> = id, field<&Book::title> = id % 5 == 0 ? std::string(30, 'x') : "t",
                                   field<&Book::isbn> = "i" + std::to_string(id), field<&Book::pages> = id);
}
std::uint64_t rows(const herald::store& store) { return store.count<books>().value(); }

}  // namespace

TEST_CASE_TEMPLATE("C46: a bulk of nothing is a success", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  const auto done = s.bulk(std::vector<std::int64_t>{}, book);
  CHECK(done.status() == bulk_status::success);
  CHECK(done.done() == 0);
}

TEST_CASE_TEMPLATE("C44, N27, N30: a bulk create gives records, errors and events when asked, and each row has its event", Store, in_memory,
                   on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  const auto quiet = s.bulk(numbers(1, 4), book);
  CHECK(quiet.created == 4);
  CHECK(quiet.records.empty());
  CHECK(quiet.events.empty());
  const auto all = s.bulk(numbers(6, 4), book, bulk_options{.batch_size = 2, .return_records = true, .return_events = true});
  CHECK(all.status() == bulk_status::success);
  REQUIRE(all.records.size() == 4);
  CHECK(all.records[3].template as<Book>()->id == 9);
  REQUIRE(all.events.size() == 4);
  CHECK(all.events[0]->at.sequence == 5);
  CHECK(s.head().sequence == 8);
  CHECK(rows(s) == 8);
}

TEST_CASE_TEMPLATE("C49: go_on runs all, and undoes each failing one alone: 6 inputs with 2 bad are 4 rows and 2 errors", Store, in_memory,
                   on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  const std::vector<std::int64_t> six{1, 5, 2, 3, 10, 4};
  const auto done = s.bulk(six, book, bulk_options{.batch_size = 4, .on_error = bulk_errors::go_on});
  CHECK(done.status() == bulk_status::partial_success);
  CHECK(done.created == 4);
  CHECK(done.failed == 2);
  REQUIRE(done.errors.size() == 2);
  CHECK(done.errors[0].index == 1);
  CHECK(done.errors[1].index == 4);
  CHECK(message_of(done.errors[1].why, "title") == "must have at most 20 characters, got 30");
  CHECK(rows(s) == 4);
  CHECK(s.head().sequence == 4);
  const auto many = s.bulk(std::vector<std::int64_t>(50, 5), book, bulk_options{.on_error = bulk_errors::go_on, .keep_errors = 3});
  CHECK(many.failed == 50);
  CHECK(many.errors.size() == 3);
  CHECK(many.status() == bulk_status::failure);
}

TEST_CASE_TEMPLATE("R20: stop undoes the batch in hand and keeps what earlier ones did", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  const auto done = s.bulk(std::vector<std::int64_t>{1, 2, 3, 5, 6}, book, bulk_options{.batch_size = 2});
  CHECK(done.created == 2);
  CHECK(done.failed == 1);
  CHECK(done.errors.at(0).index == 3);
  CHECK(rows(s) == 2);
  CHECK(s.head().sequence == 2);
}

TEST_CASE_TEMPLATE("C50: all_or_nothing undoes everything when one fails", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  const auto done = s.bulk(std::vector<std::int64_t>{1, 2, 3, 5, 6}, book, bulk_options{.batch_size = 2, .all_or_nothing = true});
  CHECK(done.status() == bulk_status::failure);
  CHECK(done.done() == 0);
  CHECK(rows(s) == 0);
  CHECK(s.head().sequence == 0);
  CHECK(s.bulk(numbers(6, 4), book, bulk_options{.batch_size = 2, .all_or_nothing = true}).created == 4);
}

TEST_CASE_TEMPLATE("C54: with a filter only the rows it means change, by updates and by destroys", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  for (std::int64_t id : numbers(1, 40)) {
    if (id % 5 != 0) REQUIRE(s.perform(book(id)));
  }
  const auto grown = s.bulk_update<books, "grow">(field<&Book::pages> > 30, bulk_options{.batch_size = 3, .return_records = true});
  REQUIRE(grown);
  CHECK(grown->updated == 8);
  CHECK(grown->records.front().template as<Book>()->pages == 131);
  CHECK(s.count<books>(field<&Book::pages> > 100).value() == 8);
  const auto dropped = s.bulk_destroy<books, "drop">(field<&Book::pages> <= 20, bulk_options{.batch_size = 5});
  REQUIRE(dropped);
  CHECK(dropped->destroyed == 16);
  CHECK(rows(s) == 16);
  const auto edited = s.bulk_update<books, "edit">(field<&Book::pages> > 100, field<&Book::title> = "long");
  REQUIRE(edited);
  CHECK(edited->updated == 8);
  CHECK(s.count<books>(field<&Book::title> == "long").value() == 8);
  CHECK(s.bulk_update<books, "grow">(limit{3}).is(resource_errc::invalid));
}

TEST_CASE_TEMPLATE("C54: a bulk update keeps to its tenant", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  for (std::int64_t id : numbers(1, 6)) {
    REQUIRE(s.run<accounts, "open">(field<&Account::id> = id, action_options{.tenant = id % 2 == 0 ? "even" : "odd"}));
  }
  CHECK(s.bulk_update<accounts, "pay">(field<&Account::money> = 5).is(resource_errc::tenant_required));
  const auto paid = s.bulk_update<accounts, "pay">(field<&Account::money> = 5, action_options{.tenant = "odd"});
  REQUIRE(paid);
  CHECK(paid->updated == 3);
  CHECK(s.bulk_destroy<accounts, "close">(all_tenants)->destroyed == 6);
}

TEST_CASE_TEMPLATE("C55: many updates with inputs of their own: who is gone or stale says so, and the others succeed", Store, in_memory,
                   on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  REQUIRE(s.bulk(numbers(1, 4), book).done() == 4);
  const auto done = s.bulk(std::vector<std::int64_t>{1, 9, 3}, [](std::int64_t id) {
    return request_for<books, "edit">(id, field<&Book::title> = "n" + std::to_string(id)); },
    bulk_options{.on_error = bulk_errors::go_on});
  CHECK(done.updated == 2);
  REQUIRE(done.errors.size() == 1);
  CHECK(done.errors[0].index == 1);
  CHECK(done.errors[0].why.is(resource_errc::not_found));
  CHECK(s.get<books>(3)->title == "n3");
}

TEST_CASE_TEMPLATE("R21, C62: a transaction gives its value, and a piece of it is undone alone", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  const auto made = s.transact([](herald::transaction& tx) -> herald::result<std::int64_t> {
    auto first = herald::run<books, "add">(tx, field<&Book::id> = 1, field<&Book::isbn> = "a");
    if (!first) return first.error();
    const auto piece = herald::transact(tx, [](herald::transaction& inner) -> herald::result<int> {
      auto second = herald::run<books, "add">(inner, field<&Book::id> = 2, field<&Book::isbn> = "b");
      if (!second) return second.error();
      const auto deeper = herald::transact(inner, [](herald::transaction& deepest) -> herald::result<int> {
        auto third = herald::run<books, "add">(deepest, field<&Book::id> = 3, field<&Book::isbn> = "c");
        return third ? herald::result<int>{3} : herald::result<int>{third.error()};
      });
      CHECK(deeper.value() == 3);
      return herald::error{resource_errc::invalid, "not this piece"};
    });
    CHECK_FALSE(piece);
    return first->id;
  });
  CHECK(made.value() == 1);
  CHECK(rows(s) == 1);
  CHECK(s.head().sequence == 1);
}

TEST_CASE_TEMPLATE("C44: with go_on every input is either done or failed, also where a batch is undone as a whole", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  s.close();  // whatever undoes a batch: here nothing is run at all
  const auto done = s.bulk(numbers(1, 7), book, bulk_options{.batch_size = 3, .on_error = bulk_errors::go_on, .keep_errors = 5});
  CHECK(done.done() == 0);
  CHECK(done.failed == 7);
  REQUIRE(done.errors.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) CHECK(done.errors[i].index == i);
  CHECK(done.errors[4].why.is(resource_errc::closed));
  CHECK(done.status() == bulk_status::failure);
}
