#pragma once
// What the pieces of resource.cases begin with.
#include <herald/resource.hpp>
#include <herald/typed_query.hpp>

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
