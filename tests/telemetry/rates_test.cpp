#include "rates.hpp"
#include "process_watch.hpp"
#include "rolling.hpp"

#include <doctest/doctest.h>

using namespace telemetry;
using namespace std::chrono_literals;

TEST_CASE("busy percent is the share of the time between two samples") {
  CHECK(busy_percent({100, 1000}, {150, 1100}) == doctest::Approx(50));
  CHECK(busy_percent({100, 1000}, {100, 1000}) == 0);
  CHECK(busy_percent({100, 1000}, {50, 900}) == 0);      // went backwards
  CHECK(busy_percent({100, 1000}, {300, 1100}) == 100);  // counters are not read at one instant
}

TEST_CASE("a core that was offline before has no rate yet") {
  const cpu_sample before{.all = {}, .cores = {{0, {0, 0}}}};
  const cpu_sample after{.all = {}, .cores = {{0, {30, 100}}, {1, {70, 100}}}};
  CHECK(core_loads(before, after) == std::vector<core_load>{{0, 30}, {1, 0}});
}

TEST_CASE("rates per second, and no wild number when a counter starts again or no time passed") {
  CHECK(per_second(1000, 1500, 250ms) == doctest::Approx(2000));
  CHECK(per_second(1500, 1000, 250ms) == 0);
  CHECK(per_second(0, 1000, 0s) == 0);
  CHECK(process_percent(100, 125, 250ms, 100) == doctest::Approx(100));
  CHECK(process_percent(100, 125, 250ms, 0) == 0);
  CHECK(used_percent({.total = 1000, .available = 250}) == doctest::Approx(75));
  CHECK(used_percent({}) == 0);
}

TEST_CASE("a rolling window forgets by age and by number") {
  rolling window{1s, 4};
  CHECK(window.mean() == 0);
  const instant start{100s};
  window.add(start, 10);
  window.add(start + 500ms, 20);
  window.add(start + 1000ms, 30);
  CHECK(window.mean() == 20);
  CHECK(window.least() == 10);
  CHECK(window.most() == 30);
  CHECK(window.covered() == 1s);
  window.add(start + 1400ms, 40);
  CHECK(window.count() == 3);  // the first is older than a second
  CHECK(window.mean() == 30);
  window.add(start + 1400ms, 40);
  window.add(start + 1400ms, 40);
  CHECK(window.count() == 4);
  window.add(start, 99);  // the clock was set back
  CHECK(window.last() == 99);
  CHECK(window.covered() <= 1s);
  window.advance(start + 1h);
  CHECK(window.count() == 0);
  CHECK(window.most() == 0);
}

