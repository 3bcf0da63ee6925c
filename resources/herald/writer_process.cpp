#include <herald/detail/writer_process.hpp>

#include <herald/engine/core.hpp>

#include <algorithm>

namespace herald::detail {

writer_process::writer_process(context& self, const args& with) : state_{with.state} {
  auto& core = state_->core();
  if (auto ready = core.recover(); !ready) {
    core.refuse_waiting(ready.error());
    self.fail(ready.error().message());
  }
  const any_ref own = self.self();
  core.on_work([own] { own.cast(work_waits{}); });
  state_->attach_writer(own);
  // An idle store's events grow old, too.
  if (const auto age = core.retention().age; age.count() > 0) {
    self.send_every(std::clamp<std::chrono::seconds>(age / 10, std::chrono::seconds{1}, std::chrono::seconds{60}), work_waits{});
  }
  // What waited for this incarnation was announced to the one before.
  own.cast(work_waits{});
}

writer_process::~writer_process() { state_->detach_writer(); }

void writer_process::on(context& self, const work_waits&) {
  if (state_->core().execute() != 0) self.self().cast(work_waits{});
  for (std::string& what : state_->core().take_troubles()) {
    engine::system_of(self.cell()).tell(report::note, self.cell(), self.incarnation(), exit_reason::normal, std::move(what));
  }
}

void writer_process::terminate(const exit_reason& why) {
  if (!why.clean()) return;
  auto& core = state_->core();
  // As many as wait now: callers that go on asking would keep a stopping writer for ever.
  for (auto left = core.waiting(); left != 0;) {
    const auto done = core.execute();
    if (done == 0) break;
    left -= std::min(left, done);
  }
  core.on_work({});
  state_->dismiss_writer();
}

}  // namespace herald::detail
