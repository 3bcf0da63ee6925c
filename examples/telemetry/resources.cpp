#include "resources.hpp"

namespace telemetry {

std::vector<const herald::resource_table*> described_tables() {
  return {&herald::table_of<hosts>, &herald::table_of<procs>, &herald::table_of<alerts>};
}

herald::result<herald::store> open_store(const std::string& database) {
  herald::sqlite_options options;
  options.file = database;
  return herald::store::open(described_tables(), options);
}

process_row watched(const proc_row& row) {
  return {.key = {row.pid, row.started},
          .parent = row.parent,
          .user = row.owner,
          .threads = row.threads,
          .name = row.name,
          .state = row.state,
          .cpu_percent = row.cpu_percent,
          .memory = row.memory};
}

proc_row stored(const process_row& row) {
  return {.pid = row.key.pid,
          .started = row.key.started,
          .parent = row.parent,
          .owner = row.user,
          .threads = row.threads,
          .name = row.name,
          .state = row.state,
          .cpu_percent = row.cpu_percent,
          .memory = row.memory};
}

std::string subject_of_host(const std::string& name) { return "host:" + name; }

std::string subject_of_process(const process_key& key) {
  return "proc:" + std::to_string(key.pid) + "-" + std::to_string(key.started);
}

}  // namespace telemetry
