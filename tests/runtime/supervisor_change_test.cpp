// Section H: flags and specs that change while the supervisor runs; and of G what depends on it.

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

supervisor flags(auto_shutdown_t a, std::vector<child_spec> children = {}) {
  return {.name = "s", .intensity = {5, 5s}, .auto_shutdown = a, .children = std::move(children)};
}

}  // namespace

TEST_CASE("G121: a changed auto_shutdown rules later ends, and children run on over the change") {
  for (const auto& [from, to] : std::vector<std::pair<auto_shutdown_t, auto_shutdown_t>>{
           {any_significant, all_significant}, {all_significant, any_significant}}) {
    world w;
    const auto children = std::vector{w.worker("a", {.restart = transient, .significant = true}),
                                      w.worker("b", {.restart = transient, .significant = true})};
    w.start({.name = "root", .intensity = {9, 5s}, .children = {flags(from, children)}});
    CHECK(w.app->find_supervisor("s").change(flags(to, children)));
    CHECK(w.life_of("s/a") == 1);
    CHECK(w.life_of("s/b") == 1);
    w.tell("s/a", end_with{exit_reason::normal});
    CHECK(w.life_of("s/b") == (to == any_significant ? 2 : 1));
    if (to == all_significant) w.tell("s/b", end_with{exit_reason::normal});
    CHECK(w.life_of("s/b") == 2);
  }
}

TEST_CASE("G121: auto_shutdown can be switched on and off with the significance of the children") {
  world w;
  const auto plain = w.worker("a", {.restart = transient});
  const auto significant = w.worker("a", {.restart = transient, .significant = true});
  w.start({.name = "root", .intensity = {9, 5s}, .children = {flags(never, {plain, w.worker("b")})}});
  const auto s = w.app->find_supervisor("s");
  CHECK(s.change(flags(any_significant, {significant, w.worker("b")})));
  CHECK(s.change(flags(never, {plain, w.worker("b")})));
  w.tell("s/a", end_with{exit_reason::normal});
  CHECK(w.life_of("s/b") == 1);
  CHECK(s.restart_child("a"));
  CHECK(s.change(flags(any_significant, {significant, w.worker("b")})));
  w.tell("s/a", end_with{exit_reason::normal});
  CHECK(w.life_of("s/b") == 2);
}

TEST_CASE("G122: a child's significance may change, but not under an auto_shutdown of never") {
  world w;
  w.start({.name = "root", .children = {flags(never, {w.worker("a", {.restart = transient})})}});
  const auto s = w.app->find_supervisor("s");
  const auto r = s.change(flags(never, {w.worker("a", {.restart = transient, .significant = true})}));
  REQUIRE(r.is(errc::bad_spec));
  CHECK(r.error().to_string().find("its supervisor's auto_shutdown is never") != std::string::npos);
  CHECK_FALSE(s.get_childspec("a").value().options.significant);
}

TEST_CASE("H123: new flags rule from now on and no child is touched") {
  world w;
  w.start({.name = "root", .intensity = {99, 5s},
           .children = {supervisor{.name = "s", .intensity = {1, 5s}, .children = {w.worker("a"), w.worker("b")}}}});
  const auto s = w.app->find_supervisor("s");
  w.log.take();
  CHECK(s.change(supervisor{.strategy = one_for_all, .intensity = {4, 5s}, .children = {w.worker("a"), w.worker("b")}}));
  CHECK(w.log.text().empty());
  for (int i = 0; i < 4; ++i) w.crash("s/b");
  CHECK(w.life_of("s/a") == 5);  // all with it, and no giving up
  CHECK(w.told(report::gave_up) == 0);
  w.crash("s/b");
  CHECK(w.told(report::gave_up) == 1);
  // The next life has the new definition.
  w.log.take();
  w.crash("s/b");
  CHECK(w.log.text().find("~a") != std::string::npos);
}

