#include <doctest/doctest.h>
#include <herald/codec.hpp>

using namespace std::chrono_literals;
using herald::cast_status;
using herald::codec;
using herald::value;
using herald::value_view;

enum class colour { red, green };
enum class level : std::uint8_t { low = 3, high = 9 };

template <>
struct herald::enum_names<colour> {
  static constexpr std::string_view names[] = {"red", "green"};
};

namespace {

template <class V>
cast_status cast(V& to, const value& from) {
  return herald::detail::type_ops_of<V>.set(&to, from.view());
}

template <class V>
void round_trip(const V& original) {
  const value kept{herald::detail::type_ops_of<V>.get(&original)};
  V back{};
  CHECK(cast(back, kept) == cast_status::ok);
  CHECK(back == original);
}

}  // namespace

TEST_CASE("each known type goes into a value and comes back the same") {
  round_trip(true);
  round_trip(std::int8_t{-128});
  round_trip(std::uint32_t{4'000'000'000});
  round_trip(std::int64_t{-1} << 62);
  round_trip(1.5F);
  round_trip(-2.25);
  round_trip(std::string{"a\0b", 3});
  round_trip(herald::uuid{{9, 8}});
  round_trip(herald::timestamp{123us});
  round_trip(std::chrono::microseconds{5});
  round_trip(std::chrono::milliseconds{5});
  round_trip(std::chrono::seconds{5});
  round_trip(colour::green);
  round_trip(level::high);
  round_trip(std::optional<std::string>{});
  round_trip(std::optional<std::string>{"there"});
  round_trip(std::vector<std::string>{"a", "b"});
  round_trip(std::vector<int>{});
}

TEST_CASE("C10: bytes of every value come back byte for byte") {
  herald::byte_vector all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<std::byte>(i));
  round_trip(all);
}

TEST_CASE("casts from outside are strict, but an integer is a real, a text names an enumerator or spells a uuid") {
  std::int32_t number = 1;
  CHECK(cast(number, value{"7"}) == cast_status::wrong_type);
  CHECK(cast(number, value{7.0}) == cast_status::wrong_type);
  CHECK(cast(number, value{true}) == cast_status::wrong_type);
  CHECK(cast(number, value{std::int64_t{1} << 40}) == cast_status::out_of_range);
  CHECK(cast(number, value{}) == cast_status::is_null);
  CHECK(number == 1);

  double real = 0;
  CHECK(cast(real, value{7}) == cast_status::ok);
  CHECK(real == 7.0);

  colour shade = colour::red;
  CHECK(cast(shade, value{"green"}) == cast_status::ok);
  CHECK(shade == colour::green);
  CHECK(cast(shade, value{"blue"}) == cast_status::out_of_range);
  CHECK(cast(shade, value{1}) == cast_status::wrong_type);

  herald::uuid id;
  CHECK(cast(id, value{"0190163d-8694-739b-aea5-966c26f8ad91"}) == cast_status::ok);
  CHECK(cast(id, value{"no uuid"}) == cast_status::wrong_type);

  std::optional<std::int32_t> maybe = 3;
  CHECK(cast(maybe, value{"x"}) == cast_status::wrong_type);
  CHECK(maybe == 3);
  CHECK(cast(maybe, value{}) == cast_status::ok);
  CHECK_FALSE(maybe);

  std::vector<int> list{1};
  CHECK(cast(list, value{std::vector<value>{value{1}, value{"x"}}}) == cast_status::wrong_type);
  CHECK(list == std::vector<int>{1});
  CHECK(cast(list, value{std::vector<value>{value{4}, value{5}}}) == cast_status::ok);
  CHECK(list == std::vector<int>{4, 5});
}
