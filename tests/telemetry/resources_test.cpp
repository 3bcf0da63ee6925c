#include "resources.hpp"
#include "folder.hpp"
#include "record_offset.hpp"

#include <doctest/doctest.h>
#include <herald/json.hpp>
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

TEST_CASE("an event is one line that the record can hold, whatever its values are") {
  auto after = some;
  after.name = "new\nline \xFF \"quoted\"";
  after.cpu_percent = std::numeric_limits<double>::quiet_NaN();
  const auto event = changed_event(some, after);
  const auto text = herald::to_json(event);
  CHECK(text.find('\n') == std::string::npos);
  CHECK_FALSE(json::parse(text).is_discarded());
  const auto line = make_record_line(recorded(event.at), text);
  const auto parsed = parse_record_line(std::string_view{line}.substr(0, line.size() - 1));
  REQUIRE(parsed);
  CHECK(parsed->event == text);
  CHECK(stored(parsed->offset) == event.at);
}

TEST_CASE("an offset goes into a record and comes back; a foreign epoch does not") {
  const herald::offset last{.epoch = UINT64_MAX, .sequence = UINT64_MAX};
  CHECK(stored(recorded(last)) == last);
  CHECK_FALSE(stored(record_offset{"no epoch", 1}));
}

TEST_CASE("what an action writes is in the log as it was told, and reads the same after the store was opened again") {
  const telemetry::test::folder where;
  std::vector<std::string> told;
  {
    const auto store = open_store(where.file("t.db"));
    REQUIRE(store);
    using herald::dsl::field;
    REQUIRE(store->run<hosts, "appear">(field<& host_row::name> = "vm-1"));
    REQUIRE(store->run<hosts, "measure_cpu">("vm-1", field<& host_row::cpu_percent> = 12.3,
                                             field<& host_row::core_numbers> = std::vector<std::int64_t>{0, 2},
                                             field<& host_row::core_percent> = std::vector<double>{20.1, 4.5}));
    const auto opened =
        store->run<alerts, "open">(field<& alert_row::rule> = "machine busy", field<& alert_row::subject> = "host:vm-1",
                                   field<& alert_row::value> = 92.5);
    REQUIRE(opened);
    CHECK(opened->state == "open");
    CHECK(opened->standing == "machine busy of host:vm-1");
    REQUIRE(store->run<alerts, "close">(opened->id, field<& alert_row::value> = 1.0));
    const auto log = store->read(store->beginning(), 100);
    REQUIRE(log);
    for (const auto& event : log->events) told.push_back(herald::to_json(*event));
  }
  REQUIRE(told.size() == 4);
  CHECK(json::parse(told[1])["after"]["core_percent"] == json::array({20.1, 4.5}));
  const auto store = open_store(where.file("t.db"));
  REQUIRE(store);
  const auto log = store->read(store->beginning(), 100);
  REQUIRE(log);
  REQUIRE(log->events.size() == told.size());
  for (std::size_t index = 0; index < told.size(); ++index) CHECK(herald::to_json(*log->events[index]) == told[index]);
}

TEST_CASE("no two alerts of one rule and subject stand; a closed one makes room for the next") {
  const telemetry::test::folder where;
  const auto store = open_store(where.file("t.db"));
  REQUIRE(store);
  using herald::dsl::field;
  const auto open = [&] {
    return store->run<alerts, "open">(field<&alert_row::rule> = "r", field<&alert_row::subject> = "s");
  };
  const auto first = open();
  REQUIRE(first);
  CHECK(open().is(herald::resource_errc::taken));
  REQUIRE(store->run<alerts, "acknowledge">(first->id));
  CHECK(open().is(herald::resource_errc::taken));
  const auto closed = store->run<alerts, "close">(first->id);
  REQUIRE(closed);
  CHECK_FALSE(closed->standing);
  CHECK(open());
}

TEST_CASE("the host refuses what cannot be: a percentage above 100, cores without their numbers") {
  const telemetry::test::folder where;
  const auto store = open_store(where.file("t.db"));
  REQUIRE(store);
  using herald::dsl::field;
  REQUIRE(store->run<hosts, "appear">(field<& host_row::name> = "vm-1"));
  CHECK(store->run<hosts, "measure_cpu">("vm-1", field<& host_row::cpu_percent> = 101.0)
            .is(herald::resource_errc::invalid));
  CHECK(store->run<hosts, "measure_cpu">("vm-1", field<& host_row::core_percent> = std::vector<double>{1.0})
            .is(herald::resource_errc::invalid));
  CHECK(store->head().sequence == 1);
}
