#include "view.hpp"

#include "units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

namespace telemetry {

namespace {

struct area {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

style heat(double percent) { return percent >= 80 ? style::bad : percent >= 50 ? style::warn : style::good; }

std::string repeated(std::string_view piece, int times) {
  std::string text;
  for (int done = 0; done < times; ++done) text += piece;
  return text;
}

std::string shortened(const std::string& text, int room) {
  if (text_width(text) <= room) return text;
  // From the front: the end of a path is the part that tells.
  std::string_view rest{text};
  while (!rest.empty() && text_width(rest) > room - 2) rest.remove_prefix(1);
  return ".." + std::string{rest};
}

void heading(canvas& on, const area& where, const std::string& title, const std::string& note) {
  const auto after = on.put(where.x, where.y, title, style::title, where.width);
  const auto end = where.x + where.width;
  if (!note.empty() && after + 1 + text_width(note) <= end) on.put(after + 1, where.y, note, style::dim);
}

// "core 3 ▁▂▃▅▇  34 %": label, as many points as fit, value.
void spark_row(canvas& on, const area& where, const std::string& label, const std::vector<double>& points, double top,
               const std::string& value, style look) {
  constexpr int label_room = 8;
  constexpr int value_room = 8;
  on.put(where.x, where.y, label, style::dim, label_room);
  const auto room = std::clamp(where.width - label_room - value_room, 0, 60);
  const auto line = sparkline(points, room, top);
  on.put(where.x + label_room + room - text_width(line), where.y, line, look, room);
  on.put_right(where.x + label_room + room + value_room - 1, where.y, value, style::strong);
}

void bar_row(canvas& on, const area& where, const std::string& label, double share, const std::string& value) {
  constexpr int label_room = 8;
  on.put(where.x, where.y, label, style::dim, label_room);
  const auto room = std::clamp(where.width - label_room - text_width(value) - 2, 0, 24);
  const auto full = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * room));
  auto x = on.put(where.x + label_room, where.y, repeated("█", full), heat(share * 100));
  x = on.put(x, where.y, repeated("░", room - full), style::dim);
  on.put(x + (room > 0 ? 1 : 0), where.y, value, style::strong, where.width - label_room - room - 1);
}

void draw_header(canvas& on, const view_model& model) {
  on.put(1, 0, "herald telemetry", style::title);
  auto time = stop_watch(model.elapsed);
  if (model.limit) time += " of " + stop_watch(*model.limit);
  const auto clock_width = text_width(time) + 1;
  auto x = 19;
  for (const auto& part : {model.host, "up " + human_span(model.uptime), fmt::format("load {:.2f}", model.load),
                           "cpu " + human_percent(model.cpu_mean) + " over 10 s"}) {
    if (x + text_width(part) + 3 > on.width() - clock_width) break;
    if (x > 19) x = on.put(x, 0, " · ", style::dim);
    x = on.put(x, 0, part, x == 19 ? style::strong : style::plain);
  }
  if (on.width() >= 19 + clock_width) on.put_right(on.width() - 1, 0, time, style::strong);
  on.put(0, 1, repeated("─", on.width()), style::dim);
}

void draw_cpu(canvas& on, const area& where, const view_model& model) {
  if (where.height <= 0) return;
  spark_row(on, where, "cpu", model.cpu_points, 100, human_percent(model.cpu_percent), heat(model.cpu_percent));
  const auto room = where.height - 1;
  const auto cores = static_cast<int>(model.cores.size());
  // More cores than rows: the last row says how many are not shown, and how busy the busiest of them is.
  const auto shown = cores <= room ? cores : std::max(0, room - 1);
  for (int index = 0; index < shown; ++index) {
    const auto& core = model.cores[static_cast<std::size_t>(index)];
    spark_row(on, {where.x, where.y + 1 + index, where.width, 1}, fmt::format("core {}", core.core), core.points, 100,
              human_percent(core.percent), heat(core.percent));
  }
  if (shown < cores && room > 0) {
    double busiest = 0;
    for (int index = shown; index < cores; ++index)
      busiest = std::max(busiest, model.cores[static_cast<std::size_t>(index)].percent);
    on.put(where.x, where.y + 1 + shown,
           fmt::format("and {} more, the busiest at {}", cores - shown, human_percent(busiest)), style::dim,
           where.width);
  }
}

void draw_gauges(canvas& on, const area& where, const view_model& model) {
  const auto line = [&](int row) { return area{where.x, where.y + row, where.width, 1}; };
  const auto pair = [&](int row, const char* label, const char* first, double in, const char* second, double out) {
    on.put(where.x, where.y + row, label, style::dim, 8);
    auto x = on.put(where.x + 8, where.y + row, first, style::dim);
    x = on.put(x + 1, where.y + row, fmt::format("{:<9}", human_rate(in)), style::strong);
    x = on.put(x + 1, where.y + row, second, style::dim, where.x + where.width - x - 1);
    on.put(x + 1, where.y + row, human_rate(out), style::strong, std::max(0, where.x + where.width - x - 1));
  };
  if (where.height > 0)
    bar_row(on, line(0), "memory", model.memory_total > 0 ? model.memory_used / model.memory_total : 0,
            human_bytes(model.memory_used) + " of " + human_bytes(model.memory_total));
  if (where.height > 1) pair(1, "disk", "read", model.disk_in, "write", model.disk_out);
  if (where.height > 2) pair(2, "network", "in  ", model.network_in, "out  ", model.network_out);
  if (where.height > 3) {
    const auto top = model.event_points.empty()
                         ? 1
                         : std::max(1.0, *std::max_element(model.event_points.begin(), model.event_points.end()));
    spark_row(on, {where.x, where.y + 3, std::min(where.width, 40), 1}, "events", model.event_points, top,
              fmt::format("{:.0f}/s", model.events_per_second), style::accent);
  }
  if (where.height > 4) {
    const bool behind = model.recorded < model.committed;
    auto x = on.put(where.x + 8, where.y + 4, human_count(model.recorded), behind ? style::warn : style::good);
    x = on.put(x, where.y + 4, " of ", style::dim);
    x = on.put(x, where.y + 4, human_count(model.committed), style::strong);
    on.put(x, where.y + 4, " recorded", style::dim, std::max(0, where.x + where.width - x));
  }
}

void draw_processes(canvas& on, const area& where, const view_model& model) {
  if (where.height < 2) return;
  heading(on, where, "PROCESSES", human_count(model.process_count));
  const bool wide = where.width >= 44;
  const auto name_at = wide ? 38 : 27;
  const auto y = where.y + 1;
  on.put(where.x, y, wide ? "    PID  CPU %     MEMORY  STATE     NAME" : "    PID  CPU %     MEMORY  NAME", style::dim,
         where.width);
  const auto rows = std::min(where.height - 2, static_cast<int>(model.processes.size()));
  for (int index = 0; index < rows; ++index) {
    const auto& row = model.processes[static_cast<std::size_t>(index)];
    const auto line = y + 1 + index;
    on.put_right(where.x + 7, line, std::to_string(row.key.pid));
    on.put_right(where.x + 14, line, fmt::format("{:.1f}", row.cpu_percent),
                 row.cpu_percent >= 5 ? heat(row.cpu_percent) : style::dim);
    on.put_right(where.x + 25, line, human_bytes(static_cast<double>(row.memory)));
    if (wide) on.put(where.x + 27, line, row.state, row.state == "running" ? style::dim : style::warn, 10);
    on.put(where.x + name_at - (wide ? 1 : 0), line, row.name, style::strong, where.width - name_at + (wide ? 1 : 0));
  }
}

std::string branch(const std::vector<tree_view>& tree, std::size_t index) {
  const auto depth = tree[index].depth;
  // A level goes on below when a later node of that depth comes before any shallower one.
  const auto goes_on = [&](int level) {
    for (auto later = index + 1; later < tree.size() && tree[later].depth >= level; ++later)
      if (tree[later].depth == level) return true;
    return false;
  };
  std::string text;
  for (int level = 1; level < depth; ++level) text += goes_on(level) ? "│  " : "   ";
  if (depth > 0) text += goes_on(depth) ? "├─ " : "└─ ";
  return text;
}

style health(const tree_view& node) {
  return !node.running ? style::bad : node.fresh ? style::warn : node.supervisor ? style::strong : style::good;
}

void put_restarts(canvas& on, int end, int y, std::uint64_t restarts, bool fresh) {
  if (restarts > 0) on.put_right(end, y, "↻ " + human_count(restarts), fresh ? style::warn : style::dim);
}

void draw_whole_tree(canvas& on, const area& where, const std::vector<tree_view>& tree) {
  const auto count_end = where.x + std::min(where.width, 34);
  const auto rows = std::min(where.height, static_cast<int>(tree.size()));
  for (int index = 0; index < rows; ++index) {
    const auto& node = tree[static_cast<std::size_t>(index)];
    const auto y = where.y + index;
    auto x = on.put(where.x, y, branch(tree, static_cast<std::size_t>(index)), style::dim, where.width);
    if (!node.supervisor) x = on.put(x, y, node.running ? "● " : "○ ", health(node));
    const auto look = node.running && !node.fresh && !node.supervisor ? style::plain : health(node);
    on.put(x, y, node.name, look, std::max(0, count_end - 7 - x));
    put_restarts(on, count_end, y, node.restarts, node.fresh);
  }
}

// One line an area: a dot for each of its workers, and their restarts together.
void draw_areas(canvas& on, const area& where, const std::vector<tree_view>& tree) {
  const auto count_end = where.x + std::min(where.width, 34);
  auto y = where.y - 1;
  auto x = where.x;
  std::uint64_t restarts = 0;
  bool fresh = false;
  for (std::size_t index = 0; index < tree.size(); ++index) {
    const auto& node = tree[index];
    if (node.depth <= 1) {
      if (++y >= where.y + where.height) return;
      x = on.put(where.x, y, branch(tree, index), style::dim, where.width);
      on.put(x, y, node.name, health(node), std::max(0, count_end - x));
      x += 10;
      restarts = 0;
      fresh = false;
    } else if (!node.supervisor && x < count_end - 7) {
      x = on.put(x, y, node.running ? "●" : "○", health(node));
    }
    restarts += node.restarts;
    fresh = fresh || node.fresh;
    put_restarts(on, count_end, y, restarts, fresh);
  }
}

void draw_tree(canvas& on, const area& where, const view_model& model) {
  if (where.height < 2) return;
  heading(on, where, "SUPERVISION", human_count(model.restarts) + (model.restarts == 1 ? " restart" : " restarts"));
  const area body{where.x, where.y + 1, where.width, where.height - 1};
  if (static_cast<int>(model.tree.size()) <= body.height)
    draw_whole_tree(on, body, model.tree);
  else
    draw_areas(on, body, model.tree);
}

// Rows the tree wants, with its heading: all of it where there is room, else its areas.
int tree_rows(const view_model& model, int room) {
  const auto whole = static_cast<int>(model.tree.size()) + 1;
  if (whole <= room) return whole;
  const auto areas =
      std::count_if(model.tree.begin(), model.tree.end(), [](const auto& node) { return node.depth <= 1; });
  return std::min(room, static_cast<int>(areas) + 1);
}

void draw_alerts(canvas& on, const area& where, const view_model& model) {
  if (where.height < 2) return;
  heading(on, where, "ALERTS", human_count(model.alerts_opened) + " opened");
  if (model.alerts.empty()) on.put(where.x, where.y + 1, "none", style::dim, where.width);
  const auto rows = std::min(where.height - 1, static_cast<int>(model.alerts.size()));
  for (int index = 0; index < rows; ++index) {
    const auto& alert = model.alerts[static_cast<std::size_t>(index)];
    const auto y = where.y + 1 + index;
    const auto look = alert.state == "open" ? style::bad : alert.state == "closed" ? style::dim : style::warn;
    const bool wide = where.width >= 46;
    const auto dot = alert.state == "open" ? "●" : alert.state == "closed" ? "·" : "○";
    auto x = where.x + (wide ? 14 : 2);
    on.put(where.x, y, wide ? alert.state : dot, look, x - where.x - 1);
    x = on.put(x, y, alert.rule, alert.state == "closed" ? style::dim : style::strong, where.x + where.width - x);
    const auto rest = fmt::format("  {}  {}  {}", alert.value, human_span(alert.age), alert.subject);
    on.put(x, y, rest, style::dim, std::max(0, where.x + where.width - x));
  }
}

void draw_footer(canvas& on, const view_model& model) {
  const auto y = on.height() - 1;
  const std::string_view leave = "ctrl-c ends";
  auto x = 1;
  if (!model.trouble.empty())
    x = on.put(x, y, "trouble: " + model.trouble, style::bad);
  else if (model.chaos > 0)
    x = on.put(x, y,
               fmt::format("chaos: {:g} kills a second, {} so far, seed {}; intensities are set high for it",
                           model.chaos, human_count(model.kills), model.seed),
               style::warn);
  else
    x = on.put(x, y, "record " + shortened(model.record, std::max(0, on.width() - 9 - text_width(leave) - 3)),
               style::dim);
  if (x + text_width(leave) + 2 <= on.width()) on.put_right(on.width() - 1, y, leave, style::dim);
}

void draw_one_line(canvas& on, const view_model& model) {
  on.put(0, 0,
         fmt::format("cpu {}  mem {}  ev {:.0f}/s  re {}", human_percent(model.cpu_percent),
                     human_bytes(model.memory_used), model.events_per_second, model.restarts));
}

void draw_two_columns(canvas& on, const view_model& model) {
  const auto left = on.width() / 2 - 1;
  const auto right_x = left + 3;
  const auto right = on.width() - right_x - 1;
  const auto bottom = on.height() - 1;  // the footer's row
  const auto gauges = std::clamp(1 + static_cast<int>(model.cores.size()), 5, std::max(5, (bottom - 2) / 3));
  draw_cpu(on, {1, 2, left, gauges}, model);
  draw_gauges(on, {right_x, 2, right, gauges}, model);
  const auto top = 2 + gauges + 1;
  const auto rows = bottom - top;
  const auto tree = tree_rows(model, rows - 4);  // the alerts want a heading and a few lines
  draw_processes(on, {1, top, left, rows}, model);
  draw_tree(on, {right_x, top, right, tree}, model);
  draw_alerts(on, {right_x, top + tree + 1, right, rows - tree - 1}, model);
}

void draw_one_column(canvas& on, const view_model& model) {
  const auto width = on.width() - 2;
  const auto bottom = on.height() - 1;
  const auto cpu = std::clamp(1 + static_cast<int>(model.cores.size()), 1, std::max(1, (bottom - 2) / 4));
  auto y = 2;
  draw_cpu(on, {1, y, width, cpu}, model);
  y += cpu;
  const auto gauges = bottom - y >= 10 ? 5 : std::min(1, bottom - y);
  draw_gauges(on, {1, y, width, gauges}, model);
  y += gauges + 1;
  const auto rest = bottom - y;
  // Processes and tree side by side as long as both are readable, the alerts below them.
  const auto alerts = rest >= 12 ? std::clamp(static_cast<int>(model.alerts.size()) + 1, 2, 4) : 0;
  const auto rows = rest - (alerts > 0 ? alerts + 1 : 0);
  if (width >= 64) {
    const auto right = 28;
    draw_processes(on, {1, y, width - right - 2, rows}, model);
    draw_tree(on, {1 + width - right, y, right, rows}, model);
  } else {
    const auto tree = rows >= 14 ? tree_rows(model, rows / 2) : 0;
    draw_processes(on, {1, y, width, rows - (tree > 0 ? tree + 1 : 0)}, model);
    draw_tree(on, {1, y + rows - tree, width, tree}, model);
  }
  if (alerts > 0) draw_alerts(on, {1, bottom - alerts, width, alerts}, model);
}

}  // namespace

std::string sparkline(const std::vector<double>& points, int width, double top) {
  static constexpr std::array<const char*, 8> bars{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  if (width <= 0) return {};
  const auto shown = std::min(points.size(), static_cast<std::size_t>(width));
  std::string line;
  for (auto at = points.size() - shown; at < points.size(); ++at) {
    const auto share = top > 0 ? std::clamp(points[at] / top, 0.0, 1.0) : 0.0;
    line += bars[std::min<std::size_t>(7, static_cast<std::size_t>(share * 8))];
  }
  return line;
}

canvas draw(const view_model& model, int width, int height) {
  canvas on{width, height};
  if (height < 6 || width < 24) {
    draw_one_line(on, model);
    return on;
  }
  draw_header(on, model);
  if (width >= 80 && height >= 18)
    draw_two_columns(on, model);
  else
    draw_one_column(on, model);
  draw_footer(on, model);
  return on;
}

}  // namespace telemetry
