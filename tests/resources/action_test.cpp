#include "article.hpp"

#include <algorithm>

using namespace article_test;

namespace {

std::string message_of(const herald::error& why, std::string_view field) {
  for (const auto& entry : why.fields()) {
    if (entry.field == field) return entry.message;
  }
  return "(no error of this field)";
}

herald::result<herald::action_request> by_name(std::string_view action, std::vector<named_value> inputs) {
  return herald::request_by_name(herald::table_of<articles>, action, inputs);
}

}  // namespace

TEST_CASE("N1, N2: a create gives one event of kind created, an update one of kind updated") {
  scratch store{both};
  const auto made = write(store);
  store.must(request_for<articles, "edit">(made.id, field<&Article::title> = "new"));
  const auto log = store.log();
  REQUIRE(log.size() == 2);
  CHECK(log[0]->kind == event_kind::created);
  CHECK_FALSE(log[0]->before);
  CHECK(log[1]->kind == event_kind::updated);
  CHECK(log[1]->before.as<Article>()->title == "title");
  CHECK(log[1]->after.as<Article>()->title == "new");
  CHECK(log[1]->at.sequence == log[0]->at.sequence + 1);
}

TEST_CASE("C1: defaults are set, from the struct, from a value and from a function") {
  scratch store{both};
  const auto made = write(store);
  CHECK(made.tag == "plain");
  CHECK(made.bio == "none yet");
  CHECK(made.mood == "fresh");
}

TEST_CASE("C2: an explicit null wins over a default, and is an error for an attribute that is never null") {
  scratch store{both};
  const auto made = store(request_for<articles, "write">(field<&Article::title> = "t", field<&Article::bio> = std::nullopt,
                                                        field<&Article::mood> = std::nullopt));
  CHECK_FALSE(row<articles>(made).bio);
  CHECK_FALSE(row<articles>(made).mood);
  const auto refused = by_name("write", {{"title", value{}}});
  REQUIRE(refused.is(resource_errc::invalid));
  CHECK(message_of(refused.error(), "title") == "is required");
}

TEST_CASE("C3: a required attribute that is missing is named") {
  scratch store{both};
  const auto refused = store(request_for<notes, "add">());
  REQUIRE(refused.is(resource_errc::invalid));
  CHECK(refused.error().fields() == std::vector<herald::field_error>{{"article", "is required"}});
  const auto untitled = store(request_for<articles, "tagged">(field<&Article::title> = "t"));
  REQUIRE(untitled.is(resource_errc::invalid));
  CHECK(untitled.error().fields() == std::vector<herald::field_error>{{"tag", "is required"}});
  CHECK(untitled.error().message().find("articles.tagged") == 0);
}

TEST_CASE("C4: required errors are left out when there are others") {
  scratch store{both};
  const auto refused = store(request_for<articles, "tagged">(field<&Article::title> = ""));
  REQUIRE(refused.is(resource_errc::invalid));
  CHECK(refused.error().fields().size() == 1);
  CHECK(message_of(refused.error(), "tag") == "(no error of this field)");
}

TEST_CASE("C5: a generated key is no input, and counts up, over destroyed rows too") {
  scratch store{both};
  CHECK(write(store).id == 1);
  CHECK(write(store).id == 2);
  store.must(request_for<articles, "remove">(2));
  CHECK(write(store).id == 3);
}

TEST_CASE("C6: a new row was inserted and updated at the same time; an update moves only updated_at") {
  scratch store{both, timestamp{1s}};
  const auto made = write(store);
  CHECK(made.made_at == timestamp{1s});
  CHECK(made.changed_at == made.made_at);
  store.at(timestamp{2s});
  const auto edited = row<articles>(store(request_for<articles, "edit">(made.id, field<&Article::title> = "other")));
  CHECK(edited.made_at == timestamp{1s});
  CHECK(edited.changed_at == timestamp{2s});
  store.at(timestamp{3s});
  const auto same = row<articles>(store(request_for<articles, "edit">(made.id, field<&Article::title> = "other")));
  CHECK(same.changed_at == timestamp{2s});
}

