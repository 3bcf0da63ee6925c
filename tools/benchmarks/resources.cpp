#include "bench.hpp"

namespace bench {

void add_resources_benchmarks(registry&) {}

}  // namespace bench
