#include "lines.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace telemetry;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

view_model some_moment() {
  view_model model;
  model.host = "vm-1";
  model.elapsed = 7s;
  model.cpu_percent = 63.26;
  model.memory_used = 1.3e9;
  model.memory_total = 4e9;
  model.processes = {{.key = {77, 1}, .name = "cc1plus", .state = "running", .cpu_percent = 98.5, .memory = 5},
                     {.key = {78, 1}, .name = "idle", .state = "running"}};
  model.process_count = 73;
  model.cores = {{0, 12.34, {}}};
  model.events_per_second = 42;
  model.committed = 100;
  model.recorded = 98;
  model.restarts = 1;
  model.database = "a.db";
  model.record = "a.jsonl";
  return model;
}

}  // namespace

TEST_CASE("the closing sentence is exactly what the documentation says") {
  const check_counts counts{.committed = 120, .recorded = 120};
  CHECK(check_sentence(counts, 3) == "events committed 120, recorded 120, missing 0, restarts 3");
  CHECK(line_format{false}.check(counts, 3) == "events committed 120, recorded 120, missing 0, restarts 3");
}

TEST_CASE("plain lines are one line each and say what happened") {
  const line_format plain{false};
  CHECK(plain.status(some_moment()) ==
        "00:07  cpu  63 %  memory 1.2 GiB of 3.7 GiB  disk 0 B/s in 0 B/s out  net 0 B/s in 0 B/s out  73 processes  "
        "busiest cc1plus 98 %  42 events/s  98 of 100 recorded  1 restart");
  CHECK(plain.alert(7s, {"machine busy", "vm-1", "open", "92 %", 0s}) ==
        "00:07  alert opened: machine busy (vm-1), 92 %");
  CHECK(plain.restart(8s, {"output/view", "killed", 2}) == "00:08  restart 2 of output/view (killed)");
  CHECK(plain.trouble(8s, "the disk is full") == "00:08  trouble: the disk is full");
  CHECK(json::parse(line_format{true}.trouble(8s, "the disk is full"))["text"] == "the disk is full");
  auto model = some_moment();
  CHECK(plain.opening(model).find("chaos") == std::string::npos);
  model.chaos = 5;
  CHECK(plain.opening(model).find("intensities are set high") != std::string::npos);
}

TEST_CASE("json lines are one object each") {
  const line_format format{true};
  const auto status = json::parse(format.status(some_moment()));
  CHECK(status["type"] == "status");
  CHECK(status["cpu_percent"] == 63.3);
  CHECK(status["busiest"].size() == 1);  // who does nothing is not busy
  CHECK(status["busiest"][0]["pid"] == 77);
  CHECK(status["recorded"] == 98);
  CHECK(json::parse(format.opening(some_moment()))["seconds"].is_null());
  CHECK(json::parse(format.restart(1s, {"p", "r", 1}))["type"] == "restart");
  const auto check = json::parse(format.check({.committed = 5, .recorded = 4, .missing = 1}, 2));
  CHECK(check["missing"] == 1);
  CHECK(check["restarts"] == 2);
  for (const auto& line : {format.status(some_moment()), format.alert(1s, {"a", "\xFF\n", "open", "v", 0s})}) {
    CHECK(line.find('\n') == std::string::npos);
    CHECK_FALSE(json::parse(line).is_discarded());
  }
}
