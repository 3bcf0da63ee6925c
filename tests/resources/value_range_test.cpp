// Values at the ends of their types: what fits is kept as it is, what does not is refused by name, and nothing wraps.

#include "temporary_directory.hpp"

#include <herald/json.hpp>
#include <herald/resource.hpp>
#include <herald/store.hpp>

#include <doctest/doctest.h>

#include <limits>

using namespace herald::dsl;
using namespace std::chrono_literals;
using herald::request_for;
using herald::resource_errc;
using herald::value;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr double no_number = std::numeric_limits<double>::quiet_NaN();
constexpr std::uint64_t beyond = std::uint64_t{1} << 63;

struct Gauge {
  std::int64_t id = 0;
  std::int8_t small = 0;
  std::optional<std::int8_t> maybe{};
  std::uint64_t wide = 0;
  double level = 0;
  float coarse = 0;
  std::chrono::seconds took{};
  std::vector<double> curve{};
  std::vector<std::uint64_t> sizes{};
};
struct Setting {
  std::int8_t step = 1;
};

inline constexpr auto gauges = herald::resource<Gauge>("gauges",
  attribute<&Gauge::id>(primary_key), attribute<&Gauge::small>(), attribute<&Gauge::maybe>(), attribute<&Gauge::wide>(),
  attribute<&Gauge::level>(), attribute<&Gauge::coarse>(), attribute<&Gauge::took>(), attribute<&Gauge::curve>(),
  attribute<&Gauge::sizes>(),
  create("put", accepts<&Gauge::id, &Gauge::small, &Gauge::maybe, &Gauge::wide, &Gauge::level, &Gauge::coarse, &Gauge::took,
    &Gauge::curve, &Gauge::sizes>),
  update("level", accepts<&Gauge::level>),
  update("turn", accepts<>, argument<&Setting::step>(), change{[](auto& g) { g.increment(field<&Gauge::small>, g.argument(field<&Setting::step>)); }}),
  update("set", accepts<>, change{[](auto& g) { g.set(field<&Gauge::small>, 100 + g.row().id); }}),
  update("round", accepts<>, change{[](auto& g) { g.increment(field<&Gauge::small>, 100, herald::overflow_limit{300}); }}),
  update("drift", accepts<>, change{[](auto& g) { g.increment(field<&Gauge::level>, 0.75, herald::overflow_limit{1}); }}));

struct Versioned {
  std::int64_t id = 0;
  std::string text{};
  std::int64_t version = std::numeric_limits<std::int64_t>::max() - 1;
};
inline constexpr auto versioned = herald::resource<Versioned>("versioned",
  attribute<&Versioned::id>(primary_key, generated), attribute<&Versioned::text>(), attribute<&Versioned::version>(optimistic_lock),
  create("make", accepts<>), create("at", accepts<&Versioned::id>), update("write", accepts<&Versioned::text>));

const std::vector<const herald::resource_table*> tables{&herald::table_of<gauges>, &herald::table_of<versioned>};
struct in_memory {
  herald::store store = herald::store::open(tables, herald::memory_options{}).value();
};
struct on_sqlite {
  herald::test::temporary_directory directory;
  herald::store store = herald::store::open(tables, herald::sqlite_options{.file = directory.file("gauges.db")}).value();
};

/// "small must be ...; ", or "taken".
template <class T>
std::string said(const herald::result<T>& outcome) {
  if (outcome) return "taken";
  if (!outcome.is(resource_errc::invalid)) return outcome.error().to_string();
  std::string all;
  for (const auto& one : outcome.error().fields()) all += one.field + " " + one.message + "; ";
  return all;
}

template <class... Words>
std::vector<std::int64_t> asked(const herald::store& s, const Words&... words) {
  const auto found = s.select<gauges>(words...);
  REQUIRE_MESSAGE(found.has_value(), found.error().to_string());
  std::vector<std::int64_t> all;
  for (const Gauge& one : *found) all.push_back(one.id);
  return all;
}
using ids = std::vector<std::int64_t>;

}  // namespace

TEST_CASE_TEMPLATE("R80: an unsigned integer beyond what a store keeps is an error of its field, inside others too, and nothing is written",
                   Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  const auto refused = s.run<gauges, "put">(field<&Gauge::id> = 1, field<&Gauge::wide> = beyond);
  CHECK(said(refused) == "wide must be at most 9223372036854775807, which is the largest integer that a store keeps; ");
  CHECK(said(s.run<gauges, "put">(field<&Gauge::id> = 1, field<&Gauge::sizes> = std::vector<std::uint64_t>{1, beyond})) ==
        "sizes part 1: must be at most 9223372036854775807, which is the largest integer that a store keeps; ");
  CHECK(s.count<gauges>().value() == 0);
  REQUIRE(s.run<gauges, "put">(field<&Gauge::id> = 1, field<&Gauge::wide> = beyond - 1));
  CHECK(s.get<gauges>(1)->wide == beyond - 1);
  CHECK(asked(s, field<&Gauge::wide> == beyond - 1) == ids{1});
  CHECK(asked(s, field<&Gauge::wide> < beyond) == ids{1});
  CHECK(asked(s, field<&Gauge::wide> >= beyond) == ids{});
  CHECK(asked(s, field<&Gauge::wide> > -1) == ids{1});
}

