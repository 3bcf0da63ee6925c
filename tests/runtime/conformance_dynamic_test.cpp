// Section J, Elixir's part: extra arguments, children with specs of their own, starts that block nobody, the stop of many.

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

/// Answers with what it was made from.
struct member : process<member, who_are_you, boom> {
  struct extra_args {
    std::string common;
  };
  struct args {
    std::string own;
  };
  member(context& self, const extra_args& extra, const args& a)
      : text_{extra.common + "+" + a.own + "#" + std::to_string(self.incarnation())} {}
  std::string on(const who_are_you&) { return text_; }
  void on(const boom&) { throw std::runtime_error{"boom"}; }

 private:
  std::string text_;
};
/// Wants extra arguments only.
struct guest : process<guest, who_are_you> {
  struct extra_args {
    int house = 0;
  };
  guest(context&, const extra_args& extra) : house_{extra.house} {}
  std::string on(const who_are_you&) { return "house " + std::to_string(house_); }

 private:
  int house_;
};
struct plain : process<plain, who_are_you> {
  std::string on(const who_are_you&) { return "plain"; }
};

/// Runs requests from inside a handler.
struct inside {
  std::function<void(context&)> code;
};
struct asker : process<asker, inside> {
  explicit asker(context& self) : self_{self} {}
  void on(const inside& m) { m.code(self_); }

 private:
  context& self_;
};

void in_handler(world& w, std::function<void(context&)> code) {
  w.app->find<asker>("asker").cast(inside{std::move(code)});
  w.sim.run();
}

struct any_world : world {
  explicit any_world(dynamic_supervisor_options o = {}) {
    start({.name = "root", .children = {dynamic("d", std::move(o)), child<asker>("asker")}});
    log.take();
  }
  [[nodiscard]] supervisor_ref d() const { return app->find_supervisor("d"); }
};

}  // namespace

TEST_CASE("J131: dynamic supervisors under a static one are reachable by their names, side by side") {
  world w;
  w.start({.name = "root", .children = {dynamic("a"), dynamic("b"), supervisor{.name = "s", .children = {dynamic("a")}}}});
  for (const auto* path : std::vector{"a", "b", "s/a"}) {
    REQUIRE(w.app->find_supervisor(path));
    CHECK(w.app->find_supervisor(path).start_child(w.worker("x")));
    CHECK(w.counts(path) == child_counts{1, 1, 0, 1});
  }
  CHECK(w.app->root().start_child(dynamic("a")).is(errc::already_started));
}

TEST_CASE("D50: a child that is terminated before it has its place ends as soon as it has one (seeds)") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    world w{seed};
    w.start({.name = "root", .children = {child<asker>("asker")}});
    std::string ended;
    in_handler(w, [&](context& self) {
      for (const std::string id : {"x", "y", "z"}) {  // one for each host
        w.app->root().start_child(self, w.worker(id, {.placement = spread}), 1s, [](const result<any_ref>&) {});
        w.app->root().terminate_child(self, id, 1s, [&](const result<void>& r) { ended += r ? "ok " : "? "; });
      }
    });
    w.sim.advance(2s);
    CHECK(ended == "ok ok ok ");
    CHECK(w.counts().active == 1);
  }
}

TEST_CASE("J133: what is wrong with a dynamic supervisor's options is told before it starts") {
  const auto text = [](const child_spec& d) {
    const auto r = check_spec(child_spec{supervisor{.name = "root", .children = {d}}});
    return r ? std::string{"fine"} : r.error().fields().at(0).field + " " + r.error().fields().at(0).message;
  };
  CHECK(text(dynamic("d")) == "fine");
  CHECK(text(dynamic("d", {.intensity = {-1, 5s}})) == "d has an intensity of -1 restarts; wanted: 0 up");
  CHECK(text(dynamic("d", {.intensity = {1, 0s}})) == "d has an intensity period of 0 ms; wanted: 1 up");
  CHECK(text(dynamic("d", {.max_children = 0})) == "d has max_children 0; wanted: 1 up");
  CHECK(text(dynamic("d", {.significant = true})) == "d is significant, but its supervisor's auto_shutdown is never");
  CHECK(text(dynamic("d", {.extra_args = {member::extra_args{"x"}, member::extra_args{"y"}}})).find("twice") != std::string::npos);
  CHECK(text(dynamic<member>("d", {"x"})) == "fine");
}

