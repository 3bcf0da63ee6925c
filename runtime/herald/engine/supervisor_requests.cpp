// What may be asked of a supervisor, with OTP's answers.

#include <herald/engine/child_record.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/operation.hpp>

namespace herald::engine {

error no_such_child(const child_key& child) {
  if (child.by_ref()) return {errc::not_found, "the process is no child of this supervisor"};
  return {errc::not_found, "there is no child with the id \"" + child.id() + "\""};
}

namespace {

error by_ref_only() { return {errc::not_supported, "a dynamic supervisor knows its children by ref, not by id"}; }
error for_fixed_only(const char* request) {
  return {errc::not_supported, std::string{"a dynamic supervisor forgets a child that has ended; "} + request + " is for fixed children"};
}

std::shared_ptr<const child_spec> spec_of_type(const process_ops& type) {
  auto spec = std::make_shared<child_spec>();
  spec->ops = &type;
  return spec;
}

}  // namespace

child_record* supervisor_state::find(const child_key& child) const {
  if (child.by_ref()) return find(child.who());
  if (spec_->dynamic) return nullptr;
  const auto found = by_id_.find(child.id());
  return found != by_id_.end() ? found->second : nullptr;
}

child_record* supervisor_state::find(any_ref who) const {
  const auto where = who.where();
  if (where.cell == nullptr) return nullptr;
  // A child on this host names its record itself; one on another host belongs to that host's runner.
  if (where.cell->home == cell_.home) {
    const bool ours = where.cell->alive(where) && where.cell->parent == cell_.self();
    auto* child = ours ? static_cast<child_record*>(where.cell->cookie) : nullptr;
    return child != nullptr && child->where == where ? child : nullptr;
  }
  const auto found = abroad_.find(where.cell);
  return found != abroad_.end() && found->second->where == where ? found->second : nullptr;
}

void supervisor_state::start_child(frame& f, child_spec spec, reply_once<any_ref> reply) {
  if (spec_->pattern != nullptr)
    return reply.answer(error{errc::not_supported,
                              "this dynamic supervisor starts children of its one pattern, with start_child<P>(args)"});
  if (spec_->partitioned)
    return reply.answer(error{errc::not_supported, "a partition supervisor's children are its partitions; resize it"});
  if (const auto ok = check_fit(*spec_, spec); !ok) return reply.answer(ok.error());
  if (spec_->dynamic) return start_one_more(f, std::make_shared<const child_spec>(std::move(spec)), nullptr, std::move(reply));
  if (occupied())
    return put_off(std::move(reply), [this, spec = std::move(spec)](frame& by, reply_once<any_ref> r) {
      start_child(by, spec, std::move(r));
    });
  if (auto* known = find(child_key{spec.id})) {
    const auto code = known->alive() || known->phase == child_phase::waiting ? errc::already_started : errc::already_present;
    return reply.answer(error{code, "the supervisor has a child with the id \"" + spec.id + "\" already"});
  }
  auto& child = add(std::make_shared<const child_spec>(std::move(spec)), true);
  child.first_start = true;
  child.extra(*this).start_reply = std::move(reply);
  launch(child, f);
}

void supervisor_state::start_dynamic(frame& f, std::shared_ptr<const void> args, const process_ops* type,
                                     reply_once<any_ref> reply) {
  if (!spec_->dynamic)
    return reply.answer(error{errc::not_supported, "this supervisor has fixed children; start_child wants a child_spec"});
  if (spec_->pattern != nullptr && type != spec_->pattern->ops)
    return reply.answer(error{errc::bad_spec, "this supervisor starts processes of type " + std::string{spec_->pattern->ops->name} +
                                                  ", not " + std::string{type->name}});
  auto spec = spec_->pattern;
  if (spec == nullptr) {
    auto& known = patterns_[type];
    if (known == nullptr) known = spec_of_type(*type);
    if (const auto ok = check_fit(*spec_, *known); !ok) return reply.answer(ok.error());
    spec = known;
  }
  start_one_more(f, std::move(spec), std::move(args), std::move(reply));
}

void supervisor_state::start_one_more(frame& f, std::shared_ptr<const child_spec> spec, std::shared_ptr<const void> args,
                                      reply_once<any_ref> reply) {
  if (mode_ == mode_t::closing) return;
  if (count_ >= spec_->max_children)
    return reply.answer(error{errc::max_children, "the supervisor has its maximum of " + std::to_string(spec_->max_children) + " children"});
  if (args == nullptr) args = spec->args;
  auto& child = add(std::move(spec), true);
  child.first_start = true;
  child.extra(*this).start_reply = std::move(reply);
  launch_with(child, std::move(args), f);
}

void supervisor_state::terminate_child(frame& f, const child_key& key, reply_once<void> reply) {
  if (spec_->dynamic && !key.by_ref()) return reply.answer(by_ref_only());
  if (!spec_->dynamic && key.by_ref()) return reply.answer(no_such_child(key));
  if (!spec_->dynamic && occupied())
    return put_off(std::move(reply), [this, key](frame& by, reply_once<void> r) { terminate_child(by, key, std::move(r)); });
  auto* child = find(key);
  if (child == nullptr) return reply.answer(no_such_child(key));
  terminate(*child, f, std::move(reply));
}

void supervisor_state::terminate(child_record& child, frame& f, reply_once<void> reply) {
  if (child.phase == child_phase::waiting) {
    call_off(child, f);
    return reply.answer({});
  }
  if (!child.alive()) return reply.answer({});
  child.requested = true;
  child.extra(*this).stop_replies.push_back(std::move(reply));
  if (child.phase != child_phase::stopping) ask_to_stop(child, f, false);
}

/// A child that waits to be restarted is not wanted any more.
void supervisor_state::call_off(child_record& child, frame& f) {
  const bool pending = child.extras && child.extras->limit.place != timer::npos;
  const auto when = pending ? child.extras->limit.when : time_point{};
  const bool on_request = child.on_request();
  disarm(child);
  child.again = false;
  child.phase = child_phase::undefined;
  if (child.extras && child.extras->start_reply.owed())
    child.extras->start_reply.answer(error{errc::start_failed, "the child was stopped while it started"});
  if (pending && child.is_static && spec_->strategy != one_for_one && !on_request) hand_retry_on(child, when);
  if (child.spec->options.restart == temporary || !child.is_static || child.first_start) {
    remove(child, f);
  } else {
    rest(child, f);
  }
}

void supervisor_state::restart_child(frame& f, const child_key& key, reply_once<any_ref> reply) {
  if (spec_->dynamic) return reply.answer(for_fixed_only("restart_child"));
  if (occupied())
    return put_off(std::move(reply), [this, key](frame& by, reply_once<any_ref> r) { restart_child(by, key, std::move(r)); });
  auto* child = find(key);
  if (child == nullptr) return reply.answer(no_such_child(key));
  const auto& id = child->spec->id;
  if (child->phase == child_phase::waiting) return reply.answer(error{errc::restarting, "the child " + id + " is being restarted"});
  if (child->alive()) return reply.answer(error{errc::running, "the child " + id + " is running"});
  child->extra(*this).attempts = 0;
  child->extra(*this).start_reply = std::move(reply);
  launch(*child, f);
}

void supervisor_state::delete_child(frame& f, const child_key& key, reply_once<void> reply) {
  if (spec_->dynamic) return reply.answer(for_fixed_only("delete_child"));
  if (spec_->partitioned)
    return reply.answer(error{errc::not_supported, "a partition cannot be deleted; resize the partition supervisor"});
  if (occupied())
    return put_off(std::move(reply), [this, key](frame& by, reply_once<void> r) { delete_child(by, key, std::move(r)); });
  auto* child = find(key);
  if (child == nullptr) return reply.answer(no_such_child(key));
  const auto& id = child->spec->id;
  if (child->phase == child_phase::waiting) return reply.answer(error{errc::restarting, "the child " + id + " is being restarted"});
  if (child->alive()) return reply.answer(error{errc::running, "the child " + id + " is running; terminate it first"});
  remove(*child, f);
  reply.answer({});
}

void supervisor_state::kill_child(frame& f, const child_key& key, reply_once<void> reply) {
  auto* child = find(key);
  if (child == nullptr) return reply.answer(no_such_child(key));
  if (child->where.cell != nullptr && child->alive()) order_stop(child->where, exit_reason::killed, true, &f);
  reply.answer({});
}

void supervisor_state::reset_backoff(frame& f, const child_key& key, reply_once<void> reply) {
  auto* child = find(key);
  if (child == nullptr) return reply.answer(no_such_child(key));
  if (child->extras) child->extras->attempts = 0;
  const bool pauses = child->phase == child_phase::waiting && child->extras && child->extras->limit.place != timer::npos;
  if (pauses) wait_to_retry(*child, std::chrono::milliseconds{0}, f);
  reply.answer({});
}

namespace {

child_info info_of(const child_record& child) {
  child_info info;
  info.id = child.spec->id;
  if (child.phase == child_phase::running || child.phase == child_phase::stopping || child.phase == child_phase::starting)
    info.who = any_ref{child.where};
  info.incarnation = child.incarnation;
  info.supervisor = child.spec->is_supervisor();
  info.restart = child.spec->options.restart;
  switch (child.phase) {
    case child_phase::running:
    case child_phase::stopping: info.state = child_state_t::running; break;
    case child_phase::launching:
    case child_phase::starting: info.state = child.again ? child_state_t::restarting : child_state_t::starting; break;
    case child_phase::waiting: info.state = child_state_t::restarting; break;
    case child_phase::undefined: info.state = child_state_t::stopped; break;
  }
  return info;
}

}  // namespace

std::vector<child_info> supervisor_state::which_children() const {
  std::vector<child_info> all;
  all.reserve(count_);
  for (const auto* child = last_; child != nullptr; child = child->previous) all.push_back(info_of(*child));
  return all;
}

child_counts supervisor_state::count_children() const {
  child_counts counts;
  for (const auto* child = first_; child != nullptr; child = child->following) {
    ++counts.specs;
    if (child->phase == child_phase::running || child->phase == child_phase::stopping) ++counts.active;
    ++(child->spec->is_supervisor() ? counts.supervisors : counts.workers);
  }
  if (spec_->pattern != nullptr) counts.specs = 1;  // OTP: one pattern; Elixir: each child its own
  return counts;
}

}  // namespace herald::engine

