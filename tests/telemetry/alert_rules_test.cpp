#include "alert_rules.hpp"

#include <doctest/doctest.h>

using namespace telemetry;
using namespace std::chrono_literals;

namespace {

const std::vector<alert_rule> busy{{.name = "busy",
                                    .watches = "cpu",
                                    .open_above = 80,
                                    .close_below = 60,
                                    .open_after = 1s,
                                    .close_after = 2s,
                                    .acknowledge_after = 5s}};
constexpr instant start{1000s};

alert_step to(alert_state state, double value) { return {state, "busy", "here", value}; }
reading cpu(double value) { return {"cpu", "here", value}; }
using steps = std::vector<alert_step>;

}  // namespace

TEST_CASE("an alert opens once its value has stayed above for long enough, and only once") {
  alert_watch watch{busy, {}};
  CHECK(watch.observe(cpu(90), start).empty());
  CHECK(watch.observe(cpu(90), start + 999ms).empty());
  CHECK(watch.observe(cpu(95), start + 1s) == steps{to(alert_state::open, 95)});
  CHECK(watch.observe(cpu(99), start + 2s).empty());
  CHECK(watch.standing() == 1);
}

TEST_CASE("a short peak opens nothing") {
  alert_watch watch{busy, {}};
  CHECK(watch.observe(cpu(90), start).empty());
  CHECK(watch.observe(cpu(70), start + 500ms).empty());
  CHECK(watch.observe(cpu(90), start + 900ms).empty());
  CHECK(watch.observe(cpu(90), start + 1800ms).empty());
  CHECK(watch.tick(start + 1850ms).empty());
}

TEST_CASE("values are told when they change: one that stays above without a word opens by the tick") {
  alert_watch watch{busy, {}};
  CHECK(watch.observe(cpu(90), start).empty());
  CHECK(watch.tick(start + 500ms).empty());
  CHECK(watch.tick(start + 1s) == steps{to(alert_state::open, 90)});
}

TEST_CASE("hysteresis: between the two levels an open alert stays open") {
  alert_watch watch{busy, {}};
  (void)watch.observe(cpu(90), start);
  (void)watch.tick(start + 1s);
  (void)watch.observe(cpu(70), start + 2s);
  CHECK(watch.tick(start + 4s).empty());
  (void)watch.observe(cpu(50), start + 4s);
  CHECK(watch.tick(start + 5s).empty());     // below, but not for long enough
  (void)watch.observe(cpu(65), start + 5s);  // back in between: its quiet time begins anew
  (void)watch.observe(cpu(50), start + 5500ms);
  CHECK(watch.tick(start + 5900ms).empty());
}

TEST_CASE("an alert is acknowledged by itself, then closed when it has been quiet") {
  alert_watch watch{busy, {}};
  (void)watch.observe(cpu(90), start);
  (void)watch.tick(start + 1s);
  CHECK(watch.tick(start + 5900ms).empty());
  CHECK(watch.tick(start + 6s) == steps{to(alert_state::acknowledged, 90)});
  CHECK(watch.tick(start + 7s).empty());
  (void)watch.observe(cpu(10), start + 8s);
  CHECK(watch.tick(start + 10s) == steps{to(alert_state::closed, 10)});
  CHECK(watch.standing() == 0);
  CHECK(watch.tick(start + 20s).empty());
}

TEST_CASE("what has vanished closes its alerts at once") {
  alert_watch watch{busy, {}};
  (void)watch.observe(cpu(90), start);
  (void)watch.tick(start + 1s);
  CHECK(watch.vanished("elsewhere").empty());
  CHECK(watch.vanished("here") == steps{to(alert_state::closed, 90)});
  CHECK(watch.vanished("here").empty());
}

TEST_CASE("a restart goes on from the standing alerts, and closes those that nobody speaks of any more") {
  const standing_alert stands{"busy", "here", alert_state::open, start, 90};
  alert_watch quiet{busy, {stands}};
  CHECK(quiet.tick(start + 1s).empty());
  CHECK(quiet.tick(start + 3s) == steps{to(alert_state::closed, 90)});

  alert_watch heard{busy, {stands}};
  CHECK(heard.observe(cpu(85), start + 1s).empty());  // stands already: not opened twice
  CHECK(heard.tick(start + 4s).empty());
  CHECK(heard.tick(start + 5s) == steps{to(alert_state::acknowledged, 85)});
}

TEST_CASE("a standing alert whose rule is gone is closed; a closed one is not taken up") {
  alert_watch watch{
      busy, {{"old rule", "here", alert_state::open, start, 1}, {"busy", "here", alert_state::closed, start, 1}}};
  CHECK(watch.tick(start) == steps{{alert_state::closed, "old rule", "here", 1}});
  CHECK(watch.standing() == 0);
}

TEST_CASE("each subject has its own alert, and other readings do not matter") {
  alert_watch watch{busy, {}};
  (void)watch.observe({"cpu", "a", 90}, start);
  (void)watch.observe({"cpu", "b", 90}, start);
  (void)watch.observe({"memory", "c", 99}, start);
  CHECK(watch.tick(start + 1s).size() == 2);
}

TEST_CASE("the demo's own rules leave room between opening and closing") {
  for (const auto& rule : default_rules()) {
    CAPTURE(rule.name);
    CHECK(rule.close_below < rule.open_above);
  }
}

TEST_CASE("an alert is called what its subject is called, also when the tick opens it") {
  alert_watch watch{busy, {}};
  (void)watch.observe({"cpu", "here", 90, "my machine"}, start);
  const auto opened = watch.tick(start + 1s);
  REQUIRE(opened.size() == 1);
  CHECK(opened[0].label == "my machine");
}
