#include <herald/engine/visit.hpp>

#include <atomic>

#include <herald/engine/core.hpp>
#include <herald/engine/crash_text.hpp>
#include <herald/engine/request.hpp>
#include <herald/operate.hpp>

namespace herald::engine {

namespace {

enum stage : int { waiting, begun, withdrawn };

struct visitor {
  std::atomic<int> at{waiting};
  std::string threw;  ///< written before the answer
};

}  // namespace

std::string busy_text(const type_tag* type, std::optional<std::chrono::milliseconds> time) {
  return "a handler" + (type != nullptr ? " of " + std::string{type->name} : std::string{}) + " has been running" +
         (time ? " for " + std::to_string(time->count()) + " ms" : std::string{});
}

error busy_error(const cell& c) {
  const auto time = c.home->now() - c.away->since;
  return {errc::timeout, "the process " + core::path_of(c) + " is busy: " +
                             busy_text(c.away->type, std::chrono::duration_cast<std::chrono::milliseconds>(time))};
}

error late_error(address who, std::chrono::milliseconds limit) {
  auto text = "no answer within " + std::to_string(limit.count()) + " ms";
  auto& home = *who.cell->home;
  const auto look = [&](frame& f) {
    std::optional<std::chrono::milliseconds> time;
    if (const auto since = home.busy_since())
      time = std::chrono::duration_cast<std::chrono::milliseconds>(home.now() - *since);
    const auto* type = f.in_hand != nullptr ? f.in_hand->ops->type : nullptr;
    text += ": its host is busy with " + core::path_of(*f.current) + ", where " + busy_text(type, time);
  };
  static_cast<void>(home.peek(look));
  return {errc::timeout, std::move(text)};
}

result<void> visit(address who, const process_ops* type, const std::function<void(void*)>& code,
                   std::chrono::milliseconds limit) {
  if (who.cell == nullptr) return noproc_error();
  const auto me = std::make_shared<visitor>();
  const auto request = [me, type, &code](cell& c, frame& f, reply_once<void> reply) {
    if (c.ops != type) return reply.answer(error{errc::not_supported, "the process is of another type"});
    if ((c.busy & busy_away) != 0) return reply.answer(busy_error(c));
    if (c.status != cell_status::running) return reply.answer(error{errc::restarting, "the process has no incarnation now"});
    auto expected = static_cast<int>(waiting);
    if (!me->at.compare_exchange_strong(expected, begun)) return;
    bool threw = false;
    const auto shell = [&, state = c.state] {
      try {
        code(state);
      } catch (...) {
        threw = true;
        me->threw = crash_of_current_exception().text();
      }
    };
    c.home->visit(c, f, shell);
    if (threw) {
      reply.answer(error{errc::failed, "the function threw: " + me->threw});
    } else {
      reply.answer({});
    }
  };
  auto* w = new waiter_for<result<void>>;
  const waiter_guard guard{*w};
  order<void>(who, nullptr, reply_for(*w), request);
  auto& system = system_of(*who.cell);
  if (!engine::wait(system, *w, limit)) {
    auto expected = static_cast<int>(waiting);
    if (me->at.compare_exchange_strong(expected, withdrawn)) return late_error(who, limit);
    static_cast<void>(engine::wait(system, *w, std::nullopt));  // it has begun, and stands on the caller's values
  }
  return w->done() ? w->take() : late_error(who, limit);
}

void order_visit(address who, const process_ops* type, std::shared_ptr<visit_order> visit) {
  const runtime_entry entry;
  post_control(who, entry.owned(), [type, visit = std::move(visit)](cell* to, frame& f) {
    auto& c = *to;
    if (c.ops != type) return visit->refuse({errc::not_supported, "the process is of another type"});
    if ((c.busy & busy_away) != 0) return visit->refuse(busy_error(c));
    if (c.status != cell_status::running) return visit->refuse({errc::restarting, "the process has no incarnation now"});
    if (!visit->begin()) return;
    const auto shell = [visit, state = c.state] {
      try {
        visit->run(state);
      } catch (...) {
        visit->refuse({errc::failed, "the function threw: " + std::string{crash_of_current_exception().text()}});
      }
    };
    c.home->visit(c, f, shell);
  });
}

static void set_suspended(cell& c, bool suspended) {
  if (suspended) {
    c.home->hold(c, busy_suspended);
  } else {
    c.home->release(c, busy_suspended);
  }
}

void ask_suspended(const any_ref& who, bool suspended, reply_once<void> reply) {
  if (!who) return reply.answer(noproc_error());
  const runtime_entry entry;
  order<void>(who.where(), entry.owned(), std::move(reply), [suspended](cell& c, frame&, reply_once<void> to) {
    if (c.ops->supervisor) return to.answer(error{errc::not_supported, "a supervisor has no mailbox to suspend"});
    if ((c.busy & busy_away) != 0 && suspended) return to.answer(busy_error(c));
    if (c.status != cell_status::running) return to.answer(error{errc::restarting, "the process has no incarnation now"});
    set_suspended(c, suspended);
    to.answer({});
  });
}

namespace {

result<void> suspend_or_resume(const any_ref& who, bool suspended, std::chrono::milliseconds limit) {
  if (!who) return noproc_error();
  if (on_runner()) return error{errc::would_block, "a blocking form inside a handler; wanted: the form with a context"};
  auto* w = new waiter_for<result<void>>;
  const waiter_guard guard{*w};
  ask_suspended(who, suspended, reply_for(*w));
  if (!engine::wait(system_of(*who.where().cell), *w, limit)) return late_error(who.where(), limit);
  return w->take();
}

void order_suspended(const context& self, const any_ref& who, bool suspended) {
  if (!who) return;
  const runtime_entry entry;
  if (entry.fenced() || entry.any() == nullptr || entry.any()->current != &self.cell()) return;
  post_control(who.where(), entry.owned(), [suspended](cell* c, frame&) {
    if (!c->ops->supervisor && c->status == cell_status::running) set_suspended(*c, suspended);
  });
}

}  // namespace
}  // namespace herald::engine

namespace herald {

result<void> suspend(const any_ref& who, std::chrono::milliseconds limit) {
  return engine::suspend_or_resume(who, true, limit);
}
result<void> resume(const any_ref& who, std::chrono::milliseconds limit) {
  return engine::suspend_or_resume(who, false, limit);
}
void suspend(context& self, const any_ref& who) { engine::order_suspended(self, who, true); }
void resume(context& self, const any_ref& who) { engine::order_suspended(self, who, false); }

}  // namespace herald
