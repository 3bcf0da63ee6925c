#pragma once
// What compiling a piece of source costs.

#include "bench.hpp"

#include <string>

namespace bench {

struct compiled {
  sample time;  ///< its value: CPU seconds
  double megabytes = 0;
};
[[nodiscard]] compiled compile(const std::string& source, const std::string& flags);

}  // namespace bench
