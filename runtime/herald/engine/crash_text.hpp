#pragma once
// What to say of an exception that left user code.

#include <exception>

#include <herald/exit_reason.hpp>

namespace herald::engine {

/// Crash with the exception's type and text.
[[nodiscard]] exit_reason crash_of(const std::exception& thrown) noexcept;
/// Only within a catch block, of whatever was thrown (rethrows it to look: a microsecond): crash with the exception's type and text.
[[nodiscard]] exit_reason crash_of_current_exception() noexcept;

}  // namespace herald::engine
