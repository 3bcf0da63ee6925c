// Supervisors from their specs to their end: sections A (start), B (validation), C (stop) and D (administration) of the
// contract. Each case carries its number; conformance.md says which do not apply.

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

std::string why(const result<void>& r) { return r ? "fine" : r.error().to_string(); }
std::string bad(std::string_view rest) {
  return "runtime.bad_spec: the specification is wrong and nothing was started; " + std::string{rest};
}
std::string check_of(supervisor s) { return why(check_spec(child_spec{std::move(s)})); }
child_options with(restart_t r) { return {.restart = r}; }

}  // namespace

TEST_CASE("A1: a supervisor without children starts, and ends with shutdown") {
  world w;
  w.start({.name = "root"});
  const auto end = w.app->stop();
  CHECK(end.reason == exit_reason{exit_reason::shutdown});
  CHECK_FALSE(end.gave_up);
}

TEST_CASE("A4, A22: an init that throws makes the start fail with its text, and nothing is left running") {
  world w;
  w.how("a")->failing_inits = 1;
  auto& app = w.make({.name = "root", .children = {w.worker("a")}});
  const auto r = app.try_start();
  REQUIRE_FALSE(r);
  CHECK(r.is(errc::start_failed));
  CHECK(r.error().message() ==
        "the application root did not start: shutdown: failed to start child a: crash: std::runtime_error: a cannot start");
  CHECK(app.ended());
  CHECK(w.log.text() == "!a");
  CHECK_THROWS_AS(app.start(), start_error);
}

TEST_CASE("A5, A6: a permanent child that ignores is kept without a process; a further child is listed first") {
  world w;
  auto& app = w.start({.name = "root"});
  w.how("a")->ignores = true;
  const auto r = app.root().start_child(w.worker("a"));
  REQUIRE(r);
  CHECK_FALSE(*r);
  CHECK(w.list() == "a(stopped)");
  CHECK(w.counts() == child_counts{1, 0, 0, 1});
  CHECK(app.root().start_child(w.worker("b")));
  CHECK(w.list() == "b a(stopped)");
  CHECK(w.counts() == child_counts{2, 1, 0, 2});
}

TEST_CASE("A7: in the initial list a temporary child that ignores is not kept") {
  world w;
  w.how("a")->ignores = true;
  w.start({.name = "root", .children = {w.worker("a", with(temporary)), w.worker("b")}});
  CHECK(w.list() == "b");
  CHECK(w.counts() == child_counts{1, 1, 0, 1});
}

TEST_CASE("A8: a temporary child that ignores is not kept by start_child") {
  world w;
  w.start({.name = "root"});
  w.how("a")->ignores = true;
  const auto r = w.app->root().start_child(w.worker("a", with(temporary)));
  REQUIRE(r);
  CHECK_FALSE(*r);
  CHECK(w.counts() == child_counts{0, 0, 0, 0});
}

TEST_CASE("A9, A10: a dynamic supervisor keeps no child that ignores, whatever its restart type, and ends cleanly") {
  for (const auto type : std::vector{temporary, permanent}) {
    world w;
    w.start({.name = "root", .children = {dynamic<probe>("d", {.restart = type})}});
    const auto d = w.app->find_supervisor("d");
    w.how("a")->ignores = true;
    const auto a = d.start_child<probe>({.name = "a", .log = &w.log, .how = w.how("a")});
    REQUIRE(a);
    CHECK_FALSE(*a);
    CHECK(d.start_child<probe>({.name = "b", .log = &w.log}));
    CHECK(w.counts("d") == child_counts{1, 1, 0, 1});
    CHECK(w.app->stop().reason == exit_reason{exit_reason::shutdown});
  }
}

TEST_CASE("A11, A12: start_child of a child that does not start answers its error, and nothing is kept") {
  world w;
  w.start({.name = "root"});
  w.how("a")->refusing_inits = 1;
  const auto r = w.app->root().start_child(w.worker("a"));
  REQUIRE_FALSE(r);
  CHECK(r.error().to_string() == "runtime.start_failed: the child a did not start: custom: a is not ready");
  CHECK(w.counts() == child_counts{0, 0, 0, 0});
  CHECK_FALSE(w.at("a"));
}

TEST_CASE("A13: restart_child of a child that now fails answers the error; the child stays listed") {
  world w;
  w.start({.name = "root", .children = {w.worker("a")}});
  CHECK(w.app->root().terminate_child("a"));
  w.how("a")->failing_inits = 1;
  const auto r = w.app->root().restart_child("a");
  CHECK(r.is(errc::start_failed));
  CHECK(w.list() == "a(stopped)");
  CHECK(w.counts() == child_counts{1, 0, 0, 1});
}