TEST_CASE("a timeline shows the last minute, and a value that is not told again goes on") {
  const instant start{100s};
  timeline line;
  CHECK(line.points(start).empty());
  line.add(start, 1);
  line.add(start + 100ms, 2);  // the same step: the last one counts
  line.add(start + 1s, 5);
  CHECK(line.points(start + 1s) == std::vector<double>{2, 2, 2, 2, 5});
  CHECK(line.points(start + 1500ms) == std::vector<double>{2, 2, 2, 2, 5, 5, 5});
  line.add(start, 7);  // the clock was set back
  CHECK(line.points(start + 1s).back() == 7);
  const auto much_later = line.points(start + 1h);
  CHECK(much_later.size() == timeline::steps);
  CHECK(much_later.front() == 7);
  for (int more = 0; more < 1'000; ++more) line.add(start + 2s + more * 250ms, more);
  CHECK(line.points(start + 2s + 999 * 250ms).size() == timeline::steps);
  CHECK(line.points(start + 2s + 999 * 250ms).back() == 999);
}

namespace {

process_sample sample(std::int64_t pid, std::uint64_t ticks = 0, std::uint64_t memory = 10 << 20) {
  return {.key = {pid, 5},
          .parent = 1,
          .user = 0,
          .threads = 1,
          .state = 'S',
          .name = "p",
          .cpu_ticks = ticks,
          .memory = memory};
}

// Steps, and says that all of it was committed.
process_changes step(process_watch& watch, const std::vector<process_sample>& samples) {
  auto changes = watch.step(samples, 1s);
  for (const auto& one : changes.appeared) watch.settled(one.key, settlement::done);
  for (const auto& one : changes.changed) watch.settled(one.key, settlement::done);
  for (const auto& key : changes.ended) watch.settled(key, settlement::done);
  return changes;
}

bool quiet(const process_changes& changes) {
  return changes.appeared.empty() && changes.changed.empty() && changes.ended.empty();
}

}  // namespace

TEST_CASE("a process is created when it appears, left alone while it keeps still, destroyed when it ends") {
  process_watch watch{{}, {}, 100};
  CHECK(step(watch, {sample(1), sample(2)}).appeared.size() == 2);
  CHECK(quiet(step(watch, {sample(1), sample(2)})));
  const auto changes = step(watch, {sample(2)});
  REQUIRE(changes.ended.size() == 1);
  CHECK(changes.ended[0] == process_key{1, 5});
  CHECK(watch.size() == 1);
}

TEST_CASE("a pid that is used again is another process") {
  process_watch watch{{}, {}, 100};
  (void)step(watch, {sample(1)});
  auto reborn = sample(1);
  reborn.key.started = 6;
  const auto changes = step(watch, {reborn});
  CHECK(changes.appeared.size() == 1);
  CHECK(changes.ended.size() == 1);
}

TEST_CASE("only what is beyond a threshold since the last report is reported") {
  process_watch watch{{.cpu_points = 5, .memory_share = 0.1, .memory_bytes = 1 << 20}, {}, 100};
  (void)step(watch, {sample(1)});
  CHECK(quiet(step(watch, {sample(1, 4)})));                // 4 % of a core, smoothed to 2
  CHECK(step(watch, {sample(1, 64)}).changed.size() == 1);  // 60 %, smoothed to 31
  CHECK(quiet(step(watch, {sample(1, 64 + 31)})));
  CHECK(quiet(step(watch, {sample(1, 126, (10 << 20) + (1 << 19))})));  // +0.5 MiB: too few bytes
  CHECK(step(watch, {sample(1, 157, 12 << 20)}).changed.size() == 1);
}

TEST_CASE("a slow drift is reported once it adds up") {
  process_watch watch{{.cpu_points = 5, .memory_share = 0.1, .memory_bytes = 1 << 20}, {}, 100};
  (void)step(watch, {sample(1, 0, 10 << 20)});
  int reports = 0;
  for (std::uint64_t step_number = 1; step_number <= 20; ++step_number)
    reports += static_cast<int>(step(watch, {sample(1, 0, (10 << 20) + step_number * (512 << 10))}).changed.size());
  CHECK(reports > 3);
  CHECK(reports < 15);
}

TEST_CASE("whoever falls silent is said to be silent") {
  process_watch watch{{}, {}, 100};
  (void)step(watch, {sample(1)});
  (void)step(watch, {sample(1, 100)});
  std::optional<double> last;
  for (int steps = 0; steps < 40; ++steps)
    for (const auto& row : step(watch, {sample(1, 100)}).changed) last = row.cpu_percent;
  REQUIRE(last);
  CHECK(*last == 0);
}

TEST_CASE("running, sleeping and idling are one state; blocked, stopped and zombie are told") {
  process_watch watch{{}, {}, 100};
  (void)step(watch, {sample(1)});
  auto other = sample(1);
  other.state = 'R';
  CHECK(quiet(step(watch, {other})));
  other.state = 'Z';
  const auto changes = step(watch, {other});
  REQUIRE(changes.changed.size() == 1);
  CHECK(changes.changed[0].state == "zombie");
}

TEST_CASE("a second start goes on from the rows: the vanished are destroyed, the living are not created again") {
  const auto row = [](std::int64_t pid) {
    return process_row{.key = {pid, 5}, .parent = 1, .threads = 1, .name = "p", .state = "running", .memory = 10 << 20};
  };
  process_watch watch{{}, {row(1), row(2)}, 100};
  const auto changes = step(watch, {sample(2), sample(3)});
  CHECK(changes.changed.empty());
  REQUIRE(changes.appeared.size() == 1);
  CHECK(changes.appeared[0].key.pid == 3);
  REQUIRE(changes.ended.size() == 1);
  CHECK(changes.ended[0].pid == 1);
}

TEST_CASE("at most one report of a process is on its way") {
  process_watch watch{{}, {}, 100};
  CHECK(watch.step({sample(1)}, 1s).appeared.size() == 1);
  CHECK(quiet(watch.step({sample(1)}, 1s)));
  CHECK(quiet(watch.step({}, 1s)));  // ended while its create is on its way
  watch.settled({1, 5}, settlement::done);
  CHECK(watch.step({}, 1s).ended.size() == 1);
  CHECK(quiet(watch.step({}, 1s)));
  watch.settled({1, 5}, settlement::done);
  CHECK(watch.size() == 0);
}

TEST_CASE("a report that failed is made again; one that met another truth accepts it") {
  process_watch watch{{}, {}, 100};
  (void)watch.step({sample(1)}, 1s);
  watch.settled({1, 5}, settlement::failed);
  CHECK(watch.step({sample(1)}, 1s).appeared.size() == 1);
  watch.settled({1, 5}, settlement::exists);  // created by an incarnation before: brought up to date instead
  CHECK(watch.step({sample(1)}, 1s).changed.size() == 1);
  watch.settled({1, 5}, settlement::missing);  // destroyed meanwhile: appears again
  CHECK(watch.step({sample(1)}, 1s).appeared.size() == 1);
  watch.settled({1, 5}, settlement::done);
  CHECK(watch.step({}, 1s).ended.size() == 1);
  watch.settled({1, 5}, settlement::failed);
  CHECK(watch.step({}, 1s).ended.size() == 1);
  watch.settled({1, 5}, settlement::missing);
  CHECK(watch.size() == 0);
}
