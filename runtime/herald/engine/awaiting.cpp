#include <herald/engine/awaiting.hpp>

#include <stdexcept>

#include <herald/engine/core.hpp>

namespace herald {

engine::awaited_sleep context::sleep(std::chrono::nanoseconds time) {
  if (time.count() < 0) throw std::logic_error{"the process " + path() + " would sleep for a negative time"};
  return engine::awaited_sleep{*this, time};
}

namespace engine {

error not_in_handler_error() {
  return {errc::closed, "nothing is awaited: no handler of this context's process, or a left-over one, runs here"};
}

bool begin_await(context& self, pending_call& record, const std::optional<time_limit>& limit) {
  if (limit) return begin_call(self.cell(), self.incarnation(), &record, *limit);
  record.when = time_point::max();
  return begin_wait(self.cell(), self.incarnation(), &record);
}

void awaited_sleep::begin(await_point& at) {
  record_.begin(at);
  record_.when = self_->now() + time_;
  if (!begin_wait(self_->cell(), self_->incarnation(), &record_)) record_.fail(not_in_handler_error());
}

}  // namespace engine

}  // namespace herald
