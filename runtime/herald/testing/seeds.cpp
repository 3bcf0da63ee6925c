#include <herald/testing/seeds.hpp>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>

#include <herald/testing/failure.hpp>

namespace herald::testing {

namespace {

std::optional<std::uint64_t> number_in(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return std::nullopt;
  std::uint64_t n = 0;
  const auto* end = text + std::strlen(text);
  const auto [stopped, error] = std::from_chars(text, end, n);
  if (error != std::errc{} || stopped != end)
    throw std::invalid_argument{std::string{name} + " wants a number, got \"" + text + '"'};
  return n;
}

}  // namespace

std::uint64_t seed_from_environment(std::uint64_t otherwise) { return number_in("HERALD_SEED").value_or(otherwise); }

void for_seeds(std::uint64_t count, const std::function<void(std::uint64_t seed)>& test) {
  const auto only = number_in("HERALD_SEED");
  const auto begin = only.value_or(1);
  const auto seeds = only ? 1 : number_in("HERALD_SEEDS").value_or(count);
  for (auto seed = begin; seed < begin + seeds; ++seed) {
    try {
      test(seed);
    } catch (const failure& f) {
      throw failure{"with HERALD_SEED=" + std::to_string(seed) + ": " + f.what()};
    } catch (...) {
      std::fprintf(stderr, "herald: the test failed with HERALD_SEED=%llu\n", static_cast<unsigned long long>(seed));
      throw;
    }
  }
}

}  // namespace herald::testing
