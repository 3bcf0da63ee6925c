#include <herald/runtime.hpp>

#include <stdexcept>

#include <doctest/doctest.h>

using namespace herald;

namespace {

struct add {
  int n = 0;
};
struct total {
  using reply = int;
};
struct fail_now {};
struct ask_other {
  using reply = void;
};

struct counter : process<counter, add, total, fail_now> {
  struct args {
    int start = 0;
    friend bool operator==(const args&, const args&) = default;
  };
  counter(context&, args a) : sum_{a.start} {}
  void on(const add& m) { sum_ += m.n; }
  int on(const total&) { return sum_; }
  void on(const fail_now&) { throw std::runtime_error{"boom"}; }

 private:
  int sum_;
};

application_options quiet(simulation& sim, std::vector<report>* into = nullptr) {
  application_options o;
  o.simulation = &sim;
  o.hosts = 3;
  o.sinks = {[into](const report& r) {
    if (into != nullptr) into->push_back(r);
  }};
  return o;
}

}  // namespace

TEST_CASE("a process counts what it is sent and answers calls") {
  simulation sim{1};
  application app{{.name = "test", .children = {child<counter>("counter", {.start = 5})}}, quiet(sim)};
  app.start();
  const auto c = app.find<counter>("counter");
  REQUIRE(c);
  c.cast(add{2});
  c.cast(add{3});
  CHECK(c.call(total{}).value() == 10);
  CHECK_FALSE(app.find<counter>("nobody"));
  const auto end = app.stop();
  CHECK(end.zombies.empty());
  CHECK_FALSE(end.gave_up);
  CHECK(c.call(total{}).is(errc::noproc));
}

TEST_CASE("a crashed process comes back from its spec under the same ref") {
  simulation sim{2};
  std::vector<report> reports;
  application app{{.name = "test", .children = {child<counter>("counter", {.start = 5})}}, quiet(sim, &reports)};
  app.start();
  const auto c = app.find<counter>("counter");
  c.cast(add{2});
  c.cast(fail_now{});
  c.cast(add{1});
  CHECK(c.call(total{}).value() == 6);
  bool crashed = false;
  for (const auto& r : reports) crashed = crashed || (r.kind == report::crashed && r.reason.text() == "std::runtime_error: boom");
  CHECK(crashed);
}

TEST_CASE("the same runs on real threads") {
  application_options o;
  o.sinks = {[](const report&) {}};
  application app{{.name = "test", .children = {child<counter>("counter", {.start = 5})}}, o};
  app.start();
  const auto c = app.find<counter>("counter");
  for (int i = 0; i < 10000; ++i) c.cast(add{1});
  CHECK(c.call(total{}).value() == 10005);
  c.cast(fail_now{});
  CHECK(c.call(total{}).value() == 5);
}
