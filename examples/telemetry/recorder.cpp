#include "recorder.hpp"

#include "event_json.hpp"

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

recorder::recorder(herald::context& self, args a) : file_{opened(a.file)} {
  const auto last = file_.last() ? offset_of(*file_.last()) : std::nullopt;
  a.around.store.subscribe_all(self, last ? herald::after(*last) : herald::earliest);
  self.send_every(milliseconds{100}, tell_progress{});
  self.send_every(milliseconds{1'000}, sync_now{});
}

void recorder::on(const herald::any_event& event) {
  const auto put = file_.append(offset_of(*event), event_json(*event));
  if (!put) throw herald::bad_result{put.error()};
  dirty_ = true;
}

void recorder::on(herald::context& self, const tell_progress&) {
  if (written() == told_) return;
  told_ = written();
  broadcast(self, progress_topic, record_progress{told_});
}

void recorder::on(const sync_now&) {
  if (!std::exchange(dirty_, false)) return;
  must(file_.sync());
}

}  // namespace telemetry
