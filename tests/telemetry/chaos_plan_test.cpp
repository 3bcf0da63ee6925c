#include "chaos_plan.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace telemetry;

TEST_CASE("the same seed kills the same victims at the same moments") {
  chaos_plan one{5, 42};
  chaos_plan two{5, 42};
  chaos_plan other{5, 43};
  int differences = 0;
  for (int kill = 0; kill < 100; ++kill) {
    const auto pause = one.pause();
    CHECK(pause == two.pause());
    const auto victim = one.victim(10);
    CHECK(victim == two.victim(10));
    differences += static_cast<int>(pause != other.pause()) + static_cast<int>(victim != other.victim(10));
  }
  CHECK(differences > 50);
}

TEST_CASE("kills come at the rate that was asked for, and everybody's turn comes") {
  chaos_plan plan{50, 7};
  std::array<int, 8> turns{};
  std::chrono::microseconds total{0};
  for (int kill = 0; kill < 10'000; ++kill) {
    const auto pause = plan.pause();
    CHECK(pause.count() >= 0);
    CHECK(pause <= std::chrono::milliseconds{200});
    total += pause;
    ++turns.at(plan.victim(turns.size()));
  }
  CHECK(total.count() / 10'000 == doctest::Approx(20'000).epsilon(0.05));
  for (const auto count : turns) CHECK(count == doctest::Approx(1250).epsilon(0.15));
  CHECK(plan.victim(1) == 0);
}
