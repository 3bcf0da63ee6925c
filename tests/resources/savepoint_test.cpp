// What is undone inside a transaction, against a model: rows and cursors as they were, no event of it, the rest untouched.

#include "store_fixture.hpp"

#include <herald/detail/row_set.hpp>

#include <cstdlib>
#include <map>
#include <random>

using namespace herald;
using namespace herald::test;

namespace {

const resource_table& items = table_of<described::items>;
const resource_table& cells = table_of<described::cells>;

struct model {
  std::map<std::string, std::int64_t> items;            // by their unique name: the count
  std::map<std::pair<std::string, std::int64_t>, double> cells;
  std::map<std::string, std::uint64_t> cursors;
  std::size_t events = 0;
  friend bool operator==(const model&, const model&) = default;
};

/// Random actions at random depths, some undone; `now` is what must be there.
class player {
 public:
  player(transaction& tx, model& now, std::map<std::string, row_key>& keys, std::mt19937_64& dice)
      : tx_{tx}, now_{now}, keys_{keys}, dice_{dice} {}

  void play(int depth) {
    for (auto steps = pick(6); steps > 0; --steps) {
      if (depth < 3 && pick(4) == 0) {
        piece(depth + 1);
      } else {
        step();
      }
    }
  }
  void piece(int depth) {
    const model before = now_;
    const auto keys = keys_;
    REQUIRE(tx_.savepoint());
    play(depth);
    if (pick(2) == 0) {
      REQUIRE(tx_.release());
      return;
    }
    REQUIRE(tx_.rollback_to());
    now_ = before;
    keys_ = keys;
  }

 private:
  std::size_t pick(std::size_t below) { return dice_() % below; }
  std::string name() { return "n" + std::to_string(pick(8)); }
  bool act(const resource_table& table, std::string_view action, std::vector<named_value> inputs, row_key key = {}) {
    // As every action: what a refused one did is undone.
    REQUIRE(tx_.savepoint());
    const auto done = apply(tx_, request(table, action, std::move(inputs), std::move(key)));
    REQUIRE((done ? tx_.release() : tx_.rollback_to()).has_value());
    if (done && done->kind != event_kind::unchanged) ++now_.events;
    if (done && table.name == "items" && action == "make") keys_[std::string{done->after.as<item>()->name}] = row_key::of(done->after);
    return done.has_value();
  }
  void step() {
    const auto one = name();
    const auto number = static_cast<std::int64_t>(pick(3));
    const bool there = now_.items.contains(one);
    switch (pick(7)) {
      case 0:
        CHECK(act(items, "make", {{"name", one}, {"count", number}}) == !there);
        if (!there) now_.items[one] = number;
        return;
      case 1:
        if (!there) return;
        CHECK(act(items, "count", {{"count", number}}, keys_.at(one)));
        now_.items[one] = number;
        return;
      case 2: {
        const auto other = name();
        if (!there) return;
        const bool free = other == one || !now_.items.contains(other);
        CHECK(act(items, "rename", {{"name", other}}, keys_.at(one)) == free);
        if (!free || other == one) return;
        now_.items[other] = now_.items[one];
        now_.items.erase(one);
        keys_[other] = keys_.at(one);
        keys_.erase(one);
        return;
      }
      case 3:
        if (!there) return;
        CHECK(act(items, "drop", {}, keys_.at(one)));
        now_.items.erase(one);
        keys_.erase(one);
        return;
      case 4: {
        const bool filled = now_.cells.contains({one, number});
        CHECK(act(cells, "make", {{"sheet", one}, {"row", number}, {"content", 0.5}}) == !filled);
        if (!filled) now_.cells[{one, number}] = 0.5;
        return;
      }
      case 5:
        REQUIRE(tx_.keep_cursor(one, {.at = {1, static_cast<std::uint64_t>(number)}}));
        now_.cursors[one] = static_cast<std::uint64_t>(number);
        return;
      default:
        REQUIRE(tx_.drop_cursor(one));
        now_.cursors.erase(one);
        return;
    }
  }

  transaction& tx_;
  model& now_;
  std::map<std::string, row_key>& keys_;
  std::mt19937_64& dice_;
};

model held_by(const test_store& store) {
  model found;
  REQUIRE(store.data().scan(items, [&](const record& row) { found.items[row.as<item>()->name] = row.as<item>()->count; }));
  REQUIRE(store.data().scan(cells, [&](const record& row) {
    found.cells[{row.as<herald::test::cell>()->sheet, row.as<herald::test::cell>()->row}] = row.as<herald::test::cell>()->content;
  }));
  const auto cursors = store.data().cursors();
  REQUIRE(cursors);
  for (const auto& one : *cursors) found.cursors[one.name] = one.cursor.at.sequence;
  found.events = store.log().size();
  return found;
}

std::uint64_t first_seed() {
  const char* given = std::getenv("HERALD_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
}

}  // namespace

TEST_CASE_TEMPLATE("pieces of a transaction are undone alone, whatever was written in them and however deep they lie", Store,
                   EVERY_STORE) {
  const auto begin = first_seed();
  for (auto seed = begin; seed < begin + 40; ++seed) {
    INFO("HERALD_SEED=" << seed);
    Store fixture;
    test_store& store = fixture.store;
    std::mt19937_64 dice{seed};
    model now;
    std::map<std::string, row_key> keys;
    for (int i = 0; i < 12; ++i) {
      const model before = now;
      const auto keys_before = keys;
      const bool kept = dice() % 3 != 0;
      const auto done = store.run([&](transaction& tx) -> result<action_outcome> {
        player{tx, now, keys, dice}.play(0);
        if (kept) return action_outcome{};
        return error{resource_errc::invalid, "no"};
      });
      CHECK(done.has_value() == kept);
      if (!kept) {
        now = before;
        keys = keys_before;
      }
      REQUIRE(held_by(store) == now);
    }
    store.require_that_it_holds();
  }
}

TEST_CASE("a set of rows finds by key what was put into it, through growing, exchanging and erasing") {
  detail::row_set set;
  std::map<std::pair<std::string, std::int64_t>, double> model;
  std::mt19937_64 dice{first_seed()};
  const auto made = [](const std::string& sheet, std::int64_t number, double content) {
    draft row{cells};
    *static_cast<herald::test::cell*>(row.row()) = {sheet, number, content};
    return std::move(row).freeze();
  };
  for (int i = 0; i < 20'000; ++i) {
    const std::string sheet(1 + dice() % 3, 'a');
    const auto number = static_cast<std::int64_t>(dice() % 400);
    const auto content = static_cast<double>(i);
    const auto row = made(sheet, number, content);
    const bool there = model.contains({sheet, number});
    switch (dice() % 4) {
      case 0:
      case 1:
        CHECK(set.insert(row) == !there);
        if (!there) model[{sheet, number}] = content;
        break;
      case 2:
        set.erase(row);
        model.erase({sheet, number});
        break;
      default: {
        auto* const found = set.find(row);
        REQUIRE((found != nullptr) == there);
        if (!there) break;
        *found = row;
        model[{sheet, number}] = content;
      }
    }
    REQUIRE(set.size() == model.size());
  }
  REQUIRE(model.size() > 100);
  for (const auto& [key, content] : model) {
    const auto* const found = set.find(row_key{{value{key.first}, value{key.second}}});
    REQUIRE(found != nullptr);
    CHECK(found->as<herald::test::cell>()->content == content);
  }
  std::size_t visited = 0;
  set.each([&](const record&) { ++visited; });
  CHECK(visited == model.size());
  CHECK(set.find(row_key{{value{"b"}, value{1}}}) == nullptr);
}
