// gen_statem's documented rules, one test each, on a machine whose answers the test chooses; its timeouts are in
// state_machine_timeout_test.cpp.

#include "state_machine_support.hpp"

#include <herald/engine/core.hpp>

using namespace herald;
using namespace herald::test;
using namespace herald::test::machines;
using namespace std::chrono_literals;

namespace {

struct waiting {};
struct ready {};
struct fetched {
  std::uint32_t life;
};
struct go_on {};
struct fetcher : state_machine<fetcher, states<waiting, ready>, fetched, down, go_on> {
  struct args {
    std::vector<std::string>* log;
  };
  fetcher(context& self, args a) : state_machine{waiting{}}, log_{a.log} {
    self.monitor(self.find<probe>("p"));
    self.call(self.find<probe>("p"), life{}, 1s, [this, &self](result<std::uint32_t> r) { raise(self, fetched{r.value()}); });
  }
  void on(const waiting&, const fetched& m) { log_->push_back("fetched" + std::to_string(m.life)); }
  transition on(const waiting&, const go_on&) { return next(ready{}); }
  void on(const ready&, const down&) { log_->push_back("down"); }
  using postpones = rules<in<waiting, down>>;
  using ignores = rules<in<ready, fetched, go_on>>;
  std::vector<std::string>* log_;
};

}  // namespace

TEST_CASE("the initial state is entered before any message") {
  lamp_world w;
  CHECK(w.take() == "+red");
}

TEST_CASE("a change of state leaves the old and enters the new; keep and the same state again do neither") {
  lamp_world w{plain()};
  w.take();
  CHECK(w.poke_it(0) == "poke0");
  CHECK(w.poke_it(3) == "poke3");  // next(red{}) in red{0}: equal, so no change
  CHECK(w.poke_it(1) == "poke1 -red +green");
  CHECK(w.poke_it(1) == "poke1");  // an empty state is equal to itself
  CHECK(w.poke_it(2) == "poke2 -green +blue from green");
}

TEST_CASE("a state with another value is another state") {
  lamp_world w{[](lamp& l, context&, int n) { return l.next(red{n}); }};
  w.take();
  CHECK(w.poke_it(1) == "poke1 -red +red");
  CHECK(w.poke_it(1) == "poke1");
}

TEST_CASE("repeat enters the state again without being a change") {
  lamp_world w{[](lamp& l, context&, int n) {
    return n == 1 ? l.keep().state_timeout(10ms) : n == 2 ? l.postpone() : l.repeat();
  }};
  w.take();
  w.poke_it(1);
  CHECK(w.poke_it(2) == "poke2");
  CHECK(w.poke_it(3) == "poke3 -red +red");  // what was postponed stays, and so does the timeout
  w.sim.advance(20ms);
  CHECK(w.take() == "state_timeout");
}

TEST_CASE("a handler for the state goes before the one for all states") {
  lamp_world w{plain()};
  w.poke_it(2);
  w.take();
  CHECK(w.poke_it(5) == "blue5");
}

TEST_CASE("handlers may change the state's own data, which goes with the state") {
  lamp_world w{plain()};
  CHECK(w.it.call(only_red{}).value() == 1);
  CHECK(w.it.call(only_red{}).value() == 2);
  w.poke_it(1);
  w.poke_it(3);
  CHECK(w.it.call(only_red{}).value() == 1);
}

TEST_CASE("a postponed message is retried after a change of state and not before, in order and before newer ones") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    lamp_world w{[](lamp& l, context&, int n) { return n >= 10 && !l.is<green>() ? l.postpone() : go(l, n); }, {}, {}, seed};
    w.take();
    for (const int n : {10, 11, 0, 12, 1, 13}) w.it.cast(poke{n});
    w.sim.run();
    CHECK(w.take() == "poke10 poke11 poke0 poke12 poke1 -red +green poke10 poke11 poke12 poke13");
  }
}

TEST_CASE("what is postponed again waits for the next change") {
  lamp_world w{[](lamp& l, context&, int n) { return n >= 10 ? l.postpone() : go(l, n); }};
  w.take();
  w.poke_it(10);
  w.poke_it(11);
  CHECK(w.take().empty());
  CHECK(w.poke_it(1) == "poke1 -red +green poke10 poke11");
  CHECK(w.poke_it(3) == "poke3 -green +red poke10 poke11");
}

TEST_CASE("a message may be postponed by the very transition that changes the state") {
  lamp_world w{[](lamp& l, context&, int n) { return l.is<red>() ? l.next(green{}).postpone() : go(l, n); }};
  w.take();
  CHECK(w.poke_it(7) == "poke7 -red +green poke7");
}

TEST_CASE("declared pairs: ignored, postponed, and calls that are refused or postponed") {
  lamp_world w{plain()};
  w.it.cast(noise{});
  w.poke_it(2);
  w.take();
  w.it.cast(later{1});
  w.sim.run();
  CHECK(w.take().empty());
  const auto refused = w.it.call(only_red{});
  REQUIRE(refused.is(errc::refused));
  CHECK(refused.error().message().find("lamp") != std::string::npos);
  CHECK(refused.error().message().find("blue") != std::string::npos);
  CHECK(refused.error().message().find("only_red") != std::string::npos);
  CHECK(w.it.call(query{}, 50ms).is(errc::timeout));  // it waits for another state
}

