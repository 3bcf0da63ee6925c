#include <herald/error.hpp>

#include <doctest/doctest.h>

using herald::errc;
using herald::error;
using herald::result;

TEST_CASE("an error names its domain, its code and one sentence") {
  const error why{errc::timeout, "call to /market/cache took longer than 500 ms"};
  CHECK(why.domain().name == "runtime");
  CHECK(why.name() == "timeout");
  CHECK(why.to_string() == "runtime.timeout: call to /market/cache took longer than 500 ms");
  CHECK(why == errc::timeout);
  CHECK_FALSE(why == errc::down);
}

TEST_CASE("an error about input lists its fields") {
  const error why{errc::bad_spec, "supervisor market cannot start", {{"intensity", "is -1, wanted 0 or more"}}};
  REQUIRE(why.fields().size() == 1);
  CHECK(why.fields().front().field == "intensity");
  CHECK(why.to_string() == "runtime.bad_spec: supervisor market cannot start; intensity is -1, wanted 0 or more");
}

TEST_CASE("a result is a value or an error") {
  const result<int> good{7};
  CHECK(good.has_value());
  CHECK(*good == 7);
  CHECK_FALSE(good.is(errc::timeout));

  const result<int> bad{error{errc::noproc, "no process named cache"}};
  CHECK_FALSE(bad);
  CHECK(bad.is(errc::noproc));
  CHECK(bad.value_or(3) == 3);
}

TEST_CASE("asking a failed result for its value throws the error's text") {
  const result<int> bad{error{errc::noproc, "no process named cache"}};
  CHECK_THROWS_WITH_AS((void)bad.value(), "runtime.noproc: no process named cache", herald::bad_result);
  const result<void> nothing{error{errc::closed, "the application is stopped"}};
  CHECK_THROWS_AS(nothing.value(), herald::bad_result);
}

TEST_CASE("every runtime code has its own name") {
  for (int code = 1; code <= static_cast<int>(errc::unanswered); ++code) {
    CAPTURE(code);
    CHECK(herald::domain_of(errc::timeout).code_name(code) != "unknown");
  }
  CHECK(error{errc::bad_option, ""}.name() == "bad_option");
  CHECK(error{errc::not_found, ""}.name() == "not_found");
  CHECK(error{errc::max_children, ""}.name() == "max_children");
}
