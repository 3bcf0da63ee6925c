#include "restart_tally.hpp"

#include <doctest/doctest.h>

using namespace telemetry;
using namespace std::chrono_literals;

namespace {

constexpr instant start{1'000'000s};

}  // namespace

TEST_CASE("the tally counts each process's restarts and says what is running") {
  restart_tally tally;
  const auto report = [&](herald::report::kind_t kind, const std::string& path) {
    herald::report one;
    one.kind = kind;
    one.path = path;
    one.when = start;
    one.reason = herald::exit_reason::killed;
    tally.take(one);
  };
  using kind = herald::report::kind_t;
  report(kind::started, "output/view");
  report(kind::started, "output/recorder");
  report(kind::crashed, "output/view");
  std::vector<tree_view> tree{{.depth = 1, .name = "output", .supervisor = true},
                              {.depth = 2, .name = "view"},
                              {.depth = 2, .name = "recorder"}};
  const std::vector<std::string> paths{"output", "output/view", "output/recorder"};
  tally.fill(tree, paths, start);
  CHECK_FALSE(tree[1].running);
  CHECK(tree[2].running);
  report(kind::restarted, "output/view");
  tally.fill(tree, paths, start + 1s);
  CHECK(tree[1].running);
  CHECK(tree[1].restarts == 1);
  CHECK(tree[1].fresh);
  CHECK_FALSE(tree[2].fresh);
  tally.fill(tree, paths, start + 5s);
  CHECK_FALSE(tree[1].fresh);
  CHECK(tally.total() == 1);
  const auto notices = tally.take_notices();
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].path == "output/view");
  CHECK(notices[0].reason == "killed");
  CHECK(tally.take_notices().empty());
  CHECK(tally.gave_up().empty());
  report(kind::gave_up, "output");
  CHECK_FALSE(tally.gave_up().empty());
}
