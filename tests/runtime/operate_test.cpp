// Inspection, suspension, and state seen and set from outside.

#include "task_support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct add {
  int n = 1;
};
struct total {
  using reply = int;
};
struct wait_a_while {
  std::chrono::nanoseconds time;
};
struct arm_things {
  any_ref other;
};

struct till : process<till, add, total, wait_a_while, arm_things> {
  explicit till(context& self) : self_{self} {}
  void on(const add& m) {
    sum_ += m.n;
    seen_.push_back(m.n);
  }
  int on(const total&) { return sum_; }
  void on(const wait_a_while& m) { simulation::stall(m.time); }
  void on(const arm_things& m) {
    self_.send_after(1h, add{1});
    self_.send_every(1h, add{1});
    self_.monitor(m.other, [](const down&) {});
    self_.call(ref<till>{m.other.where()}, total{}, 1h, [](const result<int>&) {});
  }
  void describe(description& d) const {
    if (sum_ < 0) throw std::runtime_error{"in debt"};
    d.add("sum", sum_).add("open", true).add("key", secret(std::string{"1234"})).add("name", "till").add("age", 2ms);
  }
  int sum_ = 0;
  std::vector<int> seen_;

 private:
  context& self_;
};

/// Can be copied and assigned: what fails on it leaves it as it was.
struct plain : process<plain, add> {
  void on(const add& m) { sum += m.n; }
  description describe() const { return description{}.add("sum", sum); }
  int sum = 0;
};

struct fixture {
  explicit fixture(std::uint64_t seed = 1) : w{seed} {
    w.start({.name = "root",
             .children = {child<till>("till"), child<till>("other"), child<plain>("plain"), w.worker("probe"),
                          supervisor{.name = "group", .children = {w.worker("x"), w.worker("y")}}}});
  }
  [[nodiscard]] ref<till> at(const char* path) const { return w.app->find<till>(path); }
  world w;
};

}  // namespace

TEST_CASE("inspect: place, figures, accepted messages, what waits, timers, calls, monitors, and its own words") {
  fixture f;
  f.at("till").cast(add{4});
  f.at("till").cast(arm_things{f.at("other")});
  f.w.sim.run();
  REQUIRE(suspend(f.at("other")));
  f.at("till").cast(arm_things{f.at("other")});
  f.w.sim.run();
  f.at("other").cast(add{1});
  f.at("other").cast(add{2});
  const auto i = f.w.app->inspect("till").value();
  CHECK(i.path == "till");
  CHECK(i.row.state == process_state::running);
  CHECK(i.row.handled == 4);  // two casts, two arm_things, and the first call's answer came before
  CHECK(i.row.type.find("till") != std::string_view::npos);
  REQUIRE(i.accepts.size() == 4);
  CHECK(i.accepts[0].find("add") != std::string_view::npos);
  CHECK(i.timers == 4);
  CHECK(i.monitors == 2);
  CHECK(i.pending_calls == 1);
  CHECK(i.described == std::vector<description::item>{
                           {"sum", "4"}, {"open", "true"}, {"key", "(hidden)"}, {"name", "till"}, {"age", "2000 us"}});
  CHECK_FALSE(i.handler);
  CHECK_FALSE(i.from_outside);
  const auto o = f.w.app->inspect("other").value();
  CHECK(o.row.state == process_state::suspended);
  CHECK(o.watchers == 2);
  REQUIRE(o.waiting.size() == 2);
  CHECK(o.waiting[0].type.find("total") != std::string_view::npos);
  CHECK(o.waiting[0].count == 1);
  CHECK(o.waiting[1].count == 2);
  CHECK(o.row.mailbox == 3);
  CHECK(o.described[0].value == "0");
  CHECK(f.w.app->inspect("group").value().children == 2);
  CHECK(f.w.app->inspect("").value().children == 5);
  CHECK(f.w.app->inspect("plain").value().described.size() == 1);
  CHECK(f.w.app->inspect("probe").value().described.empty());
  CHECK(f.w.app->inspect("nobody").error() == errc::not_found);
  CHECK(inspect(any_ref{}).error() == errc::noproc);
}

TEST_CASE("O228: a describe that throws is told, and ends nothing") {
  fixture f;
  f.at("till").cast(add{-1});
  f.w.sim.run();
  const auto i = f.w.app->inspect("till").value();
  CHECK(i.describe_failed.find("in debt") != std::string::npos);
  CHECK(i.described.empty());
  CHECK(f.at("till").call(total{}).value() == -1);
  CHECK(f.w.told(report::crashed) == 0);
}

