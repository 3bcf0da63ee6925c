// Traces: their form, and how they go from publisher to handler and on.

#include <doctest/doctest.h>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;

namespace {

constexpr std::string_view example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

std::string why(std::string_view text) {
  const auto r = trace_context::parse(text);
  if (r) return "fine";
  CHECK(r.error() == errc::bad_trace);
  return r.error().message();
}

}  // namespace

TEST_CASE("a traceparent is read and written in the form of W3C Trace Context") {
  const auto t = trace_context::parse(example).value();
  CHECK(t.traceparent() == example);
  CHECK(t.trace_id[0] == 0x4b);
  CHECK(t.span_id[7] == 0xb7);
  CHECK(t.flags == 1);
  CHECK(t);
  CHECK_FALSE(trace_context{});
  CHECK(trace_context{}.traceparent().empty());
  const auto next = t.child(5);
  CHECK(next.traceparent() == "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000005-01");
  CHECK(trace_context::begin(1, 2, 3).traceparent() == "00-00000000000000010000000000000002-0000000000000003-01");
}

TEST_CASE("what is no traceparent is refused in words") {
  CHECK(why(std::string{"cc"} + std::string{example.substr(2)}) == "fine");
  CHECK(why(std::string{"cc"} + std::string{example.substr(2)} + "-more") == "fine");
  CHECK(why("").find("is not of the form") != std::string::npos);
  CHECK(why(example.substr(0, 54)).find("is not of the form") != std::string::npos);
  CHECK(why(std::string{example} + "-more").find("goes on after its flags") != std::string::npos);
  CHECK(why(std::string{"ff"} + std::string{example.substr(2)}).find("version") != std::string::npos);
  CHECK(why("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01").find("small hex digits") != std::string::npos);
  CHECK(why("00-00000000000000000000000000000000-00f067aa0ba902b7-01").find("trace id of zeros") != std::string::npos);
  CHECK(why("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01").find("span id of zeros") != std::string::npos);
}

TEST_CASE("a trace goes from the publisher to the handlers, and on with what they publish") {
  simulation sim{1};
  std::vector<seen> logs(3);
  std::vector<trace_context> at_first, at_second, at_plain;
  supervisor tree{.name = "root"};
  tree.children.push_back(child<listener>("first", {.into = &logs[0], .init = [](context& self) { subscribe<tick>(self, "one"); }, .on_tick = [&](context& self, const tick& t) {
    at_first.push_back(trace_of(self));
    bus{self}.broadcast("two", tick{t.number}).value();
  }}, {.placement = spread}));
  tree.children.push_back(child<listener>("second", {.into = &logs[1], .init = [](context& self) { subscribe<tick>(self, "*"); }, .on_tick = [&](context& self, const tick&) {
    if (topic_of(self).topic == "two") at_second.push_back(trace_of(self));
  }}, {.placement = spread}));
  application app{tree, simulated(sim)};
  app.start();
  const bus b{app};
  b.broadcast("one", tick{0}).value();
  const auto trace = trace_context::parse(example).value();
  {
    const trace_scope scope{trace};
    b.broadcast("one", tick{1}).value();
    sim.run();  // handlers that run on this thread are not in its scope
  }
  b.broadcast("one", tick{2}).value();
  sim.run();
  REQUIRE(at_first.size() == 3);
  REQUIRE(at_second.size() == 3);
  CHECK_FALSE(at_first[0]);
  CHECK_FALSE(at_second[0]);
  CHECK_FALSE(at_first[2]);
  CHECK_FALSE(at_second[2]);
  CHECK(at_first[1].trace_id == trace.trace_id);
  CHECK(at_second[1].trace_id == trace.trace_id);
  CHECK(at_first[1].flags == 1);
  CHECK(at_first[1].span_id != trace.span_id);
  CHECK(at_second[1].span_id != at_first[1].span_id);
}

TEST_CASE("a handler's own scope goes before the trace of its message, and ends with it") {
  world w{2};
  std::vector<std::string> got;
  const auto other = trace_context::begin(7, 7, 7);
  inside(w.p(0), [](context& self) { subscribe<tick>(self, "t"); });
  inside(w.p(1), [&](context& self) {
    CHECK_FALSE(trace_of(self));
    const trace_scope scope{other};
    CHECK(trace_of(self) == other);
    {
      const trace_scope inner{trace_context::begin(8, 8, 8)};
      CHECK(trace_of(self).trace_id[7] == 8);
    }
    CHECK(trace_of(self) == other);
  });
  inside(w.p(1), [](context& self) { CHECK_FALSE(trace_of(self)); });
}

TEST_CASE("a trace crosses a loop-back") {
  const auto net = std::make_shared<loopback>();
  simulation sim_one{1};
  simulation sim_two{2};
  std::vector<seen> logs(2);
  trace_context got;
  supervisor one{.name = "one"};
  one.children.push_back(pubsub("", {.adapter = net->adapter("one")}));
  supervisor two{.name = "two"};
  two.children.push_back(pubsub("", {.adapter = net->adapter("two")}));
  two.children.push_back(child<listener>("p", {.into = &logs[1], .init = [](context& self) { subscribe<tick>(self, "t"); }, .on_tick = [&](context& self, const tick&) { got = trace_of(self); }}));
  application first{one, simulated(sim_one)};
  application second{two, simulated(sim_two)};
  first.start();
  second.start();
  const auto trace = trace_context::parse(example).value();
  const trace_scope scope{trace};
  bus{first}.broadcast("t", tick{1}).value();
  sim_two.run();
  CHECK(got.trace_id == trace.trace_id);
}
