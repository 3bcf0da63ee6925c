// Who is restarted, when, and when it is enough. OTP's restart algorithm; ours differs where DESIGN says so: the window
// is in milliseconds, and there may be a pause before each restart.

#include <algorithm>

#include <herald/engine/child_record.hpp>
#include <herald/engine/core.hpp>

namespace herald::engine {

void supervisor_state::decide(child_record& child, const exit_reason& why, frame& f) {
  const auto type = child.spec->options.restart;
  if (type == permanent || (type == transient && !why.clean())) {
    if (child.extras || !why.clean()) child.extra(*this).last_error = why;
    return restart(child, f);
  }
  const bool significant = child.spec->options.significant;
  if (type == temporary || !child.is_static) {
    remove(child, f);
  } else {
    rest(child, f);
  }
  after_natural_end(significant, f);
}

void supervisor_state::restart(child_record& child, frame& f) {
  child.phase = child_phase::waiting;
  if (!add_restart()) return give_up(f);
  child.again = true;
  if (!spec_->dynamic && spec_->strategy != one_for_one) return begin_group(child, f);
  const auto pause = pause_before(child);
  if (pause.count() == 0) return launch(child, f);
  auto& t = child.extra(*this).limit;
  t.when = cell_.home->now() + pause;
  cell_.home->arm(t);
}

void supervisor_state::retry(child_record& child, frame& f) {
  if (mode_ == mode_t::closing) return;
  if (mode_ == mode_t::group) return group_stop_next(f);
  child.again = true;
  launch(child, f);
}

bool supervisor_state::add_restart() {
  const auto now = cell_.home->now();
  restarts_.push_back(now);
  while (restarts_.front() < now - spec_->intensity.period) restarts_.pop_front();
  return restarts_.size() <= static_cast<std::size_t>(spec_->intensity.restarts);
}

void supervisor_state::give_up(frame& f) {
  report r;
  r.kind = report::gave_up;
  r.path = core::path_of(cell_);
  r.incarnation = cell_.incarnation;
  r.reason = exit_reason::shutdown;
  r.text = "more than " + std::to_string(spec_->intensity.restarts) + " restarts within " +
           std::to_string(spec_->intensity.period.count()) + " ms; it stops its children and ends";
  cell_.home->system().tell(std::move(r));
  close(f, exit_reason::shutdown);
}

void supervisor_state::after_natural_end(bool significant, frame& f) {
  if (!significant || mode_ == mode_t::closing) return;
  if (spec_->auto_shutdown == all_significant &&
      std::any_of(static_.begin(), static_.end(), [](const auto& c) {
        return c->spec->options.significant && c->phase != child_phase::undefined;
      }))
    return;
  if (spec_->auto_shutdown != never) close(f, exit_reason::shutdown);
}

std::chrono::milliseconds supervisor_state::pause_before(child_record& child) {
  const auto& b = child.spec->options.backoff;
  if (b.first.count() == 0) return std::chrono::milliseconds{0};
  if (child.up_since != time_point{} && cell_.home->now() - child.up_since >= (b.first + b.max) / 2) child.attempts = 0;
  child.up_since = {};
  const auto doubled = b.first.count() << std::min<std::uint32_t>(child.attempts++, 30);
  const auto base = std::min<std::int64_t>(std::max<std::int64_t>(doubled, b.first.count()), b.max.count());
  constexpr double whole = 9007199254740992.0;  // 2^53
  const auto share = static_cast<double>(cell_.home->system().dice().next() >> 11) / whole * b.jitter;
  return std::chrono::milliseconds{base + static_cast<std::int64_t>(static_cast<double>(base) * share)};
}

// --- one_for_all and rest_for_one ---------------------------------------------------------------------------------------

void supervisor_state::begin_group(child_record& first, frame& f) {
  mode_ = mode_t::group;
  first.phase = child_phase::undefined;
  group_first_ = 0;
  if (spec_->strategy == rest_for_one) {
    while (static_[group_first_].get() != &first) ++group_first_;
  }
  cursor_ = group_first_;
  const auto pause = pause_before(first);
  if (pause.count() > 0) {
    first.phase = child_phase::waiting;
    auto& t = first.extra(*this).limit;
    t.when = cell_.home->now() + pause;
    cell_.home->arm(t);
  }
  group_stop_next(f);
}

void supervisor_state::group_stop_next(frame& f) {
  for (auto i = static_.size(); i-- > group_first_;) {
    auto& child = *static_[i];
    if (!child.alive()) continue;
    if (child.phase != child_phase::stopping) ask_to_stop(child, f, false);
    return;
  }
  // All down. Temporary ones that ended are out; the others, also those that had rested before, start in order.
  for (auto i = static_.size(); i-- > group_first_;) {
    auto& child = *static_[i];
    if (child.phase == child_phase::waiting && child.extras && child.extras->limit.place != timer::npos) return;
  }
  for (auto i = static_.size(); i-- > group_first_;) {
    auto& child = *static_[i];
    child.ended_meanwhile = false;
    if (child.spec->options.restart == temporary) remove(child, f);
  }
  cursor_ = group_first_;
  group_start_next(f);
}

void supervisor_state::group_start_next(frame& f) {
  if (cursor_ >= static_.size()) return group_done(f);
  auto& child = *static_[cursor_];
  child.again = true;
  launch(child, f);
}

void supervisor_state::group_done(frame& f) {
  mode_ = mode_t::normal;
  run_deferred(f);
}

void supervisor_state::run_deferred(frame& f) {
  // Ends that came while we could not act on them, in start order; each may begin the next group restart.
  for (std::size_t i = 0; i < static_.size() && mode_ == mode_t::normal;) {
    auto& child = *static_[i];
    if (!child.ended_meanwhile) {
      ++i;
      continue;
    }
    child.ended_meanwhile = false;
    const auto why = child.extras->pending_end;
    decide(child, why, f);
    i = 0;
  }
  while (mode_ == mode_t::normal && !deferred_.empty()) {
    auto next = std::move(deferred_.front());
    deferred_.pop_front();
    next(f);
  }
}

}  // namespace herald::engine