TEST_CASE("J134: extra arguments come before a child's own, at the first start and at every restart") {
  world w;
  w.start({.name = "root", .children = {dynamic<member>("d", {"common"}), dynamic<guest>("g", {7})}});
  const auto d = w.app->find_supervisor("d");
  const auto a = d.start_child<member>({"a"}).value();
  const auto b = d.start_child<member>({"b"}).value();
  CHECK(a.call(who_are_you{}).value() == "common+a#1");
  CHECK(b.call(who_are_you{}).value() == "common+b#1");
  for (int life = 2; life <= 4; ++life) {
    a.cast(boom{});
    w.sim.run();
    CHECK(a.call(who_are_you{}).value() == "common+a#" + std::to_string(life));
    w.sim.advance(10s);
  }
  CHECK(w.app->find_supervisor("g").start_child<guest>().value().call(who_are_you{}).value() == "house 7");
}

TEST_CASE("J134: children of different types get the extra arguments of their own type") {
  any_world w{{.extra_args = {member::extra_args{"all"}, guest::extra_args{3}}}};
  const auto a = w.d().start_child(child<member>("a", {"one"})).value();
  CHECK(ref<member>{a.where()}.call(who_are_you{}).value() == "all+one#1");
  CHECK(w.d().start_child<member>({"two"}).value().call(who_are_you{}).value() == "all+two#1");
  CHECK(w.d().start_child<guest>().value().call(who_are_you{}).value() == "house 3");
  CHECK(w.d().start_child<plain>().value().call(who_are_you{}).value() == "plain");
  any_ref{a}.cast(boom{});
  w.sim.run();
  CHECK(ref<member>{a.where()}.call(who_are_you{}).value() == "all+one#2");
}

TEST_CASE("J134: a type whose extra arguments nobody has is refused, and so is one under a static supervisor") {
  any_world w{{.extra_args = guest::extra_args{3}}};
  const auto r = w.d().start_child(child<member>("a", {"x"}));
  REQUIRE(r.is(errc::bad_spec));
  CHECK(r.error().to_string().find("a wants extra_args of the type") != std::string::npos);
  CHECK(w.d().start_child<member>({"x"}).is(errc::bad_spec));
  CHECK(w.app->root().start_child(child<member>("a", {"x"})).is(errc::bad_spec));
  CHECK(check_spec(child_spec{supervisor{.name = "root", .children = {child<member>("a", {"x"})}}}).is(errc::bad_spec));
  CHECK(w.counts("d") == child_counts{0, 0, 0, 0});
}

TEST_CASE("J135: an invalid spec answers before the supervisor is contacted") {
  any_world w;
  auto wrong = w.worker("a", {.mailbox = {.limit = 0}});
  const auto dead = w.d();
  CHECK(w.app->root().terminate_child("d"));
  CHECK(dead.start_child(wrong).is(errc::bad_spec));
  CHECK(dead.start_child(w.worker("a")).is(errc::noproc));
  std::string told;
  in_handler(w, [&](context& self) {
    dead.start_child(self, wrong, 1s, [&](const result<any_ref>& r) { told = std::string{r.error().name()}; });
  });
  CHECK(told == "bad_spec");
}

TEST_CASE("J136, J137: every way in which a start can go is answered, and the supervisor lives on") {
  any_world w;
  CHECK(w.d().start_child(w.worker("ok")).value());
  w.how("ignores")->ignores = true;
  CHECK_FALSE(w.d().start_child(w.worker("ignores")).value());
  w.how("refuses")->refusing_inits = 1;
  const auto refused = w.d().start_child(w.worker("refuses"));
  REQUIRE(refused.is(errc::start_failed));
  CHECK(refused.error().message().find("refuses is not ready") != std::string::npos);
  w.how("throws")->failing_inits = 1;
  const auto threw = w.d().start_child(w.worker("throws"));
  REQUIRE(threw.is(errc::start_failed));
  CHECK(threw.error().message().find("std::runtime_error: throws cannot start") != std::string::npos);
  CHECK(w.counts("d") == child_counts{1, 1, 0, 1});
}

