#include "library.hpp"

#include <random>

using namespace library_test;

namespace {

void fill(const herald::store& store) {
  shelf(store, 1);
  shelf(store, 2);
  REQUIRE(add(store, {.id = 1, .title = "Dune", .author = "Herbert", .rating = 4.5, .pages = 600, .shelf = 1, .tags = {"sf"}}));
  REQUIRE(add(store, {.id = 2, .title = "dune 2", .author = "Herbert", .rating = 3, .pages = 300, .shelf = 1}));
  REQUIRE(add(store, {.id = 3, .title = "Emma", .author = "Austen", .rating = 4, .pages = 400, .shelf = 2}));
  REQUIRE(add(store, {.id = 4, .title = "Beowulf", .rating = 4, .pages = 200}));
  REQUIRE(add(store, {.id = 5, .title = "100% [wool]*", .rating = 1, .pages = 50, .shelf = 2, .secret = "s"}));
}

using ids = std::vector<std::int64_t>;
template <class... Words>
ids asked(const herald::store& store, const Words&... words) {
  const auto found = store.select<books>(words...);
  REQUIRE_MESSAGE(found.has_value(), found.error().to_string());
  ids all;
  for (const Book& one : *found) all.push_back(one.id);
  const auto counted = store.count<books>(words...);
  REQUIRE(counted);
  return all;
}

}  // namespace

TEST_CASE_TEMPLATE("R1: filters mean the same rows in every store", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  fill(s);
  CHECK(asked(s) == ids{1, 2, 3, 4, 5});
  CHECK(asked(s, field<&Book::author> == "Herbert") == ids{1, 2});
  CHECK(asked(s, field<&Book::id> == 3) == ids{3});
  CHECK(asked(s, field<&Book::isbn> == "i4") == ids{4});
  CHECK(asked(s, field<&Book::shelf> == 2) == ids{3, 5});
  CHECK(asked(s, field<&Book::rating> == 4) == ids{3, 4});
  CHECK(asked(s, field<&Book::pages> > 200 && field<&Book::pages> <= 400) == ids{2, 3});
  CHECK(asked(s, field<&Book::pages> < 100 || field<&Book::rating> >= 4.5) == ids{1, 5});
  CHECK(asked(s, in(field<&Book::title>, "Dune", "Emma", "Nothing")) == ids{1, 3});
  CHECK(asked(s, in(field<&Book::id>, ids{})) == ids{});
  CHECK(asked(s, !in(field<&Book::id>, ids{1, 2})) == ids{3, 4, 5});
  CHECK(asked(s, is_null(field<&Book::author>)) == ids{4, 5});
  CHECK(asked(s, field<&Book::author> != std::nullopt) == ids{1, 2, 3});
  CHECK(asked(s, field<&Book::tags> == std::vector<std::string>{"sf"}) == ids{1});
  CHECK(asked(s, starts_with(field<&Book::title>, "D")) == ids{1});
  CHECK(asked(s, starts_with(field<&Book::title>, "100% [")) == ids{5});
  CHECK(asked(s, like(field<&Book::title>, "%un_")) == ids{1});
  CHECK(asked(s, like(field<&Book::title>, "%[wool]*")) == ids{5});
  CHECK(asked(s, like(field<&Book::title>, "dune")) == ids{});
}

TEST_CASE_TEMPLATE("R2: a comparison with null is neither true nor false, and so is its negation", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  fill(s);
  CHECK(asked(s, field<&Book::author> != "Austen") == ids{1, 2});
  CHECK(asked(s, !(field<&Book::author> == "Austen")) == ids{1, 2});
  CHECK(asked(s, field<&Book::author> == "Austen" || field<&Book::id> == 4) == ids{3, 4});
  CHECK(asked(s, !(field<&Book::author> == "Austen" && field<&Book::id> == 4)) == ids{1, 2, 3, 5});
  CHECK(asked(s, !like(field<&Book::author>, "A%")) == ids{1, 2});
  CHECK(asked(s, field<&Book::shelf> == std::optional<std::int64_t>{}) == ids{4});
}

