// What can be wrong with a spec. Everything is told at once, before anything starts: a program whose tree is wrong should
// need one run to find out, not one for each fault.

#include <algorithm>
#include <unordered_set>

#include <herald/engine/supervisor_spec.hpp>

namespace herald {

namespace {

using engine::supervisor_spec;

constexpr std::chrono::milliseconds longest = std::chrono::hours{24 * 365};
constexpr std::size_t longest_id = 200;

std::string number_of(auto enumerator) { return std::to_string(static_cast<unsigned>(enumerator)); }
std::string ms_of(std::chrono::milliseconds time) { return std::to_string(time.count()) + " ms"; }

/// Who will be the parent of the spec that is looked at.
enum class parent_kind : std::uint8_t {
  fixed,    ///< a supervisor that finds its children by id
  dynamic,  ///< one that finds them by ref, and may have extra arguments for them
  unknown,  ///< to be looked at again where the parent is known
};

/// Collects what is wrong, each fault under the path of the spec it is in.
class checker {
 public:
  void child(const std::string& parent, const child_spec& spec, parent_kind kind) {
    const auto unnamed = parent.empty() ? std::string{kind == parent_kind::fixed ? "(root)" : "the child"} : parent;
    const auto path = spec.id.empty() ? unnamed : parent.empty() ? spec.id : parent + "/" + spec.id;
    name(parent, path, spec, kind);
    if (spec.ops == nullptr && spec.tree == nullptr) fault(path, "has no process type; wanted: child<P>(...) or a supervisor");
    if (spec.ops != nullptr && spec.tree != nullptr) fault(path, "is a process and a supervisor; wanted: one of them");
    if (spec.ops != nullptr && spec.args_kind != nullptr && spec.args == nullptr && !pattern_)
      fault(path, "has no arguments, but its process type wants some");
    if (spec.ops != nullptr && spec.ops->extra_args != nullptr && kind == parent_kind::fixed)
      fault(path, "is of a type with extra_args, which only a dynamic supervisor gives; wanted: dynamic(...) above it");
    if (!spec.fault.empty()) fault(path, spec.fault);
    options(path, spec.options);
    if (const auto* wanted = spec.options.via.args(); wanted != nullptr && (spec.args_kind == nullptr || spec.args_kind->type != wanted))
      fault(path, "has a name made from arguments of type " + std::string{wanted->name} + ", which are not its own");
    if (spec.tree != nullptr) tree(path, *spec.tree);
  }
  void extra(const std::string& path, const supervisor_spec& parent, const child_spec& spec) {
    if (spec.ops != nullptr && spec.ops->extra_args != nullptr && parent.extra_of(*spec.ops->extra_args) == nullptr)
      fault(path, "wants extra_args of the type " + std::string{spec.ops->extra_args->name} +
                      ", which its dynamic supervisor does not have");
  }
  void significant(const std::string& path, const supervisor_spec& parent, const child_spec& spec) {
    if (!spec.options.significant) return;
    if (parent.auto_shutdown == never) fault(path, "is significant, but its supervisor's auto_shutdown is never");
    if (spec.options.restart == permanent) fault(path, "is significant and permanent; wanted: transient or temporary");
  }
  void fault(std::string where, std::string what) { faults_.push_back({std::move(where), std::move(what)}); }

  [[nodiscard]] result<void> verdict(const char* sentence) {
    if (faults_.empty()) return {};
    return error{errc::bad_spec, sentence, std::move(faults_)};
  }

