#include <herald/partition.hpp>

#include <herald/application.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/find.hpp>
#include <herald/engine/partition_tables.hpp>
#include <herald/engine/supervisor_state.hpp>

namespace herald {

namespace {

std::string fault_of(const child_spec& spec, const partition_options& o) {
  if (o.partitions < 1 || o.partitions > max_partitions)
    return "has " + std::to_string(o.partitions) + " partitions; wanted: 1 to " + std::to_string(max_partitions);
  if (spec.options.restart == temporary) return "has temporary partitions; wanted: permanent or transient, so that keys find them again";
  if (spec.options.significant) return "has significant partitions, but a partition supervisor has no auto_shutdown";
  const auto* wants = o.with_arguments.wants();
  if (!o.with_arguments || wants == nullptr) return {};
  if (spec.args == nullptr || spec.args_kind == nullptr)
    return "has with_arguments for " + std::string{wants->name} + ", but its partitions take no arguments";
  if (spec.args_kind->type != wants)
    return "has with_arguments for " + std::string{wants->name} + ", but its partitions take " + std::string{spec.args_kind->type->name};
  return {};
}

}  // namespace

child_spec partition(std::string id, child_spec spec, partition_options o) {
  auto made = std::make_shared<engine::supervisor_spec>();
  made->intensity = o.intensity;
  made->partitioned = true;
  made->fault = fault_of(spec, o);
  for (std::size_t n = 0; made->fault.empty() && n < o.partitions; ++n) {
    auto one = spec;
    if (o.with_arguments) o.with_arguments.apply(one, n);
    one.id = std::to_string(n);
    one.options.placement = o.placement;
    made->children.push_back(std::make_shared<const child_spec>(std::move(one)));
  }
  child_spec whole;
  whole.id = std::move(id);
  whole.options.restart = o.restart;
  whole.options.shutdown = o.shutdown;
  whole.options.placement = spread;
  whole.tree = std::move(made);
  return whole;
}

partition_base partition_base::find(engine::core& system, std::string_view path, const engine::process_ops* type) {
  const auto supervisor = engine::find_in_tree(system, path, &engine::supervisor_ops);
  auto table = engine::partition_tables::of(system).find(path);
  if (supervisor.cell == nullptr || table == nullptr || table->type() != type) return {};
  return {supervisor_ref{supervisor}, std::move(table)};
}

engine::core& partition_base::inside(const application& app) { return app.inside(); }

const engine::process_ops* partition_base::supervisor_type() noexcept { return &engine::supervisor_ops; }

error partition_base::nobody() const {
  if (table_ == nullptr) return engine::noproc_error();
  return {errc::not_found, "the partition supervisor has zero partitions now; resize it"};
}

}  // namespace herald