TEST_CASE("C7, C17: an input that is not accepted cannot be changed") {
  const auto refused = by_name("edit", {{"mood", value{"x"}}, {"title", value{"y"}}});
  REQUIRE(refused.is(resource_errc::invalid));
  CHECK(refused.error().fields() == std::vector<herald::field_error>{{"mood", "cannot be changed"}});
}

TEST_CASE("C8: an action may require an input whose attribute has a default") {
  scratch store{both};
  CHECK(store(request_for<articles, "tagged">(field<&Article::title> = "t", field<&Article::tag> = "x")).has_value());
  CHECK(store(request_for<articles, "tagged">(field<&Article::title> = "t")).is(resource_errc::invalid));
}

TEST_CASE("C9: lengths, bounds and tests of values are held, and say what they got") {
  scratch store{both};
  const auto refused = store(request_for<articles, "write">(
      field<&Article::title> = "t", field<&Article::rank> = 11, field<&Article::labels> = std::vector<std::string>{"a", "b", "c"}));
  REQUIRE(refused.is(resource_errc::invalid));
  CHECK(message_of(refused.error(), "rank") == "must be at most 10, got 11");
  CHECK(message_of(refused.error(), "labels") == "must have at most 2 parts, got 3");
  CHECK(store(request_for<articles, "write">(field<&Article::title> = "t", field<&Article::rank> = -1)).is(resource_errc::invalid));
  CHECK(store(request_for<articles, "write">(field<&Article::title> = "\xc3\xbc", field<&Article::rank> = 10)).has_value());
  CHECK(store.log().size() == 1);
}

TEST_CASE("C13: an unknown action is refused by name, with the resource and the actions it has") {
  const auto refused = by_name("wrte", {});
  REQUIRE(refused.is(resource_errc::no_such_action));
  CHECK(refused.error().message().find("resource articles has no action \"wrte\"; it has write, tagged") == 0);
}

TEST_CASE("C14: an unknown input is refused with what the action takes") {
  const auto refused = by_name("edit", {{"titel", value{"x"}}});
  REQUIRE(refused.is(resource_errc::no_such_input));
  CHECK(refused.error().fields() == std::vector<herald::field_error>{{"titel", "is no input"}});
  CHECK(refused.error().message() == "articles.edit takes title, bio, rank");
}

TEST_CASE("a call by name casts its inputs, and says for each that does not fit what was wanted and what came") {
  scratch store{both};
  auto request = by_name("write", {{"title", value{"t"}}, {"rank", value{3}}, {"labels", value{std::vector<value>{value{"a"}}}}});
  REQUIRE(request.has_value());
  const auto made = row<articles>(store(*request));
  CHECK(made.rank == 3);
  CHECK(made.labels == std::vector<std::string>{"a"});
  const auto refused = by_name("write", {{"title", value{7}}, {"rank", value{std::int64_t{1} << 40}}, {"secret", value{12345}}});
  REQUIRE(refused.is(resource_errc::invalid));
  CHECK(message_of(refused.error(), "title") == "must be of type text, got integer 7");
  CHECK(message_of(refused.error(), "rank") == "must be a value in the range of its type, integer, got integer 1099511627776");
  CHECK(message_of(refused.error(), "secret") == "must be of type text, got integer");
}

TEST_CASE("C15: an update leaves the other attributes as they are") {
  scratch store{both};
  const auto made = row<articles>(store(request_for<articles, "write">(field<&Article::title> = "t", field<&Article::rank> = 4)));
  const auto edited = row<articles>(store(request_for<articles, "edit">(made.id, field<&Article::bio> = "b")));
  CHECK(edited.title == "t");
  CHECK(edited.rank == 4);
  CHECK(edited.bio == "b");
}

TEST_CASE("C16: an update to null of what is never null is refused, and the row is unchanged") {
  scratch store{both};
  const auto made = write(store);
  const auto refused = by_name("edit", {{"title", value{}}});
  REQUIRE(refused.is(resource_errc::invalid));
  CHECK(message_of(refused.error(), "title") == "is required");
  CHECK(store.find(herald::table_of<articles>, made.id).as<Article>()->title == "title");
}

