// Sections E (restart types), F (strategies and intensity) and the restart cases of Q.

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

/// A root with one child "a" of this restart type, and plenty of restarts.
struct one_child : world {
  explicit one_child(restart_t type) {
    start({.name = "root", .intensity = {100, 5s}, .children = {worker("a", {.restart = type})}});
    log.take();
  }
  void end(exit_reason why) { tell("a", end_with{std::move(why)}); }
};
const exit_reason shutdown_word{exit_reason::shutdown, "enough"};

supervisor many(std::string name, strategy_t s, intensity_t i, std::vector<child_spec> children) {
  return {.name = std::move(name), .strategy = s, .intensity = i, .children = std::move(children)};
}

}  // namespace

TEST_CASE("E69: a permanent child that ends normally is restarted") {
  one_child w{permanent};
  w.end(exit_reason::normal);
  CHECK(w.counts() == child_counts{1, 1, 0, 1});
  CHECK(w.life_of("a") == 2);
}

TEST_CASE("E70: a transient child that ends normally is not restarted, and its spec is kept") {
  one_child w{transient};
  w.end(exit_reason::normal);
  CHECK(w.counts() == child_counts{1, 0, 0, 1});
  CHECK(w.log.text() == "-a normal ~a");
}

TEST_CASE("E71: a temporary child that ends normally is not restarted, and its spec goes") {
  one_child w{temporary};
  w.end(exit_reason::normal);
  CHECK(w.counts() == child_counts{0, 0, 0, 0});
}

TEST_CASE("E72: a permanent child that ends with shutdown, with or without a word, is restarted") {
  one_child w{permanent};
  w.end(exit_reason::shutdown);
  w.end(shutdown_word);
  CHECK(w.life_of("a") == 3);
}

TEST_CASE("E73: a transient child that ends with shutdown is not restarted; restart_child works in between") {
  one_child w{transient};
  w.end(exit_reason::shutdown);
  CHECK(w.counts() == child_counts{1, 0, 0, 1});
  CHECK(w.app->root().restart_child("a"));
  w.end(shutdown_word);
  CHECK(w.counts() == child_counts{1, 0, 0, 1});
}

TEST_CASE("E74: a temporary child that ends with shutdown is removed, and its id is free again") {
  one_child w{temporary};
  for (int i = 0; i < 2; ++i) {
    w.end(i == 0 ? exit_reason{exit_reason::shutdown} : shutdown_word);
    CHECK(w.counts() == child_counts{0, 0, 0, 0});
    CHECK(w.app->root().start_child(w.worker("a", {.restart = temporary})));
  }
}

TEST_CASE("E75, E76: a permanent or transient child that crashes is restarted as a new incarnation") {
  for (const auto type : std::vector{permanent, transient}) {
    one_child w{type};
    w.crash("a");
    CHECK(w.log.text() == "-a crash ~a +a");
    CHECK(w.life_of("a") == 2);
    w.end({exit_reason::custom, "done"});
    CHECK(w.life_of("a") == 3);
  }
}

TEST_CASE("E77: a temporary child that crashes is removed") {
  one_child w{temporary};
  w.crash("a");
  CHECK(w.counts() == child_counts{0, 0, 0, 0});
  CHECK_FALSE(w.at("a"));
}

namespace {

struct keeper : process<keeper, end_with> {
  struct args {
    std::shared_ptr<int> large;
  };
  keeper(context& self, const args&) : self_{self} {}
  void on(const end_with& m) { self_.stop(m.why); }

 private:
  context& self_;
};

}  // namespace

TEST_CASE("E79, E80: the arguments of temporary children are not kept once they have started") {
  for (const auto s : std::vector{one_for_one, one_for_all, rest_for_one}) {
    world w;
    w.start(many("root", s, {100, 5s}, {}));
    const auto large = std::make_shared<int>(1);
    for (int i = 0; i < 100; ++i)
      REQUIRE(w.app->root().start_child(child<keeper>("t" + std::to_string(i), {large}, {.restart = temporary})));
    w.sim.run();
    CHECK(large.use_count() == 1);
    REQUIRE(w.app->root().start_child(child<keeper>("p", {large})));
    CHECK(large.use_count() > 1);
  }
  world w;
  w.start({.name = "root", .children = {dynamic<keeper>("d", {.restart = temporary})}});
  const auto large = std::make_shared<int>(1);
  const auto d = w.app->find_supervisor("d");
  const auto first = d.start_child<keeper>({large}).value();
  first.cast(end_with{exit_reason::normal});
  w.sim.run();
  REQUIRE(d.start_child<keeper>({large}));
  w.sim.run();
  CHECK(large.use_count() == 1);
}

