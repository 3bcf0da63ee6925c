// The end of an application: phases of a coordinated shutdown (Q258 to Q261), and what the stop report says.

#include "support.hpp"

#include <atomic>
#include <thread>

#include <herald/shutdown.hpp>

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

using phases = std::vector<shutdown_phase>;

struct ending_world : world {
  explicit ending_world(phases p, std::uint64_t seed = 1) : world{seed}, ending{std::move(p)} { restart(); }
  void restart() {
    auto o = options();
    o.shutdown = ending;
    app.reset();
    app = std::make_unique<application>(supervisor{.name = "root", .children = {worker("a"), worker("b", {.placement = spread})}}, o);
    app->start();
    log.take();
  }
  void add(const std::string& phase, const std::string& name) {
    CHECK(ending.add(phase, name, [this, name] { log.write(name); }));
  }
  coordinated_shutdown ending;
};

[[nodiscard]] std::string names(const std::vector<std::string>& all) {
  std::string out;
  for (const auto& n : all) out += (out.empty() ? "" : ", ") + n;
  return out;
}

}  // namespace

TEST_CASE("Q258: phases run in the order of their dependencies, the tree's stop among them") {
  const coordinated_shutdown c{{{.name = "flush", .after = {"stop tree"}},
                                {.name = "drain", .after = {"unbind"}},
                                {.name = "last", .after = {"flush"}},
                                {.name = "unbind"}}};
  CHECK(names(c.order()) == "unbind, drain, stop tree, flush, last");
  CHECK(names(coordinated_shutdown{}.order()) == "stop tree");
  const coordinated_shutdown placed{{{.name = "stop tree"}, {.name = "x", .after = {"stop tree"}}, {.name = "y"}}};
  CHECK(names(placed.order()) == "stop tree, x, y");
}

TEST_CASE("Q258: a circle, an unknown phase, a double name and a bad limit are refused before anything starts") {
  const auto fault = [](phases p) {
    const auto r = coordinated_shutdown{std::move(p)}.check();
    REQUIRE(r.is(errc::bad_option));
    const auto& f = r.error().fields().front();
    return f.field + " " + f.message;
  };
  CHECK(fault({{.name = "a", .after = {"b"}}, {.name = "b", .after = {"a"}}, {.name = "c"}}) ==
        "phases wait for each other in a circle: a, b, stop tree");
  CHECK(fault({{.name = "a", .after = {"a"}}}).find("circle: a") != std::string::npos);
  CHECK(fault({{.name = "a", .after = {"b"}}}) == "a comes after \"b\", which is no phase");
  CHECK(fault({{.name = "a"}, {.name = "a"}}) == "a is there twice");
  CHECK(fault({{.name = ""}}) == "phases has a phase without a name");
  CHECK(fault({{.name = "a", .limit = 0ms}}) == "a has a limit of 0 ms; wanted: 1 up");
  world w;
  auto o = w.options();
  o.shutdown = coordinated_shutdown{{{.name = "a", .after = {"b"}}}};
  application app{{.name = "root"}, o};
  const auto started = app.try_start();
  REQUIRE(started.is(errc::bad_option));
  CHECK(started.error().fields().front().field == "shutdown: a");
}

TEST_CASE("Q258: tasks of a phase run side by side, the next phase waits for all; processes live until the tree's phase") {
  bool other_order = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    ending_world w{{{.name = "one", .limit = 10s}, {.name = "two", .after = {"one"}}, {.name = "three", .after = {"stop tree"}}}, seed};
    for (const auto* n : {"x", "y"})
      CHECK(w.ending.add("one", n, [&w, n] {
        w.log.write(std::string{"("} + n);
        simulation::stall(2s);
        w.log.write(std::string{n} + ")");
      }));
    CHECK(w.ending.add("two", "ask", [&] { w.log.write("life " + std::to_string(w.life_of("a"))); }));
    CHECK(w.ending.add("three", "ask", [&] { w.log.write("life " + std::to_string(w.life_of("a"))); }));
    const auto before = w.sim.now();
    const auto r = w.app->stop();
    CHECK(w.sim.now() - before < 3s);
    auto lines = w.log.take();
    other_order = other_order || lines[0] == "(y";
    std::sort(lines.begin(), lines.begin() + 2);
    std::sort(lines.begin() + 2, lines.begin() + 4);
    std::vector<std::string> expected{"(x", "(y", "x)", "y)", "life 1", "-b shutdown", "~b", "-a shutdown", "~a", "life 0"};
    CHECK(lines == expected);
    REQUIRE(r.shutdown.phases.size() == 4);
    CHECK(r.shutdown.phases[0].tasks == 2);
    CHECK(r.shutdown.phases[0].took == 2s);
    CHECK(r.shutdown.failures.empty());
  }
  CHECK(other_order);
}