TEST_CASE("A14: a dynamic child that does not start answers its error, and the list is empty") {
  world w;
  w.start({.name = "root", .children = {dynamic<probe>("d")}});
  w.how("a")->failing_inits = 1;
  const auto r = w.app->find_supervisor("d").start_child<probe>({.name = "a", .log = &w.log, .how = w.how("a")});
  CHECK(r.is(errc::start_failed));
  CHECK(w.counts("d") == child_counts{1, 0, 0, 0});
}

TEST_CASE("A17: the defaults of specs are OTP's") {
  world w;
  w.start({.name = "root", .children = {w.worker("a"), supervisor{.name = "s"}}});
  const auto a = w.app->root().get_childspec("a").value();
  CHECK(a.options.restart == permanent);
  CHECK(a.shutdown() == shutdown_t{5000ms});
  CHECK_FALSE(a.options.significant);
  CHECK_FALSE(a.is_supervisor());
  const auto s = w.app->root().get_childspec("s").value();
  CHECK(s.is_supervisor());
  CHECK(s.shutdown() == infinity);
  CHECK(supervisor{}.intensity == intensity_t{1, 5s});
  CHECK(supervisor{}.strategy == one_for_one);
}

TEST_CASE("A18: get_childspec of an unknown id answers not_found") {
  world w;
  w.start({.name = "root"});
  const auto r = w.app->root().get_childspec("nobody");
  REQUIRE_FALSE(r);
  CHECK(r.error().to_string() == "runtime.not_found: there is no child with the id \"nobody\"");
}

TEST_CASE("A19: get_childspec by ref gives the one pattern of a dynamic supervisor; a foreign ref is not found") {
  world w;
  w.start({.name = "root", .children = {w.worker("other"), dynamic<probe>("d", {.restart = transient})}});
  const auto d = w.app->find_supervisor("d");
  for (const auto* name : std::vector{"a", "b", "c"}) {
    const auto r = d.start_child<probe>({.name = name, .log = &w.log}).value();
    CHECK(d.get_childspec(r).value().options.restart == transient);
  }
  CHECK(d.get_childspec(w.at("other")).is(errc::not_found));
}

TEST_CASE("A20: a spec without id or process type is refused, and the sentence says so") {
  CHECK(check_of({.name = "root", .children = {child<probe>("", {})}}) == bad("(root) has a child without an id"));
  child_spec empty;
  empty.id = "x";
  CHECK(check_of({.name = "root", .children = {empty}}) ==
        bad("x has no process type; wanted: child<P>(...) or a supervisor"));
  CHECK(check_of({.name = "root", .children = {child<probe>("a/b", {})}}) ==
        bad("a/b has a '/' in its id; wanted: a name without one"));
}

TEST_CASE("A23: when the third of three fails, the second and the first are ended in this order") {
  world w;
  w.how("c")->failing_inits = 1;
  auto& app = w.make({.name = "root", .children = {w.worker("a"), w.worker("b"), w.worker("c")}});
  CHECK(app.try_start().is(errc::start_failed));
  CHECK(w.log.text() == "+a +b !c -b shutdown ~b -a shutdown ~a");
}

TEST_CASE("A24: the next child's init is not entered before the last one's has returned") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    world w{seed};
    w.how("a")->init_stall = 300ms;
    w.start({.name = "root", .children = {w.worker("a", {.placement = spread}), w.worker("b", {.placement = spread})}});
    CHECK(w.log.text() == "+a +b");
  }
}

TEST_CASE("B25: what is malformed in child options is named with the value it has") {
  const auto options = [](child_options o) { return check_of({.name = "root", .children = {child<probe>("a", {}, o)}}); };
  CHECK(options({.restart = static_cast<restart_t>(7)}) == bad("a has an unknown restart type 7"));
  CHECK(options({.shutdown = -10ms}) == bad("a has a shutdown of -10 ms; wanted: 0 up, infinity or brutal_kill"));
  CHECK(options({.mailbox = {.limit = 0}}) == bad("a has a mailbox limit of 0; wanted: 1 up"));
  CHECK(options({.mailbox = {.limit = 1, .when_full = static_cast<overflow_t>(9)}}) ==
        bad("a has an unknown mailbox overflow policy 9"));
  CHECK(options({.on_restart = static_cast<on_restart_t>(3)}) == bad("a has an unknown on_restart 3"));
  CHECK(options({.placement = {static_cast<placement_t::kind_t>(5), 0}}) == bad("a has an unknown placement 5"));
  CHECK(options({.start_timeout = -1ms}) == bad("a has a start_timeout of -1 ms; wanted: 0 up"));
  CHECK(options({.backoff = {-1ms, 5ms, 0}}) == bad("a has a negative backoff (-1 ms, 5 ms)"));
  CHECK(options({.backoff = {50ms, 5ms, 0}}) ==
        bad("a has a backoff maximum of 5 ms below its first pause of 50 ms"));
  CHECK(options({.backoff = {1ms, 5ms, 1.5}}) == bad("a has a backoff jitter of 1.500000; wanted: 0 to 1"));
}

