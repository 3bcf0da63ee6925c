#pragma once
// Runs one side of a benchmark in a child process, so that heaps, threads and crashes of one do not reach the next.

#include <string>

#include "bench.hpp"

namespace bench {

struct outcome {
  std::optional<sample> median;  ///< the round whose value is the median; nothing when the side failed
  std::string problem;           ///< why there is no median
};

/// Forks, runs warm-up and rounds there, and gives up on it after `limit`. Must be called before any thread exists.
[[nodiscard]] outcome run_in_child(const benchmark& entry, const side& which, const options& opts,
                                   std::chrono::seconds limit);

}  // namespace bench
