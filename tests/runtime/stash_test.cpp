// Messages put away for later: stash and unstash_all.

#include "support.hpp"

#include <herald/engine/core.hpp>
#include <herald/engine/stash.hpp>

using namespace herald;
using namespace herald::test;

namespace {

struct item {
  int number = 0;
  std::string text = "a text that is too long to be kept in the string itself";
};
struct open_up {};
struct close_down {};
struct fail_now {};
struct last {
  using reply = int;
};
struct arm {};

/// Handles items only while it is open; what comes before is put away.
struct gate : process<gate, item, open_up, close_down, fail_now, last, arm> {
  struct args {
    std::vector<int>* seen;
    std::vector<int>* refused;
  };
  explicit gate(args a) : a_{a} {}
  void on(context& self, const item& m) {
    CHECK(m.text.size() == 55);
    if (!open_) {
      if (!self.stash()) a_.refused->push_back(m.number);
      CHECK(m.text.size() == 55);  // it is put away when the handler has returned, not before
      return;
    }
    a_.seen->push_back(m.number);
  }
  void on(context& self, const open_up&) {
    open_ = true;
    self.unstash_all();
  }
  void on(const close_down&) { open_ = false; }
  void on(const fail_now&) { throw std::runtime_error{"gate fails"}; }
  int on(context& self, const last&) {
    if (!open_) {
      self.stash();
      return -1;
    }
    return a_.seen->empty() ? 0 : a_.seen->back();
  }
  void on(context& self, const arm&) {
    self.send_after(1ms, item{77});
    self.send_every(10ms, open_up{});
  }

 private:
  args a_;
  bool open_ = false;
};

struct stash_world : world {
  explicit stash_world(child_options options = {}, std::uint64_t seed = 1) : world{seed} {
    start({.name = "root", .children = {child<gate>("gate", {&seen, &refused}, options)}});
    g = app->find<gate>("gate");
  }
  [[nodiscard]] std::uint32_t away() const { return engine::stashed_in(*g.where().cell); }
  std::vector<int> seen, refused;
  ref<gate> g;
};

}  // namespace

TEST_CASE("what is put away comes back in order and before what waits") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    stash_world w{{}, seed};
    for (int i = 1; i <= 3; ++i) w.g.cast(item{i});
    w.sim.run();
    CHECK(w.seen.empty());
    CHECK(w.away() == 3);
    w.g.cast(open_up{});
    w.g.cast(item{4});
    w.g.cast(close_down{});
    w.g.cast(item{5});
    w.sim.run();
    CHECK(w.seen == std::vector{1, 2, 3, 4});
    CHECK(w.away() == 1);
    w.g.cast(open_up{});
    w.sim.run();
    CHECK(w.seen == std::vector{1, 2, 3, 4, 5});
    CHECK(w.away() == 0);
  }
}

TEST_CASE("a call that is put away is answered when it comes back") {
  stash_world w;
  std::optional<int> answer;
  struct caller : process<caller, open_up> {
    struct args {
      std::optional<int>* answer;
    };
    caller(context& self, args a) {
      self.call(self.find<gate>("gate"), last{}, 10s, [a](result<int> r) { *a.answer = r.value(); });
    }
    void on(const open_up&) {}
  };
  w.g.cast(item{42});
  w.sim.run();
  REQUIRE(w.app->find_supervisor("").start_child(child<caller>("caller", {&answer})));
  w.sim.advance(1s);
  CHECK_FALSE(answer);
  CHECK(w.away() == 2);
  w.g.cast(open_up{});
  w.sim.run();
  REQUIRE(answer);
  CHECK(*answer == 42);
}

TEST_CASE("a full stash refuses: the handler is told, a cast is a dead letter, a call answers overload") {
  stash_world w{{.mailbox = {.stash = 2}}};
  for (int i = 1; i <= 4; ++i) w.g.cast(item{i});
  w.sim.run();
  CHECK(w.refused == std::vector{3, 4});
  CHECK(w.app->inside().dead_letters().by_reason[static_cast<std::size_t>(engine::discard_reason::overflow)] == 2);
  CHECK(w.g.call(last{}, 1s).is(errc::overload));
  w.g.cast(open_up{});
  w.sim.run();
  CHECK(w.seen == std::vector{1, 2});
  w.g.cast(close_down{});
  w.g.cast(item{5});
  w.sim.run();
  CHECK(w.away() == 1);  // there is room again
}

