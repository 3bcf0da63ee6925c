#include "view_process.hpp"

#include "view.hpp"

#include <unistd.h>

namespace telemetry {

namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t history_events = 4'000;  // about a minute: what the curves show

instant now(const herald::context& self) { return std::chrono::floor<milliseconds>(self.wall()); }

}  // namespace

void screen::line(const std::string& text) {
  if (!write_fully(STDOUT_FILENO, text + "\n")) gone.store(true);
}

view_process::view_process(herald::context& self, args a) : args_{std::move(a)}, display_{args_.first, args_.started} {
  const auto& store = args_.around.store;
  if (const auto rows = store.all<hosts>())
    for (const auto& row : rows->rows) display_.load(row);
  if (const auto rows = store.all<procs>())
    for (const auto& row : rows->rows) display_.load(row);
  if (const auto rows = store.all<alerts>())
    for (const auto& row : rows->rows) display_.load(row);
  auto from = store.head();
  live_from_ = from.sequence;
  from.sequence -= std::min(from.sequence, history_events);
  if (const auto followed = subscribe<herald::any_event>(self, store, herald::after(from)); !followed)
    throw herald::bad_result{followed.error()};
  subscribe<record_progress>(self, progress_topic);
  if (args_.on->live)
    self.send_every(milliseconds{125}, show_frame{});
  else
    await_next_second(self);
}

// By the clock of the run, not of this life: a view that lives for less than a second shall speak too.
void view_process::await_next_second(herald::context& self) {
  const auto into = (now(self) - args_.started) % milliseconds{1'000};
  self.send_after(milliseconds{1'000} - into, show_status{});
}

view_model view_process::model(const herald::context& self) const {
  auto model = display_.model(now(self));
  args_.tally->fill(model, now(self));
  if (const auto wrong = args_.around.trouble->all(); !wrong.empty()) model.trouble = wrong.back();
  return model;
}

void view_process::on(herald::context& self, const herald::any_event& event) {
  display_.apply(*event);
  if (args_.on->live || event->at.sequence <= live_from_) return;
  if (const auto alert = display::alert_of(*event))
    args_.on->line(line_format{args_.on->json}.alert(model(self).elapsed, *alert));
}

void view_process::on(herald::context& self, const show_frame&) {
  const auto size = args_.on->live->size();
  if (!args_.on->live->show(draw(model(self), size.width, size.height))) args_.on->gone.store(true);
}

void view_process::on(herald::context& self, const show_status&) {
  const line_format format{args_.on->json};
  const auto current = model(self);
  for (const auto& sentence : args_.around.trouble->take_news())
    args_.on->line(format.trouble(current.elapsed, sentence));
  for (const auto& notice : args_.tally->take_notices()) args_.on->line(format.restart(current.elapsed, notice));
  args_.on->line(format.status(current));
  await_next_second(self);
}

}  // namespace telemetry
