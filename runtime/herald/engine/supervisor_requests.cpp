// What may be asked of a supervisor, with OTP's answers.

#include <herald/engine/child_record.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/operation.hpp>

namespace herald::engine {

namespace {

error no_child(const std::string& id) { return {errc::not_found, "there is no child with the id \"" + id + "\""}; }

}  // namespace

child_record* supervisor_state::find(const std::string& id) const {
  const auto found = by_id_.find(id);
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
  for (auto* child = last_; child != nullptr; child = child->previous)
    if (child->where == where) return child;
  return nullptr;
}

void supervisor_state::start_child(frame& f, child_spec spec, reply_once<any_ref> reply) {
  if (spec_->dynamic)
    return reply.answer(error{errc::not_supported, "a dynamic supervisor starts children of its one pattern, with start_child<P>(args)"});
  if (const auto ok = check_spec(spec); !ok) return reply.answer(ok.error());
  if (occupied()) {
    auto shared = std::make_shared<reply_once<any_ref>>(std::move(reply));
    deferred_.emplace_back([this, spec = std::move(spec), shared](frame& by) { start_child(by, spec, std::move(*shared)); });
    return;
  }
  if (spec.options.significant && spec_->auto_shutdown == never)
    return reply.answer(error{errc::bad_spec, "the child " + spec.id + " is significant, but its supervisor's auto_shutdown is never"});
  if (auto* known = find(spec.id)) {
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
  if (mode_ == mode_t::closing) return;
  if (type != spec_->pattern->ops)
    return reply.answer(error{errc::bad_spec, "this supervisor starts processes of type " + std::string{spec_->pattern->ops->name} +
                                                  ", not " + std::string{type->name}});
  if (count_ >= spec_->max_children)
    return reply.answer(error{errc::max_children, "the supervisor has its maximum of " + std::to_string(spec_->max_children) + " children"});
  auto& child = add(spec_->pattern, true);
  child.first_start = true;
  child.extra(*this).start_reply = std::move(reply);
  launch_with(child, std::move(args), f);
}

void supervisor_state::terminate_child(frame& f, const std::string& id, reply_once<void> reply) {
  if (spec_->dynamic)
    return reply.answer(error{errc::not_supported, "children of a dynamic supervisor have no id; name them by ref"});
  if (occupied()) {
    auto shared = std::make_shared<reply_once<void>>(std::move(reply));
    deferred_.emplace_back([this, id, shared](frame& by) { terminate_child(by, id, std::move(*shared)); });
    return;
  }
  auto* child = find(id);
  if (child == nullptr) return reply.answer(no_child(id));
  terminate(*child, f, std::move(reply));
}

void supervisor_state::terminate_child(frame& f, any_ref who, reply_once<void> reply) {
  auto* child = spec_->dynamic ? find(who) : nullptr;
  if (child == nullptr) return reply.answer(error{errc::not_found, "the process is no child of this dynamic supervisor"});
  terminate(*child, f, std::move(reply));
}

void supervisor_state::terminate(child_record& child, frame& f, reply_once<void> reply) {
  if (child.phase == child_phase::waiting) {
    const bool pending = child.extras && child.extras->limit.place != timer::npos;
    const auto when = pending ? child.extras->limit.when : time_point{};
    disarm(child);
    child.again = false;
    child.phase = child_phase::undefined;
    if (pending && child.is_static && spec_->strategy != one_for_one) hand_retry_on(child, when);
    if (child.spec->options.restart == temporary || !child.is_static) {
      remove(child, f);
    } else {
      rest(child, f);
    }
    return reply.answer({});
  }
  if (!child.alive()) return reply.answer({});
  child.requested = true;
  child.extra(*this).stop_replies.push_back(std::move(reply));
  if (child.phase != child_phase::stopping) ask_to_stop(child, f, false);
}

void supervisor_state::restart_child(frame& f, const std::string& id, reply_once<any_ref> reply) {
  if (spec_->dynamic) return reply.answer(error{errc::not_supported, "children of a dynamic supervisor have no id"});
  if (occupied()) {
    auto shared = std::make_shared<reply_once<any_ref>>(std::move(reply));
    deferred_.emplace_back([this, id, shared](frame& by) { restart_child(by, id, std::move(*shared)); });
    return;
  }
  auto* child = find(id);
  if (child == nullptr) return reply.answer(no_child(id));
  if (child->phase == child_phase::waiting)
    return reply.answer(error{errc::restarting, "the child " + id + " is being restarted"});
  if (child->alive()) return reply.answer(error{errc::running, "the child " + id + " is running"});
  child->extra(*this).start_reply = std::move(reply);
  launch(*child, f);
}

void supervisor_state::delete_child(frame& f, const std::string& id, reply_once<void> reply) {
  if (spec_->dynamic) return reply.answer(error{errc::not_supported, "children of a dynamic supervisor have no id"});
  if (occupied()) {
    auto shared = std::make_shared<reply_once<void>>(std::move(reply));
    deferred_.emplace_back([this, id, shared](frame& by) { delete_child(by, id, std::move(*shared)); });
    return;
  }
  auto* child = find(id);
  if (child == nullptr) return reply.answer(no_child(id));
  if (child->phase == child_phase::waiting)
    return reply.answer(error{errc::restarting, "the child " + id + " is being restarted"});
  if (child->alive()) return reply.answer(error{errc::running, "the child " + id + " is running; terminate it first"});
  remove(*child, f);
  reply.answer({});
}

void supervisor_state::kill_child(frame& f, any_ref who, reply_once<void> reply) {
  auto* child = find(who);
  if (child == nullptr) return reply.answer(error{errc::not_found, "the process is no child of this supervisor"});
  if (child->where.cell != nullptr && child->alive()) order_stop(child->where, exit_reason::killed, true, &f);
  reply.answer({});
}

namespace {

child_info info_of(const child_record& child) {
  child_info info;
  if (child.is_static) info.id = child.spec->id;
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
  if (spec_->dynamic) counts.specs = 1;
  return counts;
}

}  // namespace herald::engine

namespace herald {

using engine::child_record;
using engine::frame;
using engine::reply_once;
using engine::supervisor_state;

namespace {

error foreign() { return {errc::not_found, "the process is no child of this supervisor"}; }
error unknown(const std::string& id) { return {errc::not_found, "there is no child with the id \"" + id + "\""}; }

}  // namespace

template <class R>
void supervisor_ref::post(request<R> r, engine::reply_to back) const {
  const engine::runtime_entry entry;
  engine::post_control(where_, entry.owned(),
                       [r = std::move(r), reply = reply_once<R>{back}](engine::cell* c, frame& by) mutable {
    if (c == nullptr || c->ops != &engine::supervisor_ops || c->state == nullptr) return;  // noproc, by the reply's end
    r(engine::supervisor_of(*c), by, std::move(reply));
  });
}

template void supervisor_ref::post<any_ref>(request<any_ref>, engine::reply_to) const;
template void supervisor_ref::post<void>(request<void>, engine::reply_to) const;
template void supervisor_ref::post<child_counts>(request<child_counts>, engine::reply_to) const;
template void supervisor_ref::post<child_spec>(request<child_spec>, engine::reply_to) const;
template void supervisor_ref::post<std::vector<child_info>>(request<std::vector<child_info>>, engine::reply_to) const;

supervisor_ref::request<any_ref> supervisor_ref::start(child_spec spec) {
  return [spec = std::move(spec)](supervisor_state& s, frame& f, reply_once<any_ref> reply) {
    s.start_child(f, spec, std::move(reply));
  };
}
supervisor_ref::request<any_ref> supervisor_ref::start_dynamic(std::shared_ptr<const void> args,
                                                               const engine::process_ops* type) {
  return [args = std::move(args), type](supervisor_state& s, frame& f, reply_once<any_ref> reply) {
    s.start_dynamic(f, args, type, std::move(reply));
  };
}
supervisor_ref::request<void> supervisor_ref::terminate(std::string id) {
  return [id = std::move(id)](supervisor_state& s, frame& f, reply_once<void> reply) {
    s.terminate_child(f, id, std::move(reply));
  };
}
supervisor_ref::request<void> supervisor_ref::terminate(any_ref who) {
  return [who](supervisor_state& s, frame& f, reply_once<void> reply) { s.terminate_child(f, who, std::move(reply)); };
}
supervisor_ref::request<any_ref> supervisor_ref::restart(std::string id) {
  return [id = std::move(id)](supervisor_state& s, frame& f, reply_once<any_ref> reply) {
    s.restart_child(f, id, std::move(reply));
  };
}
supervisor_ref::request<void> supervisor_ref::remove(std::string id) {
  return [id = std::move(id)](supervisor_state& s, frame& f, reply_once<void> reply) {
    s.delete_child(f, id, std::move(reply));
  };
}
supervisor_ref::request<void> supervisor_ref::kill(any_ref who) {
  return [who](supervisor_state& s, frame& f, reply_once<void> reply) { s.kill_child(f, who, std::move(reply)); };
}
supervisor_ref::request<std::vector<child_info>> supervisor_ref::which() {
  return [](supervisor_state& s, frame&, reply_once<std::vector<child_info>> reply) { reply.answer(s.which_children()); };
}
supervisor_ref::request<child_counts> supervisor_ref::count() {
  return [](supervisor_state& s, frame&, reply_once<child_counts> reply) { reply.answer(s.count_children()); };
}
supervisor_ref::request<child_spec> supervisor_ref::spec_of(std::string id) {
  return [id = std::move(id)](supervisor_state& s, frame&, reply_once<child_spec> reply) {
    auto* child = s.find(id);
    if (child == nullptr) return reply.answer(unknown(id));
    reply.answer(*child->spec);
  };
}
supervisor_ref::request<child_spec> supervisor_ref::spec_of(any_ref who) {
  return [who](supervisor_state& s, frame&, reply_once<child_spec> reply) {
    auto* child = s.find(who);
    if (child == nullptr) return reply.answer(foreign());
    reply.answer(*child->spec);
  };
}

}  // namespace herald
