// Names (R1 to R7 and P233 to P243): what a process registers is found by key from anywhere, and is gone with it.

#include "support.hpp"

#include <atomic>
#include <functional>
#include <thread>

#include <herald/registry.hpp>

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

using names = registry<std::string, int>;
using joined = registered<std::string, int>;
using left = unregistered<std::string, int>;

/// Runs what the test gives it, as a handler of its own.
struct act {
  std::function<void(context&)> what;
};
struct member : process<member, act, note, life, joined, left> {
  struct args {
    std::string name;
    journal* log = nullptr;
    std::function<void(context&)> in_init{}, in_terminate{};
  };
  member(context& self, args a) : self_{self}, a_{std::move(a)} {
    if (a_.in_init) a_.in_init(self);
  }
  void on(context& self, const act& m) { m.what(self); }
  void on(const note& m) { a_.log->write(a_.name + ":" + std::to_string(m.number)); }
  std::uint32_t on(const life&) { return self_.incarnation(); }
  void on(const joined& m) { a_.log->write("+" + m.registry + "." + m.key + "=" + std::to_string(m.value)); }
  void on(const left& m) { a_.log->write("-" + m.registry + "." + m.key + "=" + std::to_string(m.value)); }
  void terminate(const exit_reason&) {
    if (a_.in_terminate) a_.in_terminate(self_);
  }

 private:
  context& self_;
  args a_;
};

/// Some members, spread over hosts, under a supervisor that restarts them.
struct town : world {
  explicit town(std::uint64_t seed = 1, child_options o = {.placement = spread}) : world{seed}, options{o} {
    start({.name = "root", .intensity = {1000, 5s}, .children = {one("a"), one("b"), one("c")}});
  }
  [[nodiscard]] child_spec one(const std::string& name, std::function<void(context&)> in_init = {}) {
    return child<member>(name, {.name = name, .log = &log, .in_init = std::move(in_init)}, options);
  }
  void in(const std::string& path, std::function<void(context&)> what) {
    app->find<member>(path).cast(act{std::move(what)});
    sim.run();
  }
  [[nodiscard]] registration add(const names& r, const std::string& who, const std::string& key, int value = 0) {
    std::optional<registration> answer;
    in(who, [&](context& self) { answer = r.register_key(self, key, value); });
    return *answer;
  }
  [[nodiscard]] any_ref who(const std::string& path) const { return app->find<member>(path); }
  child_options options;
};

[[nodiscard]] std::vector<int> values_of(const std::vector<names::entry>& all) {
  std::vector<int> v;
  for (const auto& e : all) v.push_back(e.value);
  return v;
}

}  // namespace

TEST_CASE("R1, P236: a unique key has one holder; a second registration answers who that is") {
  town w;
  const names r{"rooms"};
  CHECK(w.add(r, "a", "lobby", 1));
  const auto second = w.add(r, "b", "lobby", 2);
  CHECK(second.is(errc::already_registered));
  CHECK(second.holder == incarnation_ref{w.who("a"), 1});
  CHECK(second.error().message() == "the key \"lobby\" of the registry rooms is taken by a");
  CHECK(w.add(r, "a", "lobby").is(errc::already_registered));
  CHECK(r.find("lobby") == w.who("a"));
  CHECK(r.find<member>("lobby") == w.app->find<member>("a"));
  CHECK_FALSE(r.find<probe>("lobby"));
  CHECK_FALSE(r.find("cellar"));
  CHECK(values_of(r.look_up("lobby")) == std::vector{1});
}

TEST_CASE("R1: after the holder's end, of whatever kind, the key is free at once") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (const std::string how : {"stop", "crash", "kill", "terminate_child"}) {
      town w{seed, {.restart = temporary, .placement = spread}};
      const names r{"rooms"};
      bool told = false;
      // Whoever hears of the end finds the key free, and takes it.
      w.in("b", [&](context& self) {
        self.monitor(w.who("a"), [&, me = &self](const down&) {
          told = true;
          CHECK_FALSE(r.find("lobby"));
          CHECK(r.register_key(*me, "lobby", 2));
        });
      });
      REQUIRE(w.add(r, "a", "lobby", 1));
      if (how == "stop") w.in("a", [](context& self) { self.stop(); });
      if (how == "crash") w.in("a", [](context&) { throw std::runtime_error{"boom"}; });
      if (how == "kill") CHECK(w.app->kill("a"));
      if (how == "terminate_child") CHECK(w.app->root().terminate_child("a"));
      w.sim.run();
      CHECK(told);
      CHECK(r.find("lobby") == w.who("b"));
      CHECK(r.count() == 1);
    }
  }
}

