#include "ticket.hpp"

#include <herald/json.hpp>

#include <limits>

using namespace ticket_test;
using namespace std::chrono_literals;
using herald::resource_errc;
using herald::value;

namespace {

struct Reading {
  std::int64_t id = 0;
  double level = 0;
  std::optional<std::string> note;
  herald::timestamp when{};
  std::chrono::milliseconds took{};
  herald::byte_vector raw;
  std::vector<std::string> tags;
  bool fine = true;
  std::string secret;
};

struct Taking {
  herald::timestamp due{};
  herald::byte_vector mark;
  std::chrono::milliseconds grace{};
};

inline constexpr auto readings = herald::resource<Reading>("readings",
  attribute<&Reading::id>(primary_key), attribute<&Reading::level>(), attribute<&Reading::note>(),
  attribute<&Reading::when>(), attribute<&Reading::took>(), attribute<&Reading::raw>(), attribute<&Reading::tags>(),
  attribute<&Reading::fine>(), attribute<&Reading::secret>(sensitive),
  create("take", accepts<&Reading::id, &Reading::level, &Reading::when, &Reading::tags, &Reading::secret>, argument<&Taking::due>(),
    argument<&Taking::mark>(), argument<&Taking::grace>(), change{[](auto& r) {
      r.set(field<&Reading::note>, std::to_string(r.argument(field<&Taking::grace>).count()) + " ms");
      r.set(field<&Reading::raw>, r.argument(field<&Taking::mark>));
    }}),
  pub_sub("reading", publish("take", topic("taken"), named{"read"})));

const herald::resource_table& table = herald::table_of<readings>;

Reading sample() {
  return {.id = 1, .level = 2.5, .note = std::nullopt, .when = herald::timestamp{1'700'000'000'000'123us}, .took = 7ms,
          .raw = {std::byte{0x01}, std::byte{0xab}}, .tags = {"a", "\"b\""}, .fine = false, .secret = "hidden"};
}

herald::record record_of(Reading row) { return {table, std::make_shared<const Reading>(std::move(row))}; }

}  // namespace

TEST_CASE("a row is an object of its attributes, in their order, without the sensitive ones") {
  CHECK(herald::to_json(record_of(sample())) ==
        R"({"id":1,"level":2.5,"note":null,"when":"2023-11-14T22:13:20.000123Z","took":7000,"raw":"01ab",)"
        R"("tags":["a","\"b\""],"fine":false})");
}

TEST_CASE("what to_json wrote reads back as the same row") {
  const auto back = herald::row_from_json(table, herald::to_json(record_of(sample())));
  REQUIRE_MESSAGE(back.has_value(), back.error().to_string());
  const auto row = back->as<Reading>();
  CHECK(row->level == 2.5);
  CHECK(row->when == sample().when);
  CHECK(row->took == 7ms);
  CHECK(row->raw == sample().raw);
  CHECK(row->tags == sample().tags);
  CHECK_FALSE(row->fine);
  CHECK(row->secret.empty());
  Reading odd = sample();
  odd.level = -std::numeric_limits<double>::infinity();
  CHECK(herald::row_from_json(table, herald::to_json(record_of(odd)))->as<Reading>()->level == odd.level);
}

TEST_CASE("an object that is no row is refused with each field and what it wanted") {
  const auto refused = herald::row_from_json(table, R"({"id":"x","levl":1,"secret":"s","raw":"0","tags":{"a":1}})");
  REQUIRE(refused.is(resource_errc::invalid));
  CHECK(refused.error().fields() ==
        std::vector<herald::field_error>{{"id", "must be of type integer, got \"x\""},
                                         {"levl", "is no attribute"},
                                         {"secret", "is no attribute"},
                                         {"raw", "must be of type bytes, got \"0\""},
                                         {"tags", "must be of type list, got {\"a\":1}"}});
  CHECK(herald::row_from_json(table, "[1]").error().message().find("is JSON, but no object") != std::string::npos);
  CHECK(herald::row_from_json(table, "{").error().message().find("is no JSON") != std::string::npos);
}

TEST_CASE("inputs from JSON run an action by name") {
  scratch store{{&table}};
  const auto inputs = herald::inputs_from_json(table, "take", R"({"id":4,"level":3,"when":"2024-02-29T00:00:00Z","tags":["x"]})");
  REQUIRE(inputs.has_value());
  const auto request = herald::request_by_name(table, "take", *inputs);
  REQUIRE_MESSAGE(request.has_value(), request.error().to_string());
  CHECK(herald::to_json(store(*request)->after).find(R"("when":"2024-02-29T00:00:00.000000Z")") != std::string::npos);
  const auto unknown = herald::inputs_from_json(table, "take", R"({"nope":1})");
  CHECK(herald::request_by_name(table, "take", *unknown).is(resource_errc::no_such_input));
  CHECK(herald::inputs_from_json(table, "tke", "{}").is(resource_errc::no_such_action));
}

