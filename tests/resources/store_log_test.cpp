// Reading a store's log: by offset, by topic, after trimming; snapshots. Over the memory store and over SQLite.

#include "store_fixture.hpp"

using namespace herald;
using namespace herald::test;

namespace {

const resource_table& items = table_of<described::items>;
const resource_table& counters = table_of<described::counters>;

}  // namespace

TEST_CASE_TEMPLATE("H8: reading after an offset gives exactly the rest, in order, page by page", Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  for (int i = 0; i < 25; ++i) REQUIRE(store.run(counters, "make", {{"label", std::to_string(i)}}));
  for (std::uint64_t after = 0; after <= 25; ++after) {
    offset from{store.data().head().epoch, after};
    std::uint64_t expected = after;
    while (from.sequence < 25) {
      auto page = store.data().read(from, 7, std::nullopt);
      REQUIRE(page);
      for (const auto& event : page->events) CHECK(event->at.sequence == ++expected);
      CHECK(page->last.sequence == expected);
      from = page->last;
    }
    CHECK(expected == 25);
  }
}

TEST_CASE_TEMPLATE("reading by topic gives that topic's events, and an event with two topics under both", Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  const auto key = key_of(store.run(items, "make", {{"name", "ted"}}));
  REQUIRE(store.run(items, "rename", {{"name", "joe"}}, key));
  REQUIRE(store.run(items, "count", {{"count", 4}}, key));
  CHECK(names(store.log(0, "item:made")) == std::vector<std::string>{"1 items.make created"});
  CHECK(names(store.log(0, "item:name:ted")) == std::vector<std::string>{"2 items.rename updated"});
  CHECK(names(store.log(0, "item:name:joe")) == std::vector<std::string>{"2 items.rename updated"});
  CHECK(names(store.log(2, "item:changed:" + key.to_string())) == std::vector<std::string>{"3 items.count updated"});
  auto none = store.data().read({store.data().head().epoch, 0}, 10, "no:such:topic");
  REQUIRE(none);
  CHECK(none->events.empty());
  CHECK(none->last == store.data().head());
}

TEST_CASE_TEMPLATE("H11: an offset below the floor, above the head or of another epoch is gone, and says so", Store,
                   EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  for (int i = 0; i < 10; ++i) REQUIRE(store.run(counters, "make", {{"label", std::to_string(i)}}));
  const auto epoch = store.data().head().epoch;
  store.core->trim_to(4);
  CHECK(store.execute() == 0);
  CHECK(store.data().floor() == 5);
  CHECK(store.data().read({epoch, 3}, 10, {}).is(resource_errc::gone));
  CHECK(store.data().read({epoch, 11}, 10, {}).is(resource_errc::gone));
  const auto other = store.data().read({epoch + 2, 5}, 10, {});
  REQUIRE(other.is(resource_errc::gone));
  CHECK(other.error().message().find("epoch") != std::string::npos);
  auto rest = store.data().read({epoch, 4}, 10, {});
  REQUIRE(rest);
  CHECK(rest->events.size() == 6);
  // Numbering goes on after everything is trimmed away, too.
  store.core->trim_to(1000);
  CHECK(store.execute() == 0);
  CHECK(store.data().floor() == 11);
  REQUIRE(store.run(counters, "make", {{"label", "next"}}));
  CHECK(store.data().head().sequence == 11);
  store.require_that_it_holds();
}

TEST_CASE_TEMPLATE("a snapshot gives the rows and the offset that they belong to", Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  for (int i = 0; i < 3; ++i) REQUIRE(store.run(counters, "make", {{"label", "x"}}));
  std::size_t rows = 0;
  auto at_offset = store.data().scan(counters, [&](const record&) { ++rows; });
  REQUIRE(at_offset);
  CHECK(rows == 3);
  CHECK(*at_offset == store.data().head());
}

// At namespace scope: clang 14 crashes over one that is local to a template.
inline constexpr auto others =
    herald::resource<counted>("others", dsl::attribute<&counted::id>(dsl::primary_key, dsl::generated),
                              dsl::attribute<&counted::label>(), dsl::create("make", dsl::accepts<&counted::label>));

TEST_CASE_TEMPLATE("a resource that the store was not opened with is refused by name", Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  const auto refused = failure(store.run(table_of<others>, "make", {{"label", "x"}}));
  CHECK(refused.is(resource_errc::no_such_resource));
  CHECK(refused.message().find("'others'") != std::string::npos);
  CHECK(store.data().find(table_of<others>, row_key{1}).is(resource_errc::no_such_resource));
}
