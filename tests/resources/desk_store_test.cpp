// What the language promises, held by both kinds of store: identities with nulls and tenants, upserts, soft destroys.

#include "desk.hpp"
#include "temporary_directory.hpp"

#include <herald/detail/sqlite_query.hpp>
#include <herald/detail/sqlite_storage.hpp>
#include <herald/detail/store_state.hpp>
#include <herald/store.hpp>
#include <herald/verify.hpp>

using namespace desk_test;

namespace {

const std::vector<const herald::resource_table*> tables{&table_of<cases>, &table_of<members>};

struct in_memory {
  herald::store store = herald::store::open(tables, herald::memory_options{}).value();
};
struct on_sqlite {
  herald::test::temporary_directory directory;
  herald::store store = herald::store::open(tables, herald::sqlite_options{.file = directory.file("desk.db")}).value();
};

const action_options one{.tenant = "one"};

/// How SQLite would go about a query.
std::string plan_of(const herald::store& store, const herald::query& of) {
  auto sql = herald::detail::where_of(of);
  herald::detail::append_order(of, sql);
  auto& db = static_cast<herald::detail::sqlite_storage&>(store.state()->data()).writer_connection();
  auto ask = db.prepare("EXPLAIN QUERY PLAN SELECT * FROM " + std::string{of.resource->name} + sql.text, "explain").value();
  std::string plan;
  while (ask.step() == herald::detail::sqlite::step_result::row) plan.append(ask.bytes(3)).append("; ");
  return plan;
}

}  // namespace

TEST_CASE_TEMPLATE("C36, C37: two nulls conflict where the identity says so, and are free again after the row is gone", Store, in_memory,
                   on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  const auto join = [&](const char* email, std::optional<std::string> nick) {
    return s.run<members, "join">(field<&Member::email> = email, field<&Member::nick> = nick, one);
  };
  const auto first = join("a@x", {});
  REQUIRE(first);
  const auto taken = join("b@x", {});
  REQUIRE(taken.is(resource_errc::taken));
  CHECK(message_of(taken.error(), "nick") == "has already been taken");
  REQUIRE(join("b@x", ""));  // empty is not null
  CHECK(join("c@x", "").is(resource_errc::taken));
  REQUIRE(s.run<members, "leave">(first->id, one));
  CHECK(join("c@x", {}));
}

TEST_CASE_TEMPLATE("H4, C41: an upsert finds its row by the identity, in its own tenant, and says what it did", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  const auto sync = [&](const char* org, const char* name) {
    return s.perform(request_for<members, "sync">(field<&Member::email> = "a@x", field<&Member::name> = name, action_options{.tenant = org})).value();
  };
  CHECK(sync("one", "Al").kind == event_kind::created);
  CHECK(sync("two", "Al").kind == event_kind::created);
  CHECK(sync("one", "Bo").kind == event_kind::updated);
  CHECK(sync("one", "Bo").kind == event_kind::unchanged);
  CHECK(s.select<members>(for_tenant{"one"})->front().name == "Bo");
  CHECK(s.select<members>(for_tenant{"two"})->front().name == "Al");
  CHECK(s.head().sequence == 3);
}

TEST_CASE_TEMPLATE("C35: rows that soft destroys left are explained by the log", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  const auto made = s.run<cases, "open">(field<&Case::subject> = "x").value();
  REQUIRE(s.run<cases, "archive">(made.id));
  CHECK(s.get<cases>(made.id)->note == "archived");
  const auto events = s.read(s.beginning(), 10).value().events;
  CHECK(events.back()->kind == event_kind::destroyed);
  REQUIRE(events.back()->after);
  CHECK(events.back()->after.template as<Case>()->note == "archived");
  CHECK(events.back()->before.template as<Case>()->note.empty());
  CHECK(herald::detail::verify(s.state()->data()).value().holds());
}

TEST_CASE("R7: a query on an identity or the key asks its index, by one statement") {
  on_sqlite at;
  const auto email = herald::query_for<members>(field<&Member::email> == "a@x", for_tenant{"one"}).value();
  CHECK(plan_of(at.store, email).find("USING INDEX herald_members_email") != std::string::npos);
  const auto key = herald::query_for<cases>(field<&Case::id> == 3).value();
  CHECK(plan_of(at.store, key).find("INTEGER PRIMARY KEY") != std::string::npos);
  const auto none = herald::query_for<cases>(field<&Case::subject> == "x").value();
  CHECK(plan_of(at.store, none).find("SCAN") == 0);
}

TEST_CASE("N12: the actor's name is in the log's payload, and read back after the store was closed") {
  herald::test::temporary_directory directory;
  const auto file = directory.file("desk.db");
  {
    const auto store = herald::store::open(tables, herald::sqlite_options{.file = file}).value();
    REQUIRE(store.run<cases, "open">(field<&Case::subject> = "x", action_options{.by = actor{"ada"}}));
    REQUIRE(store.run<cases, "open">(field<&Case::subject> = "y"));
  }
  const auto store = herald::store::open(tables, herald::sqlite_options{.file = file}).value();
  const auto events = store.read(store.beginning(), 10).value().events;
  REQUIRE(events.size() == 2);
  CHECK(events[0]->actor == "ada");
  CHECK(events[1]->actor.empty());
}
