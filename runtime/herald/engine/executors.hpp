#pragma once

#include <memory>

#include <herald/engine/executor.hpp>
#include <herald/application_options.hpp>

namespace herald::engine {

/// CAF's workers, or the simulation that the options name.
[[nodiscard]] std::unique_ptr<executor> make_executor(const application_options& options);
[[nodiscard]] std::unique_ptr<executor> make_simulation_executor(herald::simulation& sim);

}  // namespace herald::engine
