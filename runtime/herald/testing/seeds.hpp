#pragma once
// The problem: one schedule proves little. for_seeds runs a test under many, and says which one failed.
//
//   herald::testing::for_seeds(200, [](std::uint64_t seed) { world w{tree(), {.seed = seed}}; ... });
//
// HERALD_SEED=n in the environment runs that seed alone, HERALD_SEEDS=n changes how many. Errors: what the test throws
// goes on, after the seed was printed to standard error; a testing::failure is thrown on with the seed in its text.

#include <cstdint>
#include <functional>

namespace herald::testing {

/// Runs `test` with the seeds 1 to `count`.
void for_seeds(std::uint64_t count, const std::function<void(std::uint64_t seed)>& test);
/// What HERALD_SEED says, or `otherwise`.
[[nodiscard]] std::uint64_t seed_from_environment(std::uint64_t otherwise = 1);

}  // namespace herald::testing
