#include "ticket.hpp"

#include <herald/payload.hpp>

#include <limits>
#include <random>

using namespace ticket_test;
using namespace std::chrono_literals;
using herald::event_kind;
using herald::event_record;
using herald::value;

namespace {

struct Everything {
  std::int64_t id = 0;
  bool flag = false;
  std::int32_t small = 0;
  double real = 0;
  std::string text;
  herald::byte_vector blob;
  uuid other;
  herald::timestamp when{};
  std::chrono::microseconds took{};
  std::vector<std::int64_t> list;
  std::optional<std::string> maybe;
  std::string secret;
  friend bool operator==(const Everything&, const Everything&) = default;
};

inline constexpr auto everything = herald::resource<Everything>("everything",
  attribute<&Everything::id>(primary_key), attribute<&Everything::flag>(), attribute<&Everything::small>(),
  attribute<&Everything::real>(), attribute<&Everything::text>(), attribute<&Everything::blob>(),
  attribute<&Everything::other>(), attribute<&Everything::when>(), attribute<&Everything::took>(),
  attribute<&Everything::list>(), attribute<&Everything::maybe>(), attribute<&Everything::secret>(sensitive));

// The same resource in a later program: `small` is wider, `text` has become `title`, `flag` is gone, `added` is new.
struct Later {
  std::int64_t id = 0;
  double small = 0;
  std::string title;
  std::string added = "as in a new row";
};

inline constexpr auto later = herald::resource<Later>("everything",
  attribute<&Later::id>(primary_key), attribute<&Later::small>(), attribute<&Later::title>(was{"text"}),
  attribute<&Later::added>());

Everything sample() {
  return {.id = std::numeric_limits<std::int64_t>::min(),
          .flag = true,
          .small = -7,
          .real = 1.0 / 3,
          .text = std::string{"a\0\xff", 3},
          .blob = {std::byte{0}, std::byte{255}},
          .other = uuid{{1, 2, 3}},
          .when = herald::timestamp{-5us},
          .took = 1h,
          .list = {1, -1, std::numeric_limits<std::int64_t>::max()},
          .maybe = std::nullopt,
          .secret = "hidden"};
}

template <const auto& R, class T>
herald::record record_of(T row) {
  return {herald::table_of<R>, std::make_shared<const T>(std::move(row))};
}

event_record updated() {
  event_record event;
  event.at = {1, 9};
  event.resource = &herald::table_of<everything>;
  event.kind = event_kind::updated;
  Everything after = sample();
  after.secret.clear();
  Everything before = after;
  before.text = "before";
  before.maybe = "there";
  event.before = record_of<everything>(before);
  event.after = record_of<everything>(after);
  event.key = herald::row_key::of(event.after);
  event.changed = herald::detail::bit(4) | herald::detail::bit(10) | herald::detail::bit(11);
  event.metadata = {{"why", value{"because"}}, {"list", value{std::vector<value>{value{1}, value{}}}}};
  return event;
}

std::string encoded(const event_record& event) {
  std::string out;
  herald::encode_payload(event, out);
  return out;
}

template <const auto& R>
event_record blank() {
  event_record event;
  event.at = {1, 9};
  event.resource = &herald::table_of<R>;
  return event;
}

}  // namespace

TEST_CASE("an updated event's payload gives back key, both rows, what changed, and the metadata") {
  const event_record event = updated();
  herald::layout_book book;
  book.add(herald::table_of<everything>);
  event_record back = blank<everything>();
  const auto read = book.decode(encoded(event), back);
  REQUIRE_MESSAGE(read.has_value(), read.error().to_string());
  CHECK(back.key == event.key);
  CHECK(*back.after.as<Everything>() == *event.after.as<Everything>());
  CHECK(*back.before.as<Everything>() == *event.before.as<Everything>());
  CHECK(back.changed == event.changed);
  CHECK(back.metadata == event.metadata);
}

