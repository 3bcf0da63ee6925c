// What a supervisor tells of its children: always with itself, the context, the reason and the offender.

#include <herald/engine/child_record.hpp>
#include <herald/engine/core.hpp>

namespace herald::engine {

namespace {

std::string_view word(restart_t r) {
  switch (r) {
    case permanent: return "permanent";
    case transient: return "transient";
    case temporary: return "temporary";
  }
  return "?";
}

std::string words(const shutdown_t& s) {
  if (s.kind() == shutdown_t::kind_t::infinite) return "infinity";
  if (s.kind() == shutdown_t::kind_t::brutal) return "brutal_kill";
  return std::to_string(s.limit().count()) + " ms";
}

std::shared_ptr<offender_t> described(const child_spec& spec) {
  auto o = std::make_shared<offender_t>();
  o->id = spec.id;
  o->restart = word(spec.options.restart);
  o->shutdown = words(spec.shutdown());
  o->type = spec.is_supervisor() ? "supervisor" : "worker";
  return o;
}

}  // namespace

/// The place of a child; children without an id share their supervisor's, with a "*".
std::string supervisor_state::path_of(const child_record& child) const {
  const std::string id = child.spec->id.empty() ? "*" : child.spec->id;
  return path_->empty() ? id : *path_ + "/" + id;
}

report supervisor_state::report_on(const child_record& child, report::kind_t kind, const exit_reason& why) const {
  report r;
  r.kind = kind;
  r.path = path_of(child);
  r.incarnation = child.incarnation;
  r.reason = why;
  r.supervisor = core::path_of(cell_);
  auto o = described(*child.spec);
  o->path = r.path;
  r.offender = std::move(o);
  return r;
}

void supervisor_state::tell_gave_up(const child_record& child, const exit_reason& why) const {
  auto r = report_on(child, report::gave_up, exit_reason::shutdown);
  r.path = r.supervisor;
  r.incarnation = cell_.incarnation;
  r.context = "reached_max_restart_intensity";
  r.text = "more than " + std::to_string(spec_->intensity.restarts) + " restarts within " +
           std::to_string(spec_->intensity.period.count()) + " ms, the last one for " + why.to_string() +
           "; it stops its children and ends";
  cell_.home->system().tell(std::move(r));
}

void supervisor_state::tell_worn_out(const child_record& child, const exit_reason& why) const {
  auto r = report_on(child, report::gave_up, why);
  r.context = "reached_max_restarts";
  r.text = "it was restarted " + std::to_string(child.extras ? child.extras->attempts : 0) +
           " times in a row, as often as its backoff allows; it stays stopped";
  cell_.home->system().tell(std::move(r));
}

void supervisor_state::tell_killed(const child_record& child) const {
  auto r = report_on(child, report::killed, exit_reason::killed);
  r.context = child.overdue ? "start_error" : "shutdown_error";
  r.text = child.overdue ? "its init did not return within its start_timeout" : "it did not end within its shutdown limit";
  cell_.home->system().tell(std::move(r));
}

/// OTP: a child that was asked to end and did so for another reason is reported; normal is fine unless it is permanent.
/// Children of a dynamic supervisor that ends are told of together, by reason.
void supervisor_state::note_stop_reason(const child_record& child, const exit_reason& why) {
  const bool fine = why.kind() == exit_reason::shutdown || why.kind() == exit_reason::killed ||
                    (why.kind() == exit_reason::normal && child.spec->options.restart != permanent);
  if (fine) return;
  if (mode_ != mode_t::closing || !spec_->dynamic) {
    auto r = report_on(child, report::shutdown_error, why);
    r.context = "shutdown_error";
    return cell_.home->system().tell(std::move(r));
  }
  constexpr std::size_t most_reasons = 16;
  for (auto& e : stop_errors_) {
    if (!(e.why == why)) continue;
    ++e.children;
    return;
  }
  if (stop_errors_.size() < most_reasons) stop_errors_.push_back({why, child.spec, 1});
}

void supervisor_state::tell_stop_errors() {
  for (const auto& e : stop_errors_) {
    report r;
    r.kind = report::shutdown_error;
    r.path = r.supervisor = core::path_of(cell_);
    r.incarnation = cell_.incarnation;
    r.reason = e.why;
    r.context = "shutdown_error";
    auto o = described(*e.spec);
    o->children = e.children;
    r.offender = std::move(o);
    cell_.home->system().tell(std::move(r));
  }
  stop_errors_.clear();
}

}  // namespace herald::engine