TEST_CASE("E81: under each strategy permanent and transient specs stay, temporary ones go and free their id") {
  for (const auto s : std::vector{one_for_one, one_for_all, rest_for_one}) {
    world w;
    w.start(many("root", s, {100, 5s},
                 {w.worker("p"), w.worker("t", {.restart = transient}), w.worker("x", {.restart = temporary})}));
    CHECK(w.app->root().terminate_child("p"));
    CHECK(w.app->root().terminate_child("t"));
    CHECK(w.app->root().terminate_child("x"));
    CHECK(w.list() == "t(stopped) p(stopped)");
    CHECK(w.app->root().start_child(w.worker("x", {.restart = temporary})));
    CHECK(w.app->kill("x"));
    w.sim.run();
    CHECK(w.list() == "t(stopped) p(stopped)");
  }
}

TEST_CASE("F83: one_for_one replaces only the child that crashed") {
  world w;
  w.start(many("root", one_for_one, {1, 5s}, {w.worker("a"), w.worker("b")}));
  w.crash("a");
  CHECK(w.life_of("a") == 2);
  CHECK(w.life_of("b") == 1);
  CHECK(w.counts() == child_counts{2, 2, 0, 2});
}

TEST_CASE("F84, F90, F94: with intensity 2 the third restart in the period ends the supervisor, under each strategy") {
  for (const auto s : std::vector{one_for_one, one_for_all, rest_for_one}) {
    world w;
    w.start(many("root", s, {2, 5s}, {w.worker("a"), w.worker("b")}));
    w.crash("a");
    w.crash("a");
    CHECK_FALSE(w.app->ended());
    w.log.take();
    w.crash("a");
    CHECK(w.app->ended());
    CHECK(w.log.text() == "-a crash ~a -b shutdown ~b");
    const auto end = w.app->stop();
    CHECK(end.gave_up);
    CHECK(end.reason == exit_reason{exit_reason::shutdown});
    CHECK(w.told(report::gave_up) == 1);
  }
}

TEST_CASE("F85, F91, F95, F99: a child that cannot start again uses the budget up, and takes the others with it") {
  for (const auto s : std::vector{one_for_one, one_for_all, rest_for_one}) {
    world w;
    w.start(many("root", s, {4, 5s}, {w.worker("a"), w.worker("b"), w.worker("c")}));
    w.how("b")->failing_inits = 1000;
    w.crash("b");
    CHECK(w.app->ended());
    CHECK(w.how("b")->failing_inits == 1000 - 4);
    CHECK(w.log.text().find("~a") != std::string::npos);
    CHECK(w.log.text().find("~c") != std::string::npos);
  }
  world w;
  w.start({.name = "root", .intensity = {0, 5s}, .children = {dynamic<probe>("d", {.intensity = {4, 5s}})}});
  const auto d = w.app->find_supervisor("d");
  const auto a = d.start_child<probe>({.name = "a", .log = &w.log, .how = w.how("a")}).value();
  REQUIRE(d.start_child<probe>({.name = "b", .log = &w.log}));
  w.how("a")->failing_inits = 1000;
  a.cast(boom{});
  w.sim.run();
  CHECK(w.how("a")->failing_inits == 1000 - 4);
  CHECK(w.app->ended());
}

TEST_CASE("F86: with intensity 1 in 1 s a crash every 2.1 s is survived for ever") {
  world w;
  w.start(many("root", one_for_one, {1, 1s}, {w.worker("a")}));
  for (int i = 0; i < 50; ++i) {
    w.crash("a");
    w.sim.advance(2100ms);
  }
  CHECK(w.life_of("a") == 51);
}

TEST_CASE("F87: with intensity 0 the first crash ends the supervisor") {
  world w;
  w.start(many("root", one_for_one, {0, 5s}, {w.worker("a")}));
  w.crash("a");
  CHECK(w.app->ended());
  CHECK(w.log.text() == "+a -a crash ~a");
}

TEST_CASE("F88: exactly N restarts in the period are allowed, to the millisecond") {
  for (const auto gap : std::vector{1000ms, 1001ms}) {
    world w;
    w.start(many("root", one_for_one, {3, 1000ms}, {w.worker("a")}));
    for (int i = 0; i < 3; ++i) w.crash("a");
    w.sim.advance(gap);
    CHECK_FALSE(w.app->ended());
    w.crash("a");
    // A restart exactly one period ago still counts, as in OTP.
    CHECK(w.app->ended() == (gap == 1000ms));
  }
}

