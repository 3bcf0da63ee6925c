#include "display.hpp"

#include "units.hpp"

#include <algorithm>

namespace telemetry {

namespace {

using std::chrono::floor;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t bucket_ms = 500;
constexpr std::int64_t buckets_kept = 120;
constexpr milliseconds closed_shown{15'000};
constexpr std::size_t closed_kept = 50;
constexpr std::size_t processes_shown = 200;

instant instant_of(herald::timestamp time) { return floor<milliseconds>(time); }
std::int64_t bucket_of(instant at) { return at.time_since_epoch().count() / bucket_ms; }

std::string value_text(const alert_row& row) {
  return row.rule == "disk writes" ? human_rate(row.value) : human_percent(row.value);
}

bool is(const herald::event_record& event, const herald::resource_table& table) {
  return event.resource == &table || event.resource->name == table.name;
}

}  // namespace

alert_view shown(const alert_row& row, instant now) {
  const auto since = row.state == "closed" ? instant_of(row.changed_at) : instant_of(row.opened_at);
  return {.rule = row.rule,
          .subject = row.label.empty() ? row.subject : row.label,
          .state = row.state,
          .value = value_text(row),
          .age = floor<seconds>(std::max(milliseconds{0}, now - since))};
}

display::display(view_model first, instant started) : first_{std::move(first)}, started_{started} {}

void display::load(const host_row& row) { host_ = row; }

void display::load(const proc_row& row) { processes_[{row.pid, row.started}] = watched(row); }

void display::load(const alert_row& row) {
  std::string key;
  herald::value_view{row.id}.append_to(key);
  alerts_[key] = {row, instant_of(row.changed_at)};
}

void display::count(instant at) {
  ++events_[bucket_of(at)];
  while (events_.size() > static_cast<std::size_t>(buckets_kept)) events_.erase(events_.begin());
}

void display::apply_host(const herald::event_record& event) {
  if (!event.after) return;
  host_ = *event.after.as<host_row>();
  if (event.action_info().name != "measure_cpu") return;
  const auto at = instant_of(event.time);
  cpu_.add(at, host_.cpu_percent);
  cpu_mean_.add(at, host_.cpu_percent);
  for (std::size_t index = 0; index < host_.core_numbers.size() && index < host_.core_percent.size(); ++index) {
    const auto core = static_cast<int>(host_.core_numbers[index]);
    cores_[core].add(at, host_.core_percent[index]);
  }
}

void display::apply(const herald::event_record& event) {
  if (event.at.sequence <= seen_) return;
  seen_ = event.at.sequence;
  const auto at = instant_of(event.time);
  count(at);
  if (is(event, herald::table_of<hosts>)) {
    apply_host(event);
  } else if (is(event, herald::table_of<procs>)) {
    if (event.after) {
      load(*event.after.as<proc_row>());
    } else if (event.before) {
      const auto row = event.before.as<proc_row>();
      processes_.erase({row->pid, row->started});
    }
  } else if (is(event, herald::table_of<alerts>) && event.after) {
    load(*event.after.as<alert_row>());
    if (event.kind == herald::event_kind::created && at >= started_) ++alerts_opened_;
    // The oldest closed ones go: what is over is in the log.
    while (alerts_.size() > closed_kept) {
      const auto over = std::find_if(alerts_.begin(), alerts_.end(),
                                     [](const auto& one) { return one.second.row.state == "closed"; });
      if (over == alerts_.end()) break;
      alerts_.erase(over);
    }
  }
}

std::optional<alert_view> display::alert_of(const herald::event_record& event) {
  if (!is(event, herald::table_of<alerts>) || !event.after) return std::nullopt;
  return shown(*event.after.as<alert_row>(), instant_of(event.time));
}

void display::recorded(std::uint64_t sequence) { recorded_ = std::max(recorded_, sequence); }

view_model display::model(instant now) const {
  auto model = first_;
  model.elapsed = floor<seconds>(std::max(milliseconds{0}, now - started_));
  model.uptime = seconds{host_.uptime_s};
  model.load = host_.load;
  model.cpu_percent = host_.cpu_percent;
  model.cpu_points = cpu_.points(now);
  model.cpu_mean = cpu_mean_.mean();
  for (std::size_t index = 0; index < host_.core_numbers.size() && index < host_.core_percent.size(); ++index) {
    core_view core{static_cast<int>(host_.core_numbers[index]), host_.core_percent[index], {}};
    if (const auto found = cores_.find(core.core); found != cores_.end()) core.points = found->second.points(now);
    model.cores.push_back(std::move(core));
  }
  model.memory_used = static_cast<double>(host_.memory_used);
  model.memory_total = static_cast<double>(host_.memory_total);
  model.disk_in = host_.disk_in;
  model.disk_out = host_.disk_out;
  model.network_in = host_.network_in;
  model.network_out = host_.network_out;

  for (const auto& [key, row] : processes_) model.processes.push_back(row);
  model.process_count = processes_.size();
  const auto shown_count = std::min(processes_shown, model.processes.size());
  std::partial_sort(model.processes.begin(), model.processes.begin() + static_cast<std::ptrdiff_t>(shown_count),
                    model.processes.end(), [](const process_row& a, const process_row& b) {
                      if (a.cpu_percent != b.cpu_percent) return a.cpu_percent > b.cpu_percent;
                      return a.memory != b.memory ? a.memory > b.memory : a.key < b.key;
                    });
  model.processes.resize(shown_count);

  for (const auto& [key, alert] : alerts_)
    if (alert.row.state != "closed" || now - alert.changed_at <= closed_shown)
      model.alerts.push_back(shown(alert.row, now));
  // Those that stand before those that are over, and the newest first.
  std::stable_sort(model.alerts.begin(), model.alerts.end(), [](const alert_view& a, const alert_view& b) {
    const auto over = [](const alert_view& one) { return one.state == "closed"; };
    return over(a) != over(b) ? over(b) : a.age < b.age;
  });
  model.alerts_opened = alerts_opened_;

  const auto current = bucket_of(now);
  for (auto bucket = current - 60; bucket < current; ++bucket) {
    const auto found = events_.find(bucket);
    model.event_points.push_back(found == events_.end() ? 0 : found->second);
  }
  // The four half seconds that are complete.
  double recent = 0;
  for (std::size_t back = 1; back <= 4; ++back) recent += model.event_points[model.event_points.size() - back];
  model.events_per_second = recent / 2;
  model.committed = seen_;
  model.recorded = recorded_;
  return model;
}

}  // namespace telemetry
