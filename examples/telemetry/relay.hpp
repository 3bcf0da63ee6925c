#pragma once
// One run of the demo from its first line to its last: files, store, application, chaos, orderly end, check.

#include "options.hpp"
#include "signals.hpp"

namespace telemetry {

/// The exit code: 0 when all went well and nothing is missing, else 1.
[[nodiscard]] int run(const options& run, const signal_watch& signals);

}  // namespace telemetry
