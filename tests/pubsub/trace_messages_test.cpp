// Traces that go on with what handlers send: casts, calls and replies, timers, tasks, offloaded work, events in between.

#include <map>

#include <doctest/doctest.h>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;
using namespace std::chrono_literals;

namespace {

/// The traces that each step of a test saw.
using notes = std::map<std::string, std::vector<trace_context>>;

struct step {
  std::function<void(context&)> code;
};
struct ask {
  using reply = int;
  std::function<void(context&)> code;
};
struct ask_later {
  using reply = int;
};
struct wait_inside {
  ref<struct node> whom;
  notes* into;
};
struct beat {
  notes* into;
};

struct node : process<node, step, ask, ask_later, wait_inside, beat, tick> {
  struct args {
    notes* into = nullptr;
    std::string topic{};
  };
  node(context& self, args a) : into_{a.into} {
    if (!a.topic.empty()) subscribe<tick>(self, a.topic);
  }
  void on(context& self, const step& s) { s.code(self); }
  int on(context& self, const ask& a) {
    a.code(self);
    return 7;
  }
  void on(context& self, const ask_later&, reply_to<int> to) {
    (*into_)["asked"].push_back(trace_of(self));
    later_ = std::move(to);
    self.send_after(1s, step{[this](context&) { later_->reply(1); }});
  }
  coroutine<> on(context& self, const wait_inside& w) {
    auto* into = w.into;
    const auto whom = w.whom;
    (*into)["before"].push_back(trace_of(self));
    const auto r = co_await self.call(whom, ask{[](context&) {}}, 1s);
    CHECK(r.has_value());
    (*into)["after call"].push_back(trace_of(self));
    co_await self.sleep(1s);
    (*into)["after sleep"].push_back(trace_of(self));
  }
  void on(context& self, const beat& b) { (*b.into)["beat"].push_back(trace_of(self)); }
  void on(context& self, const tick&) { (*into_)["tick"].push_back(trace_of(self)); }

 private:
  notes* into_;
  std::optional<reply_to<int>> later_;
};

const trace_context root = trace_context::begin(0x11, 0x22, 0x33);

struct net {
  explicit net(std::uint64_t seed = 1) : sim{seed}, app{tree(), simulated(sim)} { app.start(); }
  supervisor tree() {
    return {.name = "root",
            .children = {task_supervisor("jobs"), child<node>("a", {.into = &seen}, {.placement = spread}),
                         child<node>("b", {.into = &seen}, {.placement = spread}),
                         child<node>("c", {.into = &seen, .topic = "t"}, {.placement = spread}),
                         child<node>("d", {.into = &seen})}};
  }
  [[nodiscard]] ref<node> n(const char* name) const { return app.find<node>(name); }
  void note(const std::string& where, context& self) { seen[where].push_back(trace_of(self)); }
  /// A cast within the trace, from a thread.
  void begin(const char* whom, std::function<void(context&)> code) {
    const trace_scope scope{root};
    n(whom).cast(step{std::move(code)});
  }
  /// Of the trace, seen once, as a step of its own.
  void belongs(const std::string& where) {
    CAPTURE(where);
    REQUIRE(seen[where].size() == 1);
    CHECK(seen[where][0].trace_id == root.trace_id);
    CHECK(seen[where][0].flags == root.flags);
    CHECK(seen[where][0].span_id != root.span_id);
  }
  void foreign(const std::string& where, std::size_t times = 1) {
    CAPTURE(where);
    REQUIRE(seen[where].size() == times);
    for (const auto& t : seen[where]) CHECK_FALSE(t);
  }
  notes seen;
  simulation sim;
  application app;
};

}  // namespace

