// The life of a supervisor: its start, its children's events, its end. Restarts are in supervisor_restart.cpp, requests
// in supervisor_requests.cpp.

#include <herald/engine/supervisor_state.hpp>

#include <algorithm>

#include <herald/engine/child_record.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/directory.hpp>
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
      self_{self.spec},
      spec_{self_->tree.get()},
      path_{std::make_shared<const std::string>(self.parent.cell == nullptr ? std::string{} : core::path_of(self))} {}

supervisor_state::~supervisor_state() {
  while (first_dynamic_ != nullptr) {
    auto* child = first_dynamic_;
    first_dynamic_ = child->following;
    delete child;
  }
}

child_record& supervisor_state::add(std::shared_ptr<const child_spec> spec) {
  auto child = std::make_unique<child_record>();
  child->spec = std::move(spec);
  auto& record = *child;
  if (spec_->dynamic) {
    record.following = first_dynamic_;
    if (first_dynamic_ != nullptr) first_dynamic_->previous = &record;
    first_dynamic_ = child.release();
    ++dynamic_count_;
    return record;
  }
  record.is_static = true;
  by_id_.emplace(record.spec->id, &record);
  static_.push_back(std::move(child));
  return record;
}

void supervisor_state::remove(child_record& child, frame& f) {
  if (child.extras) cell_.home->disarm(child.extras->limit);
  if (child.where.cell != nullptr) order_release(child.where, &f);
  if (!child.is_static) {
    (child.previous != nullptr ? child.previous->following : first_dynamic_) = child.following;
    if (child.following != nullptr) child.following->previous = child.previous;
    --dynamic_count_;
    delete &child;
    return;
  }
  cell_.home->system().names().remove(*path_, child.spec->id);
  by_id_.erase(child.spec->id);
  const auto found = std::find_if(static_.begin(), static_.end(), [&](const auto& c) { return c.get() == &child; });
  static_.erase(found);
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
  child.stop_when_placed = false;
  if (child.spec->options.start_timeout.count() > 0) {
    auto& limit = child.extra(*this).limit;
    limit.when = cell_.home->now() + child.spec->options.start_timeout;
    cell_.home->disarm(limit);
    cell_.home->arm(limit);
  }
  if (child.where.cell != nullptr) {
    child.phase = child_phase::starting;
    order_start(*child.where.cell, &f);
    return;
  }
  child.phase = child_phase::launching;
  auto& home = place(*child.spec);
  const auto& spec = *child.spec;
  const auto* ops = spec.is_supervisor() ? &supervisor_ops : spec.ops;
  auto make = [spec = child.spec, args = std::move(args), ops, parent = cell_.self(), cookie = &child,
               path = path_](cell*, frame& by) {
    // A temporary child's arguments are needed once; its cell keeps a spec without them.
    auto kept = spec;
    if (spec->options.restart == temporary && spec->args != nullptr) {
      auto stripped = std::make_shared<child_spec>(*spec);
      stripped->args.reset();
      kept = std::move(stripped);
    }
    auto& c = by.home->make_cell(std::move(kept), args, *ops, parent, cookie, path);
    host::post(make_event_node(c, child_event{child_event_kind::placed, c.self(), 0, {}, cookie}), &by);
    by.home->start_incarnation(c, by);
  };
  post_control(home, &f, std::move(make));
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
  if (!kill && limit.kind() == shutdown_t::kind_t::limit) {
    auto& t = child.extra(*this).limit;
    cell_.home->disarm(t);
    t.when = cell_.home->now() + limit.limit();
    cell_.home->arm(t);
  }
  order_stop(child.where, kill ? exit_reason{exit_reason::killed} : exit_reason{exit_reason::shutdown}, kill, &f);
}

void supervisor_state::on_timer(child_record& child) {
  auto& f = *current_frame;
  switch (child.phase) {
    case child_phase::waiting: return retry(child, f);
    case child_phase::starting:
    case child_phase::stopping:
      if (child.where.cell != nullptr) {
        report r;
        r.kind = report::killed;
        r.path = path_->empty() ? child.spec->id : *path_ + "/" + child.spec->id;
        r.reason = exit_reason::killed;
        r.text = child.phase == child_phase::starting ? "its init did not return within its start_timeout"
                                                      : "it did not end within its shutdown limit";
        cell_.home->system().tell(std::move(r));
        order_stop(child.where, exit_reason::killed, true, &f);
      }
      return;
    case child_phase::undefined:
    case child_phase::launching:
    case child_phase::running: return;
  }
}

void supervisor_state::rest(child_record& child, frame& f) {
  child.phase = child_phase::undefined;
  if (child.where.cell != nullptr) order_rest(child.where, &f);
}

