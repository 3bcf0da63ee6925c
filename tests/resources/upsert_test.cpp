#include "desk.hpp"

using namespace desk_test;

namespace {

const action_options one{.tenant = "one"};

Member joined(scratch& store) {
  const auto made = store(request_for<members, "join">(field<&Member::email> = "a@x", field<&Member::nick> = "al",
                                                       field<&Member::name> = "Al", field<&Member::logins> = 3, one));
  REQUIRE_MESSAGE(made.has_value(), made.error().to_string());
  return row<members>(made);
}

}  // namespace

TEST_CASE("H4: an upsert says what happened: created, updated, or unchanged, which no event tells") {
  scratch store{{&table_of<members>}};
  const auto sync = [&](const char* name) {
    return store(request_for<members, "sync">(field<&Member::email> = "a@x", field<&Member::name> = name, one));
  };
  const auto first = sync("Al");
  REQUIRE(first.has_value());
  CHECK(first->kind == event_kind::created);
  CHECK(topics_of(first->event) == std::vector<std::string>{"member:synced", "member:new"});
  const auto second = sync("Bo");
  REQUIRE(second.has_value());
  CHECK(second->kind == event_kind::updated);
  CHECK(row<members>(second).id == row<members>(first).id);
  CHECK(second->event->kind == event_kind::updated);
  CHECK(second->event->before.as<Member>()->name == "Al");
  CHECK(topics_of(second->event) == std::vector<std::string>{"member:synced", "member:one:changed"});
  CHECK(row<members>(second).version == 1);
  const auto third = sync("Bo");
  CHECK(third->kind == event_kind::unchanged);
  CHECK_FALSE(third->event);
  CHECK(row<members>(third).version == 1);
  CHECK(store.log().size() == 2);
}

TEST_CASE("C41: exactly the fields that an upsert names are written over") {
  scratch store{{&table_of<members>}};
  store.at(herald::timestamp{std::chrono::seconds{100}});
  const auto made = joined(store);
  store.at(herald::timestamp{std::chrono::seconds{200}});
  const auto given = row<members>(store(request_for<members, "sync">(field<&Member::email> = "a@x", field<&Member::name> = "Bo", one)));
  CHECK(given.name == "Bo");
  CHECK(given.nick == "al");
  CHECK(given.logins == 3);
  CHECK(given.joined == made.joined);
  CHECK(given.seen == herald::timestamp{std::chrono::seconds{200}});
  const auto name = row<members>(store(request_for<members, "sync_name">(field<&Member::email> = "a@x", field<&Member::name> = "Cy",
                                                                        field<&Member::logins> = 9, one)));
  CHECK(name.name == "Cy");
  CHECK(name.logins == 3);
  const auto but_name = row<members>(store(request_for<members, "sync_but_name">(
      field<&Member::email> = "a@x", field<&Member::name> = "Di", field<&Member::logins> = 9, one)));
  CHECK(but_name.name == "Cy");
  CHECK(but_name.logins == 9);
  CHECK_FALSE(but_name.nick);
  const auto all = row<members>(store(request_for<members, "sync_all">(field<&Member::email> = "a@x", one)));
  CHECK(all.name.empty());
  CHECK(all.logins == 0);
  CHECK(all.id == made.id);
  CHECK(all.org == "one");
}

TEST_CASE("an upsert's condition decides about the row that is there") {
  scratch store{{&table_of<members>}};
  static_cast<void>(joined(store));
  const auto sync = [&](std::int64_t logins) {
    return store(request_for<members, "sync_up">(field<&Member::email> = "a@x", field<&Member::logins> = logins, one));
  };
  CHECK(sync(2)->kind == event_kind::unchanged);
  CHECK(sync(5)->kind == event_kind::updated);
  CHECK(row<members>(sync(1)).logins == 5);
}

TEST_CASE("an upsert by the primary key, and one whose row breaks a rule") {
  scratch store{{&table_of<members>}};
  const auto made = joined(store);
  const auto again = store(request_for<members, "by_id">(field<&Member::id> = made.id, field<&Member::name> = "Eve", one));
  REQUIRE(again.has_value());
  CHECK(again->kind == event_kind::updated);
  CHECK(row<members>(again).email == "a@x");
  CHECK(store(request_for<members, "by_id">(field<&Member::id> = made.id, field<&Member::name> = "far too long", one))
            .is(resource_errc::invalid));
  const auto others = store(request_for<members, "by_id">(field<&Member::id> = made.id, field<&Member::name> = "Eve", action_options{.tenant = "two"}));
  CHECK(others.is(resource_errc::taken));
  CHECK(store.find(table_of<members>, made.id).as<Member>()->name == "Eve");
}