TEST_CASE("R1: a process keeps its names while its terminate runs, and what it registers there goes with it") {
  town w;
  const names r{"rooms"};
  bool held = false;
  auto spec = child<member>("d", {.name = "d", .log = &w.log,
                                  .in_init = [&](context& self) { r.register_key(self, "desk").value(); },
                                  .in_terminate = [&](context& self) {
                                    held = r.find("desk") == self.self();
                                    CHECK(r.register_key(self, "late"));
                                  }});
  REQUIRE(w.app->root().start_child(std::move(spec)));
  CHECK(w.app->root().terminate_child("d"));
  CHECK(held);
  CHECK(r.count() == 0);
}

TEST_CASE("R1: owners are incarnations: a restarted process has registered nothing yet") {
  town w;
  const names r{"rooms"};
  REQUIRE(w.add(r, "a", "lobby"));
  w.in("a", [](context&) { throw std::runtime_error{"boom"}; });
  CHECK(w.app->find<member>("a").call(life{}).value() == 2);
  CHECK(r.count() == 0);
  CHECK(w.add(r, "a", "lobby"));
  CHECK(r.look_up("lobby").front().who.incarnation() == 2);
}

TEST_CASE("R1: a stuck holder that is fenced off frees its key, and cannot take another") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    town w{seed};
    const names r{"rooms"};
    REQUIRE(w.add(r, "a", "lobby"));
    bool tried = false;
    w.in("a", [&](context& self) {
      simulation::stall(5s);
      tried = true;
      CHECK(r.register_key(self, "cellar").is(errc::closed));
      CHECK(r.unregister(self, "lobby") == 0);
    });
    w.sim.advance(200ms);
    CHECK(w.app->kill("a"));
    w.sim.run();
    CHECK(w.add(r, "b", "lobby", 2));
    w.sim.advance(10s);
    CHECK(tried);
    CHECK(r.find("lobby") == w.who("b"));
    CHECK(r.count() == 1);
  }
}

TEST_CASE("R1: a handler that overran, and whose host went on without it, registers and unregisters all the same") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    town w{seed};
    const names r{"rooms"};
    w.in("a", [&](context& self) {
      simulation::stall(1s);
      CHECK(r.register_key(self, "lobby", 1));
      CHECK(r.register_key(self, "cellar", 2));
      CHECK(r.unregister(self, "cellar") == 1);
    });
    w.sim.advance(2s);
    CHECK(w.told(report::overran, "a") >= 1);
    CHECK(r.keys(w.who("a")) == std::vector<std::string>{"lobby"});
    w.in("a", [](context&) { throw std::runtime_error{"boom"}; });
    CHECK(r.count() == 0);
  }
}

TEST_CASE("R2, P239: duplicate keys, by one process or many; dispatch reaches all; unregister removes only one's own") {
  town w;
  const names r{"tags", duplicate_keys};
  CHECK(w.add(r, "a", "red", 1));
  CHECK(w.add(r, "b", "red", 2));
  CHECK(w.add(r, "a", "red", 3));
  CHECK(w.add(r, "c", "blue", 4));
  CHECK(r.count() == 4);
  CHECK(r.count("red") == 3);
  std::vector<int> reached;
  CHECK(r.dispatch("red", [&](const any_ref& who, int value) {
    reached.push_back(value);
    who.cast(note{value});
  }) == 3);
  CHECK(reached == std::vector{1, 2, 3});
  w.sim.run();
  CHECK(w.log.size() == 3);
  CHECK(r.cast("red", note{9}) == 3);
  CHECK(r.cast("green", note{9}) == 0);
  w.in("a", [&](context& self) {
    CHECK(r.unregister(self, "red", [](int value) { return value == 1; }) == 1);
    CHECK(r.unregister(self, "blue") == 0);
    CHECK(r.unregister(self, "green") == 0);
  });
  CHECK(values_of(r.look_up("red")) == std::vector{2, 3});
  w.in("a", [&](context& self) { CHECK(r.unregister(self, "red") == 1); });
  CHECK(values_of(r.look_up("red")) == std::vector{2});
}

TEST_CASE("R3: values, match by value, count, keys of a process") {
  town w;
  const names r{"tags", duplicate_keys};
  for (const int i : {1, 2, 3, 2}) REQUIRE(w.add(r, "a", "red", i));
  REQUIRE(w.add(r, "b", "red", 2));
  REQUIRE(w.add(r, "b", "blue", 5));
  CHECK(r.match("red", 2).size() == 3);
  CHECK(values_of(r.match("red", [](int v) { return v > 2; })) == std::vector{3});
  CHECK(r.count_match("red", 7) == 0);
  CHECK(r.values("red", w.who("a")) == std::vector{1, 2, 3, 2});
  auto keys = r.keys(w.who("b"));
  std::sort(keys.begin(), keys.end());
  CHECK(keys == std::vector<std::string>{"blue", "red"});
  CHECK(r.keys(w.who("a")).size() == 4);
  CHECK(r.keys(any_ref{}).empty());
  const auto found = r.select([&](const std::string& key, const incarnation_ref& who, int value) {
    return key == "red" && who.who() == w.who("b") && value == 2;
  });
  CHECK(found.size() == 1);
}