TEST_CASE("a trace goes with a cast, and on with what its handler casts; other messages carry none") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    net w{seed};
    w.n("b").cast(step{[&](context& self) { w.note("foreign", self); }});
    w.begin("a", [&](context& self) {
      w.note("first", self);
      w.n("b").cast(step{[&](context& b) {
        w.note("second", b);
        any_ref{w.n("c")}.cast(step{[&](context& c) { w.note("third", c); }});
      }});
    });
    w.n("b").cast(step{[&](context& self) { w.note("foreign", self); }});
    w.n("a").cast(step{[&](context& self) { w.note("foreign", self); }});
    w.sim.run();
    for (const auto* where : {"first", "second", "third"}) w.belongs(where);
    CHECK(w.seen["first"][0].span_id != w.seen["second"][0].span_id);
    CHECK(w.seen["second"][0].span_id != w.seen["third"][0].span_id);
    w.foreign("foreign", 3);
  }
}

TEST_CASE("a trace goes with a call and comes back with its reply, also with one that is given later") {
  net w;
  w.begin("a", [&](context& self) {
    self.call(w.n("b"), ask{[&](context& b) { w.note("asked now", b); }}, 1s, [&](context& me, result<int> r) {
      CHECK(*r == 7);
      w.note("answered", me);
      w.n("c").cast(step{[&](context& c) { w.note("behind it", c); }});
    });
    self.call(w.n("b"), ask_later{}, 5s, [&](context& me, result<int> r) {
      CHECK(*r == 1);
      w.note("answered later", me);
    });
  });
  w.sim.advance(2s);
  for (const auto* where : {"asked now", "answered", "behind it", "asked", "answered later"}) w.belongs(where);
  CHECK(w.seen["asked now"][0] == w.seen["answered"][0]);
}

TEST_CASE("a trace goes from a plain thread's call into the handler") {
  net w;
  {
    const trace_scope scope{root};
    CHECK(w.n("a").call(ask{[&](context& self) { w.note("asked", self); }}).value() == 7);
    CHECK(trace_here() == root);
  }
  CHECK_FALSE(trace_here());
  w.belongs("asked");
}

TEST_CASE("a timer belongs to the trace it was armed in, also one that repeats, and in a scope of no trace to none") {
  net w;
  w.begin("a", [&](context& self) {
    self.send_after(1s, step{[&](context& me) { w.note("fired", me); }});
    self.send_every(1s, beat{&w.seen});
    const trace_scope none{trace_context{}};
    self.send_every(1s, step{[&](context& me) { w.note("for ever", me); }});
  });
  w.n("b").cast(step{[&](context& self) { self.send_after(1s, step{[&](context& me) { w.note("foreign", me); }}); }});
  w.sim.advance(2500ms);
  w.belongs("fired");
  REQUIRE(w.seen["beat"].size() == 2);
  for (const auto& t : w.seen["beat"]) CHECK(t.trace_id == root.trace_id);
  CHECK(w.seen["beat"][0].span_id != w.seen["beat"][1].span_id);
  w.foreign("for ever", 2);
  w.foreign("foreign");
}

TEST_CASE("what a handler waits for comes back in its trace: a limit, a request's answer, an end; for others in none") {
  for (const bool traced : {true, false}) {
    CAPTURE(traced);
    net w;
    std::optional<trace_context> here;
    const auto code = [&](context& self) {
      here = trace_of(self);
      self.call(w.n("b"), ask_later{}, 10ms, [&](context& me, const result<int>& r) {
        CHECK(r.is(errc::timeout));
        w.note("timeout", me);
      });
      send_request(w.n("c"), ask{[](context&) {}}).receive(self, 1s, [&](context& me, const result<int>& r) {
        CHECK(r.has_value());
        w.note("requested", me);
      });
      self.monitor(w.app.find<node>("d"), [&self, &w](const down&) { w.note("down", self); });
    };
    if (traced) {
      w.begin("a", code);
    } else {
      w.n("a").cast(step{code});
    }
    w.sim.advance(1s);
    CHECK(w.app.root().terminate_child("d"));
    CHECK(w.app.root().delete_child("d"));
    w.sim.run();
    for (const auto* where : {"timeout", "requested", "down"}) {
      if (!traced) {
        w.foreign(where);
        continue;
      }
      w.belongs(where);
      CHECK(w.seen[where][0] == *here);
    }
  }
}

