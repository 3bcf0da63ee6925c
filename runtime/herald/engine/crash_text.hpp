#pragma once
// What to say of an exception that left user code.

#include <herald/exit_reason.hpp>

namespace herald::engine {

/// Only within a catch block: crash with the exception's type and text.
[[nodiscard]] exit_reason crash_of_current_exception() noexcept;

}  // namespace herald::engine
