#include "recorder.hpp"

#include "record_offset.hpp"

#include <herald/json.hpp>

#include <stdexcept>
#include <utility>

namespace telemetry {

namespace {

using std::chrono::milliseconds;

record_file opened(const std::string& path) {
  auto file = record_file::open(path);
  if (!file) throw herald::bad_result{file.error()};
  return std::move(*file);
}

void must(const herald::result<void>& done) {
  if (!done) throw herald::bad_result{done.error()};
}

}  // namespace

recorder::recorder(herald::context& self, args a)
    : file_{opened(a.file)}, next_{file_.last() ? file_.last()->sequence + 1 : a.around.store.floor()} {
  const auto last = file_.last() ? stored(*file_.last()) : std::nullopt;
  must(subscribe<herald::any_event>(self, a.around.store, last ? herald::after(*last) : herald::earliest));
  self.send_every(milliseconds{100}, tell_progress{});
  self.send_every(milliseconds{1'000}, sync_now{});
}

void recorder::on(const herald::any_event& event) {
  // The log has no gaps, so neither has the record: what the mailbox still held for an incarnation before is not for
  // us.
  if (event->at.sequence != next_) return;
  const auto put = file_.append(recorded(event->at), herald::to_json(*event));
  if (!put) throw herald::bad_result{put.error()};
  ++next_;
  dirty_ = true;
}

void recorder::on(const herald::log_gone& gone) {
  throw std::runtime_error{"the log begins at event " + std::to_string(gone.floor) + ", and the record ends at " +
                           std::to_string(written()) + ": what lies between is gone"};
}

void recorder::on(herald::context& self, const tell_progress&) {
  if (written() == told_) return;
  told_ = written();
  (void)herald::bus{self}.broadcast(progress_topic, record_progress{told_});
}

void recorder::on(const sync_now&) {
  if (!std::exchange(dirty_, false)) return;
  must(file_.sync());
}

}  // namespace telemetry
