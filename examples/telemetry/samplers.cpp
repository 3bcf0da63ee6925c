#include "samplers.hpp"

#include "resources.hpp"

#include <cmath>

namespace telemetry {

using herald::dsl::field;

namespace {

// More digits than anybody reads would make every row differ from the one before.
double tenths(double value) { return std::round(value * 10) / 10; }

// A measurement that nobody answers for is given up soon: the next one is fresher.
herald::action_options patience() {
  herald::action_options options;
  options.limit = std::chrono::seconds{1};
  return options;
}

}  // namespace

sampling_pace::sampling_pace(herald::context& self, const surroundings& around) : last_{self.now()} {
  self.send_every(around.interval, sample_now{});
}

bool sampling_pace::due() const { return !on_its_way_; }

seconds_f sampling_pace::lap(herald::context& self) {
  const auto now = self.now();
  return std::chrono::duration_cast<seconds_f>(now - std::exchange(last_, now));
}

cpu_sampler::cpu_sampler(herald::context& self, args around)
    : around_{std::move(around)}, pace_{self, around_}, before_{read_cpu(around_.proc_root)} {
  create_host(self);
}

// The row may be there already, from an incarnation or a start before: then this create fails, which is as well.
void cpu_sampler::create_host(herald::context& self) {
  around_.store.run<hosts, "appear">(self, field<& host_row::name> = around_.host,
                                     [](const herald::result<host_row>&) {});
}

void cpu_sampler::on(herald::context& self, const sample_now&) {
  if (!pace_.due()) return;
  auto now = read_cpu(around_.proc_root);
  if (!now) return;
  const auto facts = read_facts(around_.proc_root);
  std::vector<std::int64_t> numbers;
  std::vector<double> percents;
  for (const auto& core : core_loads(before_.value_or(*now), *now)) {
    numbers.push_back(core.core);
    percents.push_back(tenths(core.percent));
  }
  const auto all = before_ ? tenths(busy_percent(before_->all, now->all)) : 0;
  before_ = std::move(now);
  pace_.sent();
  around_.store.run<hosts, "measure_cpu">(
      self, around_.host, field<& host_row::cpu_percent> = all, field<& host_row::core_numbers> = std::move(numbers),
      field<& host_row::core_percent> = std::move(percents), field<& host_row::load> = facts.load,
      field<& host_row::uptime_s> = static_cast<std::int64_t>(facts.uptime_s), patience(),
      [this, &self](const herald::result<host_row>& done) {
        pace_.settled(around_, done);
        if (done.is(herald::resource_errc::not_found)) create_host(self);
      });
}

memory_sampler::memory_sampler(herald::context& self, args around) : around_{std::move(around)}, pace_{self, around_} {}

void memory_sampler::on(herald::context& self, const sample_now&) {
  if (!pace_.due()) return;
  const auto now = read_memory(around_.proc_root);
  if (!now) return;
  pace_.sent();
  around_.store.run<hosts, "measure_memory">(
      self, around_.host, field<& host_row::memory_used> = static_cast<std::int64_t>(now->total - now->available),
      field<& host_row::memory_total> = static_cast<std::int64_t>(now->total),
      field<& host_row::swap_used> =
          static_cast<std::int64_t>(now->swap_total - std::min(now->swap_free, now->swap_total)),
      field<& host_row::swap_total> = static_cast<std::int64_t>(now->swap_total), patience(),
      [this](const herald::result<host_row>& done) { pace_.settled(around_, done); });
}

disk_sampler::disk_sampler(herald::context& self, args around)
    : around_{std::move(around)}, pace_{self, around_}, before_{read_disks(around_.proc_root)} {}

void disk_sampler::on(herald::context& self, const sample_now&) {
  if (!pace_.due()) return;
  const auto now = read_disks(around_.proc_root);
  if (!now) return;
  const auto elapsed = pace_.lap(self);
  const auto before = std::exchange(before_, now).value_or(*now);
  pace_.sent();
  around_.store.run<hosts, "measure_disk">(
      self, around_.host, field<& host_row::disk_in> = std::round(per_second(before.in, now->in, elapsed)),
      field<& host_row::disk_out> = std::round(per_second(before.out, now->out, elapsed)), patience(),
      [this](const herald::result<host_row>& done) { pace_.settled(around_, done); });
}

network_sampler::network_sampler(herald::context& self, args around)
    : around_{std::move(around)}, pace_{self, around_}, before_{read_network(around_.proc_root)} {}

void network_sampler::on(herald::context& self, const sample_now&) {
  if (!pace_.due()) return;
  const auto now = read_network(around_.proc_root);
  if (!now) return;
  const auto elapsed = pace_.lap(self);
  const auto before = std::exchange(before_, now).value_or(*now);
  pace_.sent();
  around_.store.run<hosts, "measure_network">(
      self, around_.host, field<& host_row::network_in> = std::round(per_second(before.in, now->in, elapsed)),
      field<& host_row::network_out> = std::round(per_second(before.out, now->out, elapsed)), patience(),
      [this](const herald::result<host_row>& done) { pace_.settled(around_, done); });
}

}  // namespace telemetry
