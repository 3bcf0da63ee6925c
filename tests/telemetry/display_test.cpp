#include "display.hpp"

#include <doctest/doctest.h>

using namespace telemetry;
using namespace std::chrono_literals;

namespace {

constexpr instant start{1'000'000s};

class events {
 public:
  template <const auto& Resource, class T>
  herald::event_record make(std::string_view action, herald::event_kind kind, instant at, const T& row) {
    herald::event_record event;
    event.at = {1, ++sequence_};
    event.resource = &herald::table_of<Resource>;
    event.action = static_cast<std::uint16_t>(event.resource->find_action(action));
    event.kind = kind;
    event.time = at;
    const herald::record of{*event.resource, std::make_shared<const T>(row)};
    (kind == herald::event_kind::destroyed ? event.before : event.after) = of;
    event.key = herald::row_key::of(of);
    return event;
  }
  herald::event_record cpu(instant at, double percent) {
    return make<hosts>(
        "measure_cpu", herald::event_kind::updated, at,
        host_row{.name = "vm", .core_numbers = {0, 1}, .core_percent = {percent, 0}, .cpu_percent = percent});
  }
  herald::event_record proc(herald::event_kind kind, instant at, std::int64_t pid, double percent) {
    const auto action = kind == herald::event_kind::created   ? "appear"
                        : kind == herald::event_kind::updated ? "change"
                                                              : "end";
    return make<procs>(action, kind, at, proc_row{.pid = pid, .name = "p", .cpu_percent = percent});
  }
  herald::event_record alert(herald::event_kind kind, instant at, std::uint8_t number, const std::string& state) {
    alert_row row{.rule = "machine busy", .subject = "host:vm", .label = "vm", .state = state, .value = 92};
    row.id.bytes[15] = number;
    row.opened_at = start;
    row.changed_at = at;
    return make<alerts>(kind == herald::event_kind::created ? "open"
                        : state == "closed"                 ? "close"
                                                            : "acknowledge",
                        kind, at, row);
  }

 private:
  std::uint64_t sequence_ = 0;
};

}  // namespace

TEST_CASE("the display shows what the events did") {
  events log;
  display shown{{}, start};
  shown.apply(log.cpu(start, 20));
  shown.apply(log.cpu(start + 1s, 40));
  shown.apply(log.proc(herald::event_kind::created, start, 7, 10));
  shown.apply(log.proc(herald::event_kind::created, start, 8, 50));
  shown.apply(log.proc(herald::event_kind::updated, start, 7, 90));
  shown.apply(log.proc(herald::event_kind::created, start, 9, 1));
  shown.apply(log.proc(herald::event_kind::destroyed, start, 9, 1));
  const auto model = shown.model(start + 7s);
  CHECK(model.elapsed == 7s);
  CHECK(model.cpu_percent == 40);
  REQUIRE(model.cpu_points.size() == 29);  // seven seconds
  CHECK(model.cpu_points.front() == 20);
  CHECK(model.cpu_points.back() == 40);
  CHECK(model.cpu_mean == 30);
  REQUIRE(model.cores.size() == 2);
  CHECK(model.cores[0].points == model.cpu_points);
  REQUIRE(model.processes.size() == 2);
  CHECK(model.processes[0].key.pid == 7);  // the busiest first
  CHECK(model.process_count == 2);
  CHECK(model.committed == 7);
}

TEST_CASE("an event that was seen already changes nothing") {
  events log;
  display shown{{}, start};
  const auto first = log.cpu(start, 20);
  shown.apply(first);
  shown.apply(log.cpu(start, 40));
  shown.apply(first);
  CHECK(shown.model(start).cpu_points == std::vector<double>{40});
  CHECK(shown.model(start).cpu_percent == 40);
}

TEST_CASE("a view that begins again from rows and the log shows what the one before showed") {
  events log;
  display before{{}, start};
  std::vector<herald::event_record> all;
  for (int step = 0; step < 50; ++step) {
    all.push_back(log.cpu(start + step * 250ms, step));
    all.push_back(
        log.proc(step == 0 ? herald::event_kind::created : herald::event_kind::updated, start + step * 250ms, 7, step));
  }
  for (const auto& event : all) before.apply(event);
  display after{{}, start};
  after.load(*all.back().after.as<proc_row>());
  for (std::size_t from = 60; from < all.size(); ++from) after.apply(all[from]);
  const auto now = start + 13s;
  CHECK(after.model(now).processes == before.model(now).processes);
  CHECK(after.model(now).events_per_second == before.model(now).events_per_second);
  CHECK(after.model(now).cpu_percent == before.model(now).cpu_percent);
  CHECK(after.model(now).cpu_points.size() < before.model(now).cpu_points.size());
}

TEST_CASE("events per second are those of the complete half seconds before now") {
  events log;
  display shown{{}, start};
  for (int step = 0; step < 80; ++step) shown.apply(log.cpu(start + step * 50ms, step));  // 20 a second for 4 s
  CHECK(shown.model(start + 4s).events_per_second == doctest::Approx(20));
  CHECK(shown.model(start + 60s).events_per_second == 0);
  CHECK(shown.model(start + 4s).event_points.size() == 60);
}

TEST_CASE("alerts: the standing before the closed, and the closed only for a while") {
  events log;
  display shown{{}, start};
  shown.apply(log.alert(herald::event_kind::created, start, 1, "open"));
  shown.apply(log.alert(herald::event_kind::created, start, 2, "open"));
  shown.apply(log.alert(herald::event_kind::updated, start + 5s, 1, "acknowledged"));
  const auto closed = log.alert(herald::event_kind::updated, start + 6s, 2, "closed");
  shown.apply(closed);
  const auto model = shown.model(start + 10s);
  REQUIRE(model.alerts.size() == 2);
  CHECK(model.alerts[0].state == "acknowledged");
  CHECK(model.alerts[0].age == 10s);
  CHECK(model.alerts[0].value == "92 %");
  CHECK(model.alerts[1].state == "closed");
  CHECK(model.alerts[1].age == 4s);
  CHECK(model.alerts_opened == 2);
  CHECK(shown.model(start + 60s).alerts.size() == 1);
  REQUIRE(display::alert_of(closed));
  CHECK(display::alert_of(closed)->subject == "vm");
  CHECK_FALSE(display::alert_of(log.cpu(start, 1)));
}

TEST_CASE("what the recorder has is shown, and never goes back") {
  display shown{{}, start};
  shown.recorded(10);
  shown.recorded(5);
  CHECK(shown.model(start).recorded == 10);
}
