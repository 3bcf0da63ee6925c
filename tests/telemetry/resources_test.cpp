#include "resources.hpp"
#include "event_json.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>

using namespace telemetry;
using nlohmann::json;

namespace {

herald::record row(const proc_row& of) { return {herald::table_of<procs>, std::make_shared<const proc_row>(of)}; }

herald::event_record changed_event(const proc_row& before, const proc_row& after) {
  herald::event_record event;
  event.at = {.epoch = 0xABC, .sequence = 7};
  event.resource = &herald::table_of<procs>;
  event.action = static_cast<std::uint16_t>(event.resource->find_action("change"));
  event.kind = herald::event_kind::updated;
  event.before = row(before);
  event.after = row(after);
  event.key = herald::row_key::of(event.after);
  event.changed = herald::detail::bit(event.resource->find_attribute("cpu_percent"));
  event.routes = {{"proc:42-5:changed", 1}};
  event.time = herald::timestamp{std::chrono::microseconds{1'700'000'000'000'001}};
  return event;
}

const proc_row some{.pid = 42, .started = 5, .parent = 1, .owner = 0, .threads = 2, .name = "p", .cpu_percent = 1.5};

}  // namespace

TEST_CASE("a process survives the way to its row and back") {
  const process_row seen{.key = {42, 5},
                         .parent = 1,
                         .user = 1000,
                         .threads = 3,
                         .name = "p",
                         .state = "zombie",
                         .cpu_percent = 12.5,
                         .memory = 4096};
  CHECK(watched(stored(seen)) == seen);
}

TEST_CASE("an event as JSON says what happened to which row, and when") {
  auto after = some;
  after.cpu_percent = 99.5;
  const auto event = json::parse(event_json(changed_event(some, after)));
  CHECK(event["resource"] == "proc");
  CHECK(event["action"] == "change");
  CHECK(event["kind"] == "updated");
  CHECK(event["time_us"] == 1'700'000'000'000'001);
  CHECK(event["key"] == json{{"pid", 42}, {"started", 5}});
  CHECK(event["before"]["cpu_percent"] == 1.5);
  CHECK(event["after"]["cpu_percent"] == 99.5);
  CHECK(event["changed"] == json::array({"cpu_percent"}));
  CHECK(event["topics"] == json::array({"proc:42-5:changed"}));
}

TEST_CASE("an event is one line that the record can hold, whatever its values are") {
  auto after = some;
  after.name = "new\nline \xFF \"quoted\"";
  after.cpu_percent = std::numeric_limits<double>::quiet_NaN();
  const auto event = changed_event(some, after);
  const auto text = event_json(event);
  CHECK(text.find('\n') == std::string::npos);
  CHECK(json::parse(text)["after"]["cpu_percent"].is_null());
  const auto line = make_record_line(offset_of(event), text);
  const auto parsed = parse_record_line(std::string_view{line}.substr(0, line.size() - 1));
  REQUIRE(parsed);
  CHECK(parsed->event == text);
  CHECK(offset_of(parsed->offset) == event.at);
}

TEST_CASE("an offset goes into a record and comes back; a foreign epoch does not") {
  herald::event_record event = changed_event(some, some);
  event.at = {.epoch = UINT64_MAX, .sequence = UINT64_MAX};
  CHECK(offset_of(offset_of(event)) == event.at);
  CHECK_FALSE(offset_of(record_offset{"no epoch", 1}));
}

TEST_CASE("a create has no before, a destroy no after; lists and times are readable") {
  herald::event_record event;
  event.resource = &herald::table_of<hosts>;
  event.action = 0;
  host_row host{.name = "vm-1", .core_numbers = {0, 1}, .core_percent = {1.5, 2.0}};
  event.after = {herald::table_of<hosts>, std::make_shared<const host_row>(host)};
  event.key = herald::row_key::of(event.after);
  const auto text = json::parse(event_json(event));
  CHECK(text["before"].is_null());
  CHECK(text["after"]["core_numbers"] == json::array({0, 1}));
  CHECK(text["key"] == json{{"name", "vm-1"}});

  herald::event_record alert;
  alert.resource = &herald::table_of<alerts>;
  alert.before = {herald::table_of<alerts>, std::make_shared<const alert_row>()};
  alert.key = herald::row_key::of(alert.before);
  const auto closed = json::parse(event_json(alert));
  CHECK(closed["after"].is_null());
  CHECK(closed["before"]["standing"].is_null());
  CHECK(closed["before"]["opened_at"] == 0);
  CHECK(closed["key"]["id"].get<std::string>().size() == 36);
}