TEST_CASE("Q259: a task that fails or hangs is reported, and the rest goes on") {
  ending_world w{{{.name = "one", .limit = 1s}, {.name = "two", .after = {"one"}}}};
  bool asked = false;
  CHECK(w.ending.add("one", "throws", [] { throw std::runtime_error{"boom"}; }));
  CHECK(w.ending.add("one", "answers", [] { return result<void>{error{errc::overload, "too much"}}; }));
  CHECK(w.ending.add("one", "hangs", [&](std::stop_token hurry) {
    simulation::stall(1min);
    asked = hurry.stop_requested();
  }));
  w.add("two", "two");
  const auto before = w.sim.now();
  const auto r = w.app->stop();
  CHECK(w.sim.now() - before == 1s);
  CHECK(w.log.text() == "two -b shutdown ~b -a shutdown ~a");
  REQUIRE(r.shutdown.failures.size() == 3);
  CHECK(r.shutdown.failures[0].why == "it threw: std::runtime_error: boom");
  CHECK(r.shutdown.failures[1].why == "too much");
  CHECK(r.shutdown.failures[2].why == "it did not end within 1000 ms and is left behind");
  CHECK(r.shutdown.phases[0].timed_out);
  CHECK_FALSE(r.shutdown.aborted);
  CHECK(names(r.zombies) == "shutdown task hangs");
  CHECK(w.told(report::shutdown_failed) == 3);
  CHECK(asked);  // the simulation brought it back
}

TEST_CASE("Q259: with recover off the tasks of later phases are not run, but the tree is stopped") {
  ending_world w{{{.name = "one", .recover = false}, {.name = "two", .after = {"one"}}, {.name = "three", .after = {"stop tree"}}}};
  CHECK(w.ending.add("one", "throws", [] { throw std::runtime_error{"boom"}; }));
  w.add("two", "two");
  w.add("three", "three");
  const auto r = w.app->stop();
  CHECK(r.shutdown.aborted);
  CHECK(w.log.text() == "-b shutdown ~b -a shutdown ~a");
}

TEST_CASE("Q259: disabled phases are skipped") {
  ending_world w{{{.name = "one", .enabled = false}, {.name = "two", .after = {"one"}}}};
  w.add("one", "one");
  w.add("two", "two");
  CHECK(w.app->stop().shutdown.phases.size() == 2);
  CHECK(w.log.text() == "two -b shutdown ~b -a shutdown ~a");
}

TEST_CASE("Q260: a second run answers the same and runs nothing twice") {
  ending_world w{{{.name = "one"}}};
  w.add("one", "one");
  const auto first = w.app->stop();
  w.log.take();
  const auto second = w.app->stop();
  CHECK(w.log.text().empty());
  CHECK(second.shutdown.phases.size() == first.shutdown.phases.size());
  CHECK(second.took == first.took);
  CHECK(w.ending.outcome().has_value());
  CHECK(w.ending.add("one", "late", [] {}).is(errc::closed));
}

TEST_CASE("Q260: from a given phase on; an unknown one is told, and all are run") {
  for (const std::string from : {"two", "nowhere"}) {
    ending_world w{{{.name = "one"}, {.name = "two", .after = {"one"}}}};
    w.add("one", "one");
    w.add("two", "two");
    const auto r = w.app->stop(from);
    CHECK(w.log.text() == std::string{from == "two" ? "two" : "one two"} + " -b shutdown ~b -a shutdown ~a");
    CHECK(r.shutdown.failures.size() == (from == "two" ? 0 : 1));
  }
}

TEST_CASE("Q260: tasks are added from earlier phases and cancelled, and never run twice") {
  ending_world w{{{.name = "one"}, {.name = "two", .after = {"one"}}}};
  std::optional<coordinated_shutdown::task_id> gone;
  gone = w.ending.add("two", "gone", [&] { w.log.write("gone"); }).value();
  CHECK(w.ending.add("nowhere", "x", [] {}).is(errc::not_found));
  CHECK(w.ending.add("one", "adds", [&] {
    CHECK(w.ending.current() == "one");
    CHECK(w.ending.add("two", "added", [&] { w.log.write("added"); }));
    CHECK(w.ending.add("one", "too late", [] {}).is(errc::closed));
    CHECK(w.ending.cancel(*gone));
    CHECK_FALSE(w.ending.cancel(*gone));
  }));
  w.app->stop();
  CHECK(w.log.text() == "added -b shutdown ~b -a shutdown ~a");
  CHECK(w.ending.current().empty());
}