TEST_CASE("J: children with specs of their own live side by side, supervisors too, and ids may be the same") {
  any_world w;
  const auto a = w.d().start_child(w.worker("a", {.restart = transient})).value();
  const auto again = w.d().start_child(w.worker("a", {.restart = temporary, .placement = spread})).value();
  const auto tree = w.d().start_child(supervisor{.name = "s", .children = {w.worker("x")}}).value();
  CHECK(a != again);
  CHECK(w.counts("d") == child_counts{3, 3, 1, 2});
  CHECK(w.list("d") == "s a a");
  CHECK(w.d().get_childspec(a).value().options.restart == transient);
  CHECK(w.d().get_childspec(again).value().options.restart == temporary);
  CHECK(supervisor_ref{tree.where()}.count_children().value() == child_counts{1, 1, 0, 1});
  a.cast(boom{});
  again.cast(boom{});
  w.sim.run();
  CHECK(w.counts("d") == child_counts{2, 2, 1, 1});
  CHECK(w.d().terminate_child(tree));
  CHECK(w.counts("d") == child_counts{1, 1, 0, 1});
  CHECK(w.d().terminate_child("a").is(errc::not_supported));
}

TEST_CASE("J: max_children holds for children of any kind") {
  any_world w{{.max_children = 2}};
  CHECK(w.d().start_child(w.worker("a")));
  CHECK(w.d().start_child<plain>());
  CHECK(w.d().start_child(w.worker("b")).is(errc::max_children));
  CHECK(w.d().start_child<plain>().is(errc::max_children));
}

TEST_CASE("J: a slow init blocks nobody: others start and requests are answered meanwhile") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    world w{seed};
    w.start({.name = "root", .children = {dynamic("d"), child<asker>("asker", {.placement = spread})}});
    const auto d = w.app->find_supervisor("d");
    w.how("slow")->init_stall = 30s;
    bool slow_up = false;
    w.app->find<asker>("asker").cast(inside{[&](context& self) {
      d.start_child(self, w.worker("slow"), 60s, [&](const result<any_ref>& r) { slow_up = r.has_value(); });
    }});
    w.sim.run();
    const auto begun = w.sim.now();
    CHECK(d.start_child(w.worker("quick")));
    CHECK(w.list("d") == "quick slow(starting)");
    CHECK(d.terminate_child(d.which_children().value()[0].who));
    CHECK(w.sim.now() - begun < 1s);  // once: until the host has changed hands
    CHECK_FALSE(slow_up);
    w.sim.advance(40s);
    CHECK(slow_up);
    CHECK(w.list("d") == "slow");
  }
}

TEST_CASE("J: children of a dynamic supervisor end side by side: many cost no round trip each") {
  const auto steps_of = [](std::size_t children, placement_t where) {
    world w{7};
    w.start({.name = "root", .children = {dynamic<probe>("d", {.restart = temporary, .placement = where}), child<asker>("asker")}});
    const auto d = w.app->find_supervisor("d");
    for (std::size_t i = 0; i < children; ++i)
      REQUIRE(d.start_child<probe>({.name = "n", .log = &w.log, .how = w.how("n")}));
    w.sim.run();
    bool over = false;
    w.app->find<asker>("asker").cast(inside{[&](context& self) {
      w.app->root().terminate_child(self, "d", 60s, [&](const result<void>& r) { over = r.has_value(); });
    }});
    std::uint64_t steps = 0;
    for (std::uint64_t n = 1; n != 0; steps += n) n = w.sim.step(100);
    CHECK(over);
    CHECK(w.log.size() == 3 * children);
    return steps;
  };
  // One after the other, each would cost its host a step and the supervisor's another.
  CHECK(steps_of(2000, together) < 200);
  CHECK(steps_of(2000, spread) < 200);
}

TEST_CASE("every request has a form for handlers with the same result") {
  any_world w;
  const auto root = w.app->root();
  std::vector<std::string> told;
  const auto note = [&](const char* what, const auto& r) {
    told.push_back(std::string{what} + (r ? "" : " " + std::string{r.error().name()}));
  };
  in_handler(w, [&](context& self) {
    root.start_child(self, w.worker("a"), 1s, [&](const result<any_ref>& r) { note("start", r); });
    root.get_childspec(self, "a", 1s, [&](const result<child_spec>& r) { note("spec", r); });
    root.count_children(self, 1s, [&](const result<child_counts>& r) { note("count", r); });
    root.which_children(self, 1s, [&](const result<std::vector<child_info>>& r) { note("which", r); });
    root.delete_child(self, "a", 1s, [&](const result<void>& r) { note("delete", r); });
    root.reset_backoff(self, "a", 1s, [&](const result<void>& r) { note("reset", r); });
    w.d().start_child<plain>(self, 1s, [&](const result<ref<plain>>& r) { note("typed", r); });
    w.d().kill_child(self, "nobody", 1s, [&](const result<void>& r) { note("kill", r); });
  });
  std::sort(told.begin(), told.end());
  CHECK(told == std::vector<std::string>{"count", "delete running", "kill not_found", "reset", "spec", "start", "typed", "which"});
  told.clear();
  in_handler(w, [&](context& self) {
    root.terminate_child(self, "a", 1s, [&, &self = self](const result<void>& r) {
      note("terminate", r);
      root.restart_child(self, "a", 1s, [&](const result<any_ref>& again) {
        note("restart", again);
        root.change(self, supervisor{.intensity = {9, 1s}}, 1s, [&](const result<void>& changed) { note("change", changed); });
      });
    });
  });
  CHECK(told == std::vector<std::string>{"terminate", "restart", "change"});
  // The blocking forms refuse inside a handler.
  in_handler(w, [&](context&) { told.push_back(std::string{root.count_children().error().name()}); });
  CHECK(told.back() == "would_block");
}