TEST_CASE("R3, P242: one's own unique entry is updated; refused for others and for duplicate keys") {
  town w;
  const names r{"rooms"};
  const names tags{"tags", duplicate_keys};
  REQUIRE(w.add(r, "a", "lobby", 1));
  REQUIRE(w.add(tags, "a", "red", 1));
  const auto more = [](int v) { return v + 10; };
  w.in("a", [&](context& self) {
    CHECK(r.update(self, "lobby", more).value() == 11);
    CHECK(r.update(self, "cellar", more).is(errc::not_found));
    CHECK(tags.update(self, "red", more).is(errc::not_supported));
  });
  w.in("b", [&](context& self) { CHECK(r.update(self, "lobby", more).is(errc::not_found)); });
  CHECK(values_of(r.look_up("lobby")) == std::vector{11});
}

TEST_CASE("R4, P241: listeners get register and unregister with key, ref and value, in the order of each key") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    town w{seed};
    const names r{"rooms"};
    w.in("c", [&](context& self) { CHECK(r.listen<member>(self)); });
    REQUIRE(w.add(r, "a", "lobby", 1));
    CHECK(w.add(r, "b", "lobby", 2).is(errc::already_registered));
    w.in("a", [](context&) { throw std::runtime_error{"boom"}; });
    REQUIRE(w.add(r, "b", "lobby", 2));
    w.in("b", [&](context& self) { CHECK(r.unregister(self, "lobby") == 1); });
    CHECK(w.log.text() == "+rooms.lobby=1 -rooms.lobby=1 +rooms.lobby=2 -rooms.lobby=2");
    w.log.take();
    // It listened as an incarnation, too.
    w.in("c", [](context&) { throw std::runtime_error{"boom"}; });
    REQUIRE(w.add(r, "b", "lobby", 3));
    CHECK(w.log.text().empty());
  }
}

TEST_CASE("R5, P238: via: the name is there before init, and start, call, cast, find and stop go by it") {
  town w;
  const names r{"rooms"};
  bool in_init = false;
  auto spec = w.one("d", [&](context& self) { in_init = r.find("desk") == self.self(); });
  spec.options.via = r.name("desk", 7);
  REQUIRE(w.app->root().start_child(spec));
  CHECK(in_init);
  CHECK(values_of(r.look_up("desk")) == std::vector{7});
  const auto desk = r.at<member>("desk");
  CHECK(desk.call(life{}).value() == 1);
  desk.cast(note{3});
  w.sim.run();
  CHECK(w.log.take_text() == "d:3");
  std::uint32_t seen = 0;
  w.in("a", [&](context& self) {
    desk.call(self, life{}, 1s, [&](result<std::uint32_t> x) { seen = x.value_or(0u); });
  });
  CHECK(seen == 1);
  // Permanent: the end by name is followed by a new life with the same name.
  CHECK(desk.stop());
  CHECK(desk.call(life{}).value() == 2);
  CHECK(w.app->root().terminate_child("d"));
  CHECK_FALSE(desk.find());
  CHECK(desk.call(life{}).is(errc::noproc));
  CHECK(desk.stop().is(errc::noproc));
  desk.cast(note{4});
}

TEST_CASE("R5: a name is free before a failed start returns; a name that is taken is a failed start that says by whom") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    town w{seed};
    const names r{"rooms"};
    auto spec = w.one("d", [&](context&) { throw std::runtime_error{"no"}; });
    spec.options.via = r.name("desk");
    CHECK(w.app->root().start_child(spec).is(errc::start_failed));
    CHECK(r.count() == 0);
    spec = w.one("d", [&](context& self) { self.ignore(); });
    spec.options.via = r.name("desk");
    CHECK(w.app->root().start_child(spec));
    CHECK(r.count() == 0);
    REQUIRE(w.add(r, "a", "desk"));
    spec = w.one("e");
    spec.options.via = r.name("desk");
    const auto taken = w.app->root().start_child(spec);
    REQUIRE(taken.is(errc::start_failed));
    CHECK(taken.error().message().find("the key \"desk\" of the registry rooms is taken by a") != std::string::npos);
    CHECK(r.find("desk") == w.who("a"));
  }
}

