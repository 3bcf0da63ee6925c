#include <doctest/doctest.h>
#include <herald/offset.hpp>
#include <herald/uuid.hpp>

#include <set>

using namespace std::chrono_literals;
using herald::timestamp;
using herald::uuid;

TEST_CASE("a uuid's text reads back as the same uuid, in either case") {
  const std::string text = "0190163d-8694-739b-aea5-966c26f8ad91";
  const auto id = uuid::parse(text);
  REQUIRE(id);
  CHECK(id->to_string() == text);
  CHECK(uuid::parse("0190163D-8694-739B-AEA5-966C26F8AD91") == id);
  CHECK(id->version() == 7);
  CHECK_FALSE(id->is_nil());
  CHECK(uuid{}.is_nil());
}

TEST_CASE("a text that is no uuid is refused") {
  for (const char* wrong : {"", "0190163d", "0190163d-8694-739b-aea5-966c26f8ad9", "0190163d-8694-739b-aea5-966c26f8ad911",
                            "0190163d_8694-739b-aea5-966c26f8ad91", "g190163d-8694-739b-aea5-966c26f8ad91",
                            "0190163d-8694-739b-aea5-966c26f8ad9-"}) {
    CAPTURE(wrong);
    CHECK_FALSE(uuid::parse(wrong));
  }
}

TEST_CASE("generated uuids are of version 7, carry the time given, and grow, within a millisecond and over a step back") {
  herald::uuid_generator next{42};
  const timestamp start{1'700'000'000'000'000us};
  uuid last;
  for (int i = 0; i < 10'000; ++i) {
    const uuid id = next.next(start + std::chrono::microseconds{i / 100} - (i % 10 == 0 ? 5ms : 0ms));
    CHECK(id > last);
    CHECK(id.version() == 7);
    CHECK((id.bytes[8] & 0xc0) == 0x80);
    last = id;
  }
  const uuid later = next.next(start + 1h);
  std::uint64_t millisecond = 0;
  for (std::size_t i = 0; i < 6; ++i) millisecond = millisecond << 8 | later.bytes[i];
  CHECK(millisecond == 1'700'003'600'000U);
}

TEST_CASE("the same seed gives the same uuids, another seed others") {
  herald::uuid_generator a{1};
  herald::uuid_generator b{1};
  herald::uuid_generator c{2};
  const uuid first = a.next({});
  CHECK(first == b.next({}));
  CHECK(first != c.next({}));
}

TEST_CASE("an offset's text reads back, and nothing else does") {
  const herald::offset at{0x9f86d081884c7d65U, 42};
  CHECK(at.to_string() == "9f86d081884c7d65-42");
  CHECK(herald::offset::parse(at.to_string()) == at);
  CHECK(herald::offset::parse("0000000000000000-0") == herald::offset{});
  for (const char* wrong : {"", "42", "9f86d081884c7d65", "9f86d081884c7d65-", "9f86d081884c7d65-4x",
                            "9f86d081884c7d6g-42", "9f86d081884c7d65-99999999999999999999"}) {
    CAPTURE(wrong);
    CHECK_FALSE(herald::offset::parse(wrong));
  }
}