TEST_CASE("Q253: after a crash the next incarnation gets what was put away first, or under drop nobody does") {
  for (const auto keeps : {true, false}) {
    CAPTURE(keeps);
    stash_world w{{.on_restart = keeps ? keep : drop, .backoff = {100ms, 100ms, 0}}};
    for (int i = 1; i <= 3; ++i) w.g.cast(item{i});
    w.sim.run();
    w.g.cast(fail_now{});
    w.sim.run();
    w.g.cast(item{4});  // while it pauses
    w.g.cast(open_up{});
    w.sim.run();
    CHECK(w.seen.empty());
    CHECK(w.away() == 0);
    w.sim.advance(1s);
    w.g.cast(open_up{});
    w.g.cast(item{5});
    w.sim.run();
    if (keeps) {
      // The new incarnation is closed: it puts 1 to 4 away again, until it is opened.
      CHECK(w.seen == std::vector{1, 2, 3, 4, 5});
    } else {
      CHECK(w.seen == std::vector{5});
    }
  }
}

TEST_CASE("calls that were put away at a crash: they wait under keep, and are answered under drop") {
  for (const auto keeps : {true, false}) {
    CAPTURE(keeps);
    stash_world w{{.on_restart = keeps ? keep : drop}};
    std::optional<result<int>> answer;
    struct caller : process<caller, open_up> {
      struct args {
        std::optional<result<int>>* answer;
      };
      caller(context& self, args a) {
        self.call(self.find<gate>("gate"), last{}, 10s, [a](result<int> r) { *a.answer = std::move(r); });
      }
      void on(const open_up&) {}
    };
    REQUIRE(w.app->find_supervisor("").start_child(child<caller>("caller", {&answer})));
    w.sim.run();
    CHECK(w.away() == 1);
    w.g.cast(fail_now{});
    w.sim.run();
    if (keeps) {
      CHECK_FALSE(answer);
      w.g.cast(item{3});
      w.g.cast(open_up{});
      w.sim.run();
      REQUIRE(answer);
      CHECK(answer->value() == 0);  // it was there before the item
    } else {
      REQUIRE(answer);
      CHECK(answer->is(errc::restarting));
    }
  }
}

TEST_CASE("when the process ends for good, what was put away becomes dead letters") {
  stash_world w;
  for (int i = 1; i <= 3; ++i) w.g.cast(item{i});
  w.sim.run();
  REQUIRE(w.app->find_supervisor("").terminate_child("gate"));
  w.sim.run();
  CHECK(w.app->inside().dead_letters().by_reason[static_cast<std::size_t>(engine::discard_reason::noproc)] == 3);
}

TEST_CASE("a timer's message can be put away; it is handled once and no longer the timer's") {
  stash_world w;
  w.g.cast(arm{});
  w.sim.advance(5ms);
  CHECK(w.away() == 1);
  w.sim.advance(6ms);  // the periodic one opens
  CHECK(w.seen == std::vector{77});
  w.sim.advance(50ms);
  CHECK(w.seen == std::vector{77});
}

TEST_CASE("a message in hand at a crash is gone, also when it was to be put away") {
  struct hasty : process<hasty, item, open_up> {
    struct args {
      std::vector<int>* seen;
    };
    explicit hasty(args a) : a_{a} {}
    void on(context& self, const item& m) {
      a_.seen->push_back(m.number);
      if (m.number == 1) {
        self.stash();
        throw std::runtime_error{"changed its mind"};
      }
    }
    void on(context& self, const open_up&) { self.unstash_all(); }
    args a_;
  };
  std::vector<int> seen;
  world w;
  w.start({.name = "root", .children = {child<hasty>("h", {&seen})}});
  const auto h = w.app->find<hasty>("h");
  h.cast(item{1});
  h.cast(item{2});
  h.cast(open_up{});
  w.sim.run();
  CHECK(seen == std::vector{1, 2});
  CHECK(w.told(report::crashed, "h") == 1);
}

TEST_CASE("stash outside of a message's handler is a bug, and says so") {
  struct confused : process<confused, item> {
    confused(context& self) { self.stash(); }
    void on(const item&) {}
  };
  world w;
  w.make({.name = "root", .children = {child<confused>("c")}});
  CHECK_THROWS_WITH(w.app->start(), doctest::Contains("no message is in hand"));
}

TEST_CASE("a handler that overruns puts its message away when it comes back") {
  struct slow : process<slow, item, open_up> {
    struct args {
      std::vector<int>* seen;
    };
    explicit slow(args a) : a_{a} {}
    void on(context& self, const item& m) {
      if (!open_) {
        simulation::stall(1s);
        CHECK(self.stash());
        return;
      }
      a_.seen->push_back(m.number);
    }
    void on(context& self, const open_up&) {
      open_ = true;
      simulation::stall(1s);
      self.unstash_all();
    }
    args a_;
    bool open_ = false;
  };
  std::vector<int> seen;
  world w;
  w.start({.name = "root", .children = {child<slow>("s", {&seen}), w.worker("neighbour")}});
  const auto s = w.app->find<slow>("s");
  s.cast(item{1});
  s.cast(open_up{});
  s.cast(item{2});
  w.sim.advance(5s);
  CHECK(w.told(report::overran) == 2);
  CHECK(seen == std::vector{1, 2});
}
