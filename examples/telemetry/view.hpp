#pragma once
// The live view: a model and a size give a canvas. Pure, so every size can be tried in a test. Wide terminals get two
// columns; small ones get less, in the order of what a stranger wants to see first: the machine, its processes, the
// tree, its alerts. The smallest get one line.
//
// Thread safety: free functions, safe.

#include "canvas.hpp"
#include "view_model.hpp"

namespace telemetry {

[[nodiscard]] canvas draw(const view_model& model, int width, int height);

/// Bars of eight heights for the last `width` points; `top` is the value of a full bar.
[[nodiscard]] std::string sparkline(const std::vector<double>& points, int width, double top);

}  // namespace telemetry
