// Sections C (stop and shutdown), D (administration) and the dynamic supervisor's part of J.

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct dynamic_world : world {
  explicit dynamic_world(dynamic_options o = {}) {
    start({.name = "root", .intensity = {100, 5s}, .children = {worker("other"), dynamic<probe>("d", o)}});
    log.take();
  }
  [[nodiscard]] supervisor_ref d() const { return app->find_supervisor("d"); }
  result<ref<probe>> add(const std::string& name) {
    return d().start_child<probe>({.name = name, .log = &log, .how = how(name)});
  }
};

}  // namespace

TEST_CASE("C35: with infinite shutdown worker and supervisor both end with shutdown") {
  world w;
  w.start({.name = "root", .children = {w.worker("a", {.shutdown = infinity}),
                                        supervisor{.name = "s", .children = {w.worker("b", {.shutdown = infinity})}}}});
  w.how("a")->terminate_stall = 20s;
  w.log.take();
  CHECK(w.app->stop().reason.kind() == exit_reason::shutdown);
  CHECK(w.log.text() == "-b shutdown ~b -a shutdown ~a");
}

TEST_CASE("C37: dynamic children over their limit are killed, in one limit for all, and the supervisor ends with shutdown") {
  dynamic_world w{{.shutdown = 1s}};
  for (const auto* name : std::vector{"a", "b", "c"}) {
    REQUIRE(w.add(name));
    w.how(name)->terminate_stall = 10s;
  }
  const auto before = w.sim.now();
  CHECK(w.app->root().terminate_child("d", 60s));
  CHECK(w.sim.now() - before < 1500ms);
  CHECK(w.told(report::zombie) == 3);
}

TEST_CASE("C38: brutal_kill ends with killed and without terminate") {
  world w;
  w.start({.name = "root", .children = {w.worker("a", {.shutdown = 1s}), w.worker("b", {.shutdown = brutal_kill})}});
  w.log.take();
  w.app->stop();
  CHECK(w.log.text() == "~b -a shutdown ~a");
  CHECK(std::any_of(w.reports.begin(), w.reports.end(), [](const report& r) { return r.path == "b" && r.reason.kind() == exit_reason::killed; }));
}

TEST_CASE("C39: ten dynamic children with brutal_kill all end killed, the supervisor with shutdown") {
  dynamic_world w{{.shutdown = brutal_kill}};
  for (int i = 0; i < 10; ++i) REQUIRE(w.add("n" + std::to_string(i)));
  w.log.take();
  CHECK(w.app->stop().reason.kind() == exit_reason::shutdown);
  CHECK(w.told(report::crashed) == 10);
  CHECK(w.log.text().find("-n") == std::string::npos);
}

TEST_CASE("C41: dynamic children that answer the stop with another reason do not change the supervisor's") {
  dynamic_world w;
  REQUIRE(w.add("a"));
  w.how("a")->throws_in_terminate = true;
  CHECK(w.app->stop().reason.kind() == exit_reason::shutdown);
  CHECK(w.told(report::crashed) == 1);
}

TEST_CASE("C42, C43: rest_for_one ends in reverse start order, and restarts what was started later, in order") {
  world w;
  w.start({.name = "root", .strategy = rest_for_one,
           .children = {w.worker("m"), w.worker("z"), w.worker("c"), w.worker("a"), w.worker("k")}});
  w.log.take();
  w.crash("c");
  CHECK(w.log.take_text() == "-c crash ~c -k shutdown ~k -a shutdown ~a +c +a +k");
  CHECK(w.life_of("m") == 1);
  CHECK(w.life_of("z") == 1);
  CHECK(w.life_of("c") == 2);
  w.app->stop();
  CHECK(w.log.text() == "-k shutdown ~k -a shutdown ~a -c shutdown ~c -z shutdown ~z -m shutdown ~m");
}

TEST_CASE("C45: terminate_child of a child that does not come back within its limit does not hang the supervisor") {
  world w;
  w.start({.name = "root", .children = {w.worker("a", {.shutdown = 1s}), w.worker("b", {.placement = spread})}});
  w.how("a")->terminate_stall = 60s;
  const auto before = w.sim.now();
  CHECK(w.app->root().terminate_child("a", 10s));
  CHECK(w.sim.now() - before < 1500ms);
  CHECK(w.list() == "b a(stopped)");
  w.sim.advance(60s);
  CHECK(w.log.text().find("~a") != std::string::npos);
}

TEST_CASE("D49: start_child of a running id answers already_started") {
  world w;
  w.start({.name = "root", .children = {w.worker("a")}});
  const auto r = w.app->root().start_child(w.worker("a"));
  REQUIRE_FALSE(r);
  CHECK(r.error().to_string() == "runtime.already_started: the supervisor has a child with the id \"a\" already");
}