TEST_CASE("requests that an occupied supervisor puts off are bounded; one more answers overload") {
  world w;
  w.start({.name = "root",
           .children = {child<asker>("asker"),
                        supervisor{.name = "g", .strategy = one_for_all, .children = {w.worker("a"), w.worker("b", {.shutdown = infinity, .placement = own_thread})}}}});
  w.how("b")->terminate_stall = 60s;
  w.crash("g/a");  // b has to end first, and takes its time
  const auto g = w.app->find_supervisor("g");
  std::size_t overload = 0, unknown = 0;
  in_handler(w, [&](context& self) {
    for (std::size_t i = 0; i < max_deferred_requests + 5; ++i)
      g.terminate_child(self, "nobody", 100s, [&](const result<void>& r) { ++(r.is(errc::overload) ? overload : unknown); });
  });
  CHECK(overload == 5);
  CHECK(unknown == 0);
  CHECK(g.count_children());  // what does not get in its way is answered
  w.sim.advance(70s);
  CHECK(overload == 5);
  CHECK(unknown == max_deferred_requests);
  CHECK(w.counts("g").active == 2);
}

TEST_CASE("D82: a child that start_child starts is not told of; its crash is, once") {
  any_world w;
  w.reports.clear();
  const auto a = w.d().start_child(w.worker("a", {.restart = temporary})).value();
  CHECK(w.reports.empty());
  a.cast(boom{});
  w.sim.run();
  CHECK(w.told(report::crashed) == 1);
  CHECK(w.reports.size() == 1);
}

TEST_CASE("J141: dynamic children of each restart type that end by shutdown, shutdown with a word, or otherwise") {
  struct ending {
    exit_reason why;
    bool clean;
  };
  for (const auto& e : std::vector<ending>{{exit_reason::shutdown, true}, {{exit_reason::shutdown, "word"}, true}, {{exit_reason::custom, "x"}, false}})
    for (const auto r : std::vector{permanent, transient, temporary}) {
      any_world w;
      const auto a = w.d().start_child(w.worker("a", {.restart = r})).value();
      a.cast(end_with{e.why});
      w.sim.run();
      const bool back = r == permanent || (r == transient && !e.clean);
      CHECK(w.counts("d") == (back ? child_counts{1, 1, 0, 1} : child_counts{0, 0, 0, 0}));
    }
}

TEST_CASE("J144: one restart allowed and a restart that always fails: the supervisor ends, with shutdown") {
  any_world w{{.intensity = {1, 5s}}};
  const auto a = w.d().start_child(w.worker("a")).value();
  w.how("a")->failing_inits = 100;
  a.cast(boom{});
  w.sim.run();
  CHECK(w.how("a")->failing_inits == 99);
  const auto told = std::find_if(w.reports.begin(), w.reports.end(), [](const report& r) { return r.kind == report::gave_up; });
  REQUIRE(told != w.reports.end());
  CHECK(told->reason.kind() == exit_reason::shutdown);
  CHECK(w.counts("d") == child_counts{0, 0, 0, 0});  // and its parent has started it again
}

TEST_CASE("J146: children that answer the stop with a shutdown of their own word end cleanly") {
  any_world w;
  const auto a = w.d().start_child(w.worker("a")).value();
  a.cast(end_with{exit_reason{exit_reason::shutdown, "oops"}});
  CHECK(w.app->root().terminate_child("d"));
  CHECK(w.told(report::shutdown_error) == 0);
  CHECK(w.told(report::crashed) == 0);
}