TEST_CASE("H124: new specs are not started by themselves; restart_child starts them; what is missing stays") {
  world w;
  w.start({.name = "root", .children = {supervisor{.name = "s", .children = {w.worker("a"), w.worker("b")}}}});
  const auto s = w.app->find_supervisor("s");
  CHECK(s.change(supervisor{.children = {w.worker("b", {.restart = transient}), w.worker("c")}}));
  CHECK(w.list("s") == "c(stopped) b a");
  CHECK(w.life_of("s/a") == 1);
  CHECK(s.get_childspec("b").value().options.restart == transient);
  CHECK(s.restart_child("c"));
  CHECK(w.life_of("s/c") == 1);
  w.tell("s/b", end_with{exit_reason::normal});
  CHECK(w.list("s") == "c b(stopped) a");
  // The supervisor's next life knows what the new definition names, and nobody else.
  CHECK(w.app->kill("s"));
  w.sim.run();
  CHECK(w.list("s") == "c b");
  CHECK(w.app->root().get_childspec("s").value() == child_spec{w.app->root().get_childspec("s").value()});
}

TEST_CASE("H124: new arguments are a child's from its next start on") {
  world w;
  w.start({.name = "root", .children = {supervisor{.name = "s", .children = {child<probe>("a", {.name = "old", .log = &w.log})}}}});
  w.log.take();
  CHECK(w.app->find_supervisor("s").change(supervisor{.children = {child<probe>("a", {.name = "new", .log = &w.log})}}));
  CHECK(w.log.text().empty());
  w.crash("s/a");
  CHECK(w.log.text() == "-old crash ~old +new");
}

TEST_CASE("H125: a faulty definition is refused and the old one stays") {
  struct other : process<other> {};
  world w;
  w.start({.name = "root", .children = {supervisor{.name = "s", .intensity = {3, 5s}, .children = {w.worker("a")}}}});
  const auto s = w.app->find_supervisor("s");
  CHECK(s.change(supervisor{.intensity = {-1, 5s}}).is(errc::bad_spec));
  CHECK(s.change(supervisor{.children = {w.worker("a"), w.worker("a")}}).is(errc::bad_spec));
  CHECK(s.change(child<other>("s")).is(errc::bad_spec));
  const auto type = s.change(supervisor{.children = {child<other>("a")}});
  REQUIRE(type.is(errc::bad_spec));
  CHECK(type.error().message() ==
        "the definition cannot be changed to this one: a is of another process type; delete it and start the other one");
  CHECK(s.change(dynamic("s")).is(errc::bad_spec));
  CHECK(s.change(partition("s", w.worker("a"))).is(errc::bad_spec));
  CHECK(w.list("s") == "a");
  for (int i = 0; i < 3; ++i) w.crash("s/a");
  CHECK(w.told(report::gave_up) == 0);
}

TEST_CASE("H126: a dynamic supervisor's pattern may be replaced, but not added or taken away") {
  world w;
  w.start({.name = "root", .children = {dynamic<probe>("d", {.max_children = 1}), dynamic("any")}});
  const auto d = w.app->find_supervisor("d");
  const auto a = d.start_child<probe>({.name = "a", .log = &w.log, .how = w.how("a")}).value();
  CHECK(d.change(dynamic<probe>("d", {.restart = temporary, .max_children = 5})));
  CHECK(d.start_child<probe>({.name = "b", .log = &w.log}));
  a.cast(boom{});
  w.sim.run();
  CHECK(w.counts("d") == child_counts{1, 1, 0, 1});
  CHECK(d.change(dynamic("d")).is(errc::bad_spec));
  CHECK(w.app->find_supervisor("any").change(dynamic<probe>("any")).is(errc::bad_spec));
  CHECK(w.app->find_supervisor("any").change(dynamic("any", {.max_children = 2})));
}

TEST_CASE("a change that comes during a group restart waits for its end") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    world w{seed};
    w.start({.name = "root", .children = {supervisor{.name = "s", .strategy = one_for_all, .children = {w.worker("a"), w.worker("b")}}}});
    w.at("s/a").cast(boom{});
    w.sim.step(seed % 7);
    CHECK(w.app->find_supervisor("s").change(supervisor{.strategy = one_for_one, .children = {w.worker("a"), w.worker("b")}}));
    w.sim.run();
    CHECK(w.counts("s").active == 2);
  }
}
