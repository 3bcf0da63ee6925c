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

inline constexpr auto readings = herald::resource<Reading>("readings",
  attribute<&Reading::id>(primary_key), attribute<&Reading::level>(), attribute<&Reading::note>(),
  attribute<&Reading::when>(), attribute<&Reading::took>(), attribute<&Reading::raw>(), attribute<&Reading::tags>(),
  attribute<&Reading::fine>(), attribute<&Reading::secret>(sensitive),
  create("take", accepts<&Reading::id, &Reading::level, &Reading::when, &Reading::tags>));

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
  const auto inputs = herald::inputs_from_json(table, R"({"id":4,"level":3,"when":"2024-02-29T00:00:00Z","tags":["x"]})");
  REQUIRE(inputs.has_value());
  const auto request = herald::request_by_name(table, "take", *inputs);
  REQUIRE_MESSAGE(request.has_value(), request.error().to_string());
  CHECK(herald::to_json(store(*request)->after).find(R"("when":"2024-02-29T00:00:00.000000Z")") != std::string::npos);
  const auto unknown = herald::inputs_from_json(table, R"({"nope":1})");
  CHECK(herald::request_by_name(table, "take", *unknown).is(resource_errc::no_such_input));
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

TEST_CASE("times are written in UTC and read back to the microsecond; what is no time is refused") {
  for (const auto time : {herald::timestamp{}, herald::timestamp{-1us}, herald::timestamp{1'700'000'000'000'001us}})
    CHECK(herald::time_from_text(herald::to_text(time)) == time);
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
