#include "desk.hpp"

using namespace desk_test;

TEST_CASE("arguments: what the caller gave, else the default of their struct, reaches changes and conditions") {
  scratch store{{&table_of<cases>}};
  const auto made = opened(store);
  const auto closed = row<cases>(store(request_for<cases, "close">(made.id, field<&Closing::reason> = "fixed")));
  CHECK(closed.note == "fixed/8/0/");
  const auto other = opened(store);
  const auto rated = row<cases>(store(request_for<cases, "close">(other.id, field<&Closing::reason> = "fixed",
                                                                  field<&Closing::stars> = 4, field<&Closing::hours> = 1)));
  CHECK(rated.note == "fixed/1/4/!");
}

TEST_CASE("C12: a required argument that is missing or null is an error; an optional one has its default") {
  scratch store{{&table_of<cases>}};
  const auto made = opened(store);
  const auto missing = store(request_for<cases, "close">(made.id));
  REQUIRE(missing.is(resource_errc::invalid));
  CHECK(message_of(missing.error(), "reason") == "is required");
  CHECK(store.find(table_of<cases>, made.id).as<Case>()->state == "open");
  const std::vector<named_value> null{{"reason", value{}}};
  CHECK(herald::request_by_name(table_of<cases>, "close", null).is(resource_errc::invalid));
}

TEST_CASE("an argument holds to its constraints, and says what it got") {
  scratch store{{&table_of<cases>}};
  const auto made = opened(store);
  const auto refused = store(request_for<cases, "close">(made.id, field<&Closing::reason> = "much too long a reason",
                                                         field<&Closing::stars> = 9));
  REQUIRE(refused.is(resource_errc::invalid));
  CHECK(message_of(refused.error(), "reason") == "must have at most 10 characters, got 22");
  CHECK(message_of(refused.error(), "stars") == "must be at most 5, got 9");
}

TEST_CASE("C11: a private argument is given by typed code, and is no input of a call by name") {
  scratch store{{&table_of<cases>}};
  const auto made = opened(store);
  const auto typed = store(request_for<cases, "close">(made.id, field<&Closing::reason> = "r", field<&Closing::ticket_of_caller> = "t1"));
  CHECK(row<cases>(typed).note == "r/8/0/t1");
  const std::vector<named_value> inputs{{"reason", value{"r"}}, {"ticket_of_caller", value{"t"}}};
  const auto by_name = herald::request_by_name(table_of<cases>, "close", inputs);
  REQUIRE(by_name.is(resource_errc::no_such_input));
  CHECK(by_name.error().message() == "cases.close takes reason, stars, hours");
  const std::vector<named_value> fine{{"reason", value{"r"}}, {"hours", value{3}}};
  auto request = herald::request_by_name(table_of<cases>, "close", fine);
  REQUIRE(request);
  request->key = opened(store).id;
  CHECK(row<cases>(store(*request)).note == "r/3/0/");
}

TEST_CASE("a state machine: what its table does not have is an error of the field, and the row stays") {
  scratch store{{&table_of<cases>}};
  const auto made = opened(store);
  const auto move = [&](const char* to) { return store(request_for<cases, "move">(made.id, field<&Case::state> = to)); };
  const auto refused = move("draft");
  REQUIRE(refused.is(resource_errc::invalid));
  CHECK(message_of(refused.error(), "state") == "cannot go from \"open\" to \"draft\"; from there it goes to \"assigned\", \"closed\"");
  CHECK(move("assigned").has_value());
  CHECK(move("assigned")->kind == event_kind::unchanged);  // to stay is no move
  CHECK(move("closed").has_value());
  CHECK(message_of(move("open").error(), "state") == "cannot go from \"closed\" to \"open\"; nothing follows");
  const auto begun = store(request_for<cases, "open">(field<&Case::subject> = "x", field<&Case::state> = "closed"));
  CHECK(message_of(begun.error(), "state") == "must begin as \"open\", \"draft\", got \"closed\"");
}

TEST_CASE("C21: an increment with a limit begins at 0 again; one without never wraps") {
  scratch store{{&table_of<cases>}};
  const auto made = opened(store);
  const auto look = [&] { return row<cases>(store(request_for<cases, "look">(made.id))).views; };
  CHECK(look() == 4);
  CHECK(look() == 8);
  CHECK(look() == 0);
  CHECK(row<cases>(store(request_for<cases, "fill">(made.id))).small == 100);
  const auto over = store(request_for<cases, "fill">(made.id));
  REQUIRE(over.is(resource_errc::invalid));
  CHECK(message_of(over.error(), "small") == "has no value left above 127");
}

