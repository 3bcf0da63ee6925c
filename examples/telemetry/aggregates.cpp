#include "aggregates.hpp"

namespace telemetry {

aggregates::aggregates(herald::context& self, args around) : around_{std::move(around)} {
  for (const auto* topic : {"host:cpu", "host:memory", "host:disk"}) subscribe<herald::event<hosts>>(self, topic);
  for (const auto* topic : {"proc:appeared", "proc:changed", "proc:ended"})
    subscribe<herald::event<procs>>(self, topic);
}

void aggregates::tell(herald::context& self, rolling& window, const std::string& watches, const host_row& host,
                      double value, instant now) {
  window.add(now, value);
  (void)herald::bus{self}.broadcast(readings_topic,
                                    reading{watches, subject_of_host(host.name), window.mean(), host.name});
}

void aggregates::on(herald::context& self, const herald::event<hosts>& measured) {
  const auto& host = measured.row();
  const auto now = std::chrono::floor<std::chrono::milliseconds>(measured.time());
  if (measured.action() == "measure_cpu") tell(self, cpu_, "cpu", host, host.cpu_percent, now);
  if (measured.action() == "measure_memory" && host.memory_total > 0)
    tell(self, memory_, "memory", host,
         100.0 * static_cast<double>(host.memory_used) / static_cast<double>(host.memory_total), now);
  if (measured.action() == "measure_disk") tell(self, disk_out_, "disk_out", host, host.disk_out, now);
}

void aggregates::on(herald::context& self, const herald::event<procs>& changed) {
  const auto& row = changed.row();
  const auto subject = subject_of_process({row.pid, row.started});
  if (changed.after)
    (void)herald::bus{self}.broadcast(
        readings_topic, reading{"process", subject, row.cpu_percent, row.name + " [" + std::to_string(row.pid) + "]"});
  else
    (void)herald::bus{self}.broadcast(gone_topic, subject_gone{subject});
}

}  // namespace telemetry
