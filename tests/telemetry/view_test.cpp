#include "view.hpp"

#include <doctest/doctest.h>

using namespace telemetry;
using namespace std::chrono_literals;

namespace {

view_model busy_moment(int cores = 2) {
  view_model model;
  model.host = "vm-1";
  model.uptime = 8000s;
  model.elapsed = 7s;
  model.limit = 20s;
  model.cpu_percent = 63;
  for (int point = 0; point < 80; ++point) model.cpu_points.push_back(point);
  for (int core = 0; core < cores; ++core) model.cores.push_back({core, 50, {10, 90}});
  model.memory_used = 1.3e9;
  model.memory_total = 4e9;
  for (int pid = 1000; pid < 1100; ++pid)
    model.processes.push_back({.key = {pid, 1},
                               .name = "process-" + std::to_string(pid),
                               .state = "running",
                               .cpu_percent = 1100.0 - pid,
                               .memory = 1 << 20});
  model.process_count = 173;
  model.alerts = {{"machine busy", "vm-1", "open", "92 %", 3s}};
  model.alerts_opened = 1;
  model.event_points = {1, 2, 3};
  model.committed = 12'345;
  model.recorded = 12'340;
  model.tree = {{0, "telemetry", true},
                {1, "storage", true},
                {2, "writer", false, true, 2, true},
                {2, "notifier"},
                {1, "output", true},
                {2, "recorder", false, false, 1},
                {2, "view"}};
  model.restarts = 3;
  model.record = "/tmp/somewhere/record.jsonl";
  return model;
}

std::string whole(const canvas& frame) {
  std::string text;
  for (int y = 0; y < frame.height(); ++y) text += frame.row_text(y) + "\n";
  return text;
}

bool shows(const canvas& frame, const std::string& what) { return whole(frame).find(what) != std::string::npos; }

}  // namespace

TEST_CASE("a sparkline shows the newest points, each between nothing and all") {
  CHECK(sparkline({0, 50, 100}, 3, 100) == "▁▅█");
  CHECK(sparkline({0, 50, 100}, 2, 100) == "▅█");
  CHECK(sparkline({-5, 500}, 9, 100) == "▁█");
  CHECK(sparkline({1}, 0, 100).empty());
  CHECK(sparkline({}, 5, 100).empty());
  CHECK(sparkline({3}, 5, 0) == "▁");
}

TEST_CASE("a usual terminal shows all of it") {
  const auto frame = draw(busy_moment(), 120, 30);
  for (const std::string what :
       {"herald telemetry", "vm-1", "00:07 of 00:20", "core 0", "core 1", "memory", "disk", "network", "PROCESSES 173",
        "process-1000", "SUPERVISION 3 restarts", "├─ ● writer", "↻ 2", "├─ ○ recorder", "ALERTS 1 opened",
        "machine busy", "12 340 of 12 345 recorded", "ctrl-c ends"}) {
    CAPTURE(what);
    CHECK(shows(frame, what));
  }
}

TEST_CASE("eighty by twenty-four keeps the machine, the processes, the areas and the alerts") {
  auto model = busy_moment();
  for (int more = 0; more < 20; ++more) model.tree.push_back({2, "worker", false, true, 1});
  const auto frame = draw(model, 80, 24);
  for (const std::string what :
       {"core 1", "PROCESSES", "SUPERVISION", "├─ storage   ●●", "└─ output", "ALERTS", "machine busy"}) {
    CAPTURE(what);
    CHECK(shows(frame, what));
  }
}

TEST_CASE("more cores than rows: the rest is summed up") {
  CHECK(shows(draw(busy_moment(64), 100, 24), "more, the busiest at 50 %"));
  CHECK(shows(draw(busy_moment(4), 100, 40), "core 3"));
}

TEST_CASE("every size is drawn, down to nothing, and a model of nothing too") {
  for (int width = 0; width <= 130; width += width < 30 ? 1 : 7)
    for (int height = 0; height <= 60; height += height < 30 ? 1 : 5) {
      const auto frame = draw(busy_moment(), width, height);
      CHECK(frame.width() == width);
      CHECK(frame.height() == height);
      (void)draw(view_model{}, width, height);
    }
  CHECK(draw(busy_moment(), 40, 1).row_text(0).starts_with("cpu 63 %"));
}

TEST_CASE("the chaos says that it is one, and with which seed") {
  auto model = busy_moment();
  model.chaos = 2.5;
  model.kills = 17;
  model.seed = 42;
  CHECK(shows(draw(model, 100, 30), "chaos: 2.5 kills a second, 17 so far, seed 42"));
}

TEST_CASE("a name cannot break out of its cell") {
  auto model = busy_moment();
  model.processes[0].name = "\x1b[31mevil\nname";
  const auto frame = draw(model, 100, 30);
  CHECK(shows(frame, "?[31mevil?"));
  CHECK(paint(frame, nullptr, {}).find("\x1b[31mevil") == std::string::npos);
}
