#include "restart_tally.hpp"

#include <doctest/doctest.h>

using namespace telemetry;
using namespace std::chrono_literals;

namespace {

constexpr instant start{1'000'000s};
using kind = herald::report::kind_t;

herald::report make(kind what, const std::string& path, herald::exit_reason why = herald::exit_reason::killed) {
  herald::report one;
  one.kind = what;
  one.path = path;
  one.when = start;
  one.reason = std::move(why);
  return one;
}

}  // namespace

TEST_CASE("the tally counts each process's restarts and says what is running") {
  restart_tally tally;
  tally.shape({{{.depth = 0, .name = "root", .supervisor = true}, ""},
               {{.depth = 1, .name = "output", .supervisor = true}, "output"},
               {{.depth = 2, .name = "view"}, "output/view"},
               {{.depth = 2, .name = "recorder"}, "output/recorder"}});
  tally.take(make(kind::started, "output/view"));
  tally.killed();
  tally.take(make(kind::crashed, "output/view"));
  view_model model;
  tally.fill(model, start);
  REQUIRE(model.tree.size() == 4);
  CHECK(model.tree[2].name == "view");
  CHECK_FALSE(model.tree[2].running);
  CHECK(model.tree[3].running);
  CHECK(model.kills == 1);
  tally.take(make(kind::restarted, "output/view"));
  tally.fill(model, start + 1s);
  CHECK(model.tree.size() == 4);
  CHECK(model.tree[2].running);
  CHECK(model.tree[2].restarts == 1);
  CHECK(model.tree[2].fresh);
  CHECK_FALSE(model.tree[3].fresh);
  CHECK(model.restarts == 1);
  tally.fill(model, start + 5s);
  CHECK_FALSE(model.tree[2].fresh);
  CHECK(tally.total() == 1);
}

TEST_CASE("each restart is told once, with why the life before ended") {
  restart_tally tally;
  tally.take(make(kind::crashed, "output/view"));
  tally.take(make(kind::restarted, "output/view"));
  const auto notices = tally.take_notices();
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].path == "output/view");
  CHECK(notices[0].reason == "killed");
  CHECK(notices[0].count == 1);
  CHECK(tally.take_notices().empty());
}

TEST_CASE("a kill was asked for; a crash was not, and is remembered") {
  restart_tally tally;
  tally.take(make(kind::crashed, "output/view"));
  CHECK(tally.failures().empty());
  tally.take(make(kind::crashed, "output/view", {herald::exit_reason::crash, "boom"}));
  tally.take(make(kind::gave_up, "output"));
  REQUIRE(tally.failures().size() == 2);
  CHECK(tally.failures()[0].find("boom") != std::string::npos);
  for (int more = 0; more < 100; ++more) tally.take(make(kind::gave_up, "output"));
  CHECK(tally.failures().size() == 20);
}
