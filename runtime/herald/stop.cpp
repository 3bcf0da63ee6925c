#include <herald/stop.hpp>

#include <herald/engine/child_event.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/extras.hpp>
#include <herald/engine/operation.hpp>
#include <herald/engine/reply_once.hpp>

namespace herald {

using namespace engine;

namespace {

/// Goes with the life it waits for.
struct end_notice final : cell_hook {
  explicit end_notice(reply_once<void> r) noexcept : cell_hook{true}, reply{std::move(r)} {}
  ~end_notice() override { reply.answer({}); }
  reply_once<void> reply;
};

}  // namespace

void engine::order_stop_and_tell(address who, exit_reason why, engine::reply_to back) {
  reply_once<void> reply{back};
  if (who.cell == nullptr) return reply.answer(noproc_error());
  const runtime_entry entry;
  post_control(who, entry.owned(), [why = std::move(why), reply = std::move(reply)](cell* c, frame& by) mutable {
    if (c->status == cell_status::ended || c->status == cell_status::resting || c->status == cell_status::free)
      return reply.answer(noproc_error());
    add_hook(*c, std::make_unique<end_notice>(std::move(reply)));
    by.home->stop_cell(*c, by, why, false);
  });
}

result<void> stop(const any_ref& who, exit_reason why, std::chrono::milliseconds limit) {
  if (!who) return noproc_error();
  if (on_runner()) return would_block_error();
  auto* w = new waiter_for<result<void>>;
  const waiter_guard guard{*w};
  w->retain();
  order_stop_and_tell(who.where(), std::move(why), {{}, 0, 0, w});
  if (!wait(system_of(*who.where().cell), *w, limit)) return timeout_error(limit);
  return w->take();
}

}  // namespace herald
