// gen_statem's timeouts: of states, of events, by name.

#include "state_machine_support.hpp"

using namespace herald;
using namespace herald::test;
using namespace herald::test::machines;
using namespace std::chrono_literals;

TEST_CASE("a state timeout comes when the state has lasted, whatever messages come") {
  lamp_world w{[](lamp& l, context&, int n) { return n == 1 ? l.next(green{}).state_timeout(10ms) : l.keep(); }};
  w.poke_it(1);
  w.take();
  w.sim.advance(6ms);
  CHECK(w.poke_it(0) == "poke0");
  w.sim.advance(6ms);
  CHECK(w.take() == "state_timeout");
  w.sim.advance(1s);
  CHECK(w.take().empty());  // once
}

TEST_CASE("a change of state cancels the state timeout, even when its message waits already") {
  lamp_world w{[](lamp& l, context& self, int n) {
    if (n == 1) return l.keep().state_timeout(10ms);
    if (n == 2) {
      simulation::stall(20ms);
      CHECK(self.read_timer(engine::state_timer) == std::chrono::nanoseconds{0});
      return l.next(green{});
    }
    return go(l, n);
  }};
  w.poke_it(1);
  w.take();
  SUBCASE("before it fires") {
    w.poke_it(3);  // to red, where it is: no change
    w.sim.advance(5ms);
    *w.script_ = [](lamp& l, context&, int) { return l.next(green{}); };
    w.poke_it(9);
  }
  SUBCASE("after it has fired") { w.it.cast(poke{2}); }
  w.sim.advance(100ms);
  CHECK(w.take().find("state_timeout") == std::string::npos);
}

TEST_CASE("setting a state timeout again restarts it; it can be cancelled") {
  lamp_world w{[](lamp& l, context&, int n) {
    return n == 0 ? l.keep().cancel_state_timeout() : l.keep().state_timeout(n * 1ms);
  }};
  w.take();
  w.poke_it(10);
  w.sim.advance(5ms);
  w.poke_it(20);
  w.take();
  w.sim.advance(19ms);
  CHECK(w.take().empty());
  w.sim.advance(1ms);
  CHECK(w.take() == "state_timeout");
  w.poke_it(10);
  w.poke_it(0);
  w.take();
  w.sim.advance(1s);
  CHECK(w.take().empty());
}

TEST_CASE("a state timeout set by the transition belongs to the state that it enters; enter may set one, too") {
  lamp_world w{[](lamp& l, context&, int n) {
    if (n == 2) l.enter_timeout_ = 7ms;
    return n == 3 ? l.next(red{}) : l.next(green{}).state_timeout(50ms);
  }};
  CHECK(w.poke_it(1) == "+red poke1 -red +green");
  w.sim.advance(50ms);
  CHECK(w.take() == "state_timeout");
  w.poke_it(3);
  w.poke_it(2);
  w.take();
  w.sim.advance(8ms);
  CHECK(w.take() == "state_timeout");  // enter's came last, and replaced the other
}

TEST_CASE("a timeout of 0 comes behind what waits, and before what has not come yet") {
  lamp_world w{[](lamp& l, context& self, int n) {
    if (n == 1) {
      self.self().cast(poke{2});
      return l.keep().state_timeout(0ms).then(later{1});
    }
    return l.keep();
  }};
  w.take();
  w.it.cast(poke{1});
  w.sim.run();
  CHECK(w.take() == "poke1 later1 poke2 state_timeout");
}

TEST_CASE("any message cancels an event timeout, internal ones and timeouts too") {
  lamp_world w{[](lamp& l, context&, int n) {
    if (n == 1) return l.keep().event_timeout(10ms);
    if (n == 2) return l.keep().event_timeout(10ms).then(later{1});
    if (n == 3) return l.keep().event_timeout(10ms).state_timeout(5ms);
    return l.keep();
  }};
  w.take();
  SUBCASE("it comes when nothing else does") {
    w.poke_it(1);
    w.sim.advance(1s);
    CHECK(w.take() == "event_timeout");
  }
  SUBCASE("a message") {
    w.poke_it(1);
    w.sim.advance(5ms);
    CHECK(w.poke_it(0) == "poke0");
    w.sim.advance(1s);
    CHECK(w.take().empty());
  }
  SUBCASE("an internal message") {
    CHECK(w.poke_it(2) == "poke2 later1");
    w.sim.advance(1s);
    CHECK(w.take().empty());
  }
  SUBCASE("another timeout") {
    w.poke_it(3);
    w.sim.advance(1s);
    CHECK(w.take() == "state_timeout");
  }
  SUBCASE("one of 0 comes only when nothing waits") {
    *w.script_ = [](lamp& l, context& self, int n) {
      if (n == 2) self.self().cast(poke{0});
      return n == 0 ? l.keep() : l.keep().event_timeout(0ms);
    };
    CHECK(w.poke_it(1) == "poke1 event_timeout");
    CHECK(w.poke_it(2) == "poke2 poke0");
  }
}

TEST_CASE("a named timeout survives messages and changes of state; its name set again replaces it") {
  lamp_world w{[](lamp& l, context&, int n) {
    if (n == 8) return l.keep().timeout("t", 10ms, later{1}).timeout("u", 20ms, later{2});
    if (n == 9) return l.keep().timeout("t", 15ms, later{3});
    if (n == 7) return l.keep().cancel_timeout("u");
    return go(l, n);
  }};
  w.take();
  w.poke_it(8);
  w.poke_it(0);
  w.poke_it(1);
  w.take();
  w.sim.advance(12ms);
  CHECK(w.take() == "later1");
  w.poke_it(8);
  w.poke_it(9);
  w.poke_it(7);
  w.take();
  w.sim.advance(1s);
  CHECK(w.take() == "later3");
}

TEST_CASE("timeouts may be given as points in time") {
  lamp_world w{[](lamp& l, context& self, int) { return l.keep().state_timeout(self.now() + 5ms).timeout("t", self.wall() + 3ms, later{1}); }};
  w.poke_it(1);
  w.take();
  w.sim.advance(10ms);
  CHECK(w.take() == "later1 state_timeout");
}

TEST_CASE("a timeout's message may be postponed") {
  lamp_world w{[](lamp& l, context&, int n) {
    if (n == 2) return l.next(blue{}).timeout("t", 5ms, later{1});
    if (n == 3) return l.next(green{});
    return l.keep();
  }};
  w.poke_it(2);
  w.take();
  w.sim.advance(10ms);
  CHECK(w.take().empty());  // blue postpones it
}

TEST_CASE("a timeout in a state that has no handler for it is a bug, and says so") {
  struct one {};
  struct forgetful : state_machine<forgetful, states<one>, poke> {
    forgetful() : state_machine{one{}} {}
    transition on(const poke&) { return keep().state_timeout(1ms); }
  };
  world w;
  w.start({.name = "root", .children = {child<forgetful>("f")}});
  w.app->find<forgetful>("f").cast(poke{});
  w.sim.advance(10ms);
  REQUIRE(w.told(report::crashed, "f") == 1);
  for (const auto& r : w.reports)
    if (r.kind == report::crashed) CHECK(r.reason.text().find("state_timeout") != std::string::npos);
}
