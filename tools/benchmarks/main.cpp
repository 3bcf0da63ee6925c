// herald-bench: runs the benchmarks named (all without names), prints a table, and JSON lines where asked.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench.hpp"
#include "child.hpp"

namespace {

struct line {
  const bench::benchmark& entry;
  bench::outcome ours;
  bench::outcome baseline;

  /// How many times better than the baseline: above 1 is faster, or smaller.
  [[nodiscard]] std::optional<double> ratio() const {
    if (!ours.median || !baseline.median) return std::nullopt;
    const double a = ours.median->value;
    const double b = baseline.median->value;
    if (a <= 0 || b <= 0) return std::nullopt;
    return entry.direction == bench::better::lower ? b / a : a / b;
  }
};

std::string number(double value) {
  char text[32];
  const char* format = value >= 1e6 ? "%.3g" : value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : "%.3g";
  std::snprintf(text, sizeof text, format, value);
  return text;
}

void print_head() {
  std::printf("%-26s %10s %-9s %10s %7s %8s %8s %5s %7s  %s\n", "name", "value", "unit", "baseline", "ratio", "wall s",
              "CPU s", "hosts", "workers", "baseline is");
}

void print(const line& one) {
  const auto& mine = one.ours.median;
  const auto& theirs = one.baseline.median;
  const auto ratio = one.ratio();
  std::printf("%-26s %10s %-9s %10s %7s %8s %8s %5s %7s  %s\n", one.entry.name.c_str(),
              mine ? number(mine->value).c_str() : "failed", one.entry.unit.c_str(),
              theirs ? number(theirs->value).c_str() : "-", ratio ? number(*ratio).c_str() : "-",
              mine ? number(mine->wall_s).c_str() : "-", mine ? number(mine->cpu_s).c_str() : "-",
              mine && mine->hosts > 0 ? std::to_string(mine->hosts).c_str() : "-",
              mine ? std::to_string(mine->workers).c_str() : "-",
              one.entry.baseline ? one.entry.baseline->what.c_str() : "none");
  for (const auto* problem : {&one.ours.problem, &one.baseline.problem})
    if (!problem->empty()) std::printf("%-26s %s\n", "", problem->c_str());
  std::fflush(stdout);
}

nlohmann::json to_json(const line& one) {
  const auto value = [](const std::optional<bench::sample>& median) {
    return median ? nlohmann::json(median->value) : nlohmann::json(nullptr);
  };
  nlohmann::json object{{"name", one.entry.name},
                        {"value", value(one.ours.median)},
                        {"unit", one.entry.unit},
                        {"baseline", value(one.baseline.median)}};
  const auto ratio = one.ratio();
  object["ratio"] = ratio ? nlohmann::json(*ratio) : nlohmann::json(nullptr);
  object["what"] = one.entry.ours.what;
  object["baseline_what"] = one.entry.baseline ? nlohmann::json(one.entry.baseline->what) : nlohmann::json(nullptr);
  if (one.ours.median) {
    object["wall_s"] = one.ours.median->wall_s;
    object["cpu_s"] = one.ours.median->cpu_s;
    object["hosts"] = one.ours.median->hosts;
    object["workers"] = one.ours.median->workers;
  }
  if (one.baseline.median) {
    object["baseline_wall_s"] = one.baseline.median->wall_s;
    object["baseline_cpu_s"] = one.baseline.median->cpu_s;
  }
  return object;
}

}  // namespace

int main(int argc, char** argv) {
  bench::registry all;
  bench::add_runtime_benchmarks(all);
  bench::add_pubsub_benchmarks(all);
  bench::add_resources_benchmarks(all);

  CLI::App app{"Benchmarks of Herald, each beside the same work done without it", "tools/bench"};
  std::vector<std::string> names;
  bench::options opts;
  std::string json_file;
  bool list = false;
  app.add_option("name", names, "Benchmarks to run, or beginnings of their names; all without");
  app.add_flag("--quick", opts.quick, "Less work and fewer rounds: all of them within 3 minutes");
  app.add_option("--json", json_file, "Write one JSON object a line to this file as well")->type_name("FILE");
  app.add_flag("--list", list, "Only print the names");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& problem) {
    (void)app.exit(problem);
    return 2;
  }

  std::vector<const bench::benchmark*> chosen;
  for (const auto& entry : all.entries())
    if (names.empty() && (entry.quick || !opts.quick)) chosen.push_back(&entry);
  for (const auto& name : names) {
    const auto before = chosen.size();
    for (const auto& entry : all.entries())
      if (entry.name.starts_with(name)) chosen.push_back(&entry);
    if (chosen.size() == before) {
      std::fprintf(stderr, "tools/bench: no benchmark's name begins with '%s'; --list shows them\n", name.c_str());
      return 2;
    }
  }
  if (list) {
    for (const auto* entry : chosen) std::puts(entry->name.c_str());
    return 0;
  }
  std::ofstream json;
  if (!json_file.empty()) {
    json.open(json_file);
    if (!json) {
      std::fprintf(stderr, "tools/bench: cannot write to '%s'\n", json_file.c_str());
      return 2;
    }
  }

  const std::chrono::seconds limit{opts.quick ? 30 : 180};
  bool failed = false;
  print_head();
  for (const auto* entry : chosen) {
    line one{*entry, run_in_child(*entry, entry->ours, opts, limit), {}};
    if (entry->baseline) one.baseline = run_in_child(*entry, *entry->baseline, opts, limit);
    print(one);
    if (json.is_open()) json << to_json(one).dump() << std::endl;
    failed = failed || !one.ours.median;
  }
  return failed ? 1 : 0;
}
