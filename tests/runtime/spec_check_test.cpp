// Every field of every spec, wrong in every way: a clear sentence before anything starts. One row a fault.

#include "support.hpp"

#include <cmath>
#include <limits>

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct wants_extra : process<wants_extra> {
  struct extra_args {};
  wants_extra(context&, const extra_args&) {}
};

template <class E>
E no_such(unsigned value) {
  return static_cast<E>(value);
}

struct row {
  const char* field;
  child_spec spec;  ///< a child of the root
  std::string fault;
};

child_spec with(child_options o) { return child<probe>("a", {}, o); }
child_spec with(backoff_t b) { return child<probe>("a", {}, {.backoff = b}); }
child_spec of(supervisor s) { return s; }

constexpr auto too_long = std::chrono::hours{24 * 365} + 1ms;

std::vector<row> wrong_specs() {
  child_spec nothing;
  nothing.id = "a";
  child_spec both = of({.name = "a"});
  both.ops = &engine::ops_of<probe>;
  child_spec no_args = with(child_options{});
  no_args.args = nullptr;
  constexpr auto nan = std::numeric_limits<double>::quiet_NaN();
  return {
      {"id: empty", child<probe>("", {}), "(root) has a child without an id"},
      {"id: slash", child<probe>("a/b", {}), "a/b has a '/' in its id; wanted: a name without one"},
      {"id: control character", child<probe>("a\n", {}), "(root) has a child with control characters in its id; wanted: a name to be read"},
      {"id: long", child<probe>(std::string(201, 'x'), {}), "(root) has a child with an id of 201 bytes; wanted: at most 200"},
      {"ops: none", nothing, "a has no process type; wanted: child<P>(...) or a supervisor"},
      {"ops and tree", both, "a is a process and a supervisor; wanted: one of them"},
      {"args: none", no_args, "a has no arguments, but its process type wants some"},
      {"extra_args: static parent", child<wants_extra>("a"),
       "a is of a type with extra_args, which only a dynamic supervisor gives; wanted: dynamic(...) above it"},
      {"restart", with({.restart = no_such<restart_t>(3)}), "a has an unknown restart type 3"},
      {"shutdown: negative", with({.shutdown = -10ms}), "a has a shutdown of -10 ms; wanted: 0 up, infinity or brutal_kill"},
      {"shutdown: long", with({.shutdown = too_long}), "a has a shutdown of 31536000001 ms; wanted: at most a year"},
      {"shutdown: kind", with({.shutdown = shutdown_t{no_such<shutdown_t::kind_t>(3)}}), "a has an unknown kind of shutdown 3"},
      {"mailbox.limit", with({.mailbox = {.limit = 0}}), "a has a mailbox limit of 0; wanted: 1 up"},
      {"mailbox.when_full", with({.mailbox = {.when_full = no_such<overflow_t>(9)}}), "a has an unknown mailbox overflow policy 9"},
      {"on_restart", with({.on_restart = no_such<on_restart_t>(2)}), "a has an unknown on_restart 2"},
      {"placement", with({.placement = {no_such<placement_t::kind_t>(4), 0}}), "a has an unknown placement 4"},
      {"start_timeout: negative", with({.start_timeout = -1ms}), "a has a start_timeout of -1 ms; wanted: 0 up"},
      {"start_timeout: long", with({.start_timeout = too_long}), "a has a start_timeout of 31536000001 ms; wanted: at most a year"},
      {"backoff.first", with(backoff_t{-1ms, 5ms, 0}), "a has a negative backoff (-1 ms, 5 ms)"},
      {"backoff.max: negative", with(backoff_t{0ms, -5ms, 0}), "a has a negative backoff (0 ms, -5 ms)"},
      {"backoff.max: below first", with(backoff_t{50ms, 5ms, 0}), "a has a backoff maximum of 5 ms below its first pause of 50 ms"},
      {"backoff.max: long", with(backoff_t{1ms, too_long, 0}), "a has a backoff maximum of 31536000001 ms; wanted: at most a year"},
      {"backoff.jitter: above", with(backoff_t{1ms, 5ms, 1.5}), "a has a backoff jitter of 1.500000; wanted: 0 to 1"},
      {"backoff.jitter: below", with(backoff_t{1ms, 5ms, -0.5}), "a has a backoff jitter of -0.500000; wanted: 0 to 1"},
      {"backoff.jitter: no number", with(backoff_t{1ms, 5ms, nan}), "a has a backoff jitter of nan; wanted: 0 to 1"},
      {"backoff.reset_after: negative", with(backoff_t{1ms, 5ms, 0, -1ms}), "a has a backoff reset_after of -1 ms; wanted: 0 up, or by_hand"},
      {"backoff.reset_after: long", with(backoff_t{1ms, 5ms, 0, too_long}),
       "a has a backoff reset_after of 31536000001 ms; wanted: at most a year"},
      {"backoff.max_restarts", with(backoff_t{.max_restarts = 3}),
       "a has a backoff with max_restarts but neither a pause nor reset_after, so that its restarts are never in a row"},
      {"significant: never", with({.restart = transient, .significant = true}), "a is significant, but its supervisor's auto_shutdown is never"},
      {"significant: permanent", of({.name = "s", .auto_shutdown = any_significant, .children = {with({.significant = true})}}),
       "s/a is significant and permanent; wanted: transient or temporary"},
      {"supervisor.name", of({.name = ""}), "(root) has a child without an id"},
      {"supervisor.strategy", of({.name = "s", .strategy = no_such<strategy_t>(3)}), "s has an unknown strategy 3"},
      {"supervisor.intensity", of({.name = "s", .intensity = {-1, 5s}}), "s has an intensity of -1 restarts; wanted: 0 up"},
      {"supervisor.period: zero", of({.name = "s", .intensity = {1, 0ms}}), "s has an intensity period of 0 ms; wanted: 1 up"},
      {"supervisor.period: negative", of({.name = "s", .intensity = {1, -1ms}}), "s has an intensity period of -1 ms; wanted: 1 up"},
      {"supervisor.period: long", of({.name = "s", .intensity = {1, too_long}}),
       "s has an intensity period of 31536000001 ms; wanted: at most a year"},
      {"supervisor.auto_shutdown", of({.name = "s", .auto_shutdown = no_such<auto_shutdown_t>(3)}), "s has an unknown auto_shutdown 3"},
      {"supervisor.restart", of({.name = "s", .restart = no_such<restart_t>(7)}), "s has an unknown restart type 7"},
      {"supervisor.shutdown", of({.name = "s", .shutdown = -1ms}), "s has a shutdown of -1 ms; wanted: 0 up, infinity or brutal_kill"},
      {"supervisor.placement", of({.name = "s", .placement = {no_such<placement_t::kind_t>(4), 0}}), "s has an unknown placement 4"},
      {"supervisor.children: twice", of({.name = "s", .children = {with(child_options{}), with(child_options{})}}),
       "s has two children with the id \"a\"; wanted: a different one for each"},
      {"dynamic.max_children", dynamic<probe>("d", {.max_children = 0}), "d has max_children 0; wanted: 1 up"},
      {"dynamic.intensity", dynamic<probe>("d", {.intensity = {-2, 5s}}), "d has an intensity of -2 restarts; wanted: 0 up"},
      {"dynamic.restart", dynamic<probe>("d", {.restart = no_such<restart_t>(3)}), "d has an unknown restart type 3"},
      {"dynamic.shutdown", dynamic<probe>("d", {.shutdown = -1ms}), "d has a shutdown of -1 ms; wanted: 0 up, infinity or brutal_kill"},
      {"dynamic.mailbox", dynamic<probe>("d", {.mailbox = {.limit = 0}}), "d has a mailbox limit of 0; wanted: 1 up"},
      {"dynamic.backoff", dynamic<probe>("d", {.backoff = {5ms, 1ms, 0}}), "d has a backoff maximum of 1 ms below its first pause of 5 ms"},
      {"dynamic.start_timeout", dynamic<probe>("d", {.start_timeout = -1ms}), "d has a start_timeout of -1 ms; wanted: 0 up"},
      {"dynamic.extra_args", dynamic("d", {.extra_args = {1, 2}}), "d has extra_args of the type int twice"},
      {"dynamic.significant", dynamic("d", {.significant = true}), "d is significant, but its supervisor's auto_shutdown is never"},
      {"partition.partitions: none", partition("p", with(child_options{}), {.partitions = 0}), "p has 0 partitions; wanted: 1 to 65536"},
      {"partition.partitions: many", partition("p", with(child_options{}), {.partitions = 65'537}),
       "p has 65537 partitions; wanted: 1 to 65536"},
      {"partition.placement", partition("p", with(child_options{}), {.partitions = 3, .placement = {no_such<placement_t::kind_t>(4), 0}}),
       "p/0 has an unknown placement 4"},
      {"partition.intensity", partition("p", with(child_options{}), {.intensity = {1, 0ms}}), "p has an intensity period of 0 ms; wanted: 1 up"},
  };
}

}  // namespace

TEST_CASE("B: every field of a spec wrong in every way is told in one clear sentence, and nothing starts") {
  for (const auto& r : wrong_specs()) {
    CAPTURE(r.field);
    const auto got = check_spec(child_spec{supervisor{.name = "root", .children = {r.spec}}});
    REQUIRE(got.is(errc::bad_spec));
    const auto& faults = got.error().fields();
    REQUIRE(!faults.empty());
    CHECK(faults[0].field + " " + faults[0].message == r.fault);
    world w;
    auto& app = w.make({.name = "root", .children = {w.worker("before"), r.spec}});
    CHECK(app.try_start().is(errc::bad_spec));
    CHECK(w.log.text().empty());
  }
}

TEST_CASE("B: the same faults are told by start_child, and the supervisor has no child more") {
  world w;
  w.start({.name = "root"});
  for (const auto& r : wrong_specs()) {
    CAPTURE(r.field);
    CHECK(w.app->root().start_child(r.spec).is(errc::bad_spec));
  }
  CHECK(w.counts() == child_counts{0, 0, 0, 0});
}

TEST_CASE("B: what is at the edge of each range is fine") {
  const auto fine = [](const child_spec& spec) { return check_spec(child_spec{supervisor{.name = "root", .children = {spec}}}).has_value(); };
  const auto year = std::chrono::hours{24 * 365};
  CHECK(fine(child<probe>(std::string(200, 'x'), {})));
  CHECK(fine(with({.shutdown = 0ms})));
  CHECK(fine(with({.shutdown = year})));
  CHECK(fine(with({.mailbox = {.limit = 1}})));
  CHECK(fine(with({.start_timeout = year})));
  CHECK(fine(with(backoff_t{0ms, 0ms, 1})));
  CHECK(fine(with(backoff_t{.reset_after = backoff_t::by_hand, .max_restarts = 0})));
  CHECK(fine(of({.name = "s", .intensity = {0, 1ms}})));
  CHECK(fine(of({.name = "s", .intensity = {std::numeric_limits<std::int64_t>::max(), year}})));
  CHECK(fine(dynamic<probe>("d", {.max_children = 1})));
  CHECK(fine(partition("p", with(child_options{}), {.partitions = 1})));
}
