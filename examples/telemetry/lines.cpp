#include "lines.hpp"

#include "units.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>

namespace telemetry {

namespace {

using json = nlohmann::ordered_json;

// Bytes that are no UTF-8 become a replacement character instead of an exception.
std::string dumped(const json& object) { return object.dump(-1, ' ', false, json::error_handler_t::replace); }

double tenths(double value) { return std::round(value * 10) / 10; }

}  // namespace

std::string check_sentence(const check_counts& counts, std::uint64_t restarts) {
  return fmt::format("events committed {}, recorded {}, missing {}, restarts {}", counts.committed, counts.recorded,
                     counts.missing, restarts);
}

std::string line_format::opening(const view_model& model) const {
  if (json_) {
    json object{{"type", "start"}, {"host", model.host}, {"database", model.database}, {"record", model.record}};
    object["seconds"] = model.limit ? json(model.limit->count()) : json(nullptr);
    object["chaos"] = model.chaos;
    object["seed"] = model.seed;
    return dumped(object);
  }
  auto text = fmt::format("herald telemetry on {}: database {}, record {}", model.host, model.database, model.record);
  if (model.chaos > 0)
    text += fmt::format("\nchaos: {:g} kills a second, seed {}; the supervisors' intensities are set high to allow it",
                        model.chaos, model.seed);
  return text;
}

std::string line_format::status(const view_model& model) const {
  if (json_) {
    json cores = json::array();
    for (const auto& core : model.cores) cores.push_back(json{{"core", core.core}, {"percent", tenths(core.percent)}});
    json busiest = json::array();
    for (const auto& row : model.processes) {
      if (busiest.size() == 5 || row.cpu_percent <= 0) break;
      busiest.push_back(json{
          {"pid", row.key.pid}, {"name", row.name}, {"cpu_percent", row.cpu_percent}, {"memory_bytes", row.memory}});
    }
    return dumped(json{{"type", "status"},
                       {"second", model.elapsed.count()},
                       {"cpu_percent", tenths(model.cpu_percent)},
                       {"cores", std::move(cores)},
                       {"load", model.load},
                       {"memory_used_bytes", std::llround(model.memory_used)},
                       {"memory_total_bytes", std::llround(model.memory_total)},
                       {"disk_read_bytes_per_s", std::llround(model.disk_in)},
                       {"disk_written_bytes_per_s", std::llround(model.disk_out)},
                       {"network_in_bytes_per_s", std::llround(model.network_in)},
                       {"network_out_bytes_per_s", std::llround(model.network_out)},
                       {"processes", model.process_count},
                       {"busiest", std::move(busiest)},
                       {"alerts", model.alerts.size()},
                       {"events_per_s", tenths(model.events_per_second)},
                       {"committed", model.committed},
                       {"recorded", model.recorded},
                       {"restarts", model.restarts}});
  }
  auto text = fmt::format("{}  cpu {:>5}  memory {} of {}  disk {} in {} out  net {} in {} out  {} processes",
                          stop_watch(model.elapsed), human_percent(model.cpu_percent), human_bytes(model.memory_used),
                          human_bytes(model.memory_total), human_rate(model.disk_in), human_rate(model.disk_out),
                          human_rate(model.network_in), human_rate(model.network_out), model.process_count);
  if (!model.processes.empty() && model.processes.front().cpu_percent > 0)
    text += fmt::format("  busiest {} {:.0f} %", model.processes.front().name, model.processes.front().cpu_percent);
  text += fmt::format("  {:.0f} events/s  {} of {} recorded  {} {}", model.events_per_second, model.recorded,
                      model.committed, model.restarts, model.restarts == 1 ? "restart" : "restarts");
  return text;
}

std::string line_format::alert(std::chrono::seconds elapsed, const alert_view& alert) const {
  if (json_)
    return dumped(json{{"type", "alert"},
                       {"second", elapsed.count()},
                       {"rule", alert.rule},
                       {"subject", alert.subject},
                       {"state", alert.state},
                       {"value", alert.value}});
  return fmt::format("{}  alert {}: {} ({}), {}", stop_watch(elapsed), alert.state == "open" ? "opened" : alert.state,
                     alert.rule, alert.subject, alert.value);
}

std::string line_format::restart(std::chrono::seconds elapsed, const restart_notice& notice) const {
  if (json_)
    return dumped(json{{"type", "restart"},
                       {"second", elapsed.count()},
                       {"process", notice.path},
                       {"reason", notice.reason},
                       {"restarts", notice.count}});
  return fmt::format("{}  restart {} of {} ({})", stop_watch(elapsed), notice.count, notice.path, notice.reason);
}

std::string line_format::trouble(std::chrono::seconds elapsed, const std::string& sentence) const {
  if (json_) return dumped(json{{"type", "trouble"}, {"second", elapsed.count()}, {"text", sentence}});
  return fmt::format("{}  trouble: {}", stop_watch(elapsed), sentence);
}

std::string line_format::check(const check_counts& counts, std::uint64_t restarts) const {
  if (!json_) return check_sentence(counts, restarts);
  return dumped(json{{"type", "check"},
                     {"committed", counts.committed},
                     {"recorded", counts.recorded},
                     {"missing", counts.missing},
                     {"differing", counts.differing},
                     {"duplicate", counts.duplicate},
                     {"out_of_order", counts.out_of_order},
                     {"invented", counts.invented},
                     {"unreadable", counts.unreadable},
                     {"gaps", counts.gaps},
                     {"restarts", restarts}});
}

}  // namespace telemetry
