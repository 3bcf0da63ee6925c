// The life of a supervisor: its start, its children's events, its end. Restarts are in supervisor_restart.cpp, requests
// in supervisor_requests.cpp, the children's records and cells in supervisor_children.cpp.

#include <herald/engine/supervisor_state.hpp>

#include <herald/engine/child_record.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/directory.hpp>
#include <herald/engine/extras.hpp>
#include <herald/engine/operation.hpp>

namespace herald::engine {

const process_ops supervisor_ops{
    "supervisor",
    sizeof(supervisor_state*),
    alignof(supervisor_state*),
    [](void* state, context& self, const void*) { *static_cast<supervisor_state**>(state) = new supervisor_state{self.cell()}; },
    [](void* state) noexcept { delete *static_cast<supervisor_state**>(state); },
    nullptr,
    {},
    true};

supervisor_state::supervisor_state(cell& self)
    : cell_{self},
      spec_{self.spec->tree},
      path_{std::make_shared<const std::string>(self.parent.cell == nullptr ? std::string{} : core::path_of(self))} {}

supervisor_state::~supervisor_state() {
  while (first_ != nullptr) {
    auto* child = first_;
    first_ = child->following;
    delete child;
  }
}

// --- start ------------------------------------------------------------------------------------------------------------

void supervisor_state::begin(frame& f) {
  open_partitions();
  const auto kept = cell_.extras != nullptr ? std::move(cell_.extras->kept) : nullptr;
  std::unordered_map<std::string_view, address> known;
  if (kept != nullptr)
    for (const auto& k : kept->all) known.emplace(k.spec->id, k.where);
  for (const auto& spec : spec_->children) {
    auto& child = add(spec, false);
    const auto found = known.find(spec->id);
    if (found == known.end()) continue;
    child.where = found->second;
    if (child.where.cell->home != cell_.home) abroad_[child.where.cell] = &child;
    known.erase(found);
    show_partition(child);
    order_adopt(child.where, &child, &f);
  }
  for (const auto& [id, where] : known) order_release(where, &f);
  cursor_ = first_;
  initial_next(f);
}

void supervisor_state::initial_next(frame& f) {
  if (cursor_ != nullptr) return launch(*cursor_, f);
  mode_ = mode_t::normal;
  if (cell_.incarnation > 1) ++cell_.restarts;
  cell_.home->system().tell(cell_.incarnation > 1 ? report::restarted : report::started, cell_, cell_.incarnation, {});
  tell_parent(cell_, child_event_kind::started, {}, &f);
  run_deferred(f);
}

// --- events -----------------------------------------------------------------------------------------------------------

void supervisor_state::on_event(const child_event& event, frame& f) {
  auto& child = *static_cast<child_record*>(event.cookie);
  switch (event.kind) {
    case child_event_kind::placed: return placed(child, event, f);
    case child_event_kind::started:
      child.incarnation = event.incarnation;
      return started(child, f);
    case child_event_kind::ignored:
    case child_event_kind::start_failed:
      --alive_;
      disarm(child);
      return start_failed(child, event.why, event.kind == child_event_kind::ignored, f);
    case child_event_kind::down:
      --alive_;
      if (mode_ == mode_t::closing) note_slow_end(child);
      disarm(child);
      // An init that returned too late was a failed start, although its host did not know.
      if (child.overdue && child.phase == child_phase::starting) return start_failed(child, event.why, false, f);
      const bool asked = child.phase == child_phase::stopping || child.stop_when_placed;
      if (asked) note_stop_reason(child, event.why);
      return ended(child, event.why, asked, f);
  }
}

/// What took long to end is in the stop report.
void supervisor_state::note_slow_end(const child_record& child) {
  const auto own = child.extras ? child.extras->asked_to_stop : time_point{};
  const auto since = spec_->dynamic || &child == cursor_ ? closing_since_ : own;
  if (since == time_point{}) return;
  auto& system = cell_.home->system();
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(cell_.home->now() - since);
  if (took < system.options().slow_end) return;
  system.ending().slow(path_of(child), took);
}

void supervisor_state::started(child_record& child, frame& f) {
  // One that is being stopped, or whose init was too late: its end is on the way, and that is what we wait for.
  if (child.phase == child_phase::stopping || child.overdue) return;
  disarm(child);
  child.phase = child_phase::running;
  const auto& pauses = child.spec->options.backoff;
  if (pauses.first.count() > 0 || pauses.reset_after.count() > 0) child.extra(*this).up_since = cell_.home->now();
  child.again = child.first_start = false;
  if (child.extras && child.extras->start_reply.owed()) child.extras->start_reply.answer(any_ref{child.where});
  child.drop_extras();
  if (std::exchange(child.resizing, false)) one_resized({}, f);
  switch (mode_) {
    case mode_t::initial:
      if (cursor_ != &child) return;
      cursor_ = child.following;
      return initial_next(f);
    case mode_t::group:
      if (!group_starts_ || cursor_ != &child) return;
      cursor_ = child.following;
      return group_start_next(f);
    case mode_t::normal: return;
    case mode_t::closing: return ask_to_stop(child, f, false);
  }
}

void supervisor_state::start_failed(child_record& child, const exit_reason& reason, bool ignored, frame& f) {
  const bool asked = child.phase == child_phase::stopping || child.stop_when_placed;
  const auto why = std::exchange(child.overdue, false)
                       ? exit_reason{exit_reason::killed,
                                     "its init did not return within its start_timeout of " +
                                         std::to_string(child.spec->options.start_timeout.count()) + " ms"}
                       : reason;
  // Somebody wanted it gone anyway: this is the same as its end.
  if (mode_ == mode_t::closing || asked) return ended(child, why, asked, f);
  child.phase = child_phase::undefined;
  const bool first = mode_ == mode_t::initial || child.on_request();
  if (ignored || (first && !child.spec->options.backoff.first_start)) return not_started(child, why, ignored, f);
  // A restart, or a first start that is to be tried again.
  const bool of_group = mode_ == mode_t::group && group_starts_ && cursor_ == &child;
  child.phase = child_phase::waiting;
  const bool enough = worn_out(child);
  if (mode_ == mode_t::initial && (enough || !add_restart())) return not_started(child, why, false, f);
  if (enough) {
    if (of_group) cursor_ = child.following;
    leave_stopped(child, why, f);
    if (of_group && mode_ == mode_t::group) group_start_next(f);
    return;
  }
  if (mode_ != mode_t::initial && !add_restart()) return give_up(child, why, f);
  if (of_group) return group_failed(child, f);
  wait_to_retry(child, pause_before(child), f);
}

/// OTP: an ignored child is kept by its spec, unless temporary or dynamic; a failed first start keeps nothing.
void supervisor_state::not_started(child_record& child, const exit_reason& why, bool ignored, frame& f) {
  const auto name = child.spec->id.empty() ? std::string{"process"} : child.spec->id;
  if (mode_ == mode_t::initial && !ignored) {
    child.phase = child_phase::undefined;
    start_failed_ = true;
    return close(f, exit_reason{exit_reason::shutdown, "failed to start child " + name + ": " + why.to_string()});
  }
  const bool in_turn = cursor_ == &child && (mode_ == mode_t::initial || (mode_ == mode_t::group && group_starts_));
  if (in_turn) cursor_ = child.following;
  const bool never_ran = std::exchange(child.first_start, false);
  const bool keeps = child.is_static && (ignored ? child.spec->options.restart != temporary : !never_ran);
  const bool resizes = std::exchange(child.resizing, false);
  auto reply = child.extras ? std::move(child.extras->start_reply) : reply_once<any_ref>{};
  child.again = false;
  if (keeps) {
    rest(child, f);
  } else {
    remove(child, f);
  }
  if (ignored) {
    reply.answer(any_ref{});
  } else {
    reply.answer(error{errc::start_failed, "the child " + name + " did not start: " + why.to_string()});
  }
  if (resizes && ignored) one_resized({}, f);
  if (resizes && !ignored) one_resized(error{errc::start_failed, "the partition " + name + " did not start: " + why.to_string()}, f);
  if (!in_turn) return;
  if (mode_ == mode_t::initial) return initial_next(f);
  group_start_next(f);
}

void supervisor_state::ended(child_record& child, const exit_reason& why, bool asked, frame& f) {
  const bool never_ran = std::exchange(child.first_start, false);
  child.stop_when_placed = child.overdue = false;
  child.phase = child_phase::undefined;
  if (child.extras && child.extras->start_reply.owed())
    child.extras->start_reply.answer(error{errc::start_failed, "the child was stopped while it started"});
  std::vector<reply_once<void>> replies;
  if (child.extras) replies.swap(child.extras->stop_replies);
  const bool requested = std::exchange(child.requested, false);
  const auto gone = [&] {
    if (child.spec->options.restart == temporary || !child.is_static) {
      remove(child, f);
    } else {
      rest(child, f);
    }
  };
  if (mode_ == mode_t::closing) {
    for (auto& r : replies) r.answer({});
    return close_next(f);
  }
  const bool resizes = std::exchange(child.resizing, false);
  if (asked && requested) {
    gone();
    for (auto& r : replies) r.answer({});
    if (resizes) one_resized({}, f);
    if (mode_ == mode_t::group && !group_starts_) group_stop_next(f);
    return;
  }
  if (asked && mode_ == mode_t::group) {
    if (child.spec->options.restart == temporary || never_ran) remove(child, f);
    return group_stop_next(f);
  }
  if (occupied()) {
    child.ended_meanwhile = true;
    ++ended_meanwhile_;
    child.extra(*this).pending_end = why;
    return;
  }
  decide(child, why, f);
}

// --- end --------------------------------------------------------------------------------------------------------------

void supervisor_state::stop(frame& f, const exit_reason& why, bool kill) {
  if (kill && !killing_) {
    killing_ = true;
    if (mode_ == mode_t::closing) {
      // Hasten those that were asked already.
      for (auto* child = first_; child != nullptr; child = child->following)
        if (child->phase == child_phase::stopping) ask_to_stop(*child, f, true);
      return;
    }
  }
  if (mode_ == mode_t::closing) return;
  if (mode_ == mode_t::initial) start_failed_ = true;
  close(f, kill ? exit_reason{exit_reason::killed} : why);
}

void supervisor_state::close(frame& f, const exit_reason& why) {
  mode_ = mode_t::closing;
  closing_reason_ = why;
  const auto deferred = std::exchange(deferred_, {});  // what they owed is answered noproc
  for (auto* child = first_; child != nullptr; child = child->following) {
    if (child->phase == child_phase::waiting) {
      disarm(*child);
      child->phase = child_phase::undefined;
    } else if (!child->is_static && child->alive()) {
      // Dynamic children go all at once: their number must not add up their limits.
      ask_to_stop(*child, f, false);
    }
  }
  if (spec_->dynamic) {
    closing_since_ = cell_.home->now();
    if (spec_->pattern != nullptr && alive_ > 0) arm_closing(spec_->pattern->shutdown());
  }
  cursor_ = spec_->dynamic ? nullptr : last_;
  close_next(f);
}

void supervisor_state::close_next(frame& f) {
  if (!spec_->dynamic) {
    if (cursor_ != nullptr && !cursor_->alive()) {
      arm_closing(infinity);
      closing_since_ = {};
      while (cursor_ != nullptr && !cursor_->alive()) cursor_ = cursor_->previous;
    }
    if (cursor_ != nullptr) {
      if (cursor_->phase != child_phase::stopping) ask_to_stop(*cursor_, f, false);
      return;
    }
  }
  if (alive_ != 0 || std::exchange(finishing_, true)) return;
  // A step of its own, because it ends this object, which may be in the middle of something.
  post_control(cell_.self(), &f, [](cell* c, frame& by) { supervisor_of(*c).finish(by); });
}

/// Children of one pattern are asked at once and have one limit; fixed ones end one after the other, each within its own. A
/// timer each would cost more than the rest of their end.
void supervisor_state::arm_closing(const shutdown_t& limit) {
  if (closing_limit_ != nullptr) cell_.home->disarm(*closing_limit_);
  if (killing_ || limit.kind() != shutdown_t::kind_t::limit) return;
  if (closing_limit_ == nullptr) closing_limit_ = std::make_unique<closing_timer>(*this);
  closing_limit_->when = cell_.home->now() + limit.limit();
  cell_.home->arm(*closing_limit_);
}

void supervisor_state::closing_overdue() {
  if (cursor_ != nullptr) return on_timer(*cursor_);
  auto& f = *current_frame;
  killing_ = true;  // also for those whose cells are still being made
  for (auto* child = first_; child != nullptr; child = child->following) {
    if (child->phase != child_phase::stopping) continue;
    tell_killed(*child);
    disarm(*child);
    order_stop(child->where, exit_reason::killed, true, &f);
  }
}

void supervisor_state::finish(frame& f) {
  if (closing_limit_ != nullptr) cell_.home->disarm(*closing_limit_);
  tell_stop_errors();
  auto kept = std::make_unique<kept_children>();
  for (auto* child = first_; child != nullptr; child = child->following) {
    disarm(*child);
    if (child->where.cell == nullptr) continue;
    // The next life knows neither dynamic children nor those that were added at run time.
    if (child->is_static && !child->at_run_time && child->spec->options.restart != temporary) {
      kept->all.push_back({child->spec, child->where});
      continue;
    }
    if (child->is_static) cell_.home->system().names().remove(*path_, child->spec->id, child->where);
    order_release(child->where, &f);
  }
  if (!kept->all.empty()) extras_of(cell_).kept = std::move(kept);
  cell_.start_failed = start_failed_;
  auto& self = cell_;
  const auto why = closing_reason_;
  self.home->end_life(self, f, why, false);  // deletes this
}

void release_kept(cell& c, frame* owned) {
  if (c.extras == nullptr || c.extras->kept == nullptr) return;
  const auto kept = std::move(c.extras->kept);
  auto& names = c.home->system().names();
  const bool root = c.parent.cell == nullptr;
  if (root) names.clear();
  const auto path = root ? std::string{} : core::path_of(c);
  for (const auto& k : kept->all) {
    if (!root) names.remove(path, k.spec->id, k.where);
    order_release(k.where, owned);
  }
}

}  // namespace herald::engine