TEST_CASE("a task belongs to the trace it was started in, and so does its answer") {
  net w;
  const auto jobs = w.app.find_supervisor("jobs");
  task<int> job;
  w.begin("a", [&](context& self) {
    job = async(self, jobs, [&](context& me) {
      w.note("task", me);
      w.n("b").cast(step{[&](context& b) { w.note("from the task", b); }});
      return 3;
    });
    job.await(self, 1s, [&](context& me, result<int> r) {
      CHECK(*r == 3);
      w.note("awaited", me);
    });
  });
  w.sim.advance(1s);
  w.belongs("task");
  w.belongs("from the task");
  w.belongs("awaited");
}

TEST_CASE("an offloaded function runs within the trace of its handler, and its answer comes back in it") {
  net w;
  w.begin("a", [&](context& self) {
    self.offload(
        [&] {
          w.seen["function"].push_back(trace_here());
          return 1;
        },
        1s, [&](context& me, result<int>) { w.note("answer", me); });
  });
  w.sim.advance(1s);
  REQUIRE(w.seen["function"].size() == 1);
  CHECK(w.seen["function"][0].trace_id == root.trace_id);
  w.belongs("answer");
}

TEST_CASE("a handler that waits inside stays within its message's trace") {
  net w;
  {
    const trace_scope scope{root};
    w.n("a").cast(wait_inside{w.n("b"), &w.seen});
  }
  w.n("c").cast(wait_inside{w.n("b"), &w.seen});
  w.sim.advance(3s);
  for (const auto* where : {"before", "after call", "after sleep"}) {
    CAPTURE(where);
    REQUIRE(w.seen[where].size() == 2);
    std::size_t within = 0;
    for (const auto& t : w.seen[where]) within += t.trace_id == root.trace_id ? 1 : 0;
    CHECK(within == 1);
    for (const auto& t : w.seen[where]) CHECK((t.trace_id == root.trace_id || !t));
  }
  // The same step before and after it waited.
  for (const auto& t : w.seen["before"])
    if (t) CHECK((t == w.seen["after call"][0] || t == w.seen["after call"][1]));
}

TEST_CASE("from an event to a cast, from a cast to an event: inline and through a mailbox") {
  net w;
  w.begin("a", [&](context& self) {
    bus{self}.broadcast("t", tick{1}).value();
  });
  bus{w.app}.broadcast("t", tick{2}).value();
  w.sim.run();
  REQUIRE(w.seen["tick"].size() == 2);
  std::size_t within = 0;
  for (const auto& t : w.seen["tick"]) within += t.trace_id == root.trace_id ? 1 : 0;
  CHECK(within == 1);

  std::vector<seen> logs(1);
  simulation sim{1};
  std::vector<trace_context> got;
  supervisor tree{.name = "root"};
  tree.children.push_back(child<listener>("p", {.into = &logs[0], .init = [](context& self) { subscribe<tick>(self, "t"); }, .on_tick = [&](context& self, const tick&) {
    self.as<listener>().cast(run_inside{[&](context& me) { got.push_back(trace_of(me)); }});
  }}));
  application app{tree, simulated(sim)};
  app.start();
  for (int i = 0; i < 3; ++i) {
    const trace_scope scope{trace_context::begin(9, static_cast<std::uint64_t>(i), 1)};
    bus{app}.broadcast("t", tick{i}).value();
  }
  sim.run();
  REQUIRE(got.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(got[i].trace_id == trace_context::begin(9, i, 1).trace_id);
}

TEST_CASE("a message that is put away keeps its trace; a scope of no trace ends one") {
  net w;
  bool first = true;
  w.begin("a", [&](context& self) {
    w.note(first ? "put away" : "again", self);
    if (std::exchange(first, false)) {
      CHECK(self.stash());
      self.unstash_all();
      return;
    }
    const trace_scope none{trace_context{}};
    w.n("b").cast(step{[&](context& b) { w.note("without", b); }});
  });
  w.sim.run();
  w.belongs("put away");
  w.belongs("again");
  CHECK(w.seen["put away"][0] == w.seen["again"][0]);
  w.foreign("without");
}
