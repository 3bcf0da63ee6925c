#include "tree.hpp"

#include "alert_keeper.hpp"
#include "process_sampler.hpp"

#include <algorithm>
#include <cmath>

namespace telemetry {

using namespace std::chrono_literals;

namespace {

// A demo that kills its own processes must allow it: ten times the kills that are expected. Without chaos nothing
// should crash at all, and a few crashes in a row end the demo.
herald::intensity_t intensity_for(double chaos) {
  return {.restarts = chaos > 0 ? 20 + std::llround(chaos * 10) : 5, .period = 1s};
}

}  // namespace

herald::supervisor make_tree(const tree_plan& plan) {
  const auto intensity = intensity_for(plan.chaos);
  const auto area = [&](std::string name, std::vector<herald::child_spec> children) {
    return herald::supervisor{.name = std::move(name),
                              .strategy = herald::one_for_one,
                              .intensity = intensity,
                              .children = std::move(children)};
  };
  const auto& around = plan.around;
  const herald::child_options blocking{.shutdown = 5s, .placement = herald::own_thread};
  return {.name = "telemetry",
          .strategy = herald::one_for_one,
          .intensity = intensity,
          .children = {
              area("storage", {around.store.writer(), around.store.notifier()}),
              area("output", {herald::child<recorder>("recorder", {around, plan.record}, blocking),
                              herald::child<view_process>("view", plan.view, blocking)}),
              area("analysis",
                   {herald::child<aggregates>("aggregates", around), herald::child<alert_keeper>("alerts", around)}),
              area("samplers",
                   {herald::child<cpu_sampler>("cpu", around), herald::child<memory_sampler>("memory", around),
                    herald::child<disk_sampler>("disk", around), herald::child<network_sampler>("network", around),
                    herald::child<process_sampler>("processes", around, blocking)}),
          }};
}

namespace {

void walk(const herald::application& app, const herald::supervisor_ref& supervisor, const std::string& path, int depth,
          tree_shape& shape) {
  auto children = supervisor.which_children();
  if (!children) return;
  std::reverse(children->begin(), children->end());  // they come newest first
  for (const auto& child : *children) {
    const auto place = path.empty() ? child.id : path + "/" + child.id;
    shape.places.push_back({{.depth = depth, .name = child.id, .supervisor = child.supervisor}, place});
    if (child.supervisor)
      walk(app, app.find_supervisor(place), place, depth + 1, shape);
    else
      shape.workers.push_back({place, supervisor, child.who});
  }
}

}  // namespace

tree_shape shape_of(const herald::application& app, const std::string& name) {
  tree_shape shape;
  shape.places.push_back({{.depth = 0, .name = name, .supervisor = true}, ""});
  walk(app, app.root(), "", 1, shape);
  return shape;
}

}  // namespace telemetry
