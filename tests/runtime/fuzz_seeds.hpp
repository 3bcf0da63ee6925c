#pragma once
// Runs of a fuzz test over many seeds: HERALD_SEED runs one, HERALD_SEEDS sets how many.

#include <cstdint>
#include <cstdlib>

#include <doctest/doctest.h>

namespace herald::test {

inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const auto* text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// Run{seed}.play() says what is wrong, or nothing.
template <class Run>
void play_seeds(std::uint64_t usual) {
  const auto first = number_from("HERALD_SEED", 1);
  const auto seeds = number_from("HERALD_SEEDS", std::getenv("HERALD_SEED") != nullptr ? 1 : usual);
  for (auto seed = first; seed < first + seeds; ++seed) {
    Run run{seed};
    const auto wrong = run.play();
    INFO("HERALD_SEED=" << seed << ": " << wrong);
    REQUIRE(wrong.empty());
  }
}

}  // namespace herald::test
