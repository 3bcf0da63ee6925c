#include "ticket.hpp"

using namespace ticket_test;
using herald::table_of;

namespace {

struct Base {
  std::int64_t id = 0;
  std::string made_by;
};

class Derived : public std::string, public Base {  // a base that is not at the beginning, and no aggregate
 public:
  Derived() = default;
  std::string title;
};

inline constexpr auto derived = herald::resource<Derived>("derived",
  schema_version{3},
  attribute<&Derived::id>(primary_key, generated),
  attribute<&Derived::made_by>(column{"author"}, was{"maker"}),
  attribute<&Derived::title>(),
  identity<&Derived::title, &Derived::made_by>("title_of_author"),
  create("make", accepts<&Derived::made_by, &Derived::title>));

}  // namespace

TEST_CASE("a description is data: names, types and flags are in its table, computed by the compiler") {
  constexpr const herald::resource_table& table = table_of<tickets>;
  static_assert(table.name == "tickets");
  static_assert(table.attributes.size() == 6);
  static_assert(table.attributes[3].name == "representative_id");
  static_assert(table.attributes[3].nullable());
  static_assert(table.attributes[3].type() == herald::value_type::uuid);
  static_assert(table.key.size() == 1);
  CHECK(table.find_attribute("status") == 2);
  CHECK(table.find_attribute("nope") == herald::resource_table::none);
  CHECK(table.find_action("assign") == 2);
  CHECK(table.find_action("nope") == herald::resource_table::none);
  CHECK(table.actions[0].kind == herald::op::create);
  CHECK(table.actions[0].accepts == (herald::detail::bit(1) | herald::detail::bit(4)));
  CHECK(table.publications.size() == 4);
  CHECK(table.publications[1].name == "reassigned");
  CHECK(table.publications[1].previous_values);
  CHECK(table.prefix == "ticket");
}

TEST_CASE("inherited members are attributes, wherever their base lies in the struct") {
  const auto& table = table_of<derived>;
  Derived row;
  row.assign("the other base");
  row.made_by = "me";
  CHECK(table.attributes[1].get(&row).text() == "me");
  CHECK(table.attributes[1].set(&row, "you") == herald::cast_status::ok);
  CHECK(row.made_by == "you");
  CHECK(row.compare("the other base") == 0);
}

TEST_CASE("stored names, former names, identities and the schema version are in the table") {
  const auto& table = table_of<derived>;
  CHECK(table.schema_version == 3);
  CHECK(table_of<tickets>.schema_version == 1);
  CHECK(table.attributes[1].name == "made_by");
  CHECK(table.attributes[1].column == "author");
  CHECK(table.attributes[1].was == "maker");
  CHECK(table.attributes[2].column == "title");
  REQUIRE(table.identities.size() == 1);
  CHECK(table.identities[0].name == "title_of_author");
  CHECK(table.identities[0].attributes == (herald::detail::bit(1) | herald::detail::bit(2)));
}

TEST_CASE("C36: a second row with the same identity has already been taken, on its fields") {
  scratch store{{&table_of<derived>}};
  store.must(herald::request_for<derived, "make">(field<&Derived::made_by> = "a", field<&Derived::title> = "t"));
  store.must(herald::request_for<derived, "make">(field<&Derived::made_by> = "b", field<&Derived::title> = "t"));
  const auto refused = store(herald::request_for<derived, "make">(field<&Derived::made_by> = "a", field<&Derived::title> = "t"));
  REQUIRE(refused.is(herald::resource_errc::taken));
  REQUIRE_FALSE(refused.error().fields().empty());
  CHECK(refused.error().fields()[0].message == "has already been taken");
}

TEST_CASE("a table makes, copies, compares and changes rows of a struct it does not know") {
  const auto& table = table_of<tickets>;
  const auto made = table.make();
  CHECK(table.attributes[2].get(made.get()).text() == "open");  // the struct's own initialiser
  const auto copy = table.clone(made.get());
  CHECK(table.attributes[2].same(made.get(), copy.get()));
  CHECK(table.attributes[2].set(copy.get(), "closed") == herald::cast_status::ok);
  CHECK_FALSE(table.attributes[2].same(made.get(), copy.get()));
  CHECK(table.attributes[2].get(made.get()).text() == "open");
}

TEST_CASE("a typed request holds what was given, and nothing else") {
  const auto request = herald::request_for<tickets, "open">(field<&Ticket::subject> = "x", field<&Ticket::team_id> = 7);
  CHECK(request.resource == &table_of<tickets>);
  CHECK(request.action == 0);
  CHECK(request.given == (herald::detail::bit(1) | herald::detail::bit(4)));
  CHECK(request.input.as<Ticket>()->subject == "x");
  CHECK(request.input.as<Ticket>()->team_id == 7);
  const auto close = herald::request_for<tickets, "close">(uuid{{5}});
  CHECK(close.given == 0);
  CHECK_FALSE(close.input);
  CHECK(close.key == herald::row_key{uuid{{5}}});
  CHECK_FALSE(close.from_copy);
  Ticket copy;
  copy.version = 4;
  const auto from_copy = herald::request_for<tickets, "close">(copy);
  CHECK(from_copy.from_copy);
  CHECK(from_copy.version == 4);
}