TEST_CASE_TEMPLATE("R3: rows come in the order asked for, nulls first, the key at the end; limit and offset_by cut", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  fill(s);
  CHECK(asked(s, desc(field<&Book::rating>)) == ids{1, 3, 4, 2, 5});
  CHECK(asked(s, asc(field<&Book::author>), desc(field<&Book::id>)) == ids{5, 4, 3, 2, 1});
  CHECK(asked(s, desc(field<&Book::author>)) == ids{1, 2, 3, 4, 5});
  CHECK(asked(s, desc(field<&Book::pages>), limit{2}) == ids{1, 3});
  CHECK(asked(s, desc(field<&Book::pages>), limit{2}, offset_by{1}) == ids{3, 2});
  CHECK(asked(s, offset_by{4}) == ids{5});
  CHECK(asked(s, offset_by{9}) == ids{});
  CHECK(s.count<books>(field<&Book::rating> == 4, limit{1}).value() == 2);
}

TEST_CASE_TEMPLATE("C59: a page says how many rows there are in all when asked, and whether more follow", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  fill(s);
  const auto first = s.page<books>(field<&Book::pages> >= 200, limit{3}, with_count).value();
  CHECK(first.rows.size() == 3);
  CHECK(first.more);
  CHECK(first.count == 4);
  const auto second = s.page<books>(field<&Book::pages> >= 200, limit{3}, page_after{first.next}).value();
  CHECK(second.rows.size() == 1);
  CHECK_FALSE(second.more);
  CHECK(second.next.empty());
  CHECK_FALSE(second.count);
  CHECK(s.page<books>(offset_by{4}).value().rows.size() == 1);
}

TEST_CASE_TEMPLATE("R4: pages by keyset give each row once, in any order, nulls too, while others come and go", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  shelf(s, 1);
  std::mt19937_64 random{4};
  for (std::int64_t id = 1; id <= 60; ++id) {
    Book made{.id = id, .title = "t", .rating = static_cast<double>(random() % 5), .pages = static_cast<std::int64_t>(random() % 3)};
    if (random() % 3 != 0) made.author = std::string(1, static_cast<char>('a' + random() % 4));
    REQUIRE(add(s, made));
  }
  const auto walk = [&](auto... order) {
    std::vector<std::int64_t> seen;
    std::string next;
    do {
      const auto page = s.page<books>(order..., limit{7}, page_after{next}).value();
      for (const Book& one : page.rows) seen.push_back(one.id);
      next = page.next;
    } while (!next.empty());
    CHECK(seen == asked(s, order...));
    CHECK(seen.size() == 60);
  };
  walk();
  walk(asc(field<&Book::author>));
  walk(desc(field<&Book::author>), asc(field<&Book::pages>));
  walk(asc(field<&Book::rating>), desc(field<&Book::author>), desc(field<&Book::id>));
  std::uint64_t seen = 0;
  CHECK(s.stream<books>([&](const Book&) { return ++seen < 10; }, desc(field<&Book::pages>)).value() == 10);
  CHECK(s.stream<books>([&](const Book&) { return true; }).value() == 60);
}

TEST_CASE_TEMPLATE("C57: a keyset that is damaged or of another order is refused, and shows nothing", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  fill(s);
  const auto good = s.page<books>(desc(field<&Book::pages>), limit{2}).value().next;
  const auto with = [&](std::string_view keyset) { return s.page<books>(desc(field<&Book::pages>), limit{2}, page_after{keyset}); };
  CHECK(with(good));
  CHECK(with("no keyset!").is(resource_errc::invalid_keyset));
  CHECK(with(good.substr(0, good.size() - 3)).is(resource_errc::invalid_keyset));
  CHECK(with(good + "AAAA").is(resource_errc::invalid_keyset));
  const auto other = s.page<books>(asc(field<&Book::title>), limit{2}, page_after{good});
  REQUIRE(other.is(resource_errc::invalid_keyset));
  CHECK(other.error().message() ==
        "resource books: this keyset does not say where a page begins: it is of a query with another order");
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bent = good;
    bent[i] = bent[i] == 'A' ? 'B' : 'A';
    const auto page = with(bent);
    CHECK((page || page.is(resource_errc::invalid_keyset)));
  }
}