TEST_CASE("Q261: a process is stopped as a task; one that has ended counts as done, also when it is in two phases") {
  ending_world w{{{.name = "one"}, {.name = "two", .after = {"one"}}}};
  REQUIRE(w.app->root().start_child(w.worker("c", {.restart = transient})));
  w.log.take();
  CHECK(w.ending.add_stop("one", w.at("c")));
  CHECK(w.ending.add_stop("two", w.at("c")));
  CHECK(w.ending.add_stop("two", any_ref{}));
  CHECK(w.ending.add("two", "then", [&] { w.log.write("then"); }));
  const auto r = w.app->stop();
  CHECK(r.shutdown.failures.empty());
  CHECK(w.log.text() == "-c shutdown ~c then -b shutdown ~b -a shutdown ~a");
}

TEST_CASE("an application that did not start, and one that gave up, end all the same") {
  ending_world w{{{.name = "one"}}};
  w.add("one", "one");
  w.how("a")->failing_inits = 1000;
  w.crash("a");
  w.sim.run();
  CHECK(w.app->ended());
  CHECK(w.log.take_text().find("one") == std::string::npos);
  const auto r = w.app->stop();
  CHECK(r.gave_up);
  CHECK(w.log.text() == "one");

  coordinated_shutdown never{{{.name = "one"}}};
  CHECK(never.add("one", "one", [&] { w.log.write("never"); }));
  auto o = w.options();
  w.app.reset();
  o.shutdown = never;
  application fails{{.name = "root", .children = {w.worker("a")}}, o};
  CHECK_FALSE(fails.try_start());
  fails.stop();
  CHECK(w.log.text().find("never") == std::string::npos);
}

TEST_CASE("the stop report lists who was alive, with mailbox sizes, who was stuck, and who was slow to end") {
  world w;
  w.start({.name = "root", .children = {w.worker("a", {.shutdown = 2s}), w.worker("b"), supervisor{.name = "s", .children = {w.worker("c"), w.worker("d")}}}});
  w.tell("a", stall_for{1h});
  w.sim.advance(200ms);
  for (int i = 0; i < 3; ++i) w.tell("a", note{i});
  w.how("c")->terminate_stall = 3s;
  const auto r = w.app->stop();
  CHECK(r.alive == 6);
  REQUIRE(r.listed.size() == 6);
  CHECK(r.listed[0].path == "a");
  CHECK(r.listed[0].stuck);
  CHECK(r.listed[0].mailbox == 3);
  CHECK(r.listed[0].incarnation == 1);
  CHECK(r.listed[1].mailbox == 0);
  REQUIRE(r.slow.size() == 3);
  CHECK(r.slow[0].path == "s/c");
  CHECK(r.slow[0].took >= 3s);
  CHECK(r.slow[1].path == "s");
  CHECK(r.slow[2].path == "a");
  CHECK(r.slow[2].took >= 2s);
  CHECK(names(r.zombies) == "a");
  CHECK(r.to_string().find("a#1: 3 messages waited, stuck") != std::string::npos);
}

TEST_CASE("the stop report's list is bounded") {
  world w;
  w.start({.name = "root", .children = {dynamic<probe>("d", {.restart = temporary})}});
  for (int i = 0; i < 500; ++i) REQUIRE(w.app->find_supervisor("d").start_child<probe>({.name = "x", .log = &w.log}));
  const auto r = w.app->stop();
  CHECK(r.alive == 502);
  CHECK(r.listed.size() == stop_report::max_listed);
}

TEST_CASE("Q259, threads: a task that hangs is left behind on a thread of its own, and the program ends on time") {
  // Shared with a thread that nobody joins.
  const auto hang = std::make_shared<std::atomic<bool>>(true);
  const auto back = std::make_shared<std::atomic<bool>>(false);
  coordinated_shutdown ending{{{.name = "one", .limit = 50ms}}};
  CHECK(ending.add("one", "hangs", [hang, back] {
    hang->wait(true);
    *back = true;
    back->notify_all();
  }));
  auto app = std::make_unique<application>(supervisor{.name = "root"},
                                           application_options{.workers = 1, .shutdown = ending, .sinks = {[](const report&) {}}});
  app->start();
  const auto r = app->stop();
  CHECK(names(r.zombies) == "shutdown task hangs");
  *hang = false;
  hang->notify_all();
  back->wait(false);
}
