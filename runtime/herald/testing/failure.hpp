#pragma once
// How the testing kit says that something expected did not happen.

#include <stdexcept>

namespace herald::testing {

/// Thrown by expectations. Test frameworks report its text.
class failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace herald::testing