TEST_CASE_TEMPLATE("C61: only a tenant's rows are read, and a tenant must be named", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  REQUIRE(s.run<accounts, "open">(field<&Account::id> = 1, action_options{.tenant = "one"}));
  REQUIRE(s.run<accounts, "open">(field<&Account::id> = 2, action_options{.tenant = "two"}));
  CHECK(s.select<accounts>().is(resource_errc::tenant_required));
  CHECK(s.count<accounts>().is(resource_errc::tenant_required));
  CHECK(s.page<accounts>().is(resource_errc::tenant_required));
  CHECK(s.select<accounts>(for_tenant{"one"})->front().id == 1);
  CHECK(s.count<accounts>(for_tenant{"one"}).value() == 1);
  CHECK(s.count<accounts>(all_tenants).value() == 2);
  CHECK(s.get<accounts>(1, for_tenant{"one"})->org == "one");
  CHECK(s.get<accounts>(2, for_tenant{"one"}).is(resource_errc::not_found));
  CHECK(s.get<accounts>(1).is(resource_errc::tenant_required));
  CHECK((*s.page<accounts>(for_tenant{"two"}, with_count)).count == 1);
}

TEST_CASE_TEMPLATE("R5: a query inside a transaction sees what the transaction did", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  fill(s);
  const auto seen = s.transact([&](herald::transaction& tx) -> herald::result<std::size_t> {
    auto dropped = herald::run<books, "drop">(tx, 1);
    if (!dropped) return dropped.error();
    auto left = herald::select<books>(tx, field<&Book::author> == "Herbert");
    if (!left) return left.error();
    return left->size();
  });
  CHECK(seen.value() == 1);
}

TEST_CASE("R6: by name, an unknown attribute and a value that does not fit are refused by name") {
  herald::query of{.resource = &table_of<books>};
  of.where = herald::condition::compare("titel", herald::comparison::equal, herald::value{"x"});
  const auto unknown = herald::complete(of, {}, false);
  REQUIRE(unknown.is(resource_errc::no_such_input));
  CHECK(unknown.error().message() == "resource books cannot be asked for \"titel\"");
  of.where = herald::condition::compare("pages", herald::comparison::more, herald::value{"many"});
  const auto wrong = herald::complete(of, {}, false);
  REQUIRE(wrong.is(resource_errc::invalid));
  CHECK(message_of(wrong.error(), "pages") == "must be compared with integer, got text");
  of.where = herald::condition::like("pages", "1%");
  CHECK(herald::complete(of, {}, false).is(resource_errc::invalid));
}

TEST_CASE_TEMPLATE("R70: a stream begins where offset_by or page_after say and ends after limit rows, whatever its pages hold", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  shelf(s, 1);
  for (std::int64_t id = 1; id <= 600; ++id) REQUIRE(add(s, {.id = id, .title = "t"}));
  const auto streamed = [&](const auto&... words) {
    ids all;
    const auto seen = s.stream<books>([&](const Book& one) {
      all.push_back(one.id);
      return true;
    }, words...);
    REQUIRE_MESSAGE(seen.has_value(), seen.error().to_string());
    CHECK(*seen == all.size());
    return all;
  };
  const auto between = [](std::int64_t first, std::int64_t last) {
    ids all;
    for (std::int64_t id = first; id <= last; ++id) all.push_back(id);
    return all;
  };
  CHECK(streamed() == between(1, 600));
  CHECK(streamed(limit{3}) == between(1, 3));
  CHECK(streamed(limit{300}) == between(1, 300));
  CHECK(streamed(limit{0}) == ids{});
  CHECK(streamed(offset_by{10}) == between(11, 600));
  CHECK(streamed(offset_by{10}, limit{260}) == between(11, 270));
  const std::string after = (*s.page<books>(limit{400})).next;
  CHECK(streamed(page_after{after}) == between(401, 600));
  CHECK(streamed(page_after{after}, limit{5}) == between(401, 405));
}

TEST_CASE_TEMPLATE("R71: the smallest and the largest limit mean what they say", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  fill(s);
  constexpr auto most = std::numeric_limits<std::size_t>::max();
  const auto none = s.page<books>(limit{0}).value();
  CHECK(none.rows.empty());
  CHECK(none.more);
  CHECK(s.page<books>(limit{most}).value().rows.size() == 5);
  CHECK_FALSE(s.page<books>(limit{most}).value().more);
  CHECK(asked(s, limit{0}) == ids{});
  CHECK(asked(s, limit{most}) == ids{1, 2, 3, 4, 5});
  CHECK(asked(s, offset_by{most}) == ids{});
}

