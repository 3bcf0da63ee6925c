#pragma once
// Shelves, books and loans: rows that belong to others, in a store of either kind, for the tests of queries and bulks.

#include "temporary_directory.hpp"

#include <doctest/doctest.h>
#include <herald/resource.hpp>
#include <herald/store.hpp>

namespace library_test {

using namespace herald::dsl;
using herald::action_options;
using herald::event_kind;
using herald::request_for;
using herald::resource_errc;
using herald::table_of;

struct Shelf {
  std::int64_t id = 0;
  std::string name;
  std::optional<std::int64_t> inside;
};
inline constexpr auto shelves = herald::resource<Shelf>("shelves",
  attribute<&Shelf::id>(primary_key),
  attribute<&Shelf::name>(),
  attribute<&Shelf::inside>(belongs_to_itself, on_destroy{"remove"}),
  create("build", accepts<&Shelf::id, &Shelf::name, &Shelf::inside>),
  update("hang", accepts<&Shelf::inside>),
  destroy("remove"));

struct Book {
  std::int64_t id = 0;
  std::string title{};
  std::optional<std::string> author{};
  double rating = 0;
  std::int64_t pages = 0;
  std::optional<std::int64_t> shelf{};
  std::vector<std::string> tags{};
  std::string isbn{};
  std::string secret{};
};
inline constexpr auto books = herald::resource<Book>("books",
  attribute<&Book::id>(primary_key),
  attribute<&Book::title>(max_length{20}),
  attribute<&Book::author>(),
  attribute<&Book::rating>(),
  attribute<&Book::pages>(min{0}),
  attribute<&Book::shelf>(belongs_to<shelves>, on_destroy{"drop"}),
  attribute<&Book::tags>(),
  attribute<&Book::isbn>(),
  attribute<&Book::secret>(sensitive),
  identity<&Book::isbn>("isbn"),
  create("add", accepts<&Book::id, &Book::title, &Book::author, &Book::rating, &Book::pages, &Book::shelf, &Book::tags, &Book::isbn,
    &Book::secret>),
  update("edit", accepts<&Book::title, &Book::pages, &Book::shelf>),
  update("grow", accepts<>, change{[](auto& b) { b.increment(field<&Book::pages>, 100); }}),
  destroy("drop"),
  pub_sub("book", publish_all(herald::op::create, topic(field<&Book::shelf>, "added")), publish_all(herald::op::destroy, topic("dropped"))));

struct Loan {
  std::int64_t id = 0;
  std::int64_t book = 0;
};
inline constexpr auto loans = herald::resource<Loan>("loans",
  attribute<&Loan::id>(primary_key),
  attribute<&Loan::book>(belongs_to<books>),
  create("lend", accepts<&Loan::id, &Loan::book>),
  destroy("give_back"));

struct Account {
  std::int64_t id = 0;
  std::string org;
  std::int64_t money = 0;
};
inline constexpr auto accounts = herald::resource<Account>("accounts",
  attribute<&Account::id>(primary_key), attribute<&Account::org>(tenant), attribute<&Account::money>(min{0}),
  create("open", accepts<&Account::id, &Account::money>), update("pay", accepts<&Account::money>), destroy("close"));

inline const std::vector<const herald::resource_table*> tables{&table_of<shelves>, &table_of<books>, &table_of<loans>,
                                                               &table_of<accounts>};

// The two kinds of store, for TEST_CASE_TEMPLATE.
struct in_memory {
  herald::store store = herald::store::open(tables, herald::memory_options{}).value();
};
struct on_sqlite {
  herald::test::temporary_directory directory;
  herald::store store = herald::store::open(tables, herald::sqlite_options{.file = directory.file("library.db")}).value();
};

inline void shelf(const herald::store& store, std::int64_t id, std::optional<std::int64_t> inside = {}) {
  const auto built = store.run<shelves, "build">(field<&Shelf::id> = id, field<&Shelf::name> = "s", field<&Shelf::inside> = inside);
  REQUIRE_MESSAGE(built.has_value(), built.error().to_string());
}
inline herald::result<Book> add(const herald::store& store, const Book& b) {
  return store.run<books, "add">(field<&Book::id> = b.id, field<&Book::title> = b.title, field<&Book::author> = b.author,
                                 field<&Book::rating> = b.rating, field<&Book::pages> = b.pages, field<&Book::shelf> = b.shelf,
                                 field<&Book::tags> = b.tags, field<&Book::isbn> = "i" + std::to_string(b.id),
                                 field<&Book::secret> = b.secret);
}
inline std::string message_of(const herald::error& why, std::string_view of) {
  for (const auto& one : why.fields()) {
    if (one.field == of) return one.message;
  }
  return "(nothing about " + std::string{of} + ")";
}

}  // namespace library_test