 private:
  void name(const std::string& parent, const std::string& path, const child_spec& spec, parent_kind kind) {
    if (spec.id.empty() && !pattern_ && kind == parent_kind::fixed)
      fault(parent.empty() ? "(root)" : parent, "has a child without an id");
    if (spec.id.find('/') != std::string::npos) fault(path, "has a '/' in its id; wanted: a name without one");
    if (std::any_of(spec.id.begin(), spec.id.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
      fault(parent.empty() ? "(root)" : parent, "has a child with control characters in its id; wanted: a name to be read");
    if (spec.id.size() > longest_id)
      fault(parent.empty() ? "(root)" : parent, "has a child with an id of " + std::to_string(spec.id.size()) +
                                                    " bytes; wanted: at most " + std::to_string(longest_id));
  }

  void options(const std::string& path, const child_options& o) {
    if (static_cast<unsigned>(o.restart) > 2) fault(path, "has an unknown restart type " + number_of(o.restart));
    if (o.shutdown) shutdown(path, *o.shutdown);
    if (o.mailbox.limit == 0) fault(path, "has a mailbox limit of 0; wanted: 1 up");
    if (static_cast<unsigned>(o.mailbox.when_full) > last_overflow)
      fault(path, "has an unknown mailbox overflow policy " + number_of(o.mailbox.when_full));
    if (static_cast<unsigned>(o.on_restart) > 1) fault(path, "has an unknown on_restart " + number_of(o.on_restart));
    if (static_cast<unsigned>(o.placement.kind) > 3) fault(path, "has an unknown placement " + number_of(o.placement.kind));
    time(path, "start_timeout", o.start_timeout, "0 up");
    backoff(path, o.backoff);
  }

  void shutdown(const std::string& path, const shutdown_t& s) {
    if (static_cast<unsigned>(s.kind()) > 2) fault(path, "has an unknown kind of shutdown " + number_of(s.kind()));
    if (s.kind() == shutdown_t::kind_t::limit) time(path, "shutdown", s.limit(), "0 up, infinity or brutal_kill");
  }
  void time(const std::string& path, const std::string& what, std::chrono::milliseconds t, const char* wanted) {
    if (t.count() < 0) fault(path, "has a " + what + " of " + ms_of(t) + "; wanted: " + wanted);
    if (t > longest) fault(path, "has a " + what + " of " + ms_of(t) + "; wanted: at most a year");
  }

  void backoff(const std::string& path, const backoff_t& b) {
    if (b.first.count() < 0 || b.max.count() < 0)
      fault(path, "has a negative backoff (" + ms_of(b.first) + ", " + ms_of(b.max) + ")");
    else if (b.max < b.first)
      fault(path, "has a backoff maximum of " + ms_of(b.max) + " below its first pause of " + ms_of(b.first));
    else if (b.max > longest)
      fault(path, "has a backoff maximum of " + ms_of(b.max) + "; wanted: at most a year");
    if (!(b.jitter >= 0 && b.jitter <= 1)) fault(path, "has a backoff jitter of " + std::to_string(b.jitter) + "; wanted: 0 to 1");
    if (b.reset_after != backoff_t::by_hand) time(path, "backoff reset_after", b.reset_after, "0 up, or by_hand");
    if (b.max_restarts != backoff_t::unlimited_restarts && b.first.count() == 0 && b.reset_after.count() == 0)
      fault(path, "has a backoff with max_restarts but neither a pause nor reset_after, so that its restarts are never in a row");
  }

  void tree(const std::string& path, const supervisor_spec& t) {
    if (!t.fault.empty()) fault(path, t.fault);
    if (static_cast<unsigned>(t.strategy) > 2) fault(path, "has an unknown strategy " + number_of(t.strategy));
    if (t.intensity.restarts < 0)
      fault(path, "has an intensity of " + std::to_string(t.intensity.restarts) + " restarts; wanted: 0 up");
    if (t.intensity.period.count() <= 0)
      fault(path, "has an intensity period of " + ms_of(t.intensity.period) + "; wanted: 1 up");
    if (t.intensity.period > longest)
      fault(path, "has an intensity period of " + ms_of(t.intensity.period) + "; wanted: at most a year");
    if (static_cast<unsigned>(t.auto_shutdown) > 2) fault(path, "has an unknown auto_shutdown " + number_of(t.auto_shutdown));
    if (t.max_children == 0) fault(path, "has max_children 0; wanted: 1 up");
    children(path, t);
    if (t.dynamic) extras(path, t);
    if (t.pattern != nullptr) {
      fits(path, t, *t.pattern);
      extra(path, t, *t.pattern);
      pattern_ = true;
      child(path, *t.pattern, parent_kind::dynamic);
      pattern_ = false;
    }
  }
  void children(const std::string& path, const supervisor_spec& t) {
    std::unordered_set<std::string> ids;
    const auto above = depth_++ == 0 ? std::string{} : path;
    for (const auto& c : t.children) {
      if (!c->id.empty() && !ids.insert(c->id).second) fault(path, "has two children with the id \"" + c->id + "\"; wanted: a different one for each");
      significant(above.empty() ? c->id : above + "/" + c->id, t, *c);
      fits(path, t, *c);
      child(above, *c, parent_kind::fixed);
      if (t.partitioned && !faults_.empty()) break;  // they are all alike
    }
    --depth_;
  }
  void extras(const std::string& path, const supervisor_spec& t) {
    std::unordered_set<const engine::type_tag*> seen;
    for (const auto& v : t.extra_args.values())
      if (!seen.insert(v.type).second) fault(path, "has extra_args of the type " + std::string{v.type->name} + " twice");
  }

  /// With a pause before each restart the budget must still be reachable, or a child that cannot start never gives up.
  void fits(const std::string& where, const supervisor_spec& t, const child_spec& c) {
    const auto& b = c.options.backoff;
    if (b.first.count() <= 0 || b.max < b.first || b.max > longest || t.intensity.restarts <= 0 || t.intensity.restarts > 1000) return;
    if (b.max_restarts != backoff_t::unlimited_restarts) return;  // it gives up by its own limit
    std::chrono::milliseconds sum{0};
    auto pause = b.first;
    for (std::int64_t i = 0; i < t.intensity.restarts; ++i) {
      sum += pause;
      pause = std::min(pause * 2, b.max);
    }
    if (sum >= t.intensity.period)
      fault(where, "has an intensity period of " + ms_of(t.intensity.period) + ", but the first " +
                       std::to_string(t.intensity.restarts) + " pauses of the backoff of " + c.id + " take " + ms_of(sum) +
                       ": its limit could never be reached; wanted: a longer period");
  }

  static constexpr unsigned last_overflow = static_cast<unsigned>(fail_sender);
  std::vector<field_error> faults_;
  bool pattern_ = false;
  unsigned depth_ = 0;
};

}  // namespace

result<void> check_spec(const child_spec& spec) {
  checker c;
  c.child({}, spec, parent_kind::fixed);
  return c.verdict("the specification is wrong and nothing was started");
}

namespace engine {

result<void> check_child(const child_spec& spec) {
  checker c;
  c.child({}, spec, parent_kind::unknown);
  return c.verdict("the specification is wrong and nothing was started");
}

result<void> check_fit(const supervisor_spec& parent, const child_spec& spec) {
  checker c;
  if (!parent.dynamic) {
    if (spec.id.empty()) c.fault("the child", "has no id");
    if (spec.ops != nullptr && spec.ops->extra_args != nullptr)
      c.fault(spec.id, "is of a type with extra_args, which only a dynamic supervisor gives; wanted: dynamic(...) above it");
    c.significant(spec.id, parent, spec);
  } else {
    if (spec.options.significant) c.fault(spec.id, "is significant, but a dynamic supervisor has no auto_shutdown");
    c.extra(spec.id.empty() ? "the child" : spec.id, parent, spec);
  }
  return c.verdict("the specification does not fit this supervisor and nothing was started");
}

}  // namespace engine

}  // namespace herald