TEST_CASE("inspect: a process that is stuck says nothing of itself, but in what it is busy and since when (seeds)") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    fixture f{seed};
    f.at("till").cast(wait_a_while{500ms});
    f.at("till").cast(add{1});
    f.w.sim.step(50);
    const auto early = f.w.app->inspect("till", 20ms).value();
    CHECK(early.from_outside);
    REQUIRE(early.handler);
    CHECK_FALSE(early.handler->overran);
    CHECK(early.handler->message.find("wait_a_while") != std::string_view::npos);
    const auto late = f.w.app->inspect("till", 300ms).value();
    CHECK_FALSE(late.from_outside);
    REQUIRE(late.handler);
    CHECK(late.handler->overran);
    CHECK(late.handler->time >= 90ms);
    CHECK(late.row.state == process_state::stuck);
    CHECK(late.waiting.size() == 1);
    CHECK(late.described.empty());
    f.w.sim.advance(1s);
    CHECK(f.w.app->inspect("till", 20ms).value().described.size() == 5);
  }
}

TEST_CASE("inspect: from a handler, with a continuation; the blocking form refuses") {
  struct asker : process<asker, note> {
    struct args {
      any_ref whom;
      std::vector<result<inspection>>* into;
    };
    asker(context& self, args a) : self_{self}, a_{a} {}
    void on(const note&) {
      a_.into->push_back(inspect(a_.whom));
      inspect(self_, a_.whom, 50ms, [this](result<inspection> r) { a_.into->push_back(std::move(r)); });
    }

   private:
    context& self_;
    args a_;
  };
  fixture f;
  std::vector<result<inspection>> got;
  const auto start = [&](const char* id, any_ref whom) {
    const auto who = f.w.app->root().start_child(child<asker>(id, {whom, &got})).value();
    who.cast(note{});
    f.w.sim.advance(1s);
  };
  start("first", f.at("till"));
  REQUIRE(got.size() == 2);
  CHECK(got[0].error() == errc::would_block);
  CHECK(got[1].value().described.size() == 5);
  start("second", any_ref{});
  CHECK(got.at(3).error() == errc::noproc);
  f.at("till").cast(wait_a_while{10s});
  f.w.sim.step(30);
  start("third", f.at("till"));
  CHECK(got.at(5).value().handler);
}

TEST_CASE("O232: a suspended process lets messages wait, answers system requests, and then handles all in order (seeds)") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    fixture f{seed};
    std::vector<int> sent;
    for (int i = 0; i < 5; ++i) f.at("till").cast(add{(sent.push_back(i), i)});
    REQUIRE(suspend(f.at("till")));
    const auto before = with_state(f.at("till"), [](const till& t) { return t.seen_.size(); }).value();
    for (int i = 5; i < 40; ++i) f.at("till").cast(add{(sent.push_back(i), i)});
    f.w.sim.run();
    CHECK(f.at("till").call(total{}, 10ms).error() == errc::timeout);
    CHECK(with_state(f.at("till"), [](const till& t) { return t.seen_.size(); }).value() == before);
    CHECK(f.w.app->inspect("till").value().row.state == process_state::suspended);
    CHECK(f.w.app->snapshot().value().find("till")->state == process_state::suspended);
    REQUIRE(suspend(f.at("till")));
    REQUIRE(resume(f.at("till")));
    f.w.sim.run();
    CHECK(with_state(f.at("till"), [](const till& t) { return t.seen_; }).value() == sent);
    REQUIRE(resume(f.at("till")));
  }
}

TEST_CASE("O232: a suspended process can be stopped and killed; its next life is not suspended") {
  fixture f;
  REQUIRE(suspend(f.at("till")));
  f.at("till").cast(add{7});
  REQUIRE(f.w.app->kill("till"));
  f.w.sim.run();
  CHECK(f.at("till").call(total{}).value() == 7);
  REQUIRE(suspend(f.w.at("probe")));
  f.w.tell("probe", note{1});
  REQUIRE(f.w.app->root().terminate_child("probe"));
  CHECK(f.w.log.text().find("-probe shutdown") != std::string::npos);
  CHECK(f.w.log.text().find("probe:1") == std::string::npos);
  REQUIRE(suspend(f.at("other")));
  CHECK(f.w.app->stop().zombies.empty());
}