TEST_CASE("C18: a row that went is not found by its key and stale by its copy, and nothing is emitted") {
  scratch store{both};
  const auto made = write(store);
  store.must(request_for<articles, "remove">(made.id));
  const auto before = store.log().size();
  CHECK(store(request_for<articles, "edit">(made.id, field<&Article::title> = "x")).is(resource_errc::not_found));
  CHECK(store(request_for<articles, "edit">(made, field<&Article::title> = "x")).is(resource_errc::stale));
  CHECK(store(request_for<articles, "remove">(made.id)).is(resource_errc::not_found));
  CHECK(store(request_for<articles, "remove">(made)).is(resource_errc::stale));
  CHECK(store.log().size() == before);
}

TEST_CASE("C22, C27: changes and validations run in the order of their definition, where their condition holds") {
  scratch store{both};
  const auto made = store(request_for<articles, "steps">(field<&Article::title> = "t", field<&Article::rank> = 2));
  REQUIRE_MESSAGE(made.has_value(), made.error().to_string());
  CHECK(row<articles>(made).tag == "plain12");
  CHECK(row<articles>(made).rank == 7);
  CHECK(row<articles>(store(request_for<articles, "steps">(field<&Article::title> = "t", field<&Article::rank> = 1))).rank == 1);
}

TEST_CASE("C25: an attribute is changing only when it really becomes another") {
  scratch store{both};
  const auto made = write(store);
  CHECK(row<articles>(store(request_for<articles, "mark">(made.id, field<&Article::bio> = "none yet"))).rank == 0);
  CHECK(row<articles>(store(request_for<articles, "mark">(made.id, field<&Article::bio> = "other"))).rank == 1);
}

TEST_CASE("C26: a change may set what the caller may not") {
  scratch store{both};
  const auto made = write(store);
  CHECK_FALSE(row<articles>(store(request_for<articles, "clear">(made.id))).mood);
}

TEST_CASE("C29: an action that is refused writes neither row nor event") {
  scratch store{both};
  const auto made = write(store);
  const auto refused = store(request_for<articles, "disagree">(made.id, field<&Article::title> = "title"));
  REQUIRE(refused.is(resource_errc::invalid));
  CHECK(message_of(refused.error(), "") == "must differ");
  CHECK(store.log().size() == 1);
}

TEST_CASE("a primary key cannot be changed by a change either") {
  scratch store{both};
  const auto made = write(store);
  const auto refused = store(request_for<articles, "rekey">(made.id));
  REQUIRE(refused.is(resource_errc::invalid));
  CHECK(message_of(refused.error(), "id") == "cannot be changed: it is the primary key");
}

TEST_CASE("C32: an exception in a hook is an error of that action, and nothing is written") {
  scratch store{both};
  const auto made = write(store);
  const auto failed = store(request_for<articles, "throw">(made.id));
  REQUIRE(failed.is(resource_errc::hook_failed));
  CHECK(failed.error().message() == "articles.throw: a change, validation or hook of it threw: broken hook");
  CHECK(store.log().size() == 1);
}

TEST_CASE("C33: a destroy removes the row, tells it in its event, and may be refused by its validations") {
  scratch store{both};
  const auto kept = row<articles>(store(request_for<articles, "write">(field<&Article::title> = "t", field<&Article::rank> = 10)));
  CHECK(store(request_for<articles, "remove">(kept.id)).is(resource_errc::invalid));
  const auto made = write(store);
  const auto gone = store(request_for<articles, "remove">(made.id));
  REQUIRE(gone.has_value());
  CHECK(row<articles>(gone).title == "title");
  CHECK_FALSE(store.find(herald::table_of<articles>, made.id));
  CHECK_FALSE(gone->event->after);
  CHECK(gone->event->before.as<Article>()->title == "title");
}

