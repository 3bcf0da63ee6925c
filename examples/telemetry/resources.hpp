#pragma once
// What the demo knows, as three resources: the host it runs on, the processes on it, and the alerts about both.
// Everything else follows from these descriptions: the tables of the SQLite file, what an action may change and what it
// checks, which event goes to which topic, and the JSON that the recorder writes.
//
//   host:cpu, host:memory, ...                 every measurement; host:<name>:cpu for one host only
//   proc:appeared, proc:changed, proc:ended    every process; proc:<pid>-<started>:changed for one only
//   alert:opened, alert:acknowledged, alert:closed
//
// Thread safety: constants and plain values.

#include "alert_rules.hpp"
#include "process_watch.hpp"

#include <herald/resource.hpp>
#include <herald/store.hpp>

#include <string>
#include <vector>

namespace telemetry {

struct host_row {
  std::string name{};
  std::vector<std::int64_t> core_numbers{};
  std::vector<double> core_percent{};  ///< in the order of core_numbers
  double cpu_percent = 0;
  double load = 0;
  std::int64_t uptime_s = 0;
  std::int64_t memory_used = 0;  ///< bytes, as the other three
  std::int64_t memory_total = 0;
  std::int64_t swap_used = 0;
  std::int64_t swap_total = 0;
  double disk_in = 0;  ///< bytes per second, as the next three
  double disk_out = 0;
  double network_in = 0;
  double network_out = 0;
};

struct proc_row {
  std::int64_t pid = 0;
  std::int64_t started = 0;  ///< clock ticks after boot: with the pid, a name that is not used twice
  std::int64_t parent = 0;
  std::int64_t owner = 0;  ///< numeric user
  std::int64_t threads = 0;
  std::string name{};
  std::string state = "running";
  double cpu_percent = 0;   ///< of one core
  std::int64_t memory = 0;  ///< resident, bytes
};

struct alert_row {
  herald::uuid id{};
  std::string rule{};
  std::string subject{};  ///< what the rule judged: "host:<name>" or "proc:<pid>-<started>"
  std::string label{};    ///< the subject as people call it
  std::string state = "open";
  /// Rule and subject while the alert stands, null when it is closed: so no two of a kind stand.
  std::optional<std::string> standing{};
  double value = 0;
  herald::timestamp opened_at{};
  herald::timestamp changed_at{};
};

namespace described {

using namespace herald::dsl;

inline constexpr auto hosts = herald::resource<host_row>(
    "host", attribute<&host_row::name>(primary_key, min_length{1}, max_length{64}),
    attribute<&host_row::core_numbers>(), attribute<&host_row::core_percent>(),
    attribute<&host_row::cpu_percent>(min{0.0}, max{100.0}), attribute<&host_row::load>(min{0.0}),
    attribute<&host_row::uptime_s>(min{0}), attribute<&host_row::memory_used>(min{0}),
    attribute<&host_row::memory_total>(min{0}), attribute<&host_row::swap_used>(min{0}),
    attribute<&host_row::swap_total>(min{0}), attribute<&host_row::disk_in>(min{0.0}),
    attribute<&host_row::disk_out>(min{0.0}), attribute<&host_row::network_in>(min{0.0}),
    attribute<&host_row::network_out>(min{0.0}),

    create("appear", accepts<&host_row::name>),
    update("measure_cpu",
           accepts<&host_row::cpu_percent, &host_row::core_numbers, &host_row::core_percent, &host_row::load,
                   &host_row::uptime_s>,
           validate{[](const host_row& host) { return host.core_numbers.size() == host.core_percent.size(); },
                    "needs one percentage for each core"}),
    update("measure_memory",
           accepts<&host_row::memory_used, &host_row::memory_total, &host_row::swap_used, &host_row::swap_total>),
    update("measure_disk", accepts<&host_row::disk_in, &host_row::disk_out>),
    update("measure_network", accepts<&host_row::network_in, &host_row::network_out>),

    pub_sub("host", publish("appear", topic(any_of(skip, pkey), "appeared")),
            publish("measure_cpu", topic(any_of(skip, pkey), "cpu")),
            publish("measure_memory", topic(any_of(skip, pkey), "memory")),
            publish("measure_disk", topic(any_of(skip, pkey), "disk")),
            publish("measure_network", topic(any_of(skip, pkey), "network"))));

inline constexpr auto procs = herald::resource<proc_row>(
    "proc", attribute<&proc_row::pid>(primary_key, min{1}), attribute<&proc_row::started>(primary_key, min{0}),
    attribute<&proc_row::parent>(min{0}), attribute<&proc_row::owner>(min{0}), attribute<&proc_row::threads>(min{0}),
    attribute<&proc_row::name>(max_length{64}),
    attribute<&proc_row::state>(one_of{"running", "blocked", "stopped", "zombie"}),
    attribute<&proc_row::cpu_percent>(min{0.0}), attribute<&proc_row::memory>(min{0}),

    create("appear",
           accepts<&proc_row::pid, &proc_row::started, &proc_row::parent, &proc_row::owner, &proc_row::threads,
                   &proc_row::name, &proc_row::state, &proc_row::cpu_percent, &proc_row::memory>),
    update("change", accepts<&proc_row::parent, &proc_row::owner, &proc_row::threads, &proc_row::name, &proc_row::state,
                             &proc_row::cpu_percent, &proc_row::memory>),
    destroy("end"),

    pub_sub("proc", publish_all(herald::op::create, topic(any_of(skip, pkey), "appeared")),
            publish_all(herald::op::update, topic(any_of(skip, pkey), "changed")),
            publish_all(herald::op::destroy, topic(any_of(skip, pkey), "ended"))));

inline constexpr auto alerts = herald::resource<alert_row>(
    "alert", attribute<&alert_row::id>(primary_key, uuid_v7), attribute<&alert_row::rule>(min_length{1}),
    attribute<&alert_row::subject>(min_length{1}), attribute<&alert_row::label>(),
    attribute<&alert_row::state>(one_of{"open", "acknowledged", "closed"}), attribute<&alert_row::standing>(),
    attribute<&alert_row::value>(), attribute<&alert_row::opened_at>(inserted_at),
    attribute<&alert_row::changed_at>(updated_at), identity<&alert_row::standing>("standing"),

    create("open", accepts<&alert_row::rule, &alert_row::subject, &alert_row::label, &alert_row::value>,
           change{[](auto& alert) {
             alert.set(field<&alert_row::standing>, alert.row().rule + " of " + alert.row().subject);
           }}),
    update("acknowledge", accepts<&alert_row::value>,
           change{[](auto& alert) { alert.set(field<&alert_row::state>, "acknowledged"); }}),
    update("close", accepts<&alert_row::value>, change{[](auto& alert) {
             alert.set(field<&alert_row::state>, "closed");
             alert.set(field<&alert_row::standing>, std::nullopt);
           }}),

    pub_sub("alert", publish("open", topic("opened")), publish("acknowledge", topic("acknowledged")),
            publish("close", topic("closed"))));

}  // namespace described

using described::alerts;
using described::hosts;
using described::procs;

/// All three, for opening a store and for verifying its file.
[[nodiscard]] std::vector<const herald::resource_table*> described_tables();

/// The store of the three in a file: durable over the machine's end, as stores are by default.
[[nodiscard]] herald::result<herald::store> open_store(const std::string& database);

/// The same process as its watch sees it, and as its row holds it.
[[nodiscard]] process_row watched(const proc_row& row);
[[nodiscard]] proc_row stored(const process_row& row);

/// The subjects of alerts: "host:<name>", "proc:<pid>-<started>".
[[nodiscard]] std::string subject_of_host(const std::string& name);
[[nodiscard]] std::string subject_of_process(const process_key& key);

}  // namespace telemetry
