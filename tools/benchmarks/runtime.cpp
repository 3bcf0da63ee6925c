#include "bench.hpp"
#include "caf_baseline.hpp"

namespace bench {

void add_runtime_benchmarks(registry&) {}

}  // namespace bench
