#include "ticket.hpp"

#include <herald/topic.hpp>
#include <herald/topics.hpp>

using namespace ticket_test;
using strings = std::vector<std::string>;

namespace {

/// Runs a typed action and gives the topics of its event.
template <const auto& R, herald::detail::fixed_string Action, class... Args>
strings topics(scratch& store, Args&&... args) {
  const auto outcome = store(herald::request_for<R, Action>(std::forward<Args>(args)...));
  REQUIRE_MESSAGE(outcome.has_value(), outcome.error().to_string());
  REQUIRE(outcome->event);
  return topics_of(outcome->event);
}

const uuid someone{{1}};
const uuid other{{2}};

struct Post {
  std::int64_t id = 0;
  std::string name;
  std::optional<std::string> note;
};

inline constexpr auto posts = herald::resource<Post>("posts",
  attribute<&Post::id>(primary_key, generated),
  attribute<&Post::name>(),
  attribute<&Post::note>(),
  create("create", accepts<&Post::name, &Post::note>),
  update("update", accepts<&Post::name, &Post::note>),
  destroy("destroy"),
  pub_sub("post",
    publish("destroy", topic("foo", field<&Post::id>)),
    publish("update", topic("foo", field<&Post::id>)),
    publish("update", topic("bar", field<&Post::name>), named{"name_change"}, previous_values),
    publish_all(op::update, topic("baz", pkey), named{"any_update"}),
    publish_all(op::create, topic("named", field<&Post::name>, "note", field<&Post::note>))));

struct Line {
  std::string order;
  std::int32_t number = 0;
  std::string text;
};

inline constexpr auto lines = herald::resource<Line>("lines",
  attribute<&Line::order>(primary_key),
  attribute<&Line::number>(primary_key),
  attribute<&Line::text>(),
  create("add", accepts<&Line::order, &Line::number, &Line::text>),
  update("edit", accepts<&Line::text>),
  update("touch", accepts<&Line::text>),
  pub_sub("", delimiter{"."},
    publish("add", topic("users", pkey, "created")),
    publish("add", topic(any_of("eu", "us", "eu"), computed{[](const Line& l) { return l.text.substr(0, 1); }})),
    publish_all(op::update, topic("edited"), except("touch"),
      filter{[](const herald::change_event<Line>& e) { return e.after->text == "george"; }})));

struct Loud {
  std::int64_t id = 0;
  std::string text;
};

inline constexpr auto louds = herald::resource<Loud>("louds",
  attribute<&Loud::id>(primary_key),
  attribute<&Loud::text>(),
  create("create", accepts<&Loud::id, &Loud::text>),
  pub_sub("loud",
    publish("create", topic("first")),
    publish("create", topic("second"),
      filter{[](const Loud& l) -> bool { if (l.text == "boom") throw std::runtime_error{"no such luck"}; return true; }}),
    publish("create", topic("third"))));

}  // namespace

TEST_CASE("a publication of a create goes to its topic") {
  scratch store{{&herald::table_of<tickets>}};
  CHECK(topics<tickets, "open">(store, field<&Ticket::subject> = "x") == strings{"ticket:created"});
}

TEST_CASE("alternatives give every combination once; a null value drops its own combinations, skip only its segment") {
  scratch store{{&herald::table_of<tickets>}};
  const auto opened = store(herald::request_for<tickets, "open">(field<&Ticket::subject> = "x", field<&Ticket::team_id> = 1));
  const uuid id = row<tickets>(opened).id;
  const std::string key = id.to_string();
  CHECK(topics<tickets, "rename">(store, id, field<&Ticket::subject> = "y", herald::action_options{.tenant = "org_1"}) ==
        strings{"ticket:1:updated:" + key, "ticket:1:updated", "ticket:org_1:updated:" + key, "ticket:org_1:updated"});
  CHECK(topics<tickets, "rename">(store, id, field<&Ticket::subject> = "z") ==
        strings{"ticket:1:updated:" + key, "ticket:1:updated"});
  CHECK(topics<tickets, "rename">(store, id, field<&Ticket::team_id> = std::nullopt) == strings{});
}

TEST_CASE("previous_values gives the topics of both values when they differ, of the one that is there when one is null") {
  scratch store{{&herald::table_of<tickets>}};
  const uuid id = row<tickets>(store(herald::request_for<tickets, "open">(field<&Ticket::subject> = "x"))).id;
  const auto assign = [&](std::optional<uuid> to) {
    return topics<tickets, "assign">(store, id, field<&Ticket::representative_id> = to);
  };
  CHECK(assign(someone) == strings{"ticket:assigned:" + someone.to_string()});
  CHECK(assign(other) == strings{"ticket:assigned:" + someone.to_string(), "ticket:assigned:" + other.to_string()});
  CHECK(assign(std::nullopt) == strings{"ticket:assigned:" + other.to_string()});
}

