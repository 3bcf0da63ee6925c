#include <doctest/doctest.h>
#include <herald/value.hpp>

#include <limits>

using namespace std::chrono_literals;
using herald::value;
using herald::value_type;
using herald::value_view;

namespace {

std::vector<value> one_of_each() {
  return {value{},
          value{true},
          value{-5},
          value{2.5},
          value{"text"},
          value{herald::byte_vector{std::byte{0}, std::byte{255}}},
          value{herald::uuid{{1, 2, 3}}},
          value{herald::timestamp{5us}},
          value{std::chrono::microseconds{7}},
          value{std::vector<value>{value{1}, value{"two"}, value{}}}};
}

}  // namespace

TEST_CASE("a value of each type is equal to its copy and to what a view of it makes, and to nothing else") {
  const auto all = one_of_each();
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(i);
    CHECK(static_cast<std::size_t>(all[i].type()) == i);
    const value copy = all[i];
    CHECK(copy == all[i]);
    CHECK(value{all[i].view()} == all[i]);
    CHECK(copy.view().hash() == all[i].view().hash());
    for (std::size_t k = 0; k < all.size(); ++k) CHECK((all[i] == all[k]) == (i == k));
  }
}

TEST_CASE("values are in a total order: by type, then by content") {
  const auto all = one_of_each();
  for (std::size_t i = 1; i < all.size(); ++i) CHECK(all[i - 1] < all[i]);
  CHECK(value{1} < value{2});
  CHECK(value{"a"} < value{"b"});
  CHECK(value{std::vector<value>{value{1}}} < value{std::vector<value>{value{1}, value{1}}});
  const value nan{std::numeric_limits<double>::quiet_NaN()};
  CHECK(nan == nan);
  CHECK(value{1.0} < nan);
}

TEST_CASE("a value's text is what stands in topics; its description is for people and stays short") {
  CHECK(value{-5}.view().describe() == "-5");
  CHECK(value{"a\"b"}.view().describe() == "\"a\"b\"");
  CHECK(value{}.view().describe() == "null");
  CHECK(value{false}.view().describe() == "false");
  CHECK(value{std::vector<value>{value{1}, value{2}}}.view().describe() == "[1,2]");
  CHECK(value{std::string(1000, 'x')}.view().describe().size() < 100);
  std::string out = "bytes:";
  value{herald::byte_vector{std::byte{1}, std::byte{0xab}}}.view().append_to(out);
  CHECK(out == "bytes:01ab");
}