TEST_CASE("R72: a query whose visitor throws leaves its connection fit for the next one") {
  herald::test::temporary_directory directory;
  herald::sqlite_options options{.file = directory.file("library.db")};
  options.readers = 1;
  const auto s = herald::store::open(tables, options).value();
  fill(s);
  const auto of = herald::query_for<books>().value();
  const auto throws = [](const herald::record&) { throw std::runtime_error{"enough"}; };
  CHECK_THROWS_AS(static_cast<void>(s.select(of, throws)), std::runtime_error);
  CHECK(asked(s) == ids{1, 2, 3, 4, 5});
  CHECK_THROWS_AS(static_cast<void>(s.scan(table_of<books>, throws)), std::runtime_error);
  REQUIRE(add(s, {.id = 6, .title = "later"}));
  CHECK(asked(s) == ids{1, 2, 3, 4, 5, 6});
}

TEST_CASE("R73: a query's visitor may ask for more, however few readers the store may have") {
  herald::test::temporary_directory directory;
  herald::sqlite_options options{.file = directory.file("library.db")};
  options.readers = 1;
  const auto s = herald::store::open(tables, options).value();
  fill(s);
  std::uint64_t seen = 0;
  REQUIRE(s.select(herald::query_for<books>().value(), [&](const herald::record& one) {
    seen += s.count<books>(field<&Book::id> <= one.as<Book>()->id).value();
    CHECK(s.get<books>(one.as<Book>()->id)->id == one.as<Book>()->id);
  }));
  CHECK(seen == 15);
}

TEST_CASE_TEMPLATE("R74: a filter of many parts means what it says, and one that a store cannot take is the caller's mistake", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  fill(s);
  const auto is = [](std::int64_t id) { return herald::condition::compare("id", herald::comparison::equal, herald::value{id}); };
  herald::condition nested = is(3);
  std::vector<herald::condition> flat{is(3)};
  for (std::int64_t id = 100; id < 3000; ++id) {
    nested = herald::condition::any_of({std::move(nested), is(id)});
    flat.push_back(is(id));
  }
  CHECK(asked(s, nested) == ids{3});
  CHECK(asked(s, herald::condition::any_of(flat)) == ids{3});
  for (herald::condition& one : flat) one = herald::condition::negation(std::move(one));
  CHECK(asked(s, herald::condition::all_of(flat)) == ids{1, 2, 4, 5});
  herald::condition deep = is(3);
  for (int i = 0; i < 3000; ++i) deep = herald::condition::negation(std::move(deep));
  const auto found = s.select<books>(deep);
  CHECK((found || found.is(resource_errc::invalid)));
}

TEST_CASE_TEMPLATE("R75: texts with a zero byte are found by starts_with and like as any other", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  using namespace std::string_literals;
  REQUIRE(add(s, {.id = 1, .title = "a\0b"s}));
  REQUIRE(add(s, {.id = 2, .title = "a\0c"s}));
  REQUIRE(add(s, {.id = 3, .title = "a"}));
  REQUIRE(add(s, {.id = 4, .title = "\xff\xff!"}));
  CHECK(asked(s, starts_with(field<&Book::title>, "a\0b"s)) == ids{1});
  CHECK(asked(s, starts_with(field<&Book::title>, "a")) == ids{1, 2, 3});
  CHECK(asked(s, starts_with(field<&Book::title>, "\xff")) == ids{4});
  CHECK(asked(s, starts_with(field<&Book::title>, "")) == ids{1, 2, 3, 4});
  CHECK(asked(s, starts_with(field<&Book::author>, "")) == ids{});
  CHECK(asked(s, like(field<&Book::title>, "a%c")) == ids{2});
  CHECK(asked(s, like(field<&Book::title>, "%b")) == ids{1});
  CHECK(asked(s, like(field<&Book::title>, "a\0_"s)) == ids{1, 2});
  CHECK(asked(s, like(field<&Book::title>, "a")) == ids{3});
  CHECK(asked(s, !like(field<&Book::author>, "%")) == ids{});
}
