#pragma once
// What the pieces of typed_topic.cases begin with.
#include <herald/callback.hpp>
#include <herald/typed_topic.hpp>

struct price_changed {
  std::string symbol;
  double price = 0;
};
struct order_placed {
  int number = 0;
};

inline constexpr herald::typed_topic<price_changed> prices{"prices"};
