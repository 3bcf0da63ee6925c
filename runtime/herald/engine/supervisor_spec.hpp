#pragma once
// A supervisor's part of a child_spec, as the engine reads it.

#include <memory>
#include <string>
#include <vector>

#include <herald/supervisor.hpp>

namespace herald::engine {

struct supervisor_spec {
  strategy_t strategy = one_for_one;
  intensity_t intensity;
  auto_shutdown_t auto_shutdown = never;
  std::vector<std::shared_ptr<const child_spec>> children;
  bool dynamic = false;
  std::shared_ptr<const child_spec> pattern;  ///< of a dynamic supervisor's children, when they are all of one type
  std::uint32_t max_children = ~std::uint32_t{0};
  extra_args_t extra_args;                    ///< what a dynamic supervisor's children get before their own arguments
  bool partitioned = false;                   ///< the children are partitions 0 up, chosen by key
  std::string fault;                          ///< what was wrong when the spec was put together, for check_spec

  /// Null: none of this type.
  [[nodiscard]] std::shared_ptr<const void> extra_of(const type_tag& type) const {
    for (const auto& v : extra_args.values())
      if (v.type == &type) return v.what;
    return nullptr;
  }
};

/// The first thing wrong with a child that is to be started at run time; without what depends on its supervisor.
[[nodiscard]] result<void> check_child(const child_spec& spec);
/// What is wrong with it as a child of this supervisor.
[[nodiscard]] result<void> check_fit(const supervisor_spec& parent, const child_spec& spec);

}  // namespace herald::engine
