// The client's side of requests to supervisors: each one a function that the supervisor runs in its control lane.

#include <herald/supervisor_ref.hpp>

#include <herald/engine/child_record.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/operation.hpp>

namespace herald {

using engine::child_record;
using engine::frame;
using engine::reply_once;
using engine::supervisor_state;

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

std::optional<error> supervisor_ref::refused(const child_spec& spec) {
  if (const auto ok = engine::check_child(spec); !ok) return ok.error();
  return std::nullopt;
}

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
supervisor_ref::request<void> supervisor_ref::terminate(child_key child) {
  return [child = std::move(child)](supervisor_state& s, frame& f, reply_once<void> reply) {
    s.terminate_child(f, child, std::move(reply));
  };
}
supervisor_ref::request<any_ref> supervisor_ref::restart(child_key child) {
  return [child = std::move(child)](supervisor_state& s, frame& f, reply_once<any_ref> reply) {
    s.restart_child(f, child, std::move(reply));
  };
}
supervisor_ref::request<void> supervisor_ref::remove(child_key child) {
  return [child = std::move(child)](supervisor_state& s, frame& f, reply_once<void> reply) {
    s.delete_child(f, child, std::move(reply));
  };
}
supervisor_ref::request<void> supervisor_ref::kill(child_key child) {
  return [child = std::move(child)](supervisor_state& s, frame& f, reply_once<void> reply) {
    s.kill_child(f, child, std::move(reply));
  };
}
supervisor_ref::request<void> supervisor_ref::reset(child_key child) {
  return [child = std::move(child)](supervisor_state& s, frame& f, reply_once<void> reply) {
    s.reset_backoff(f, child, std::move(reply));
  };
}
supervisor_ref::request<void> supervisor_ref::redefine(child_spec definition) {
  return [spec = std::move(definition)](supervisor_state& s, frame& f, reply_once<void> reply) {
    s.change(f, spec, std::move(reply));
  };
}
supervisor_ref::request<void> supervisor_ref::resize(std::size_t partitions) {
  return [partitions](supervisor_state& s, frame& f, reply_once<void> reply) {
    s.resize(f, partitions, std::move(reply));
  };
}
supervisor_ref::request<std::vector<child_info>> supervisor_ref::which() {
  return [](supervisor_state& s, frame&, reply_once<std::vector<child_info>> reply) { reply.answer(s.which_children()); };
}
supervisor_ref::request<child_counts> supervisor_ref::count() {
  return [](supervisor_state& s, frame&, reply_once<child_counts> reply) { reply.answer(s.count_children()); };
}
supervisor_ref::request<child_spec> supervisor_ref::spec_of(child_key child) {
  return [child = std::move(child)](supervisor_state& s, frame&, reply_once<child_spec> reply) {
    const auto* found = s.find(child);
    if (found == nullptr) return reply.answer(engine::no_such_child(child));
    reply.answer(*found->spec);
  };
}

}  // namespace herald
