#include <herald/supervisor.hpp>

#include <unordered_set>

#include <herald/engine/supervisor_spec.hpp>

namespace herald {

namespace {

using engine::supervisor_spec;

/// Collects what is wrong, each fault under the path of the spec it is in.
class checker {
 public:
  void child(const std::string& parent, const child_spec& spec) {
    const auto path = parent.empty() ? spec.id : parent + "/" + spec.id;
    const auto& o = spec.options;
    if (spec.id.empty() && !pattern_) fault(parent.empty() ? "(root)" : parent, "has a child without an id");
    if (spec.id.find('/') != std::string::npos) fault(path, "has a '/' in its id; wanted: a name without one");
    if (spec.ops == nullptr && spec.tree == nullptr) fault(path, "has no process type; wanted: child<P>(...) or a supervisor");
    if (spec.ops != nullptr && spec.args_kind != nullptr && spec.args == nullptr && !pattern_)
      fault(path, "has no arguments, but its process type wants some");
    if (static_cast<unsigned>(o.restart) > 2) fault(path, "has an unknown restart type " + std::to_string(static_cast<unsigned>(o.restart)));
    if (o.shutdown && o.shutdown->kind() == shutdown_t::kind_t::limit && o.shutdown->limit().count() < 0)
      fault(path, "has a shutdown of " + std::to_string(o.shutdown->limit().count()) + " ms; wanted: 0 up, infinity or brutal_kill");
    if (o.mailbox.limit == 0) fault(path, "has a mailbox limit of 0; wanted: 1 up");
    if (static_cast<unsigned>(o.mailbox.when_full) > 4) fault(path, "has an unknown mailbox overflow policy " + std::to_string(static_cast<unsigned>(o.mailbox.when_full)));
    if (static_cast<unsigned>(o.on_restart) > 1) fault(path, "has an unknown on_restart " + std::to_string(static_cast<unsigned>(o.on_restart)));
    if (static_cast<unsigned>(o.placement.kind) > 3) fault(path, "has an unknown placement " + std::to_string(static_cast<unsigned>(o.placement.kind)));
    if (o.start_timeout.count() < 0) fault(path, "has a start_timeout of " + std::to_string(o.start_timeout.count()) + " ms; wanted: 0 up");
    backoff(path, o.backoff);
    if (const auto* wanted = o.via.args(); wanted != nullptr && (spec.args_kind == nullptr || spec.args_kind->type != wanted))
      fault(path, "has a name made from arguments of type " + std::string{wanted->name} + ", which are not its own");
    if (spec.tree != nullptr) tree(path, *spec.tree);
  }
  void pattern(const std::string& path, const child_spec& spec) {
    pattern_ = true;
    child(path, spec);
    pattern_ = false;
  }

  [[nodiscard]] std::vector<field_error> take() { return std::move(faults_); }

 private:
  void backoff(const std::string& path, const backoff_t& b) {
    if (b.first.count() < 0 || b.max.count() < 0)
      fault(path, "has a negative backoff (" + std::to_string(b.first.count()) + " ms, " + std::to_string(b.max.count()) + " ms)");
    else if (b.max < b.first)
      fault(path, "has a backoff maximum of " + std::to_string(b.max.count()) + " ms below its first pause of " + std::to_string(b.first.count()) + " ms");
    if (!(b.jitter >= 0 && b.jitter <= 1)) fault(path, "has a backoff jitter of " + std::to_string(b.jitter) + "; wanted: 0 to 1");
  }

  void tree(const std::string& path, const supervisor_spec& t) {
    const auto& where = path;
    if (static_cast<unsigned>(t.strategy) > 2) fault(where, "has an unknown strategy " + std::to_string(static_cast<unsigned>(t.strategy)));
    if (t.intensity.restarts < 0) fault(where, "has an intensity of " + std::to_string(t.intensity.restarts) + " restarts; wanted: 0 up");
    if (t.intensity.period.count() <= 0) fault(where, "has an intensity period of " + std::to_string(t.intensity.period.count()) + " ms; wanted: 1 up");
    if (static_cast<unsigned>(t.auto_shutdown) > 2) fault(where, "has an unknown auto_shutdown " + std::to_string(static_cast<unsigned>(t.auto_shutdown)));
    if (t.max_children == 0) fault(where, "has max_children 0; wanted: 1 up");
    std::unordered_set<std::string> ids;
    const auto above = depth_++ == 0 ? std::string{} : path;
    for (const auto& c : t.children) {
      if (!c->id.empty() && !ids.insert(c->id).second) fault(where, "has two children with the id \"" + c->id + "\"");
      significant(above.empty() ? c->id : above + "/" + c->id, t, *c);
      fits(where, t, *c);
      child(above, *c);
    }
    --depth_;
    if (t.pattern != nullptr) {
      fits(where, t, *t.pattern);
      pattern(where, *t.pattern);
    }
  }

  void significant(const std::string& where, const supervisor_spec& t, const child_spec& c) {
    if (!c.options.significant) return;
    if (t.auto_shutdown == never) fault(where, "is significant, but its supervisor's auto_shutdown is never");
    if (c.options.restart == permanent) fault(where, "is significant and permanent; wanted: transient or temporary");
  }

  /// With a pause before each restart the budget must still be reachable, or a child that cannot start never gives up.
  void fits(const std::string& where, const supervisor_spec& t, const child_spec& c) {
    const auto& b = c.options.backoff;
    if (b.first.count() <= 0 || b.max < b.first || t.intensity.restarts <= 0 || t.intensity.restarts > 1000) return;
    std::chrono::milliseconds sum{0};
    auto pause = b.first;
    for (std::int64_t i = 0; i < t.intensity.restarts; ++i) {
      sum += pause;
      pause = std::min(pause * 2, b.max);
    }
    if (sum >= t.intensity.period)
      fault(where, "has an intensity period of " + std::to_string(t.intensity.period.count()) + " ms, but the first " +
                       std::to_string(t.intensity.restarts) + " pauses of the backoff of " + c.id + " take " +
                       std::to_string(sum.count()) + " ms: its limit could never be reached; wanted: a longer period");
  }

  void fault(std::string where, std::string what) { faults_.push_back({std::move(where), std::move(what)}); }

  std::vector<field_error> faults_;
  bool pattern_ = false;
  unsigned depth_ = 0;
};

}  // namespace

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
      a.dynamic != b.dynamic || a.max_children != b.max_children || a.children.size() != b.children.size())
    return false;
  for (std::size_t i = 0; i < a.children.size(); ++i)
    if (!(*a.children[i] == *b.children[i])) return false;
  return !a.dynamic || *a.pattern == *b.pattern;
}

namespace detail {

child_spec make_dynamic(std::string id, child_spec pattern, const dynamic_options& o) {
  pattern.options = {o.restart, o.shutdown, o.mailbox, o.on_restart, o.backoff, o.placement, o.start_timeout, false, o.via};
  child_spec spec;
  spec.id = std::move(id);
  spec.options.placement = spread;
  auto made = std::make_shared<supervisor_spec>();
  made->intensity = o.intensity;
  made->dynamic = true;
  made->max_children = o.max_children;
  made->pattern = std::make_shared<const child_spec>(std::move(pattern));
  spec.tree = std::move(made);
  return spec;
}

}  // namespace detail

result<void> check_spec(const child_spec& spec) {
  checker c;
  c.child({}, spec);
  auto faults = c.take();
  if (faults.empty()) return {};
  return error{errc::bad_spec, "the specification is wrong and nothing was started", std::move(faults)};
}

}  // namespace herald
