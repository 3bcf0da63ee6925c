#include "troubles.hpp"

#include <herald/resource_error.hpp>

#include <doctest/doctest.h>

using namespace telemetry;
using herald::resource_errc;

TEST_CASE("each trouble is told once, however often it happens") {
  troubles seen;
  for (int times = 0; times < 100; ++times) seen.heed({resource_errc::disk_full, "the disk of t.db is full"});
  CHECK(seen.take_news() == std::vector<std::string>{"the disk of t.db is full"});
  CHECK(seen.take_news().empty());
  seen.heed({resource_errc::io_error, "t.db cannot be read"});
  CHECK(seen.take_news() == std::vector<std::string>{"t.db cannot be read"});
  CHECK(seen.all().size() == 2);
}

TEST_CASE("what a restart brings about by itself is no trouble") {
  troubles seen;
  for (const auto code : {resource_errc::taken, resource_errc::not_found, resource_errc::stale,
                          resource_errc::unavailable, resource_errc::timeout, resource_errc::closed})
    seen.heed({code, "as expected"});
  CHECK(seen.all().empty());
}

TEST_CASE("troubles without end are cut at twenty") {
  troubles seen;
  for (int number = 0; number < 100; ++number)
    seen.heed({resource_errc::io_error, "trouble " + std::to_string(number)});
  CHECK(seen.all().size() == 20);
}