TEST_CASE("N11: a destroy is published under the key of what was destroyed, with the action's name") {
  scratch store{{&herald::table_of<posts>}};
  const auto made = store(herald::request_for<posts, "create">(field<&Post::name> = "ted"));
  const auto gone = store(herald::request_for<posts, "destroy">(row<posts>(made).id));
  REQUIRE(gone.has_value());
  REQUIRE(gone->event->routes.size() == 1);
  CHECK(gone->event->routes[0].topic == "post:foo:1");
  CHECK(gone->event->name_on(gone->event->routes[0]) == "destroy");
  CHECK(gone->event->kind == herald::event_kind::destroyed);
}

TEST_CASE("N15, N18: each matching publication is told, in order, under its own event name") {
  scratch store{{&herald::table_of<posts>}};
  store.must(herald::request_for<posts, "create">(field<&Post::name> = "ted"));
  const auto changed = store(herald::request_for<posts, "update">(1, field<&Post::name> = "joe"));
  REQUIRE(changed.has_value());
  std::vector<std::pair<std::string, std::string>> told;
  for (const auto& route : changed->event->routes) told.emplace_back(route.topic, changed->event->name_on(route));
  CHECK(told == std::vector<std::pair<std::string, std::string>>{{"post:foo:1", "update"},
                                                                  {"post:bar:ted", "name_change"},
                                                                  {"post:bar:joe", "name_change"},
                                                                  {"post:baz:1", "any_update"}});
}

TEST_CASE("N17: with another delimiter, segments and prefix are joined by it") {
  scratch store{{&herald::table_of<lines>}};
  const auto told = topics<lines, "add">(store, field<&Line::order> = "a", field<&Line::number> = 1, field<&Line::text> = "t");
  CHECK(told == strings{"users.a-1.created", "eu.t", "us.t"});
}

TEST_CASE("a value can neither forge a segment, nor pass for a pattern, nor vanish") {
  scratch store{{&herald::table_of<posts>}};
  const auto create = [&](const char* name) {
    return topics<posts, "create">(store, field<&Post::name> = name, field<&Post::note> = "n");
  };
  CHECK(create("a:b") == strings{"post:named:a%3Ab:note:n"});
  CHECK(create("*") == strings{"post:named:%2A:note:n"});
  CHECK(create("100%") == strings{"post:named:100%25:note:n"});
  CHECK(create("a\n\x7f") == strings{"post:named:a%0A%7F:note:n"});
  CHECK(create("\xff") == strings{"post:named:%FF:note:n"});
  CHECK(create("") == strings{"post:named:%:note:n"});
  CHECK(create("gr\xc3\xbc\xc3\x9f") == strings{"post:named:gr\xc3\xbc\xc3\x9f:note:n"});
}

TEST_CASE("the parts of a composite key cannot run together") {
  scratch store{{&herald::table_of<lines>}};
  const auto first = topics<lines, "add">(store, field<&Line::order> = "a-1", field<&Line::number> = 2, field<&Line::text> = "");
  CHECK(first[0] == "users.a%2D1-2.created");
  CHECK(first.size() == 1);  // the computed segment was empty: dropped
}

TEST_CASE("N14: an event is published only when the publication's filter says so, and except leaves actions out") {
  scratch store{{&herald::table_of<lines>}};
  store.must(herald::request_for<lines, "add">(field<&Line::order> = "a", field<&Line::number> = 1));
  CHECK(topics<lines, "edit">(store, herald::key("a", 1), field<&Line::text> = "fred") == strings{});
  CHECK(topics<lines, "edit">(store, herald::key("a", 1), field<&Line::text> = "george") == strings{"edited"});
  CHECK(topics<lines, "touch">(store, herald::key("a", 1), field<&Line::text> = "x") == strings{});
}

TEST_CASE("H3: a filter that throws costs its own publication, and neither the others nor the action") {
  scratch store{{&herald::table_of<louds>}};
  const auto made = store(herald::request_for<louds, "create">(field<&Loud::id> = 1, field<&Loud::text> = "boom"));
  REQUIRE(made.has_value());
  CHECK(topics_of(made->event) == strings{"loud:first", "loud:third"});
  REQUIRE(made->event->failed.size() == 1);
  CHECK(made->event->failed[0].publication == 1);
  CHECK(made->event->failed[0].why == "no such luck");
  CHECK(store.log().size() == 1);
}

TEST_CASE("a topic that the bus would not take costs its publication, and not the action") {
  scratch store{{&herald::table_of<posts>}};
  const auto made = store(herald::request_for<posts, "create">(field<&Post::name> = std::string(2000, 'x'), field<&Post::note> = "n"));
  REQUIRE(made.has_value());
  CHECK(topics_of(made->event).empty());
  REQUIRE(made->event->failed.size() == 1);
  CHECK(made->event->failed[0].why.find("wanted: at most 1024") != std::string::npos);
}

TEST_CASE("values stand in topics as escape_segment writes them") {
  for (const char* text : {"plain", "a:b", "*", "**", "50%", "", "\x01", "\xc2\x85", "gr\xc3\xbc\xc3\x9f", "a b"}) {
    CAPTURE(text);
    std::string segment;
    herald::append_segment(text, ':', segment);
    CHECK(segment == herald::escape_segment(text));
  }
}
