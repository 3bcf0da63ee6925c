#include <herald/engine/task_process.hpp>

#include <stdexcept>

#include <herald/engine/child_record.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/operation.hpp>
#include <herald/engine/stream_run.hpp>
#include <herald/task_many.hpp>

namespace herald::engine {

std::vector<any_ref> callers_from(context& self) {
  std::vector<any_ref> chain{self.self()};
  const auto further = callers(self);
  chain.insert(chain.end(), further.begin(), further.end());
  return chain;
}

void check_task_options(const task_options& o, bool awaited, bool can_be_offloaded) {
  const auto wrong = [](const std::string& what) {
    throw std::logic_error{"the options of a task are wrong: " + what};
  };
  if (static_cast<unsigned>(o.restart) > 2)
    wrong("unknown restart type " + std::to_string(static_cast<unsigned>(o.restart)));
  if (awaited && o.restart != temporary)
    wrong("a task that is awaited runs once; wanted: restart temporary, or start_child");
  if (o.shutdown && o.shutdown->kind() == shutdown_t::kind_t::limit && o.shutdown->limit().count() < 0)
    wrong("shutdown is " + std::to_string(o.shutdown->limit().count()) + " ms; wanted: 0 up, infinity or brutal_kill");
  if (o.placement && static_cast<unsigned>(o.placement->kind) > 3)
    wrong("unknown placement " + std::to_string(static_cast<unsigned>(o.placement->kind)));
  if (o.offloaded && !can_be_offloaded)
    wrong("offloaded, but the function takes a context; wanted: one that takes nothing or a std::stop_token");
}

void check_yield_options(const yield_options& o) {
  if (o.limit.count() < 0)
    throw std::logic_error{"yield_many: the limit is " + std::to_string(o.limit.count()) + " ms; wanted: 0 up"};
  if (o.enough == 0) throw std::logic_error{"yield_many: enough is 0; wanted: 1 up"};
}

void check_stream_options(const stream_options& o) {
  if (o.max_concurrency == 0) throw std::logic_error{"async_stream: max_concurrency is 0; wanted: 1 up"};
  if (o.timeout.count() < 0)
    throw std::logic_error{"async_stream: the timeout is " + std::to_string(o.timeout.count()) + " ms; wanted: 0 up"};
  check_task_options(o.task, true, false);
}

time_point now_of(core& system) noexcept { return system.time().now(); }
std::size_t width_of(const stream_options& o, const supervisor_ref& sup) noexcept {
  if (o.max_concurrency) return *o.max_concurrency;
  const any_ref where = sup;
  return where ? std::max<std::size_t>(system_of(*where.where().cell).hosts().size(), 1) : 1;
}

namespace {

template <class Start>
void order_task(const supervisor_ref& sup, Start start) {
  const any_ref where = sup;
  const runtime_entry entry;
  post_control(where.where(), entry.owned(), std::move(start));
}

}  // namespace

void start_task(const supervisor_ref& sup, std::shared_ptr<task_body> body, const task_options& o,
                std::shared_ptr<task_base> told) {
  if (!sup) return told->fail(noproc_error(), exit_reason::noproc);
  auto args = std::make_shared<const task_process::args>(task_process::args{std::move(body)});
  order_task(sup, [args = std::move(args), o, told = std::move(told)](cell* c, frame& by) mutable {
    if (c->ops != &supervisor_ops || c->state == nullptr) return;  // told by the body's end
    // The arguments live until it is told: their end would say that there is no supervisor.
    if (const auto why = supervisor_of(*c).start_task(by, args, o, nullptr)) told->fail(*why, exit_reason::noproc);
  });
}

void start_task_child(const supervisor_ref& sup, std::shared_ptr<task_body> body, const task_options& o,
                      engine::reply_to back) {
  reply_once<any_ref> reply{back};
  if (!sup) return reply.answer(noproc_error());
  auto args = std::make_shared<const task_process::args>(task_process::args{std::move(body)});
  order_task(sup, [args = std::move(args), o, reply = std::move(reply)](cell* c, frame& by) mutable {
    if (c->ops != &supervisor_ops || c->state == nullptr) return;  // noproc, by the reply's end
    if (const auto why = supervisor_of(*c).start_task(by, args, o, &reply)) reply.answer(*why);
  });
}

std::optional<error> supervisor_state::start_task(frame& f, std::shared_ptr<const void> args, const task_options& o,
                                                  reply_once<any_ref>* reply) {
  if (!spec_->dynamic || spec_->pattern == nullptr || spec_->pattern->ops != &ops_of<task_process>)
    return error{errc::not_supported,
                 "the supervisor " + *path_ + " does not run tasks; wanted: one made by task_supervisor"};
  if (mode_ == mode_t::closing) return error{errc::noproc, "the task supervisor " + *path_ + " is ending"};
  if (count_ >= spec_->max_children)
    return error{errc::max_children, "the task supervisor " + *path_ + " has its maximum of " +
                                         std::to_string(spec_->max_children) + " tasks"};
  auto spec = spec_->pattern;
  if (o.restart != temporary || o.shutdown || o.placement) {
    auto own = std::make_shared<child_spec>(*spec);
    own->options.restart = o.restart;
    if (o.shutdown) own->options.shutdown = o.shutdown;
    if (o.placement) own->options.placement = *o.placement;
    spec = std::move(own);
  }
  auto& child = add(std::move(spec), true);
  child.first_start = true;
  if (reply != nullptr) child.extra(*this).start_reply = std::move(*reply);
  launch_with(child, std::move(args), f);
  return std::nullopt;
}

}  // namespace herald::engine

namespace herald {

child_spec task_supervisor(std::string id, task_supervisor_options o) {
  dynamic_options d;
  d.restart = temporary;
  d.shutdown = o.shutdown;
  d.placement = o.placement;
  d.intensity = o.intensity;
  d.max_children = o.max_children;
  return dynamic<engine::task_process>(std::move(id), d);
}

std::vector<any_ref> callers(context& self) {
  if (self.cell().ops != &engine::ops_of<engine::task_process>) return {};
  const auto* state = reinterpret_cast<std::byte*>(&self) + sizeof(context);
  return reinterpret_cast<const engine::task_process*>(state)->body().callers;
}

}  // namespace herald