TEST_CASE("R5: a dynamic supervisor's children have names from their arguments, also after a restart") {
  world w;
  const names r{"rooms"};
  w.start({.name = "root", .children = {dynamic<member>("d", {.intensity = {100, 5s}, .via = r.name_from<member>(
                                                                  [](const member::args& a) { return "room " + a.name; })})}});
  const auto d = w.app->find_supervisor("d");
  for (const auto* n : {"x", "y", "z"}) REQUIRE(d.start_child<member>({.name = n, .log = &w.log}));
  CHECK(d.start_child<member>({.name = "x", .log = &w.log}).is(errc::start_failed));
  CHECK(r.count() == 3);
  r.at<member>("room y").cast(act{[](context&) { throw std::runtime_error{"boom"}; }});
  w.sim.run();
  CHECK(r.at<member>("room y").call(life{}).value() == 2);
}

TEST_CASE("R5: a name made from another process's arguments is refused with the specification") {
  const names r{"rooms"};
  world w;
  w.make({.name = "root", .children = {w.worker("p", {.via = r.name_from<member>([](const member::args&) { return "x"; })})}});
  const auto started = w.app->try_start();
  REQUIRE(started.is(errc::bad_spec));
  CHECK(started.error().fields().front().message.find("a name made from arguments of type") != std::string::npos);
}

TEST_CASE("P233, P235: what takes a context does nothing for anybody but its own handlers") {
  town w;
  const names r{"rooms"};
  context* of_a = nullptr;
  w.in("a", [&](context& self) { of_a = &self; });
  CHECK(r.register_key(*of_a, "lobby").is(errc::closed));  // a plain thread
  w.in("b", [&](context&) { CHECK(r.register_key(*of_a, "lobby").is(errc::closed)); });
  CHECK(r.count() == 0);
}

TEST_CASE("P240, R7: names at scale: everybody ends, nothing is left, and one process may have many") {
  world w;
  const registry<int, int> r{"numbers"};
  constexpr int count = 20'000;
  w.start({.name = "root", .children = {dynamic<member>("d", {.restart = temporary}), child<member>("one", {.name = "one"})}});
  const auto d = w.app->find_supervisor("d");
  for (int i = 0; i < count; ++i)
    REQUIRE(d.start_child<member>({.name = "m", .log = &w.log, .in_init = [&r, i](context& self) { r.register_key(self, i, i).value(); }}));
  w.app->find<member>("one").cast(act{[&](context& self) {
    for (int i = count; i < 2 * count; ++i) r.register_key(self, i, i).value();
    for (int i = count; i < count + 100; ++i) CHECK(r.unregister(self, i) == 1);
  }});
  w.sim.run();
  CHECK(r.count() == 2 * count - 100);
  CHECK(r.match(77, 77).size() == 1);
  CHECK(w.app->kill("d"));
  w.sim.run();
  CHECK(r.count() == count - 100);
  w.app->stop();
  CHECK(r.count() == 0);
}

TEST_CASE("P243: a register that fails again and again leaves nothing behind") {
  town w;
  const names r{"rooms"};
  REQUIRE(w.add(r, "a", "lobby"));
  w.in("b", [&](context& self) {
    for (int i = 0; i < 1000; ++i) CHECK(r.register_key(self, "lobby").is(errc::already_registered));
  });
  CHECK(r.keys(w.who("b")).empty());
  CHECK(r.count() == 1);
}

TEST_CASE("one registry serves two applications") {
  const names r{"rooms"};
  town one;
  {
    town other;
    REQUIRE(one.add(r, "a", "lobby", 1));
    REQUIRE(other.add(r, "a", "cellar", 2));
    CHECK(other.add(r, "b", "lobby").is(errc::already_registered));
    CHECK(r.count() == 2);
  }
  CHECK(r.count() == 1);
  CHECK(one.add(r, "b", "cellar"));
}

TEST_CASE("R1, R5, threads: a name is free when its holder's stop has returned, and no look-up finds another's") {
  const names r{"rooms"};
  application app{{.name = "root", .children = {dynamic<member>("d", {.restart = temporary, .placement = spread,
                                                                      .via = r.name_from<member>([](const member::args& a) { return a.name; })})}},
                  {.workers = 4, .hosts = 8, .sinks = {[](const report&) {}}}};
  app.start();
  const auto d = app.find_supervisor("d");
  std::atomic<int> wrong{0}, done{0};
  journal log;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      const auto mine = "name " + std::to_string(t % 2 == 0 ? t : 1);
      for (int i = 0; i < 300; ++i) {
        const auto started = d.start_child<member>({.name = mine, .log = &log});
        if (t % 2 == 0) {
          // Nobody else uses this name.
          if (!started || r.find<member>(mine) != *started || !r.at<member>(mine).stop() || r.find(mine)) ++wrong;
        } else if (started) {
          if (!r.at<member>(mine).stop()) ++wrong;
        } else if (!started.is(errc::start_failed)) {
          ++wrong;
        }
      }
      ++done;
    });
  for (auto& t : threads) t.join();
  CHECK(wrong == 0);
  CHECK(done == 4);
  CHECK(r.count() == 0);
  app.stop();
}