TEST_CASE("O232: a handler suspends and resumes others, and itself") {
  struct holder : process<holder, note> {
    struct args {
      any_ref whom;
    };
    holder(context& self, args a) : self_{self}, a_{a} {}
    void on(const note& n) {
      if (n.number == 0) {
        suspend(self_, a_.whom);
        a_.whom.cast(add{1});
      }
      if (n.number == 1) resume(self_, a_.whom);
      if (n.number == 2) suspend(self_, self_.self());
    }

   private:
    context& self_;
    args a_;
  };
  fixture f;
  const auto who = f.w.app->root().start_child(child<holder>("holder", {f.at("till")})).value();
  who.cast(note{0});
  f.w.sim.run();
  CHECK(with_state(f.at("till"), [](const till& t) { return t.sum_; }).value() == 0);
  who.cast(note{1});
  f.w.sim.run();
  CHECK(f.at("till").call(total{}).value() == 1);
  who.cast(note{2});
  who.cast(note{3});
  f.w.sim.run();
  CHECK(f.w.app->inspect("holder").value().row.state == process_state::suspended);
  CHECK(f.w.app->inspect("holder").value().row.mailbox == 1);
}

TEST_CASE("O232: a handler suspends and resumes with an answer: when it is so, why it is not, and at its limit (seeds)") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    fixture f{seed};
    const auto state = [&] { return f.w.app->snapshot().value().find("till")->state; };
    std::vector<std::string> told;
    const auto tell = [&](const result<void>& r) { told.push_back(text_of(r)); };
    const auto in = [&](std::function<void(context&)> code) {
      f.w.app->find<owner>("operator").cast(script{std::move(code)});
      f.w.sim.run();
    };
    CHECK(f.w.app->root().start_child(child<owner>("operator", {.placement = spread})));
    CHECK(f.w.app->root().start_child(child<inside>("waits", {.placement = spread})));
    in([&](context& self) { suspend(self, f.at("till"), 1s, tell); });
    CHECK(state() == process_state::suspended);
    in([&](context& self) { resume(self, f.at("till"), 1s, tell); });
    CHECK(state() != process_state::suspended);
    in([&](context& self) {
      suspend(self, any_ref{}, 1s, tell);
      resume(self, f.w.app->find_supervisor("group"), 1s, tell);
    });
    CHECK(told == std::vector<std::string>{"done", "done", "noproc", "not_supported"});
    told.clear();
    f.at("till").cast(wait_a_while{90ms});
    f.w.sim.step(30);
    f.w.app->find<inside>("waits").cast(waiting_script{[&](context& self) -> coroutine<> {
      const auto late = co_await suspend(self, f.at("till"), 20ms);
      tell(late);
      const auto then = co_await suspend(self, f.at("till"), 1s);
      tell(then);
      const auto on = co_await resume(self, f.at("till"), 1s);
      tell(on);
    }});
    f.w.sim.advance(1s);
    CHECK(told == std::vector<std::string>{"timeout", "done", "done"});
  }
}

TEST_CASE("suspend: what cannot be suspended says so") {
  fixture f;
  CHECK(suspend(f.w.app->find_supervisor("group")).error() == errc::not_supported);
  CHECK(suspend(any_ref{}).error() == errc::noproc);
  f.at("till").cast(wait_a_while{10s});
  f.w.sim.step(30);
  const auto r = suspend(f.at("till"), 20ms);
  CHECK(r.error() == errc::timeout);
  CHECK(r.error().message().find("till") != std::string::npos);
  f.w.sim.advance(200ms);
  const auto stuck = suspend(f.at("till"), 20ms);
  CHECK(stuck.error() == errc::timeout);
  CHECK(stuck.error().message().find("wait_a_while has been running for") != std::string::npos);
}

TEST_CASE("O226: the state is seen from outside, also while suspended") {
  fixture f;
  f.at("till").cast(add{3});
  f.w.sim.run();
  CHECK(with_state(f.at("till"), [](const till& t) { return t.sum_; }).value() == 3);
  REQUIRE(suspend(f.at("till")));
  f.at("till").cast(add{3});
  CHECK(with_state(f.at("till"), [](const till& t) { return t.sum_; }).value() == 3);
  CHECK(with_state(ref<till>{}, [](const till& t) { return t.sum_; }).error() == errc::noproc);
  CHECK(with_state(ref<plain>{f.at("till").where()}, [](const plain& p) { return p.sum; }).error() == errc::not_supported);
}

