// Who is restarted, when, and when it is enough. OTP's restart algorithm; ours differs where DESIGN says so: the window
// is in milliseconds, and there may be a pause before each restart.

#include <algorithm>

#include <herald/engine/child_record.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/operation.hpp>

namespace herald::engine {

void supervisor_state::decide(child_record& child, const exit_reason& why, frame& f) {
  const auto type = child.spec->options.restart;
  const bool final = child.spec->options.final_stop == why;
  if (!final && (type == permanent || (type == transient && !why.clean()))) return restart(child, why, f);
  const bool significant = child.spec->options.significant;
  if (type == temporary || !child.is_static) {
    remove(child, f);
  } else {
    rest(child, f);
  }
  after_natural_end(significant, f);
}

void supervisor_state::restart(child_record& child, const exit_reason& why, frame& f) {
  child.phase = child_phase::waiting;
  if (worn_out(child)) return leave_stopped(child, why, f);
  if (!add_restart()) return give_up(child, why, f);
  child.again = true;
  const auto pause = pause_before(child);
  if (!spec_->dynamic && spec_->strategy != one_for_one)
    return begin_group(child, spec_->strategy == one_for_all ? *first_ : child, pause, f);
  if (pause.count() == 0) return launch(child, f);
  arm(child, pause);
}

void supervisor_state::wait_to_retry(child_record& child, std::chrono::milliseconds pause, frame& f) {
  child.phase = child_phase::waiting;
  child.again = true;
  arm(child, pause);
  if (pause.count() > 0) return;
  // Without a pause it is the next step, behind the requests that wait (OTP: a message to itself), not the next tick.
  post_control(*cell_.home, &f, [](cell*, frame& by) { by.home->fire_timers(); });
}

void supervisor_state::retry(child_record& child, frame& f) {
  if (mode_ == mode_t::initial && cursor_ == &child) return launch(child, f);
  if (occupied()) return arm(child, std::chrono::milliseconds{1});
  if (spec_->dynamic || spec_->strategy == one_for_one || child.on_request()) return launch(child, f);
  auto& first = spec_->strategy == rest_for_one || child.resumes ? child : *first_;
  begin_group(child, first, std::chrono::milliseconds{0}, f);
}

bool supervisor_state::add_restart() {
  const auto now = cell_.home->now();
  if (restarts_ == nullptr) restarts_ = std::make_unique<std::deque<time_point>>();
  restarts_->push_back(now);
  while (restarts_->front() < now - spec_->intensity.period) restarts_->pop_front();
  return restarts_->size() <= static_cast<std::size_t>(spec_->intensity.restarts);
}

void supervisor_state::give_up(child_record& child, const exit_reason& why, frame& f) {
  tell_gave_up(child, why);
  if (cell_.parent.cell == nullptr) cell_.home->system().root_gave_up.store(true, std::memory_order_relaxed);
  close(f, exit_reason::shutdown);
}

void supervisor_state::after_natural_end(bool significant, frame& f) {
  if (!significant || mode_ == mode_t::closing) return;
  // Members of a group that are about to be started have not ended by themselves.
  const bool starting = mode_ == mode_t::group && group_starts_;
  for (const auto* c = starting && spec_->auto_shutdown == all_significant ? cursor_ : nullptr; c != nullptr; c = c->following)
    if (c->spec->options.significant) return;
  if (spec_->auto_shutdown == all_significant)
    for (const auto* c = first_; c != nullptr; c = c->following)
      if (c->spec->options.significant && c->phase != child_phase::undefined) return;
  if (spec_->auto_shutdown != never) close(f, exit_reason::shutdown);
}

/// As often in a row as its backoff allows. A life that was long enough starts the count over.
bool supervisor_state::worn_out(child_record& child) {
  const auto& b = child.spec->options.backoff;
  if (b.max_restarts == backoff_t::unlimited_restarts && b.first.count() == 0) return false;
  auto& x = child.extra(*this);
  if (b.reset_after != backoff_t::by_hand) {
    const auto enough = b.reset_after.count() > 0 ? b.reset_after : (b.first + b.max) / 2;
    if (x.up_since != time_point{} && cell_.home->now() - x.up_since >= enough) x.attempts = 0;
  }
  x.up_since = {};
  return x.attempts >= b.max_restarts;
}

/// It is not restarted any more; its supervisor and its siblings go on without it.
void supervisor_state::leave_stopped(child_record& child, const exit_reason& why, frame& f) {
  tell_worn_out(child, why);
  child.phase = child_phase::undefined;
  child.again = false;
  if (child.extras && child.extras->start_reply.owed())
    child.extras->start_reply.answer(error{errc::start_failed, "the child did not start: " + why.to_string()});
  const bool significant = child.spec->options.significant;
  if (child.spec->options.restart == temporary || !child.is_static || child.first_start) {
    remove(child, f);
  } else {
    rest(child, f);
  }
  after_natural_end(significant, f);
}

std::chrono::milliseconds supervisor_state::pause_before(child_record& child) {
  const auto& b = child.spec->options.backoff;
  if (b.max_restarts == backoff_t::unlimited_restarts && b.first.count() == 0) return std::chrono::milliseconds{0};
  const auto attempt = child.extra(*this).attempts++;
  if (b.first.count() == 0) return std::chrono::milliseconds{0};
  const auto base = attempt < 31 && b.first.count() <= (b.max.count() >> attempt) ? b.first.count() << attempt : b.max.count();
  constexpr double whole = 9007199254740992.0;  // 2^53
  const auto share = static_cast<double>(cell_.home->system().dice().next() >> 11) / whole * b.jitter;
  return std::chrono::milliseconds{base + static_cast<std::int64_t>(static_cast<double>(base) * share)};
}

// --- one_for_all and rest_for_one ---------------------------------------------------------------------------------------

void supervisor_state::begin_group(child_record& cause, child_record& first, std::chrono::milliseconds pause, frame& f) {
  mode_ = mode_t::group;
  group_starts_ = false;
  group_first_ = &first;
  group_cause_ = pause.count() > 0 ? &cause : nullptr;
  group_pause_ = pause;
  for (auto* child = group_first_; child != nullptr; child = child->following) {
    child->resumes = false;
    if (child->phase != child_phase::waiting) continue;
    disarm(*child);
    child->phase = child_phase::undefined;
  }
  group_stop_next(f);
}

void supervisor_state::group_stop_next(frame& f) {
  for (auto* child = group_first_ != nullptr ? last_ : nullptr; child != nullptr; child = child->previous) {
    if (child->alive()) {
      if (child->phase != child_phase::stopping) ask_to_stop(*child, f, false);
      return;
    }
    if (child == group_first_) break;
  }
  // All down. Temporary ones are out; the others, also those that had rested before, start in order.
  for (auto* child = group_first_; child != nullptr;) {
    auto* next = child->following;
    if (std::exchange(child->ended_meanwhile, false)) --ended_meanwhile_;
    if (child->spec->options.restart == temporary) remove(*child, f);
    child = next;
  }
  if (auto* cause = std::exchange(group_cause_, nullptr)) {
    for (auto* child = group_first_; child != nullptr; child = child->following) {
      child->phase = child_phase::waiting;
      child->again = true;
    }
    arm(*cause, group_pause_);
    return group_done(f);
  }
  group_starts_ = true;
  cursor_ = group_first_;
  group_start_next(f);
}

void supervisor_state::group_start_next(frame& f) {
  if (cursor_ == nullptr) return group_done(f);
  cursor_->again = true;
  launch(*cursor_, f);
}

/// OTP: those that are up again stay up until the retry, and requests are answered meanwhile; then one_for_all begins
/// again with everybody, rest_for_one goes on from the one that failed.
void supervisor_state::group_failed(child_record& child, frame& f) {
  for (auto* later = child.following; later != nullptr; later = later->following) {
    later->phase = child_phase::waiting;
    later->again = true;
  }
  wait_to_retry(child, pause_before(child), f);
  group_done(f);
}

/// The child whose retry its siblings wait for is not to be restarted any more: the next of them takes its place.
void supervisor_state::hand_retry_on(child_record& child, time_point when) {
  for (auto* next = first_; next != nullptr; next = next->following) {
    if (next == &child || next->phase != child_phase::waiting || next->on_request()) continue;
    auto& t = next->extra(*this).limit;
    if (t.place != timer::npos) return;
    next->resumes = true;
    t.when = when;
    return cell_.home->arm(t);
  }
}

void supervisor_state::group_done(frame& f) {
  mode_ = mode_t::normal;
  run_deferred(f);
}

void supervisor_state::run_deferred(frame& f) {
  // Ends that came while we could not act on them, in start order; each may begin the next group restart.
  for (auto* child = first_; child != nullptr && mode_ == mode_t::normal && ended_meanwhile_ > 0;) {
    auto* next = child->following;
    if (std::exchange(child->ended_meanwhile, false)) {
      --ended_meanwhile_;
      const auto why = child->extras->pending_end;
      decide(*child, why, f);
    }
    child = next;
  }
  // Some may be put off once more, behind the others.
  for (auto left = deferred_.size(); left > 0 && mode_ == mode_t::normal && !deferred_.empty(); --left) {
    const auto next = std::move(deferred_.front());
    deferred_.pop_front();
    next(f);
  }
}

}  // namespace herald::engine
