// What the clock knows of the hosts' timers.

#include <doctest/doctest.h>
#include <herald/engine/alarms.hpp>

#include <array>

using namespace std::chrono_literals;
using herald::engine::alarms;
using herald::engine::host;

namespace {

/// Hosts are only told apart here.
std::array<std::max_align_t, 2> places{};
host& first = reinterpret_cast<host&>(places[0]);
host& second = reinterpret_cast<host&>(places[1]);

herald::engine::time_point at(std::chrono::milliseconds since) { return herald::engine::time_point{since}; }

}  // namespace

TEST_CASE("a host has one deadline with the clock: a nearer one takes the place of the one before") {
  alarms known;
  CHECK(known.set(first, at(50ms)));
  CHECK(known.set(first, at(30ms)));
  CHECK_FALSE(known.set(second, at(40ms)));
  CHECK(known.earliest() == at(30ms));
  CHECK(known.due(at(29ms)).empty());
  CHECK(known.due(at(30ms)) == std::vector<host*>{&first});
  // Were the first one still there, each due deadline would set another, and they would get more and more.
  CHECK(known.due(at(60ms)) == std::vector<host*>{&second});
  CHECK_FALSE(known.earliest().has_value());
}

TEST_CASE("hosts of one deadline are rung in the order in which they set it") {
  alarms known;
  CHECK(known.set(second, at(10ms)));
  CHECK_FALSE(known.set(first, at(10ms)));
  CHECK(known.due(at(10ms)) == std::vector<host*>{&second, &first});
}