TEST_CASE("C43: an update from an old copy is stale; success counts the version by one") {
  scratch store{{&herald::table_of<tickets>}};
  const auto made = row<tickets>(store(request_for<tickets, "open">(field<&Ticket::subject> = "x")));
  CHECK(made.version == 0);
  const auto second = row<tickets>(store(request_for<tickets, "rename">(made, field<&Ticket::subject> = "y")));
  CHECK(second.version == 1);
  const auto stale = store(request_for<tickets, "rename">(made, field<&Ticket::subject> = "z"));
  REQUIRE(stale.is(resource_errc::stale));
  CHECK(stale.error().message() == "tickets.rename: the row " + made.id.to_string() + " is at version 1, the copy at 0");
  CHECK(row<tickets>(store(request_for<tickets, "rename">(second, field<&Ticket::subject> = "z"))).version == 2);
  CHECK(row<tickets>(store(request_for<tickets, "rename">(made.id, field<&Ticket::subject> = "by key"))).version == 3);
}

TEST_CASE("H5: an update that changes nothing emits nothing, or kind unchanged when asked") {
  scratch store{both};
  const auto made = write(store);
  const auto same = store(request_for<articles, "edit">(made.id, field<&Article::title> = "title"));
  REQUIRE(same.has_value());
  CHECK(same->kind == event_kind::unchanged);
  CHECK_FALSE(same->event);
  const auto asked = store(request_for<articles, "edit">(made.id, herald::action_options{.notify_unchanged = true}));
  REQUIRE(asked->event);
  CHECK(asked->event->kind == event_kind::unchanged);
  CHECK(asked->event->changed == 0);
  CHECK(store.log().size() == 2);
}

TEST_CASE("an action can be told to write no event") {
  scratch store{both};
  store.must(request_for<articles, "write">(field<&Article::title> = "t", herald::action_options{.notify = false}));
  CHECK(store.log().empty());
  CHECK(store.find(herald::table_of<articles>, 1));
}

TEST_CASE("H12: a sensitive attribute is in the row, and neither in events nor in error texts") {
  scratch store{both};
  const auto made = store(request_for<articles, "write">(field<&Article::title> = "t", field<&Article::secret> = "abc"));
  REQUIRE(made.has_value());
  CHECK(row<articles>(made).secret == "abc");
  CHECK(store.find(herald::table_of<articles>, 1).as<Article>()->secret == "abc");
  CHECK(made->event->after.as<Article>()->secret.empty());
  CHECK(made->event->after.as<Article>()->title == "t");
  const auto refused = store(request_for<articles, "write">(field<&Article::title> = "t", field<&Article::secret> = "a b"));
  CHECK(message_of(refused.error(), "secret") == "must not have blanks");
  CHECK(refused.error().to_string().find("a b") == std::string::npos);
}

TEST_CASE("N13: what the caller gives along arrives with the event") {
  scratch store{both};
  const auto made = store(request_for<articles, "write">(
      field<&Article::title> = "t", herald::action_options{.tenant = "org_1", .metadata = {{"reason", value{"import"}}, {"n", value{3}}}}));
  REQUIRE(made->event);
  CHECK(made->event->tenant == "org_1");
  CHECK(made->event->metadata == std::vector<named_value>{{"reason", value{"import"}}, {"n", value{3}}});
}

TEST_CASE("a uuid key is generated when none is given") {
  scratch store{{&herald::table_of<tickets>}};
  const auto first = row<tickets>(store(request_for<tickets, "open">(field<&Ticket::subject> = "x")));
  const auto second = row<tickets>(store(request_for<tickets, "open">(field<&Ticket::subject> = "x")));
  CHECK(first.id.version() == 7);
  CHECK(first.id < second.id);
}

TEST_CASE("a generated key that does not fit its type any more is an error, not a wrapped number") {
  scratch store{{&herald::table_of<tinies>}};
  for (int i = 1; i <= 127; ++i) CHECK(row<tinies>(store(request_for<tinies, "make">())).id == i);
  const auto refused = store(request_for<tinies, "make">());
  REQUIRE(refused.is(resource_errc::invalid));
  CHECK(message_of(refused.error(), "id") == "has no value left above 127");
  CHECK(store.log().size() == 127);
}