TEST_CASE("D50, D51: terminate_child stops a permanent child, keeps its spec, is idempotent and restarts nothing") {
  world w;
  w.start({.name = "root", .children = {w.worker("a")}});
  w.log.take();
  CHECK(w.app->root().terminate_child("a"));
  CHECK(w.log.text() == "-a shutdown ~a");
  CHECK(w.list() == "a(stopped)");
  CHECK(w.counts() == child_counts{1, 0, 0, 1});
  CHECK(w.app->root().terminate_child("a"));
  w.sim.advance(10s);
  CHECK(w.log.text() == "-a shutdown ~a");
}

TEST_CASE("D52, D53, D54, D55: administration of unknown, stopped and running ids answers as OTP does") {
  world w;
  w.start({.name = "root", .children = {w.worker("a")}});
  const auto root = w.app->root();
  CHECK(root.terminate_child("x").is(errc::not_found));
  CHECK(root.restart_child("x").is(errc::not_found));
  CHECK(root.delete_child("x").is(errc::not_found));
  CHECK(root.restart_child("a").is(errc::running));
  CHECK(root.delete_child("a").is(errc::running));
  CHECK(root.terminate_child("a"));
  CHECK(root.start_child(w.worker("a")).is(errc::already_present));
  CHECK(root.restart_child("a"));
  CHECK(w.life_of("a") == 2);
  CHECK(root.terminate_child("a"));
  CHECK(root.delete_child("a"));
  CHECK(w.list().empty());
  CHECK_FALSE(w.at("a"));
  CHECK(root.delete_child("a").is(errc::not_found));
  CHECK(root.start_child(w.worker("a")));
  CHECK(w.life_of("a") == 1);
}

TEST_CASE("D56: terminate_child by ref under a supervisor with fixed children answers not_found") {
  world w;
  w.start({.name = "root", .children = {w.worker("a")}});
  CHECK(w.app->root().terminate_child(w.at("a")).is(errc::not_found));
  CHECK(w.life_of("a") == 1);
}

TEST_CASE("D57: administration of a supervisor that is gone or never was answers noproc at once") {
  world w;
  w.start({.name = "root", .children = {supervisor{.name = "s"}}});
  const auto s = w.app->find_supervisor("s");
  CHECK(w.app->root().terminate_child("s"));
  const auto before = w.sim.now();
  CHECK(s.count_children().is(errc::noproc));
  CHECK(s.start_child(w.worker("a")).is(errc::noproc));
  CHECK(w.app->find_supervisor("nobody").count_children().is(errc::noproc));
  CHECK(w.sim.now() == before);
}

TEST_CASE("D59: a dynamic supervisor without children counts one spec and nobody") {
  dynamic_world w;
  CHECK(w.counts("d") == child_counts{1, 0, 0, 0});
  CHECK(w.d().which_children().value().empty());
}

TEST_CASE("D60: requests by id do not fit a dynamic supervisor") {
  dynamic_world w;
  CHECK(w.d().terminate_child("a").is(errc::not_supported));
  CHECK(w.d().restart_child("a").is(errc::not_supported));
  CHECK(w.d().delete_child("a").is(errc::not_supported));
  CHECK(w.d().start_child(w.worker("a")).is(errc::not_supported));
}

TEST_CASE("D61, J149: terminate_child by ref ends a dynamic child; the second time it is not found") {
  dynamic_world w;
  const auto a = w.add("a").value();
  CHECK(w.d().terminate_child(a));
  CHECK(w.counts("d") == child_counts{1, 0, 0, 0});
  CHECK(w.d().terminate_child(a).is(errc::not_found));
  CHECK(a.call(life{}).is(errc::noproc));
}

TEST_CASE("D62: a living process that is no child is not found, and lives on") {
  dynamic_world w;
  CHECK(w.d().terminate_child(w.at("other")).is(errc::not_found));
  CHECK(w.life_of("other") == 1);
}

TEST_CASE("D63, D64: which_children follows what is added, stopped and deleted") {
  world w;
  w.start({.name = "root"});
  const auto root = w.app->root();
  CHECK(root.start_child(w.worker("a")));
  CHECK(root.start_child(w.worker("b")));
  CHECK(w.list() == "b a");
  CHECK(root.terminate_child("b"));
  CHECK(w.list() == "b(stopped) a");
  CHECK_FALSE(root.which_children().value()[0].who);
  CHECK(root.delete_child("b"));
  CHECK(w.list() == "a");
  CHECK(root.which_children().value()[0].who == any_ref{w.at("a")});
}

TEST_CASE("D65: counts follow a thousand, then two thousand dynamic temporary children") {
  dynamic_world w{{.restart = temporary}};
  std::vector<ref<probe>> all;
  for (std::size_t n : std::vector<std::size_t>{1000, 2000}) {
    while (all.size() < n) all.push_back(w.add("n").value());
    CHECK(w.counts("d") == child_counts{1, n, 0, n});
  }
  for (const auto& r : all) CHECK(w.d().kill_child(r));
  w.sim.run();
  CHECK(w.counts("d") == child_counts{1, 0, 0, 0});
}

