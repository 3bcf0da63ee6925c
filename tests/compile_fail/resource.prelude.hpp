#pragma once
// What the pieces of resource.cases begin with.
#include <herald/authorise.hpp>
#include <herald/consumer.hpp>
#include <herald/resource.hpp>
#include <herald/store.hpp>
#include <herald/subscribe.hpp>
#include <herald/transform.hpp>

using namespace herald::dsl;
using herald::op;
using herald::uuid;

struct Ticket {
  uuid id;
  std::string subject, status = "open";
  std::optional<std::int64_t> team_id;
  std::int64_t version = 0;
  herald::timestamp made_at{};
  std::vector<std::string> tags;
  double rank = 0;
};
struct Other {
  std::int64_t id = 0;
  std::string name;
};
struct no_codec {
  bool operator==(const no_codec&) const = default;
};
struct Odd {
  std::int64_t id = 0;
  no_codec what;
};

// A good description, for calls.
inline constexpr auto tickets = herald::resource<Ticket>("tickets",
  attribute<&Ticket::id>(primary_key, uuid_v7), attribute<&Ticket::subject>(), attribute<&Ticket::status>(),
  attribute<&Ticket::version>(optimistic_lock),
  create("open", accepts<&Ticket::subject>), update("rename", accepts<&Ticket::subject>), destroy("destroy"));

struct Line {
  std::int64_t order = 0, number = 0;
};
inline constexpr auto lines = herald::resource<Line>("lines",
  attribute<&Line::order>(primary_key), attribute<&Line::number>(primary_key),
  create("add", accepts<&Line::order, &Line::number>), destroy("remove"));

inline constexpr auto others = herald::resource<Other>("others", attribute<&Other::id>(primary_key), attribute<&Other::name>());

// For functions that must not capture anything.
inline constexpr int seven = 7;

// Values that are more than one.
enum class state { open, closed };
enum class shade { dark, light };
enum loose_state { loose_open, loose_closed };
enum class far_away { here = 100 };
struct Place {
  std::string street;
};
struct Bare {
  std::int64_t id = 0;
};
template <>
inline constexpr auto herald::described<Place> = herald::structure<Place>("place", attribute<&Place::street>());
struct Rich {
  std::int64_t id = 0;
  ::state state = ::state::open;
  loose_state loose = loose_open;
  far_away far = far_away::here;
  std::vector<std::string> names;
  std::map<std::string, std::int64_t> points;
  std::map<std::int64_t, std::string> numbered;
  Place place;
  Bare bare;
  std::vector<Bare> bares;
};
#define RICH_KEY attribute<&Rich::id>(primary_key)
inline constexpr auto riches = herald::resource<Rich>("riches", RICH_KEY, attribute<&Rich::state>(), attribute<&Rich::names>(),
  attribute<&Rich::points>(), attribute<&Rich::place>(), create("make", accepts<&Rich::state>));

#define KEY attribute<&Ticket::id>(primary_key, uuid_v7)
#define SUBJECT attribute<&Ticket::subject>()

// Sixty-five different names.
inline constexpr auto letters = [] {
  std::array<std::array<char, 3>, 65> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = {static_cast<char>('a' + i / 10), static_cast<char>('a' + i % 10), 0};
  return all;
}();
inline constexpr auto names = [] {
  std::array<std::string_view, 65> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = {letters[i].data(), 2};
  return all;
}();