// --- start ------------------------------------------------------------------------------------------------------------

void supervisor_state::begin(frame& f) {
  auto kept = std::unique_ptr<kept_children>{static_cast<kept_children*>(std::exchange(cell_.kept, nullptr))};
  for (const auto& spec : spec_->children) {
    auto& child = add(spec);
    if (kept == nullptr) continue;
    if (const auto found = kept->by_id.find(spec->id); found != kept->by_id.end()) {
      child.where = found->second;
      kept->by_id.erase(found);
      order_adopt(child.where, &child, &f);
    }
  }
  if (kept != nullptr)
    for (const auto& [id, where] : kept->by_id) order_release(where, &f);
  initial_next(f);
}

void supervisor_state::initial_next(frame& f) {
  if (cursor_ < static_.size()) return launch(*static_[cursor_], f);
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
      if (child.extras) cell_.home->disarm(child.extras->limit);
      return start_failed(child, event.why, event.kind == child_event_kind::ignored, f);
    case child_event_kind::down:
      --alive_;
      if (child.extras) cell_.home->disarm(child.extras->limit);
      return ended(child, event.why, f);
  }
}

void supervisor_state::placed(child_record& child, const child_event& event, frame& f) {
  child.where = event.who;
  child.phase = child_phase::starting;
  if (child.is_static)
    cell_.home->system().names().add(*path_, child.spec->id, event.who,
                                     child.spec->is_supervisor() ? &supervisor_ops : child.spec->ops);
  if (child.stop_when_placed) ask_to_stop(child, f, false);
}

void supervisor_state::started(child_record& child, frame& f) {
  if (child.extras && child.phase != child_phase::stopping) cell_.home->disarm(child.extras->limit);
  if (child.phase == child_phase::stopping) return;  // its down is what we wait for
  child.phase = child_phase::running;
  if (child.spec->options.backoff.first.count() > 0) child.up_since = cell_.home->now();
  child.again = false;
  if (child.extras && child.extras->start_reply.owed()) child.extras->start_reply.answer(any_ref{child.where});
  switch (mode_) {
    case mode_t::initial:
      if (child.is_static && cursor_ < static_.size() && static_[cursor_].get() == &child) {
        ++cursor_;
        initial_next(f);
      }
      return;
    case mode_t::group:
      if (cursor_ < static_.size() && static_[cursor_].get() == &child) {
        ++cursor_;
        group_start_next(f);
      }
      return;
    case mode_t::normal: return;
    case mode_t::closing: return ask_to_stop(child, f, false);
  }
}

void supervisor_state::start_failed(child_record& child, const exit_reason& why, bool ignored, frame& f) {
  const bool was_stopping = child.phase == child_phase::stopping;
  child.phase = child_phase::undefined;
  if (mode_ == mode_t::closing || was_stopping) {
    // Somebody wanted it gone anyway: this is the same as its end.
    return ended(child, why, f);
  }
  if (child.extras && child.extras->start_reply.owed()) {
    child.again = false;
    auto reply = std::move(child.extras->start_reply);
    // OTP: an ignored child is kept by its spec, unless temporary or dynamic; a failed first start keeps nothing.
    const bool keeps = child.is_static && (ignored ? child.spec->options.restart != temporary : child.removed == false);
    child.removed = false;
    const auto name = child.spec->id;
    if (keeps) {
      rest(child, f);
    } else {
      remove(child, f);
    }
    if (ignored) return reply.answer(any_ref{});
    return reply.answer(error{errc::start_failed, "the child " + (name.empty() ? std::string{"process"} : name) +
                                                      " did not start: " + why.to_string()});
  }
  if (mode_ == mode_t::initial) {
    if (ignored) {
      if (child.spec->options.restart == temporary) {
        remove(child, f);
      } else {
        rest(child, f);
        ++cursor_;
      }
      return initial_next(f);
    }
    start_failed_ = true;
    const auto text = "failed to start child " + child.spec->id + ": " + why.to_string();
    return close(f, exit_reason{exit_reason::shutdown, text});
  }
  // A restart.
  child.again = false;
  if (ignored) {
    if (child.is_static && child.spec->options.restart != temporary) {
      rest(child, f);
    } else if (!child.is_static) {
      remove(child, f);
    }
    if (mode_ == mode_t::group) {
      ++cursor_;
      group_start_next(f);
    }
    return;
  }
  child.phase = child_phase::waiting;
  if (!add_restart()) return give_up(f);
  if (mode_ == mode_t::group) {
    // OTP: one_for_all begins again with everybody; rest_for_one goes on from the one that failed.
    if (spec_->strategy == rest_for_one) group_first_ = cursor_;
    child.phase = child_phase::undefined;
    const auto pause = pause_before(child);
    if (pause.count() == 0) return post_control(cell_.self(), &f, [](cell* c, frame& by) {
      auto& s = supervisor_of(*c);
      if (s.mode_ == mode_t::group) s.group_stop_next(by);
    });
    child.phase = child_phase::waiting;
    auto& t = child.extra(*this).limit;
    t.when = cell_.home->now() + pause;
    return cell_.home->arm(t);
  }
  const auto pause = pause_before(child);
  auto& t = child.extra(*this).limit;
  t.when = cell_.home->now() + pause;
  cell_.home->arm(t);
}