TEST_CASE("C35: a soft destroy keeps the row as its changes leave it, and its event is a destroy with both rows") {
  scratch store{{&table_of<cases>}};
  const auto made = opened(store);
  const auto gone = store(request_for<cases, "archive">(made.id));
  REQUIRE(gone.has_value());
  CHECK(gone->kind == event_kind::destroyed);
  CHECK(store.find(table_of<cases>, made.id).as<Case>()->note == "archived");
  REQUIRE(gone->event);
  CHECK(gone->event->kind == event_kind::destroyed);
  CHECK(gone->event->before.as<Case>()->note.empty());
  CHECK(gone->event->after.as<Case>()->note == "archived");
  CHECK(topics_of(gone->event) == std::vector<std::string>{"case:gone:" + std::to_string(made.id)});
  CHECK(store(request_for<cases, "archive">(made.id))->kind == event_kind::unchanged);
}

TEST_CASE("C34: what an authorise hook refuses is forbidden, writes nothing, and says who and why") {
  scratch store{{&table_of<cases>}};
  const auto made = opened(store);
  const auto nobody = store(request_for<cases, "reopen">(made.id));
  REQUIRE(nobody.is(resource_errc::forbidden));
  CHECK(nobody.error().message() == "cases.reopen is not for nobody: only admins reopen");
  const auto bob = store(request_for<cases, "reopen">(made.id, action_options{.by = actor{"bob", user{.admin = false}}}));
  CHECK(bob.error().message() == "cases.reopen is not for bob: only admins reopen");
  CHECK(store.log().size() == 1);
  const auto ada = store(request_for<cases, "reopen">(made.id, action_options{.by = actor{"ada", user{.admin = true}}}));
  REQUIRE(ada.has_value());
  CHECK(row<cases>(ada).note == "by ada");
}

TEST_CASE("N12: an event says who asked for it") {
  scratch store{{&table_of<cases>}};
  const auto made = store(request_for<cases, "open">(field<&Case::subject> = "x", action_options{.by = actor{"ada"}}));
  CHECK(made->event->actor == "ada");
}

TEST_CASE("C61: a tenant is required, stamps its rows, and sees no others") {
  scratch store{{&table_of<members>}};
  const auto missing = store(request_for<members, "join">(field<&Member::email> = "a@x"));
  REQUIRE(missing.is(resource_errc::tenant_required));
  CHECK(missing.error().message() == "members.join: its rows belong to tenants, and none was named");
  const auto made = store(request_for<members, "join">(field<&Member::email> = "a@x", action_options{.tenant = "one"}));
  REQUIRE(made.has_value());
  CHECK(row<members>(made).org == "one");
  CHECK(made->event->tenant == "one");
  const auto id = row<members>(made).id;
  const auto other = store(request_for<members, "rename">(id, field<&Member::name> = "n", action_options{.tenant = "two"}));
  CHECK(other.is(resource_errc::not_found));
  CHECK(store(request_for<members, "leave">(id, action_options{.tenant = "two"})).is(resource_errc::not_found));
  CHECK(store(request_for<members, "leave">(id)).is(resource_errc::tenant_required));
  const auto own = store(request_for<members, "rename">(id, field<&Member::name> = "n", action_options{.tenant = "one"}));
  REQUIRE(own.has_value());
  CHECK(topics_of(own->event) == std::vector<std::string>{"member:one:changed"});
  const auto any = store(request_for<members, "rename">(id, field<&Member::name> = "m", action_options{.all_tenants = true}));
  REQUIRE(any.has_value());
  CHECK(any->event->tenant == "one");
}

TEST_CASE("C36, C37, C38: identities are a tenant's own or everybody's; two nulls conflict where the identity says so") {
  scratch store{{&table_of<members>}};
  const auto join = [&](const char* org, const char* email, std::optional<std::string> badge, std::optional<std::string> nick) {
    return store(request_for<members, "join">(field<&Member::email> = email, field<&Member::badge> = badge,
                                              field<&Member::nick> = nick, action_options{.tenant = org}));
  };
  REQUIRE(join("one", "a@x", "7", {}).has_value());
  CHECK(join("two", "a@x", {}, {}).has_value());
  const auto taken = join("one", "a@x", {}, "n");
  REQUIRE(taken.is(resource_errc::taken));
  CHECK(taken.error().fields() == std::vector<herald::field_error>{{"email", "has already been taken"}});
  CHECK(message_of(join("two", "b@x", "7", "n").error(), "badge") == "has already been taken");
  CHECK(message_of(join("one", "c@x", {}, {}).error(), "nick") == "has already been taken");
  const auto second = join("one", "c@x", {}, "n");
  REQUIRE(second.has_value());
  const auto id = row<members>(second).id;
  CHECK(store(request_for<members, "rename">(id, field<&Member::name> = "x", action_options{.tenant = "one"})).has_value());
  const auto to_null = store(request_for<members, "rename">(id, field<&Member::nick> = std::nullopt, action_options{.tenant = "one"}));
  CHECK(to_null.is(resource_errc::taken));
}