TEST_CASE("created and destroyed events have one row") {
  herald::layout_book book;
  book.add(herald::table_of<everything>);
  event_record event = updated();
  event.before = {};
  event_record created = blank<everything>();
  REQUIRE(book.decode(encoded(event), created));
  CHECK_FALSE(created.before);
  CHECK(*created.after.as<Everything>() == *event.after.as<Everything>());

  event = updated();
  event.after = {};
  event_record destroyed = blank<everything>();
  REQUIRE(book.decode(encoded(event), destroyed));
  CHECK_FALSE(destroyed.after);
  CHECK(*destroyed.before.as<Everything>() == *event.before.as<Everything>());
}

TEST_CASE("H12: a payload has no byte of a sensitive attribute, even when a row still holds it") {
  event_record event = updated();
  event.after = record_of<everything>(sample());
  const std::string payload = encoded(event);
  CHECK(payload.find("hidden") == std::string::npos);
  herald::layout_book book;
  book.add(herald::table_of<everything>);
  event_record back = blank<everything>();
  REQUIRE(book.decode(payload, back));
  CHECK(back.after.as<Everything>()->secret.empty());
}

TEST_CASE("a later program reads an earlier one's payload: gone attributes are skipped, new ones are as in a new row") {
  std::string layout;
  herald::encode_layout(herald::table_of<everything>, layout);
  herald::layout_book book;
  book.add(herald::table_of<later>);
  event_record back = blank<later>();
  CHECK(book.decode(encoded(updated()), back).is(herald::resource_errc::corrupt));  // its layout is not known yet
  REQUIRE(book.add(herald::table_of<everything>.layout, herald::table_of<later>, layout));
  back = blank<later>();
  const auto read = book.decode(encoded(updated()), back);
  REQUIRE_MESSAGE(read.has_value(), read.error().to_string());
  CHECK(back.after.as<Later>()->small == -7.0);
  CHECK(back.after.as<Later>()->title == sample().text);
  CHECK(back.before.as<Later>()->title == "before");
  CHECK(back.after.as<Later>()->added == "as in a new row");
  CHECK(back.changed == herald::detail::bit(2));
}

TEST_CASE("different descriptions have different layouts, and the same one always the same") {
  CHECK(herald::table_of<everything>.layout != herald::table_of<later>.layout);
  CHECK(herald::table_of<tickets>.layout != 0);
}

TEST_CASE("a damaged payload is an error that names the event, and never more than that") {
  const std::string payload = encoded(updated());
  herald::layout_book book;
  book.add(herald::table_of<everything>);
  for (std::size_t length = 0; length < payload.size(); ++length) {
    event_record back = blank<everything>();
    const auto read = book.decode(std::string_view{payload}.substr(0, length), back);
    REQUIRE(read.is(herald::resource_errc::corrupt));
    CHECK(read.error().message().find("event 9 of resource everything") != std::string::npos);
  }
  event_record longer = blank<everything>();
  CHECK(book.decode(payload + "x", longer).is(herald::resource_errc::corrupt));

  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  for (int round = 0; round < 20'000; ++round) {
    std::string broken = payload;
    for (int i = 0; i < 1 + round % 4; ++i) broken[random() % broken.size()] = static_cast<char>(random());
    event_record back = blank<everything>();
    if (!book.decode(broken, back)) continue;  // what still reads is a payload, if another one
    CHECK_FALSE(encoded(back).empty());
  }
}

TEST_CASE("keys: equal ones have equal bytes, different ones different bytes, and they read back") {
  const std::vector<herald::row_key> keys{1, -1, "1", uuid{{1}}, herald::key(1, "a"), herald::key("1", "a"), herald::key("1a", "")};
  std::vector<std::string> all;
  for (const auto& key : keys) {
    std::string bytes;
    herald::encode_key(key, bytes);
    CHECK(herald::decode_key(bytes).value() == key);
    CHECK(herald::decode_key(bytes + "x").is(herald::resource_errc::corrupt));
    for (const auto& other : all) CHECK(other != bytes);
    all.push_back(bytes);
  }
}

TEST_CASE("a list nested too deeply is refused instead of followed") {
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += "\x09\x01";
  bytes.push_back('\0');
  std::string_view in = bytes;
  value to;
  CHECK_FALSE(herald::decode_value(in, to));
}
