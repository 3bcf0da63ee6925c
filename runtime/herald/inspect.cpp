#include <herald/inspect.hpp>

#include <algorithm>

#include <herald/application.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/crash_text.hpp>
#include <herald/engine/extras.hpp>
#include <herald/engine/request.hpp>
#include <herald/engine/stash.hpp>
#include <herald/engine/supervisor_state.hpp>
#include <herald/engine/survey.hpp>
#include <herald/engine/watch.hpp>

namespace herald {

using namespace engine;

namespace {

void look_at_mailbox(const cell& c, inspection& seen) {
  std::size_t count = 0;
  for (const auto* e = c.mail.head; e != nullptr && count < inspected_messages; e = e->next, ++count) {
    const auto type = e->ops->type->name;
    const auto found = std::find_if(seen.waiting.begin(), seen.waiting.end(), [&](const auto& w) { return w.type == type; });
    if (found != seen.waiting.end()) {
      ++found->count;
    } else {
      seen.waiting.push_back({type, 1});
    }
  }
}

/// Everything but what the process says of itself. For whoever has the host; `running`: whose handler runs meanwhile.
inspection look_at(cell& c, const cell* running) {
  inspection seen;
  survey one{*c.home, running};
  one.before_change(c);
  auto view = one.take();
  seen.path = core::path_of(c);
  if (c.parent.cell == nullptr) seen.path.clear();  // the root
  seen.host = c.home->number();
  if (c.extras != nullptr) seen.label = label_of(c);
  seen.stashed = stashed_in(c);
  if (!view.rows.empty()) seen.row = view.rows.front();
  if (!view.running.empty()) seen.handler = view.running.front();
  for (const auto& entry : c.ops->handlers) seen.accepts.push_back(entry.type->name);
  look_at_mailbox(c, seen);
  for (const auto* a = c.attachments; a != nullptr; a = a->following) {
    switch (a->kind()) {
      case attachment_kind::timer: ++seen.timers; break;
      case attachment_kind::call: ++seen.pending_calls; break;
      case attachment_kind::monitor: ++seen.monitors; break;
      case attachment_kind::other: break;
    }
  }
  for (const auto* w = c.watchers; w != nullptr; w = w->following) ++seen.watchers;
  if (c.ops->supervisor && c.status == cell_status::running && running == nullptr)
    seen.children = supervisor_of(c).count_children().specs;
  seen.from_outside = running != nullptr;
  return seen;
}

void answer_for(cell& c, frame& f, reply_once<inspection> reply) {
  auto seen = look_at(c, nullptr);
  auto* const describe = c.ops->describe;
  if (describe == nullptr || c.status != cell_status::running || (c.busy & busy_away) != 0)
    return reply.answer(std::move(seen));
  description said;
  const auto ask = [&, state = c.state] {
    try {
      describe(state, said);
    } catch (...) {
      seen.describe_failed = crash_of_current_exception().text();
    }
  };
  c.home->visit(c, f, ask);
  seen.described = said.items();
  reply.answer(std::move(seen));
}

/// The answer of somebody whose host did not come to it within the limit.
result<inspection> from_outside(address who, std::chrono::milliseconds limit) {
  std::optional<inspection> seen;
  const auto look = [&](frame& f) {
    if (who.cell->alive(who) && who.cell->spec != nullptr) seen = look_at(*who.cell, f.current);
  };
  if (who.cell->home->peek(look) && seen) return std::move(*seen);
  return late_error(who, limit);
}

}  // namespace

result<inspection> inspect(const any_ref& who, std::chrono::milliseconds limit) {
  if (!who) return noproc_error();
  if (on_runner()) return error{errc::would_block, "inspect inside a handler; wanted: the form with a context"};
  auto* w = new waiter_for<result<inspection>>;
  const waiter_guard guard{*w};
  order<inspection>(who.where(), nullptr, reply_for(*w), answer_for);
  if (!engine::wait(system_of(*who.where().cell), *w, limit)) return from_outside(who.where(), limit);
  return w->take();
}

void inspect(context& self, const any_ref& who, std::chrono::milliseconds limit,
             std::function<void(result<inspection>)> then) {
  auto finish = [where = who.where(), limit, then = std::move(then)](result<inspection> r) {
    if (!r && r.error() == errc::timeout) return then(from_outside(where, limit));
    then(std::move(r));
  };
  auto* pending = new call_continuation<inspection, decltype(finish)>{std::move(finish)};
  auto& c = self.cell();
  if (!begin_call(c, self.incarnation(), pending, limit)) return;
  if (!who) return engine::fail_call(c, self.incarnation(), pending->id, noproc_error());
  const runtime_entry entry;
  const engine::reply_to back{self.self().where(), self.incarnation(), pending->id, nullptr};
  order<inspection>(who.where(), entry.owned(), reply_once<inspection>{back}, answer_for);
}

result<inspection> application::inspect(std::string_view path, std::chrono::milliseconds limit) const {
  const auto who = path.empty() ? any_ref{root()} : any_ref{inside().names().find(path).where};
  if (!who) return error{errc::not_found, "there is no process with the path \"" + std::string{path} + "\""};
  return herald::inspect(who, limit);
}

}  // namespace herald