TEST_CASE("D66: supervisors are counted apart from workers") {
  world w;
  w.start({.name = "root", .children = {w.worker("a"), supervisor{.name = "s"}, supervisor{.name = "t"}}});
  CHECK(w.counts() == child_counts{3, 3, 2, 1});
}

TEST_CASE("D67, J150: children in a failing restart count as workers but not as active, and can be terminated") {
  dynamic_world w{{.backoff = {10ms, 10ms, 0}, .intensity = {1000, 60s}}};
  const auto a = w.add("a").value();
  const auto b = w.add("b").value();
  const auto c = w.add("c").value();
  static_cast<void>(c);
  w.how("a")->failing_inits = w.how("b")->failing_inits = 1'000'000;
  a.cast(boom{});
  b.cast(boom{});
  w.sim.advance(100ms);
  CHECK(w.counts("d") == child_counts{1, 1, 0, 3});
  CHECK(w.d().terminate_child(a));
  CHECK(w.counts("d") == child_counts{1, 1, 0, 2});
  w.how("b")->failing_inits = 0;
  w.sim.advance(100ms);
  CHECK(w.counts("d") == child_counts{1, 2, 0, 2});
  CHECK(b.call(life{}).value() > 1);
}

TEST_CASE("J132: a dynamic supervisor's defaults are Elixir's") {
  const dynamic_options o;
  CHECK(o.intensity == intensity_t{3, 5s});
  CHECK(o.max_children == ~std::uint32_t{0});
  CHECK(o.restart == permanent);
}

TEST_CASE("J139, J140: a child that is being restarted uses its slot of max_children") {
  dynamic_world w{{.backoff = {50ms, 50ms, 0}, .intensity = {100, 60s}, .max_children = 1}};
  const auto a = w.add("a").value();
  const auto full = w.add("b");
  REQUIRE_FALSE(full);
  CHECK(full.error().to_string() == "runtime.max_children: the supervisor has its maximum of 1 children");
  w.how("a")->failing_inits = 3;
  a.cast(boom{});
  w.sim.advance(20ms);
  CHECK(w.add("b").is(errc::max_children));
  w.sim.advance(1s);
  CHECK(w.add("b").is(errc::max_children));
  CHECK(w.d().terminate_child(a));
  CHECK(w.add("b"));
}

TEST_CASE("J142: a dynamic child whose restart says ignore is dropped") {
  dynamic_world w;
  const auto a = w.add("a").value();
  w.how("a")->ignores = true;
  a.cast(boom{});
  w.sim.run();
  CHECK(w.counts("d") == child_counts{1, 0, 0, 0});
}

TEST_CASE("J143: a restart that fails once is tried again by itself, and both attempts count") {
  dynamic_world w{{.intensity = {2, 5s}}};
  const auto a = w.add("a").value();
  w.how("a")->failing_inits = 1;
  a.cast(boom{});
  w.sim.run();
  CHECK(a.call(life{}).value() == 3);
  a.cast(boom{});
  w.sim.run();
  CHECK(w.told(report::gave_up) == 1);
}

TEST_CASE("J145, J148: one parallel shutdown, and only those over the limit are killed") {
  dynamic_world w{{.shutdown = 500ms}};
  for (const auto* name : std::vector{"a", "b", "c"}) REQUIRE(w.add(name));
  w.how("b")->terminate_stall = 3s;
  w.log.take();
  CHECK(w.app->root().terminate_child("d", 10s));
  CHECK(w.told(report::killed) == 1);
  CHECK(w.told(report::zombie) == 1);
  CHECK(w.log.text().find("~a") != std::string::npos);
  CHECK(w.log.text().find("~c") != std::string::npos);
}

TEST_CASE("J147: permanent children that answer the stop with normal let the supervisor end") {
  dynamic_world w{{.restart = permanent}};
  const auto a = w.add("a").value();
  a.cast(end_with{exit_reason::normal});
  CHECK(w.app->root().terminate_child("d"));
  CHECK(w.counts().active == 1);
}

TEST_CASE("J151: a message to a supervisor is a dead letter and harms nobody") {
  dynamic_world w;
  any_ref{w.d()}.cast(note{1});
  w.sim.run();
  CHECK(w.app->dead_letters() == 1);
  CHECK(w.add("a"));
}

TEST_CASE("start_child<P> of another type than the dynamic supervisor's is refused") {
  struct stranger : process<stranger> {};
  dynamic_world w;
  CHECK(w.d().start_child<stranger>().is(errc::bad_spec));
  CHECK(w.app->root().start_child<probe>({.name = "x", .log = &w.log}).is(errc::not_supported));
}
