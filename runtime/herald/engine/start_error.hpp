#pragma once
// How init says that there is to be no process: thrown by context::ignore and context::fail, caught by the host alone.

#include <string>

namespace herald::engine {

struct start_ignored {};
struct start_refused {
  std::string why;
};

/// The texts by which these two travel in an exit_reason of kind custom.
inline constexpr const char* ignored_word = "ignore";

}  // namespace herald::engine
