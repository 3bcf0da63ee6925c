#include <herald/supervisor.hpp>

#include <herald/engine/supervisor_spec.hpp>

namespace herald {

using engine::supervisor_spec;

child_spec::child_spec(supervisor nested) : id{std::move(nested.name)} {
  options.restart = nested.restart;
  options.shutdown = nested.shutdown;
  options.placement = nested.placement;
  options.significant = nested.significant;
  auto made = std::make_shared<supervisor_spec>();
  made->strategy = nested.strategy;
  made->intensity = nested.intensity;
  made->auto_shutdown = nested.auto_shutdown;
  made->children.reserve(nested.children.size());
  for (auto& c : nested.children) made->children.push_back(std::make_shared<const child_spec>(std::move(c)));
  tree = std::move(made);
}

bool operator==(const child_spec& left, const child_spec& right) {
  if (left.id != right.id || !(left.options == right.options) || left.ops != right.ops) return false;
  if (left.args != right.args) {
    if (!left.args || !right.args || left.args_kind != right.args_kind || left.args_kind == nullptr ||
        left.args_kind->equal == nullptr || !left.args_kind->equal(left.args.get(), right.args.get()))
      return false;
  }
  if (left.tree == right.tree) return true;
  if (!left.tree || !right.tree) return false;
  const auto& a = *left.tree;
  const auto& b = *right.tree;
  if (a.strategy != b.strategy || !(a.intensity == b.intensity) || a.auto_shutdown != b.auto_shutdown ||
      a.dynamic != b.dynamic || a.max_children != b.max_children || a.partitioned != b.partitioned ||
      a.extra_args.values() != b.extra_args.values() || a.children.size() != b.children.size())
    return false;
  for (std::size_t i = 0; i < a.children.size(); ++i)
    if (!(*a.children[i] == *b.children[i])) return false;
  if (a.pattern == b.pattern) return true;
  return a.pattern != nullptr && b.pattern != nullptr && *a.pattern == *b.pattern;
}

namespace detail {

child_spec make_dynamic(std::string id, child_spec pattern, const dynamic_options& o, extra_args_t extra) {
  pattern.options = {o.restart, o.shutdown, o.mailbox, o.on_restart, o.backoff, o.placement, o.start_timeout, false, o.via, {}};
  child_spec spec;
  spec.id = std::move(id);
  spec.options.placement = spread;
  auto made = std::make_shared<supervisor_spec>();
  made->intensity = o.intensity;
  made->dynamic = true;
  made->max_children = o.max_children;
  made->extra_args = std::move(extra);
  made->pattern = std::make_shared<const child_spec>(std::move(pattern));
  spec.tree = std::move(made);
  return spec;
}

}  // namespace detail

child_spec dynamic(std::string id, dynamic_supervisor_options o) {
  child_spec spec;
  spec.id = std::move(id);
  spec.options.restart = o.restart;
  spec.options.shutdown = o.shutdown;
  spec.options.placement = o.placement;
  spec.options.significant = o.significant;
  auto made = std::make_shared<supervisor_spec>();
  made->intensity = o.intensity;
  made->dynamic = true;
  made->max_children = o.max_children;
  made->extra_args = std::move(o.extra_args);
  spec.tree = std::move(made);
  return spec;
}

}  // namespace herald
