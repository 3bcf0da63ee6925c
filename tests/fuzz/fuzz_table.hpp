#pragma once
// The resource that the fuzz targets read: each kind of value once, and structs inside structs.

#include <herald/resource.hpp>

namespace fuzz {

enum class mood { calm, cross };
struct Place {
  std::string street, code;
  std::vector<std::int64_t> hours;
};
struct Thing {
  std::int64_t id = 0;
  bool flag = false;
  std::int8_t small = 0;
  double real = 0;
  std::string text;
  herald::byte_vector blob;
  herald::uuid other;
  herald::timestamp when{};
  std::chrono::milliseconds took{};
  fuzz::mood mood = mood::calm;
  std::optional<std::string> maybe;
  std::string secret;
  std::vector<double> list;
  std::map<std::string, Place> places;
  std::vector<std::vector<std::string>> lists;
  Place place;
};

struct Making {
  herald::timestamp due{};
  herald::byte_vector mark;
  std::chrono::milliseconds grace{};
};

}  // namespace fuzz

template <>
inline constexpr auto herald::described<fuzz::Place> = herald::structure<fuzz::Place>("place",
    herald::dsl::attribute<&fuzz::Place::street>(), herald::dsl::attribute<&fuzz::Place::code>(herald::dsl::sensitive),
    herald::dsl::attribute<&fuzz::Place::hours>());

namespace fuzz {

using namespace herald::dsl;
inline constexpr auto things = herald::resource<Thing>("things", attribute<&Thing::id>(primary_key), attribute<&Thing::flag>(),
  attribute<&Thing::small>(), attribute<&Thing::real>(), attribute<&Thing::text>(), attribute<&Thing::blob>(),
  attribute<&Thing::other>(), attribute<&Thing::when>(), attribute<&Thing::took>(), attribute<&Thing::mood>(),
  attribute<&Thing::maybe>(), attribute<&Thing::secret>(sensitive), attribute<&Thing::list>(), attribute<&Thing::places>(),
  attribute<&Thing::lists>(), attribute<&Thing::place>(),
  create("make", argument<&Making::due>(), argument<&Making::mark>(), argument<&Making::grace>()),
  pub_sub("thing", publish("make", topic("made"), named{"born"})));

/// Without what the bus needs, so that no more of the program than this is built with the fuzzer.
inline const herald::resource_table& table() {
  static constexpr herald::resource_table it = things.table();
  return it;
}

}  // namespace fuzz
