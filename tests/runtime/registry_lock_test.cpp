// R6: locks of keys.

#include "support.hpp"

#include <herald/registry.hpp>

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

using names = registry<std::string>;

struct take {
  std::string key;
  std::chrono::nanoseconds stall{0};
  std::chrono::milliseconds limit = 1h;
};
struct let_go {};
struct explode {};

/// Takes locks and keeps them until told.
struct keeper : process<keeper, take, let_go, explode> {
  struct args {
    names locks;
    std::string name;
    journal* log;
  };
  keeper(context& self, args a) : self_{self}, a_{std::move(a)} {}
  void on(const take& m) {
    a_.locks.lock(self_, m.key, m.limit, [this, m](result<key_lock> got) {
      a_.log->write(a_.name + (got ? "+" + m.key : " " + std::string{got.error().name()}));
      if (got) held_.push_back(std::move(*got));
      if (m.stall.count() > 0) simulation::stall(m.stall);
    });
  }
  void on(const let_go&) { held_.clear(); }
  void on(const explode&) { throw std::runtime_error{"boom"}; }

 private:
  context& self_;
  args a_;
  std::vector<key_lock> held_;
};

struct keepers : world {
  explicit keepers(std::uint64_t seed = 1) : world{seed} {
    const auto one = [&](const std::string& name) {
      return child<keeper>(name, {locks, name, &log}, {.restart = temporary, .placement = spread});
    };
    start({.name = "root", .children = {one("a"), one("b"), one("c")}});
  }
  template <class M>
  void to(const std::string& name, M m) {
    app->find<keeper>(name).cast(std::move(m));
    sim.run();
  }
  names locks{"locks"};
};

}  // namespace

TEST_CASE("R6: the same key excludes, different keys do not, and waiters come in the order they asked") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    keepers w{seed};
    w.to("a", take{"x"});
    w.to("b", take{"x"});
    w.to("c", take{"x"});
    w.to("c", take{"y"});
    CHECK(w.log.take_text() == "a+x c+y");
    w.to("a", let_go{});
    CHECK(w.log.take_text() == "b+x");
    w.to("b", let_go{});
    CHECK(w.log.take_text() == "c+x");
    w.to("c", let_go{});
    CHECK(w.locks.locked_keys() == 0);
  }
}

TEST_CASE("R6: freed when the holder throws, is stopped, killed or fenced off") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (const std::string how : {"throws", "stops", "is killed", "is stuck"}) {
      keepers w{seed};
      w.to("a", take{"x", how == "is stuck" ? 5s : 0s});
      w.to("b", take{"x"});
      CHECK(w.log.take_text() == "a+x");
      if (how == "throws") w.to("a", explode{});
      if (how == "stops") CHECK(w.app->root().terminate_child("a"));
      if (how == "is stuck") w.sim.advance(200ms);
      if (how == "is killed" || how == "is stuck") CHECK(w.app->kill("a"));
      w.sim.run();
      CHECK(w.log.take_text() == "b+x");
      // A zombie that comes back to an end of its own frees nothing that is another's.
      w.sim.advance(10s);
      w.to("c", take{"x"});
      CHECK(w.log.take_text().empty());
      w.to("b", let_go{});
      CHECK(w.log.take_text() == "c+x");
    }
  }
}

TEST_CASE("R6: a waiter that ends, or whose limit passes, leaves the line") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    keepers w{seed};
    w.to("a", take{"x"});
    w.to("b", take{.key = "x", .limit = 1s});
    w.to("c", take{"x"});
    if (seed % 2 == 0) {
      CHECK(w.app->kill("b"));
    } else {
      w.sim.advance(2s);
      CHECK(w.log.text() == "a+x b timeout");
    }
    w.sim.run();
    w.log.take();
    w.to("a", let_go{});
    CHECK(w.log.take_text() == "c+x");
    CHECK(w.app->kill("c"));
    w.sim.run();
    CHECK(w.locks.locked_keys() == 0);
  }
}

TEST_CASE("R6: a plain thread waits for a lock, at most its limit, and gives it up") {
  keepers w;
  {
    const auto mine = w.locks.lock(*w.app, "x");
    REQUIRE(mine);
    CHECK(w.locks.lock(*w.app, "x", 100ms).is(errc::timeout));
    w.to("a", take{"x"});
    CHECK(w.log.text().empty());
  }
  // The thread's second try was in line before; nobody was there to take it.
  w.sim.run();
  CHECK(w.log.take_text() == "a+x");
  w.to("a", let_go{});
  auto again = w.locks.lock(*w.app, "x").value();
  again.release();
  CHECK_FALSE(again);
  CHECK(w.locks.locked_keys() == 0);
}
