#include "process_sampler.hpp"

#include "resources.hpp"

#include <unistd.h>

namespace telemetry {

using herald::dsl::field;

namespace {

std::vector<process_row> known_processes(const surroundings& around) {
  std::vector<process_row> known;
  const auto rows = around.store.all<procs>();
  if (!rows) throw herald::bad_result{rows.error()};  // a start error: the supervisor tries again
  for (const auto& row : rows->rows) known.push_back(watched(row));
  return known;
}

settlement settlement_of(const herald::result<proc_row>& how) {
  if (how) return settlement::done;
  if (how.is(herald::resource_errc::taken)) return settlement::exists;
  if (how.is(herald::resource_errc::not_found) || how.is(herald::resource_errc::stale)) return settlement::missing;
  return settlement::failed;
}

}  // namespace

process_sampler::process_sampler(herald::context& self, args around)
    : around_{std::move(around)},
      pace_{self, around_},
      watch_{process_thresholds{}, known_processes(around_), ::sysconf(_SC_CLK_TCK)} {}

void process_sampler::settled(const process_key& key, const herald::result<proc_row>& how) {
  around_.heed(how);
  watch_.settled(key, settlement_of(how));
}

void process_sampler::on(herald::context& self, const sample_now&) {
  if (!pace_.due()) return;
  const auto changes = watch_.step(read_processes(around_.proc_root), pace_.lap(self));
  for (const auto& row : changes.appeared) {
    const auto as = stored(row);
    around_.store.run<procs, "appear">(
        self, field<& proc_row::pid> = as.pid, field<& proc_row::started> = as.started,
        field<& proc_row::parent> = as.parent, field<& proc_row::owner> = as.owner,
        field<& proc_row::threads> = as.threads, field<& proc_row::name> = as.name, field<& proc_row::state> = as.state,
        field<& proc_row::cpu_percent> = as.cpu_percent, field<& proc_row::memory> = as.memory,
        [this, key = row.key](const herald::result<proc_row>& how) { settled(key, how); });
  }
  for (const auto& row : changes.changed) {
    const auto as = stored(row);
    around_.store.run<procs, "change">(
        self, herald::key(as.pid, as.started), field<& proc_row::parent> = as.parent,
        field<& proc_row::owner> = as.owner, field<& proc_row::threads> = as.threads, field<& proc_row::name> = as.name,
        field<& proc_row::state> = as.state, field<& proc_row::cpu_percent> = as.cpu_percent,
        field<& proc_row::memory> = as.memory,
        [this, key = row.key](const herald::result<proc_row>& how) { settled(key, how); });
  }
  for (const auto& key : changes.ended)
    around_.store.run<procs, "end">(self, herald::key(key.pid, key.started),
                                    [this, key](const herald::result<proc_row>& how) { settled(key, how); });
}

}  // namespace telemetry