void supervisor_state::ended(child_record& child, const exit_reason& why, frame& f) {
  const bool asked = child.phase == child_phase::stopping || child.stop_when_placed;
  child.stop_when_placed = false;
  child.phase = child_phase::undefined;
  if (child.extras && child.extras->start_reply.owed())
    child.extras->start_reply.answer(error{errc::start_failed, "the child was stopped while it started"});
  if (mode_ == mode_t::closing) return close_next(f);
  if (asked && child.requested) {
    child.requested = false;
    std::vector<reply_once<void>> replies;
    if (child.extras) replies = std::move(child.extras->stop_replies);
    if (child.spec->options.restart == temporary || !child.is_static) {
      remove(child, f);
    } else {
      rest(child, f);
    }
    for (auto& r : replies) r.answer({});
    if (mode_ == mode_t::group) group_stop_next(f);
    return;
  }
  if (mode_ == mode_t::group) {
    if (asked) {
      if (child.spec->options.restart == temporary) remove(child, f);
      return group_stop_next(f);
    }
    child.ended_meanwhile = true;
    child.extra(*this).pending_end = why;
    return;
  }
  if (mode_ == mode_t::initial) {
    child.ended_meanwhile = true;
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
      for (auto& child : static_)
        if (child->phase == child_phase::stopping) ask_to_stop(*child, f, true);
      for (auto* child = first_dynamic_; child != nullptr; child = child->following)
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
  for (auto& child : static_) {
    if (child->phase == child_phase::waiting) {
      if (child->extras) cell_.home->disarm(child->extras->limit);
      child->phase = child_phase::undefined;
    }
  }
  auto deferred = std::move(deferred_);
  deferred.clear();  // what they owed is answered noproc
  // Dynamic children go all at once: their number must not add up their limits.
  for (auto* child = first_dynamic_; child != nullptr; child = child->following) {
    if (child->phase == child_phase::waiting) {
      if (child->extras) cell_.home->disarm(child->extras->limit);
      child->phase = child_phase::undefined;
    } else if (child->alive()) {
      ask_to_stop(*child, f, false);
    }
  }
  close_next(f);
}

void supervisor_state::close_next(frame& f) {
  for (auto i = static_.size(); i-- > 0;) {
    auto& child = *static_[i];
    if (!child.alive()) continue;
    if (child.phase != child_phase::stopping) ask_to_stop(child, f, false);
    return;
  }
  if (alive_ == 0) finish(f);
}

void supervisor_state::finish(frame& f) {
  auto kept = std::make_unique<kept_children>();
  for (auto& child : static_) {
    if (child->extras) cell_.home->disarm(child->extras->limit);
    if (child->where.cell == nullptr) continue;
    const auto restart = child->spec->options.restart;
    // Children that were added at run time are not in the spec: the next life does not know them.
    const bool known = std::any_of(spec_->children.begin(), spec_->children.end(),
                                   [&](const auto& s) { return s == child->spec; });
    if (restart == temporary || !known) {
      cell_.home->system().names().remove(*path_, child->spec->id);
      order_release(child->where, &f);
    } else {
      kept->by_id.emplace(child->spec->id, child->where);
    }
  }
  for (auto* child = first_dynamic_; child != nullptr; child = child->following)
    if (child->where.cell != nullptr) order_release(child->where, &f);
  if (!kept->by_id.empty()) cell_.kept = kept.release();
  cell_.start_failed = start_failed_;
  auto& self = cell_;
  const auto why = closing_reason_;
  self.home->end_life(self, f, why, false);  // deletes this
}

void release_kept(cell& c, frame* owned) {
  const std::unique_ptr<kept_children> kept{static_cast<kept_children*>(std::exchange(c.kept, nullptr))};
  if (kept == nullptr) return;
  const auto path = c.parent.cell == nullptr ? std::string{} : core::path_of(c);
  for (const auto& [id, where] : kept->by_id) {
    c.home->system().names().remove(path, id);
    order_release(where, owned);
  }
}

}  // namespace herald::engine