TEST_CASE("replies: with a transition, at once, from a later state, without a value") {
  lamp_world w{plain()};
  w.take();
  CHECK(w.it.call(query{}).value() == "red");
  CHECK(w.it.call(order{}));  // to green
  CHECK(w.take() == "-red +green");
  CHECK(w.it.call(query{}).value() == "green");
  CHECK(w.take() == "-green +blue from green");
  // In blue the call is postponed; the state that follows answers it.
  std::optional<std::string> answer;
  struct caller : process<caller, noise> {
    struct args {
      std::optional<std::string>* answer;
    };
    caller(context& self, args a) {
      self.call(self.find<lamp>("lamp"), query{}, 10s, [a](result<std::string> r) { *a.answer = r.value(); });
    }
    void on(const noise&) {}
  };
  REQUIRE(w.app->find_supervisor("").start_child(child<caller>("caller", {&answer})));
  w.sim.run();
  CHECK_FALSE(answer);
  w.it.cast(go_red{});
  w.sim.run();
  REQUIRE(answer);
  CHECK(*answer == "red");
}

TEST_CASE("internal messages are handled next, in order, before all that waits and before what is retried") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    lamp_world w{[](lamp& l, context&, int n) {
      if (n == 10) return l.is<red>() ? l.postpone() : l.keep();
      if (n == 1) return l.next(green{}).then(later{1}).then(later{2});
      return l.keep();
    }, {}, {}, seed};
    w.take();
    for (const int n : {10, 1, 0}) w.it.cast(poke{n});
    w.sim.run();
    CHECK(w.take() == "poke10 poke1 -red +green later1 later2 poke10 poke0");
  }
}

TEST_CASE("an internal message raised while another is handled comes before the rest") {
  lamp_world w{[](lamp& l, context&, int n) {
    if (n == 1) return l.keep().then(poke{2}).then(poke{3});
    if (n == 2) return l.keep().then(poke{4});
    return l.keep();
  }};
  w.take();
  CHECK(w.poke_it(1) == "poke1 poke2 poke4 poke3");
}

TEST_CASE("init may begin with internal messages and timeouts") {
  lamp_world w{{}, [](lamp& l, context&) { l.start_with(l.keep().then(later{1}).state_timeout(5ms)); }};
  CHECK(w.take() == "+red later1");
  w.sim.advance(10ms);
  CHECK(w.take() == "state_timeout");
}

TEST_CASE("stop ends the process after the handler; a call in hand that was answered gets its reply first") {
  lamp_world w{[](lamp& l, context&, int) { return l.stop(exit_reason{exit_reason::custom, "enough"}); }, {},
               {.restart = temporary}};
  w.take();
  CHECK(w.poke_it(1) == "poke1");
  CHECK(w.counts().active == 0);
  CHECK(w.told(report::crashed, "lamp") == 1);
  struct one {};
  struct last_words {
    using reply = int;
  };
  struct mortal : state_machine<mortal, states<one>, last_words> {
    mortal() : state_machine{one{}} {}
    answer<int> on(const one&, const last_words&) { return stop().reply(42); }
  };
  world v;
  v.start({.name = "root", .children = {child<mortal>("m", {.restart = transient})}});
  CHECK(v.app->find<mortal>("m").call(last_words{}).value() == 42);
  v.sim.run();
  CHECK(v.counts().active == 0);
}

TEST_CASE("a machine is supervised: a crash starts it in its initial state, with what was postponed in front") {
  lamp_world w{[](lamp& l, context&, int n) {
    if (n == 99) throw std::runtime_error{"lamp breaks"};
    if (n >= 10) return l.is<green>() ? l.keep() : l.postpone();
    return go(l, n);
  }};
  w.poke_it(10);
  w.poke_it(11);
  CHECK(w.poke_it(99) == "poke99 +red poke10 poke11");
  CHECK(w.poke_it(1) == "poke1 -red +green poke10 poke11");
  CHECK(w.told(report::crashed, "lamp") == 1);
}

TEST_CASE("what enter or leave throws is a crash") {
  struct calm {};
  struct wild {};
  struct moody : state_machine<moody, states<calm, wild>, poke> {
    moody() : state_machine{calm{}} {}
    transition on(const poke&) { return next(wild{}); }
    void enter(const wild&) { throw std::runtime_error{"too wild"}; }
  };
  world w;
  w.start({.name = "root", .children = {child<moody>("m")}});
  w.app->find<moody>("m").cast(poke{1});
  w.sim.run();
  REQUIRE(w.told(report::crashed, "m") == 1);
  struct stillborn : state_machine<stillborn, states<calm>, poke> {
    stillborn() : state_machine{calm{}} {}
    void on(const poke&) {}
    void enter(const calm&) { throw std::runtime_error{"never"}; }
  };
  world v;
  v.make({.name = "root", .children = {child<stillborn>("s")}});
  CHECK_THROWS_WITH(v.app->start(), doctest::Contains("never"));
}

TEST_CASE("a stash that is full turns a postponed message away") {
  lamp_world w{[](lamp& l, context&, int) { return l.postpone(); }, {}, {.mailbox = {.stash = 2}}};
  w.take();
  for (const int n : {10, 11, 12}) w.poke_it(n);
  *w.script_ = [](lamp& l, context&, int n) { return n == 1 ? l.next(green{}) : l.keep(); };
  CHECK(w.poke_it(1) == "poke1 -red +green poke10 poke11");
  CHECK(w.app->inside().dead_letters().by_reason[static_cast<std::size_t>(engine::discard_reason::overflow)] == 1);
}

TEST_CASE("a continuation comes back into the machine as an internal message; a down notice can be postponed") {
  world w;
  std::vector<std::string> log;
  w.start({.name = "root", .children = {w.worker("p", {.restart = temporary}), child<fetcher>("f", {&log})}});
  w.sim.run();
  CHECK(log == std::vector<std::string>{"fetched1"});
  w.crash("p");
  CHECK(log.size() == 1);
  w.app->find<fetcher>("f").cast(go_on{});
  w.sim.run();
  CHECK(log == std::vector<std::string>{"fetched1", "down"});
}