TEST_CASE("F89: one_for_all ends the siblings in reverse order and starts all in order") {
  world w;
  w.start(many("root", one_for_all, {5, 5s}, {w.worker("a"), w.worker("b"), w.worker("c", {.restart = temporary})}));
  w.log.take();
  w.crash("a");
  CHECK(w.log.text() == "-a crash ~a -c shutdown ~c -b shutdown ~b +a +b");
  CHECK(w.counts() == child_counts{2, 2, 0, 2});
}

TEST_CASE("E77, F89: a temporary sibling that ends by itself while its group is being stopped does not come back") {
  world w;
  w.how("b")->terminate_stall = 50ms;
  w.start(many("root", one_for_all, {3, 5s}, {w.worker("t", {.restart = temporary, .placement = spread}),
                                              w.worker("b", {.placement = spread}), w.worker("a")}));
  w.log.take();
  w.crash("a");
  w.sim.advance(10ms);
  w.tell("t", boom{});
  w.sim.advance(1s);
  CHECK(w.log.text().find("-t crash ~t") != std::string::npos);
  CHECK(w.log.text().find("+t") == std::string::npos);
  CHECK(w.log.text().ends_with("+b +a"));
  CHECK(w.counts() == child_counts{2, 2, 0, 2});
}

TEST_CASE("F91: one_for_all that fails half way begins again with everybody") {
  world w;
  w.start(many("root", one_for_all, {5, 5s}, {w.worker("a"), w.worker("b"), w.worker("c")}));
  w.log.take();
  w.how("b")->failing_inits = 1;
  w.crash("c");
  CHECK(w.log.text() == "-c crash ~c -b shutdown ~b -a shutdown ~a +a !b -a shutdown ~a +a +b +c");
}

TEST_CASE("F93: rest_for_one ends and restarts those started after the one that crashed") {
  world w;
  w.start(many("root", rest_for_one, {5, 5s}, {w.worker("a"), w.worker("b"), w.worker("c")}));
  w.log.take();
  w.crash("b");
  CHECK(w.log.text() == "-b crash ~b -c shutdown ~c +b +c");
  CHECK(w.life_of("a") == 1);
}

TEST_CASE("F95: rest_for_one that fails half way goes on from the one that failed") {
  world w;
  w.start(many("root", rest_for_one, {5, 5s}, {w.worker("a"), w.worker("b"), w.worker("c"), w.worker("d")}));
  w.log.take();
  w.how("c")->failing_inits = 2;
  w.crash("b");
  CHECK(w.log.text() == "-b crash ~b -d shutdown ~d -c shutdown ~c +b !c !c +c +d");
}

TEST_CASE("F97: a dynamic supervisor replaces only the child that crashed, and gives up at its limit") {
  world w;
  w.start({.name = "root", .intensity = {0, 5s}, .children = {dynamic<probe>("d", {.intensity = {2, 5s}})}});
  const auto d = w.app->find_supervisor("d");
  const auto a = d.start_child<probe>({.name = "a", .log = &w.log}).value();
  const auto b = d.start_child<probe>({.name = "b", .log = &w.log}).value();
  for (int i = 0; i < 2; ++i) {
    a.cast(boom{});
    w.sim.run();
  }
  CHECK(a.call(life{}).value() == 3);
  CHECK(b.call(life{}).value() == 1);
  a.cast(boom{});
  w.sim.run();
  CHECK(w.app->ended());
}

TEST_CASE("F101: a crash in one subtree replaces that worker and nobody else") {
  world w;
  const auto subtree = [&](const std::string& n) { return many(n, one_for_one, {3, 5s}, {w.worker(n + "1"), w.worker(n + "2")}); };
  w.start(many("root", one_for_all, {3, 5s}, {subtree("x"), subtree("y"), subtree("z")}));
  w.crash("y/y1");
  CHECK(w.life_of("y/y1") == 2);
  for (const auto* other : std::vector{"x/x1", "x/x2", "y/y2", "z/z1", "z/z2"}) CHECK(w.life_of(other) == 1);
}