TEST_CASE("O227: the state is set from outside; a function that fails leaves it unchanged") {
  fixture f;
  const auto plain_one = f.w.app->find<plain>("plain");
  REQUIRE(suspend(plain_one));
  REQUIRE(with_state(plain_one, [](plain& p) { p.sum = 10; }));
  const auto threw = with_state(plain_one, [](plain& p) {
    p.sum = 11;
    throw std::runtime_error{"no"};
  });
  CHECK(threw.error() == errc::failed);
  CHECK(threw.error().message().find("no") != std::string::npos);
  const auto refused = with_state(plain_one, [](plain& p) -> result<int> {
    p.sum = 12;
    return error{errc::not_found, "nothing"};
  });
  CHECK(refused.error() == errc::not_found);
  CHECK(with_state(plain_one, [](const plain& p) { return p.sum; }).value() == 10);
  CHECK(with_state(plain_one, [](plain& p) -> result<int> { return ++p.sum; }).value() == 11);
  CHECK(f.w.told(report::crashed) == 0);
}

TEST_CASE("O226: a state that cannot be had within the limit is not touched afterwards") {
  fixture f;
  f.at("till").cast(wait_a_while{80ms});
  f.w.sim.step(30);
  bool ran = false;
  const auto r = with_state(f.at("till"), [&](const till&) { ran = true; }, 20ms);
  CHECK(r.error() == errc::timeout);
  f.w.sim.advance(1s);
  CHECK_FALSE(ran);
  const auto slow = with_state(f.at("till"), [&](const till&) { simulation::stall(300ms); return 5; }, 20ms);
  CHECK(slow.value() == 5);
  CHECK(f.w.told(report::overran, "till") == 1);
  f.w.sim.advance(1s);
  CHECK(f.at("till").call(total{}).value() == 0);
}

namespace {

struct look {
  bool* ran = nullptr;
};
/// Looks into others from a handler.
struct visitor : process<visitor, look> {
  struct args {
    journal* log = nullptr;
  };
  visitor(context& self, args a) : self_{self}, log_{a.log} {}
  void on(const look& m) {
    const auto till_there = self_.find<till>("till");
    const auto tell = [this](const auto& r) { log_->write(r ? "ok" : std::string{r.error().name()}); };
    const auto look_in = [ran = m.ran](const till& seen) {
      *ran = true;
      return seen.sum_;
    };
    with_state(self_, till_there, look_in, 50ms,
               [this](const result<int>& r) { log_->write(r ? std::to_string(*r) : std::string{r.error().name()}); });
    with_state(self_, ref<till>{}, [](const till&) {}, 50ms, tell);
    with_state(self_, till_there, [](till&) { throw std::runtime_error{"no"}; }, 50ms, tell);
    with_state(self_, self_.as<visitor>(), [](visitor& me) { ++me.seen_; }, 50ms,
               [this](const result<void>& r) { log_->write(r ? "me " + std::to_string(seen_) : "not me"); });
  }

 private:
  context& self_;
  journal* log_;
  int seen_ = 0;
};

struct visited : fixture {
  explicit visited(std::uint64_t seed) : fixture{seed} {
    REQUIRE(w.app->root().start_child(child<visitor>("visitor", {.log = &log}, {.placement = spread})));
  }
  ~visited() { w.app.reset(); }
  void look_now() { w.app->find<visitor>("visitor").cast(look{&ran}); }
  journal log;
  bool ran = false;
};

}  // namespace

TEST_CASE("O226, O227: a handler looks at the state of others, and at its own between two messages") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    visited v{seed};
    v.at("till").cast(add{3});
    v.w.sim.run();
    v.look_now();
    v.w.sim.run();
    auto lines = v.log.take();
    std::sort(lines.begin(), lines.end());
    CHECK(lines == std::vector<std::string>{"3", "failed", "me 1", "noproc"});
    CHECK(v.ran);
  }
}

TEST_CASE("O226: what a handler wanted to see is not run any more when its limit has passed, or its life") {
  for (const bool killed : {false, true}) {
    CAPTURE(killed);
    visited v{1};
    v.at("till").cast(wait_a_while{80ms});
    v.w.sim.run();
    v.look_now();
    v.w.sim.run();
    v.w.sim.advance(20ms);
    if (killed) CHECK(v.w.app->kill("visitor"));
    v.w.sim.advance(2s);
    CHECK_FALSE(v.ran);
    CHECK((v.log.text().find("timeout") != std::string::npos) == !killed);
  }
}