TEST_CASE("arguments come from JSON in the forms of their types, as attributes do") {
  scratch store{{&table}};
  const auto inputs = herald::inputs_from_json(table, "take", R"({"id":5,"due":"2024-02-29T00:00:00Z","mark":"01ab","grace":7000})");
  REQUIRE(inputs.has_value());
  const auto request = herald::request_by_name(table, "take", *inputs);
  REQUIRE_MESSAGE(request.has_value(), request.error().to_string());
  const auto taken = store(*request);
  CHECK(row<readings>(taken).note == "7 ms");
  CHECK(row<readings>(taken).raw == sample().raw);
  const auto wrong = herald::inputs_from_json(table, "take", R"({"id":6,"due":"tomorrow"})");
  const auto refused = herald::request_by_name(table, "take", *wrong);
  REQUIRE(refused.is(resource_errc::invalid));
  CHECK(refused.error().fields().at(0).field == "due");
}

TEST_CASE("an event says where it stands, what happened, and to which topics it goes") {
  scratch store{{&herald::table_of<tickets>}};
  const auto opened = store(herald::request_for<tickets, "open">(field<&Ticket::subject> = "x"));
  const uuid id = row<tickets>(opened).id;
  const auto assigned = store(herald::request_for<tickets, "assign">(
      id, field<&Ticket::representative_id> = uuid{}, herald::action_options{.tenant = "t", .metadata = {{"why", value{"w"}}}}));
  REQUIRE(assigned.has_value());
  const std::string text = herald::to_json(*assigned->event);
  CAPTURE(text);
  CHECK(text.find(R"("resource":"tickets","action":"assign","kind":"updated","key":")" + id.to_string()) != std::string::npos);
  CHECK(text.find(R"("changed":["status","representative_id","version"])") != std::string::npos);
  CHECK(text.find(R"({"topic":"ticket:assigned:00000000-0000-0000-0000-000000000000","event":"reassigned"})") != std::string::npos);
  CHECK(text.find(R"("tenant":"t","metadata":{"why":"w"}})") != std::string::npos);
  CHECK(text.find(R"({"offset":")" + assigned->event->at.to_string()) == 0);
}

TEST_CASE("an event that was written as JSON reads back as the same event, without its secrets") {
  scratch store{{&table, &herald::table_of<tickets>}};
  const std::vector<const herald::resource_table*> both{&table, &herald::table_of<tickets>};
  const auto same = [&](const herald::result<herald::action_outcome>& outcome) {
    REQUIRE(outcome.has_value());
    const std::string text = herald::to_json(*outcome->event);
    CAPTURE(text);
    const auto back = herald::event_from_json(both, text);
    REQUIRE_MESSAGE(back.has_value(), back.error().to_string());
    CHECK(herald::to_json(**back) == text);
    const herald::event_record& event = **back;
    CHECK(event.at == outcome->event->at);
    CHECK(event.resource == outcome->event->resource);
    CHECK(event.action == outcome->event->action);
    CHECK(event.kind == outcome->event->kind);
    CHECK(event.key == outcome->event->key);
    CHECK(event.changed == outcome->event->changed);
    CHECK(event.routes == outcome->event->routes);
    CHECK(event.time == outcome->event->time);
    return *back;
  };
  const auto taken = store(herald::request_for<readings, "take">(field<&Reading::id> = 7, field<&Reading::secret> = "hidden"));
  CHECK(row<readings>(taken).secret == "hidden");
  const auto read = same(taken);
  CHECK(read->after.as<Reading>()->secret.empty());
  CHECK(read->name_on(read->routes.at(0)) == "read");
  const auto opened = store(herald::request_for<tickets, "open">(field<&Ticket::subject> = "x"));
  const uuid id = row<tickets>(opened).id;
  const auto assigned = same(store(herald::request_for<tickets, "assign">(
      id, field<&Ticket::representative_id> = uuid{}, herald::action_options{.tenant = "t", .metadata = {{"why", value{"w"}}}})));
  CHECK(assigned->before.as<Ticket>()->status == "open");
  CHECK(assigned->tenant == "t");
  CHECK(assigned->metadata == std::vector<herald::named_value>{{"why", value{"w"}}});
  same(store(herald::request_for<tickets, "destroy">(id)));
}

TEST_CASE("an object that is no event is refused with each member and what it wanted") {
  const std::vector<const herald::resource_table*> all{&table};
  const auto wrong = [&](std::string_view text) {
    const auto refused = herald::event_from_json(all, text);
    REQUIRE(refused.is(resource_errc::invalid));
    std::string said;
    for (const auto& one : refused.error().fields()) said += one.field + " " + one.message + "; ";
    return said.empty() ? refused.error().message() : said;
  };
  CHECK(wrong("{") == "the input for an event is no JSON; wanted is an object of an event's members, as to_json writes them");
  CHECK(wrong("{}") == "resource is missing; ");
  CHECK(wrong(R"({"resource":"x"})") == "resource is none of the 1 resources asked for, got \"x\"; ");
  const auto with = [&](std::string_view changed) {
    return wrong(R"({"offset":"9f86d081884c7d65-42","resource":"readings","action":"take","kind":"created","key":"1","before":null,)"
                 R"("time":"2026-11-22T12:00:00Z",)" + std::string{changed} + "}");
  };
  const std::string rest = R"("after":{"id":1},"changed":[],"topics":[])";
  CHECK(with(R"("after":{"id":1,"secret":"s"},"changed":["nope"],"topics":[{"topic":"x"}])") ==
        "after.secret is no attribute; changed must hold names of attributes, got \"nope\"; "
        "topics must hold at most 16384 objects of a topic and an event's name, got {\"topic\":\"x\"}; ");
  CHECK(with(R"("changed":[],"topics":[])") == "after is missing, and so is before: an event has a row; ");
  CHECK(with(R"("after":{"id":2},"changed":{},"topics":[])") == "key must be the row's, 2, got \"1\"; changed must be an array, got {}; ");
  CHECK(with(rest + R"(,"tenant":7,"metadata":[],"extra":1)") ==
        "tenant must be a string, got 7; metadata must be an object, got []; extra is no member of an event; ");
  CHECK(wrong(R"({"offset":"x","resource":"readings","action":"tke","kind":"made","key":"1","time":"noon",)" + rest + "}") ==
        "action is no action of the resource, got \"tke\"; kind must be created, updated, destroyed or unchanged, got \"made\"; "
        "offset must be an epoch of 16 hex digits, \"-\" and a sequence; time must be a time as \"2026-11-22T12:00:00.000000Z\"; ");
}

TEST_CASE("brackets in brackets are refused beyond a depth, however many there are") {
  const std::string deep = R"({"note":)" + std::string(500'000, '[') + std::string(500'000, ']') + "}";
  CHECK(herald::row_from_json(table, deep).error().message() ==
        "the input for resource readings is nested deeper than 64; wanted is an object of attributes");
  CHECK(herald::inputs_from_json(table, "take", deep).is(resource_errc::invalid));
  CHECK(herald::row_from_json(table, R"({"note":"[[[[\"[["})").has_value());
}

TEST_CASE("times are written in UTC and read back to the microsecond; what is no time is refused") {
  for (const auto time : {herald::timestamp{}, herald::timestamp{-1us}, herald::timestamp{1'700'000'000'000'001us}})
    CHECK(herald::time_from_text(herald::to_text(time)) == time);
  // Years beyond four digits, and the first and last of all.
  CHECK(herald::to_text(herald::timestamp{253'402'300'799'999'999us}) == "9999-12-31T23:59:59.999999Z");
  CHECK(herald::to_text(herald::timestamp{253'402'300'800'000'000us}) == "+010000-01-01T00:00:00.000000Z");
  CHECK(herald::to_text(herald::timestamp::max()) == "+294247-01-10T04:00:54.775807Z");
  CHECK(herald::to_text(herald::timestamp::min()) == "-290308-12-21T19:59:05.224192Z");
  for (const auto time : {herald::timestamp::min(), herald::timestamp::min() + 1us, herald::timestamp::max(), herald::timestamp::max() - 1us,
                          herald::timestamp{253'402'300'800'000'000us}, herald::timestamp{-62'167'219'200'000'001us}})
    CHECK(herald::time_from_text(herald::to_text(time)) == time);
  CHECK_FALSE(herald::time_from_text("+294247-01-10T04:00:54.775808Z"));
  CHECK_FALSE(herald::time_from_text("-290308-12-21T19:59:05.224191Z"));
  CHECK_FALSE(herald::time_from_text("+2024-01-01T00:00:00Z"));
  CHECK(herald::time_from_text("1970-01-01T00:00:00.5Z") == herald::timestamp{500ms});
  for (const char* wrong : {"", "1970-01-01", "1970-02-30T00:00:00Z", "1970-01-01T24:00:00Z", "1970-01-01T00:00:00",
                            "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00.1234567Z", "1970-01-01T00:00:00+01:00"}) {
    CAPTURE(wrong);
    CHECK_FALSE(herald::time_from_text(wrong));
  }
}

TEST_CASE("text that is not UTF-8 becomes JSON all the same") {
  Reading odd = sample();
  odd.note = "\xff";
  CHECK(herald::to_json(record_of(odd)).find("\xef\xbf\xbd") != std::string::npos);
}