TEST_CASE("F108: a supervisor that is killed is restarted by its parent, and the names lead to the new children") {
  world w;
  w.start(many("root", one_for_one, {3, 5s}, {many("s", one_for_one, {3, 5s}, {w.worker("a")})}));
  const auto a = w.at("s/a");
  w.log.take();
  CHECK(w.app->kill("s"));
  w.sim.run();
  CHECK(w.log.text() == "~a +a");
  CHECK(w.life_of("s/a") == 2);
  CHECK(a.call(life{}).value() == 2);
  CHECK(w.app->find_supervisor("s").restart_child("a").is(errc::running));
}

TEST_CASE("Q251: what a supervisor has started ends before its new life begins, whoever restarts it") {
  world w;
  w.start(many("root", one_for_all, {3, 5s}, {w.worker("a"), many("s", one_for_one, {3, 5s}, {w.worker("x"), w.worker("y")})}));
  w.log.take();
  w.crash("a");
  CHECK(w.log.text() == "-a crash ~a -y shutdown ~y -x shutdown ~x +a +x +y");
  CHECK(w.life_of("s/x") == 2);
}

TEST_CASE("F109, F110: ten thousand dynamic and ten thousand fixed children come and go") {
  world w;
  w.start({.name = "root", .children = {dynamic<probe>("d", {.restart = temporary}), supervisor{.name = "s"}}});
  const auto d = w.app->find_supervisor("d");
  const auto s = w.app->find_supervisor("s");
  std::vector<ref<probe>> all;
  for (int i = 0; i < 10'000; ++i) all.push_back(d.start_child<probe>({.name = "n", .log = &w.log}).value());
  for (const auto& r : all) REQUIRE(d.terminate_child(r));
  CHECK(w.counts("d") == child_counts{1, 0, 0, 0});
  for (int i = 0; i < 10'000; ++i) REQUIRE(s.start_child(w.worker("n" + std::to_string(i))));
  for (int i = 0; i < 10'000; ++i) REQUIRE(s.terminate_child("n" + std::to_string(i)));
  for (int i = 0; i < 10'000; ++i) REQUIRE(s.delete_child("n" + std::to_string(i)));
  CHECK(w.counts("s") == child_counts{0, 0, 0, 0});
}

TEST_CASE("Q246: a ref stays valid over a restart; the message that crashed the process is not handled again") {
  one_child w{permanent};
  const auto a = w.at("a");
  a.cast(note{1});
  a.cast(boom{});
  a.cast(note{2});
  w.sim.run();
  CHECK(w.log.text() == "a:1 -a crash ~a +a a:2");
  CHECK(a == w.at("a"));
}

TEST_CASE("Q252: pauses before restarts double up to their maximum, and start over after a good while") {
  world w;
  w.start(many("root", one_for_one, {100, 1h}, {w.worker("a", {.backoff = {100ms, 400ms, 0}})}));
  const auto until_up = [&] {
    const auto before = w.sim.now();
    const auto lives = w.told(report::restarted);
    w.crash("a");
    REQUIRE(w.sim.run_until([&] { return w.told(report::restarted) > lives; }));
    return std::chrono::duration_cast<std::chrono::milliseconds>(w.sim.now() - before);
  };
  CHECK(until_up() == 100ms);
  CHECK(until_up() == 200ms);
  CHECK(until_up() == 400ms);
  CHECK(until_up() == 400ms);
  w.sim.advance(250ms);
  CHECK(until_up() == 100ms);
}

TEST_CASE("Q253: during a pause casts wait, and calls are told that the process is being restarted") {
  world w;
  w.start(many("root", one_for_one, {100, 1h}, {w.worker("a", {.backoff = {1s, 1s, 0}})}));
  const auto a = w.at("a");
  w.crash("a");
  a.cast(note{1});
  CHECK(a.call(life{}).is(errc::restarting));
  w.log.take();
  w.sim.advance(1s);
  CHECK(w.log.text() == "+a a:1");
}

TEST_CASE("Q264: a child that ends by itself while its supervisor shuts down neither hangs it nor is restarted") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    world w{seed};
    w.start(many("root", one_for_one, {100, 5s}, {w.worker("a", {.placement = spread}), w.worker("b", {.placement = spread})}));
    w.log.take();
    w.at("a").cast(boom{});
    w.at("b").cast(end_with{exit_reason::normal});
    w.app->stop();
    const auto lines = w.log.lines();
    CHECK(std::count(lines.begin(), lines.end(), "~a") == std::count(lines.begin(), lines.end(), "+a") + 1);
    CHECK(w.app->ended());
  }
}