TEST_CASE_TEMPLATE("R81: a number that the attribute's type does not hold is an error of its field and never wraps", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  CHECK(said(s.run<gauges, "put">(field<&Gauge::id> = 1, field<&Gauge::small> = 300)) ==
        "small must be a value in the range of its type, integer, got integer 300; ");
  CHECK(said(s.run<gauges, "put">(field<&Gauge::id> = 1, field<&Gauge::maybe> = -129)) ==
        "maybe must be a value in the range of its type, integer, got integer -129; ");
  CHECK(said(s.run<gauges, "put">(field<&Gauge::id> = 1, field<&Gauge::maybe> = std::optional<int>{300})) ==
        "maybe must be a value in the range of its type, integer, got integer 300; ");
  CHECK(said(s.run<gauges, "put">(field<&Gauge::id> = beyond)) ==
        "id must be a value in the range of its type, integer, got real 9223372036854775808; ");
  CHECK(said(s.run<gauges, "put">(field<&Gauge::id> = 1, field<&Gauge::wide> = -1)) ==
        "wide must be a value in the range of its type, integer, got integer -1; ");
  CHECK(said(s.run<gauges, "put">(field<&Gauge::id> = 1, field<&Gauge::coarse> = 1e300)) ==
        "coarse must be a value in the range of its type, real, got real 1e+300; ");
  CHECK(said(s.run<gauges, "put">(field<&Gauge::id> = 1, field<&Gauge::level> = (std::int64_t{1} << 53) + 1)) ==
        "level must be a value in the range of its type, real, got integer 9007199254740993; ");
  CHECK(s.count<gauges>().value() == 0);
  REQUIRE(s.run<gauges, "put">(field<&Gauge::id> = 1, field<&Gauge::small> = 127, field<&Gauge::maybe> = std::optional<int>{},
                               field<&Gauge::level> = 7, field<&Gauge::coarse> = 0.1));
  CHECK(s.get<gauges>(1)->small == 127);
  CHECK_FALSE(s.get<gauges>(1)->maybe.has_value());
  CHECK(said(s.run<gauges, "turn">(1, field<&Setting::step> = 1000)) ==
        "step must be a value in the range of its type, integer, got integer 1000; ");
  CHECK(said(s.run<gauges, "turn">(1, field<&Setting::step> = -1)) == "taken");
  REQUIRE(s.run<gauges, "put">(field<&Gauge::id> = 100));
  CHECK(said(s.run<gauges, "set">(100)) == "small must be a value in the range of its type, integer, got integer 200; ");
  CHECK(s.run<gauges, "set">(1)->small == 101);
}

TEST_CASE_TEMPLATE("R82: a filter compares numbers and not what is left of them in the attribute's type", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  REQUIRE(s.run<gauges, "put">(field<&Gauge::id> = 1, field<&Gauge::small> = 50, field<&Gauge::maybe> = 50, field<&Gauge::coarse> = 0.1));
  REQUIRE(s.run<gauges, "put">(field<&Gauge::id> = 2, field<&Gauge::small> = -50));
  CHECK(asked(s, field<&Gauge::small> < 1000) == ids{1, 2});
  CHECK(asked(s, field<&Gauge::small> <= 1000) == ids{1, 2});
  CHECK(asked(s, field<&Gauge::small> > 1000) == ids{});
  CHECK(asked(s, field<&Gauge::small> == 306) == ids{});
  CHECK(asked(s, field<&Gauge::small> != 306) == ids{1, 2});
  CHECK(asked(s, in(field<&Gauge::small>, 306, 50)) == ids{1});
  CHECK(asked(s, field<&Gauge::small> > -1000) == ids{1, 2});
  // What no 64-bit integer holds is compared all the same, and null stays null.
  CHECK(asked(s, field<&Gauge::id> < beyond) == ids{1, 2});
  CHECK(asked(s, field<&Gauge::id> != beyond) == ids{1, 2});
  CHECK(asked(s, field<&Gauge::id> >= beyond) == ids{});
  CHECK(asked(s, field<&Gauge::id> == beyond) == ids{});
  CHECK(asked(s, field<&Gauge::maybe> != beyond) == ids{1});
  CHECK(asked(s, !(field<&Gauge::maybe> == beyond)) == ids{1});
  CHECK(asked(s, in(field<&Gauge::id>, beyond, beyond + 1)) == ids{});
  CHECK(asked(s, !in(field<&Gauge::maybe>, beyond)) == ids{1});
  CHECK(asked(s, field<&Gauge::coarse> == 0.1) == ids{1});
  CHECK(asked(s, field<&Gauge::coarse> < 1e300) == ids{1, 2});
}