TEST_CASE("B27: every combination of restart, shutdown and kind is fine") {
  for (const auto r : std::vector{permanent, transient, temporary})
    for (const auto& s : std::vector{shutdown_t{0ms}, shutdown_t{1000ms}, infinity, brutal_kill}) {
      CHECK(check_of({.name = "root", .children = {child<probe>("a", {}, {.restart = r, .shutdown = s})}}) == "fine");
      CHECK(check_of({.name = "root", .children = {supervisor{.name = "s", .restart = r, .shutdown = s}}}) == "fine");
    }
}

TEST_CASE("B28: two children of one id are refused") {
  CHECK(check_of({.name = "root", .children = {child<probe>("a", {}), child<probe>("a", {})}}) ==
        bad("root has two children with the id \"a\"; wanted: a different one for each"));
}

TEST_CASE("B30, B31: a significant child needs an auto_shutdown and must not be permanent") {
  CHECK(check_of({.name = "root", .children = {child<probe>("a", {}, {.restart = transient, .significant = true})}}) ==
        bad("a is significant, but its supervisor's auto_shutdown is never"));
  CHECK(check_of({.name = "root", .auto_shutdown = any_significant, .children = {child<probe>("a", {}, {.significant = true})}}) ==
        bad("a is significant and permanent; wanted: transient or temporary"));
  world w;
  w.start({.name = "root"});
  CHECK(w.app->root().start_child(w.worker("a", {.restart = transient, .significant = true})).is(errc::bad_spec));
}

TEST_CASE("B33: what is malformed in a supervisor's options is named with the value it has") {
  CHECK(check_of({.name = "root", .strategy = static_cast<strategy_t>(8)}) == bad("root has an unknown strategy 8"));
  CHECK(check_of({.name = "root", .intensity = {-1, 5s}}) == bad("root has an intensity of -1 restarts; wanted: 0 up"));
  CHECK(check_of({.name = "root", .intensity = {1, 0ms}}) == bad("root has an intensity period of 0 ms; wanted: 1 up"));
  CHECK(check_of({.name = "root", .auto_shutdown = static_cast<auto_shutdown_t>(4)}) ==
        bad("root has an unknown auto_shutdown 4"));
  CHECK(check_of({.name = "root", .children = {dynamic<probe>("d", {.max_children = 0})}}) ==
        bad("d has max_children 0; wanted: 1 up"));
}

TEST_CASE("all faults of a tree are told at once, each under its path") {
  const auto r = check_spec(child_spec{supervisor{
      .name = "root",
      .intensity = {-1, 5s},
      .children = {supervisor{.name = "inner", .children = {child<probe>("x", {}, {.shutdown = -1ms})}}}}});
  REQUIRE_FALSE(r);
  REQUIRE(r.error().fields().size() == 2);
  CHECK(r.error().fields()[0].field == "root");
  CHECK(r.error().fields()[1].field == "inner/x");
}

TEST_CASE("a restart limit that a backoff can never reach is refused") {
  CHECK(check_of({.name = "root", .intensity = {3, 1s}, .children = {child<probe>("a", {}, {.backoff = {400ms, 10s, 0}})}}) ==
        bad("root has an intensity period of 1000 ms, but the first 3 pauses of the backoff of a take 2800 ms: its limit "
            "could never be reached; wanted: a longer period"));
}

TEST_CASE("an application with wrong options or a wrong tree does not start and says why") {
  world w;
  auto options = w.options();
  options.workers = 1000;
  options.overrun_limit = 0ms;
  application app{{.name = "root"}, options};
  const auto r = app.try_start();
  REQUIRE_FALSE(r);
  CHECK(r.error().to_string() == "runtime.bad_option: the application's options are wrong; workers is 1000; wanted: 0 to 256; "
                                 "overrun_limit is 0 ms; wanted: 1 up");
  w.make({.name = "root", .children = {w.worker("a"), w.worker("a")}});
  CHECK(w.app->try_start().is(errc::bad_spec));
  CHECK(w.log.text().empty());
}
