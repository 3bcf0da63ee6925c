// Trees that are added while the application runs, and the handle that ends them.

#include <stdexcept>
#include <thread>

#include <doctest/doctest.h>

#include <herald/runtime.hpp>
#include <herald/testing.hpp>

using namespace herald;
using namespace std::chrono_literals;

namespace {

struct crash {};
struct count {
  using reply = int;
};
struct log {
  int inits = 0;
  int ends = 0;
};

struct worker : process<worker, crash, count> {
  struct args {
    log* into;
    bool fails = false;
  };
  worker(context& self, args a) : a_{a} {
    if (a_.fails) self.fail("no disk");
    ++a_.into->inits;
  }
  void on(const crash&) { throw std::runtime_error{"boom"}; }
  int on(const count&) { return a_.into->inits; }
  void terminate(const exit_reason&) { ++a_.into->ends; }

 private:
  args a_;
};

struct own {
  std::string name;
  log* into;
};
struct ended_one {};
struct let_go {};

/// Starts a tree and owns it.
struct owner : process<owner, own, let_go, ended_one, crash> {
  explicit owner(context&) {}
  void on(context& self, const own& o) {
    spawn(self, supervisor{.name = o.name, .children = {child<worker>("w", {o.into})}}, 5s, [this](result<spawned> r) {
      if (r) tree_ = std::move(*r);
    });
  }
  void on(context& self, const let_go&) {
    tree_.stop(self, 5s, [me = self.as<owner>()](result<void> r) {
      if (r) me.cast(ended_one{});
    });
  }
  void on(const ended_one&) { ++told; }
  void on(const crash&) { throw std::runtime_error{"boom"}; }
  inline static int told = 0;

 private:
  spawned tree_;
};

supervisor small() { return {.name = "app", .intensity = {100, 5s}, .children = {child<owner>("owner")}}; }

}  // namespace

TEST_CASE("a tree added at run time runs, is found by path, and ends with its handle") {
  testing::for_seeds(20, [](std::uint64_t seed) {
    testing::world w{small(), {.seed = seed}};
    w.start();
    log l;
    {
      auto tree = w.app().spawn(supervisor{.name = "import", .children = {child<worker>("a", {&l}), child<worker>("b", {&l})}}).value();
      REQUIRE(tree);
      CHECK(l.inits == 2);
      CHECK(tree.supervisor().count_children().value().active == 2);
      CHECK_FALSE(tree.as<worker>());
      CHECK(w.app().find<worker>("import/a"));
      const auto twice = w.app().spawn(supervisor{.name = "import"});
      CHECK(twice.error().is(errc::already_started));
      w.find<worker>("import/a").cast(crash{});
      w.run();
      CHECK(l.inits == 3);
    }
    CHECK(l.ends == 3);
    CHECK_FALSE(w.app().find_supervisor("import"));
    CHECK(w.app().root().count_children().value().specs == 1);
    auto again = w.app().spawn(child<worker>("import", {&l})).value();
    CHECK(w.ask(again.as<worker>(), count{}) == 4);
    CHECK_FALSE(again.supervisor());
    again.stop().value();
    CHECK_FALSE(again);
    again.stop().value();
    CHECK(l.ends == 4);
  });
}

TEST_CASE("what does not start leaves nothing behind, and says why") {
  testing::world w{small()};
  w.start();
  log l;
  const auto failed = w.app().spawn(child<worker>("w", {&l, true}));
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message().find("no disk") != std::string::npos);
  const auto unnamed = w.app().spawn(child<worker>("", {&l}));
  CHECK(unnamed.error().is(errc::bad_spec));
  CHECK(w.app().root().count_children().value().specs == 1);
  w.stop();
  CHECK(w.app().spawn(child<worker>("w", {&l})).error().is(errc::noproc));
}

TEST_CASE("a handle may be moved, let go of, and outlive its application") {
  log l;
  spawned kept;
  {
    testing::world w{small()};
    w.start();
    {
      auto first = w.app().spawn(child<worker>("first", {&l})).value();
      first = w.app().spawn(child<worker>("second", {&l})).value();
      CHECK(l.ends == 1);
      CHECK_FALSE(w.app().find<worker>("first"));
      first.release();
    }
    CHECK(w.app().find<worker>("second"));
    kept = w.app().spawn(child<worker>("third", {&l})).value();
  }
  CHECK(l.ends == 3);
  kept.stop().value();
}

TEST_CASE("a process's tree ends with it, however it ends, also when its start was still under way") {
  testing::for_seeds(60, [](std::uint64_t seed) {
    testing::world w{small(), {.seed = seed}};
    w.start();
    log l;
    w.find<owner>("owner").cast(own{"mine", &l});
    w.sim().step(seed % 12);
    w.find<owner>("owner").cast(crash{});
    w.run();
    CHECK(l.inits == l.ends);
    CHECK_FALSE(w.app().find_supervisor("mine"));
    CHECK(w.app().root().count_children().value().specs == 1);
    owner::told = 0;
    w.find<owner>("owner").cast(own{"mine", &l});
    w.run();
    CHECK(w.app().find<worker>("mine/w"));
    w.find<owner>("owner").cast(let_go{});
    w.run();
    CHECK(owner::told == 1);
    CHECK_FALSE(w.app().find<worker>("mine/w"));
  });
}

TEST_CASE("inside a handler the blocking forms say so") {
  struct asks : process<asks, count> {
    struct args {
      application** app;
    };
    explicit asks(args a) : a_{a} {}
    int on(const count&) { return (*a_.app)->spawn(child<owner>("x")).error().is(errc::would_block) ? 1 : 0; }
    args a_;
  };
  application* it = nullptr;
  testing::world w{{.name = "app", .children = {child<asks>("asks", {&it})}}};
  it = &w.app();
  w.start();
  CHECK(w.ask(w.find<asks>("asks"), count{}) == 1);
}

TEST_CASE("handles end on several threads while the application stops") {
  for (int round = 0; round < 20; ++round) {
    log l[4];
    std::vector<std::jthread> threads;
    application app{small(), {.sinks = {[](const report&) {}}}};
    app.start();
    for (auto& one : l)
      threads.emplace_back([&app, &one] {
        for (int i = 0; i < 5; ++i) {
          auto tree = app.spawn(child<worker>("w" + std::to_string(reinterpret_cast<std::uintptr_t>(&one)), {&one}));
          if (!tree) return;
        }
      });
    app.stop();
    threads.clear();
    for (const auto& one : l) CHECK(one.inits == one.ends);
  }
}