TEST_CASE_TEMPLATE("R83: what is not a number is an error of its field, by whatever way it comes, and infinities are kept", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  CHECK(said(s.run<gauges, "put">(field<&Gauge::id> = 1, field<&Gauge::level> = no_number)) == "level must be a number, got nan; ");
  CHECK(said(s.run<gauges, "put">(field<&Gauge::id> = 1, field<&Gauge::curve> = std::vector<double>{1, no_number})) ==
        "curve part 1: must be a number, got nan; ");
  CHECK(said(s.run("gauges", "put", {{"id", value{1}}, {"level", value{no_number}}})) != "taken");
  CHECK_FALSE(herald::row_from_json(herald::table_of<gauges>, R"({"id":1,"level":"nan"})"));
  CHECK(s.count<gauges>().value() == 0);
  REQUIRE(s.run<gauges, "put">(field<&Gauge::id> = 1, field<&Gauge::level> = infinite, field<&Gauge::coarse> = -infinite,
                               field<&Gauge::curve> = std::vector<double>{-infinite}));
  const Gauge back = s.get<gauges>(1).value();
  CHECK(back.level == infinite);
  CHECK(back.coarse == -std::numeric_limits<float>::infinity());
  CHECK(back.curve == std::vector<double>{-infinite});
  CHECK(asked(s, field<&Gauge::level> > 1e308) == ids{1});
  CHECK(s.perform<gauges, "level">(1, field<&Gauge::level> = infinite)->kind == herald::event_kind::unchanged);
  CHECK(s.select<gauges>(field<&Gauge::level> < no_number).is(resource_errc::invalid));
  CHECK(s.select<gauges>(in(field<&Gauge::level>, no_number)).is(resource_errc::invalid));
}

TEST_CASE_TEMPLATE("R84: a lock's version, and a generated key, that have reached the last integer refuse to go on", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  const auto made = s.run<versioned, "make">().value();
  REQUIRE(s.run<versioned, "write">(made, field<&Versioned::text> = "a"));
  const auto last = s.run<versioned, "write">(made.id, field<&Versioned::text> = "b");
  CHECK(said(last) == "version has no value left above 9223372036854775807; ");
  CHECK(s.get<versioned>(made.id)->text == "a");
  REQUIRE(s.run<versioned, "at">(field<&Versioned::id> = std::numeric_limits<std::int64_t>::max()));
  for (int i = 0; i < 2; ++i) CHECK(said(s.run<versioned, "make">()) == "id has no value left above 9223372036854775807; ");
}

TEST_CASE_TEMPLATE("R85: an increment says at which end there is nothing left, and one with a limit neither cuts nor wraps", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  REQUIRE(s.run<gauges, "put">(field<&Gauge::id> = 1, field<&Gauge::small> = -128));
  CHECK(said(s.run<gauges, "turn">(1, field<&Setting::step> = -1)) == "small has no value left below -128; ");
  REQUIRE(s.run<gauges, "put">(field<&Gauge::id> = 2, field<&Gauge::small> = 127));
  CHECK(said(s.run<gauges, "turn">(2)) == "small has no value left above 127; ");
  CHECK(said(s.run<gauges, "round">(2)) == "small has no value left above 127; ");
  CHECK(s.run<gauges, "drift">(1)->level == 0.75);
  CHECK(s.run<gauges, "drift">(1)->level == 0);
}

TEST_CASE_TEMPLATE("R86: a duration finer than its attribute, and a real beyond it, are refused; a real in its range is rounded", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  CHECK(said(s.run("gauges", "put", {{"id", value{1}}, {"took", value{1500ms}}})) ==
        "took must be a value in the range of its type, duration, got duration 1500000us; ");
  CHECK(said(s.run("gauges", "put", {{"id", value{1}}, {"coarse", value{1e300}}})) ==
        "coarse must be a value in the range of its type, real, got real 1e+300; ");
  REQUIRE(s.run("gauges", "put", {{"id", value{1}}, {"took", value{std::chrono::microseconds{2s}}}, {"coarse", value{0.1}}}));
  CHECK(s.get<gauges>(1)->took == 2s);
  CHECK(s.get<gauges>(1)->coarse == 0.1F);
}
