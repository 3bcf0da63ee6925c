// A supervisor's children one by one: their records, their cells, and the orders to their hosts.

#include <herald/engine/child_record.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/directory.hpp>
#include <herald/engine/operation.hpp>

namespace herald::engine {

namespace {

std::shared_ptr<const child_spec> without_args(const child_spec& spec) {
  auto stripped = std::make_shared<child_spec>(spec);
  stripped->args.reset();
  return stripped;
}

}  // namespace

child_record& supervisor_state::add(std::shared_ptr<const child_spec> spec, bool at_run_time) {
  auto record = std::make_unique<child_record>();
  record->spec = std::move(spec);
  record->is_static = !spec_->dynamic;
  record->at_run_time = at_run_time;
  if (record->is_static) by_id_.emplace(record->spec->id, record.get());
  auto& child = *record.release();
  child.previous = last_;
  (last_ != nullptr ? last_->following : first_) = &child;
  last_ = &child;
  ++count_;
  return child;
}

void supervisor_state::remove(child_record& child, frame& f) {
  disarm(child);
  if (child.where.cell != nullptr) {
    abroad_.erase(child.where.cell);
    order_release(child.where, &f);
  }
  if (child.is_static) {
    cell_.home->system().names().remove(*path_, child.spec->id, child.where);
    by_id_.erase(child.spec->id);
  }
  if (child.ended_meanwhile) --ended_meanwhile_;
  for (auto** place : {&cursor_, &group_first_})
    if (*place == &child) *place = child.following;
  if (group_cause_ == &child) group_cause_ = nullptr;
  (child.previous != nullptr ? child.previous->following : first_) = child.following;
  (child.following != nullptr ? child.following->previous : last_) = child.previous;
  --count_;
  delete &child;
}

void supervisor_state::arm(child_record& child, std::chrono::milliseconds time) {
  auto& t = child.extra(*this).limit;
  cell_.home->disarm(t);
  t.when = cell_.home->now() + time;
  cell_.home->arm(t);
}

void supervisor_state::disarm(child_record& child) {
  if (child.extras) cell_.home->disarm(child.extras->limit);
}

host& supervisor_state::place(const child_spec& spec) {
  auto& system = cell_.home->system();
  switch (spec.options.placement.kind) {
    case placement_t::kind_t::together: return *cell_.home;
    case placement_t::kind_t::spread: return system.next_host();
    case placement_t::kind_t::by_key: return *system.hosts()[spec.options.placement.key % system.hosts().size()];
    case placement_t::kind_t::own_thread: return system.take_own_thread_host();
  }
  return *cell_.home;
}

void supervisor_state::launch(child_record& child, frame& f) { launch_with(child, child.spec->args, f); }

void supervisor_state::launch_with(child_record& child, std::shared_ptr<const void> args, frame& f) {
  ++alive_;
  disarm(child);
  child.stop_when_placed = child.overdue = child.resumes = false;
  if (child.where.cell != nullptr) {
    child.phase = child_phase::starting;
    if (child.spec->options.start_timeout.count() > 0) arm(child, child.spec->options.start_timeout);
    order_start(*child.where.cell, &f);
    return;
  }
  child.phase = child_phase::launching;
  auto& home = place(*child.spec);
  const auto* ops = child.spec->is_supervisor() ? &supervisor_ops : child.spec->ops;
  if (ops->extra_args != nullptr)
    args = std::make_shared<const combined_args>(combined_args{spec_->extra_of(*ops->extra_args), std::move(args)});
  auto make = [spec = child.spec, args = std::move(args), ops, parent = cell_.self(), cookie = &child,
               path = path_](cell*, frame& by) {
    // A temporary child's arguments are needed once; its cell keeps a spec without them.
    auto kept = spec->options.restart == temporary && spec->args != nullptr ? without_args(*spec) : spec;
    auto& c = by.home->make_cell(std::move(kept), args, *ops, parent, cookie, path);
    host::post(make_event_node(c, child_event{child_event_kind::placed, c.self(), 0, {}, cookie}), &by);
    by.home->start_incarnation(c, by);
  };
  post_control(home, &f, std::move(make));
}

void supervisor_state::placed(child_record& child, const child_event& event, frame& f) {
  child.where = event.who;
  child.phase = child_phase::starting;
  if (child.where.cell->home != cell_.home) abroad_[child.where.cell] = &child;
  show_partition(child);
  if (child.is_static)
    cell_.home->system().names().add(*path_, child.spec->id, event.who,
                                     child.spec->is_supervisor() ? &supervisor_ops : child.spec->ops);
  if (child.spec->options.restart == temporary && child.at_run_time && child.spec->args != nullptr)
    child.spec = without_args(*child.spec);
  if (child.stop_when_placed) {
    ask_to_stop(child, f, false);
  } else if (child.spec->options.start_timeout.count() > 0) {
    arm(child, child.spec->options.start_timeout);
  }
}

void supervisor_state::ask_to_stop(child_record& child, frame& f, bool kill) {
  const auto limit = child.spec->shutdown();
  kill = kill || killing_ || limit.kind() == shutdown_t::kind_t::brutal;
  const bool was_stopping = child.phase == child_phase::stopping;
  if (child.phase == child_phase::launching) {
    child.stop_when_placed = true;
    return;
  }
  child.phase = child_phase::stopping;
  if (was_stopping && !kill) return;
  disarm(child);
  const bool closing = mode_ == mode_t::closing;
  if (closing && &child == cursor_) {
    if (!was_stopping) closing_since_ = cell_.home->now();
    arm_closing(kill ? brutal_kill : limit);
  } else {
    const bool limited_together = closing && spec_->pattern != nullptr;
    if (!kill && limit.kind() == shutdown_t::kind_t::limit && !limited_together) arm(child, limit.limit());
    if (closing && !was_stopping && !spec_->dynamic) child.extra(*this).asked_to_stop = cell_.home->now();
  }
  order_stop(child.where, kill ? exit_reason{exit_reason::killed} : exit_reason{exit_reason::shutdown}, kill, &f);
}

void supervisor_state::on_timer(child_record& child) {
  auto& f = *current_frame;
  switch (child.phase) {
    case child_phase::waiting: return retry(child, f);
    case child_phase::starting:
    case child_phase::stopping: {
      child.overdue = child.phase == child_phase::starting;
      tell_killed(child);
      order_stop(child.where, exit_reason::killed, true, &f);
      return;
    }
    case child_phase::undefined:
    case child_phase::launching:
    case child_phase::running: return;
  }
}

void supervisor_state::rest(child_record& child, frame& f) {
  child.phase = child_phase::undefined;
  if (child.where.cell != nullptr) order_rest(child.where, &f);
}

}  // namespace herald::engine
