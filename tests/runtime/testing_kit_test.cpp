// The testing kit, used as its users do: a small service under faults, probes on both sides of it.

#include <herald/runtime.hpp>
#include <herald/testing.hpp>

#include <cstdlib>

#include <doctest/doctest.h>

using namespace herald;
using namespace herald::testing;
using namespace std::chrono_literals;

namespace {

struct price {
  int cents = 0;
};
struct look_up {
  using reply = int;
};
struct too_high {
  int cents = 0;
};
struct rate_of {
  int cents = 0;
  using reply = int;
};

/// Tells too_high when a price is above 100, in the currency that somebody else knows.
struct watcher : process<watcher, price, look_up> {
  struct args {
    any_ref tells;
    ref<herald::testing::probe<too_high, rate_of>::process_type> rates;
  };
  watcher(context& self, args a) : self_{self}, a_{a} {}
  void on(const price& m) {
    last_ = m.cents;
    if (m.cents <= 100) return;
    if (!a_.rates) return a_.tells.cast(too_high{m.cents});
    self_.call(a_.rates, rate_of{m.cents}, 500ms, [this](const result<int>& r) { a_.tells.cast(too_high{r ? *r : -1}); });
  }
  int on(const look_up&) { return last_; }

 private:
  context& self_;
  args a_;
  int last_ = 0;
};

[[nodiscard]] supervisor tree() { return {.name = "root", .intensity = {100, 5s}}; }

ref<watcher> add_watcher(world& w, watcher::args a, child_options options = {}) {
  auto r = w.app().root().start_child(child<watcher>("watcher", a, options));
  REQUIRE(r);
  return w.find<watcher>("watcher");
}

/// What the code throws as a failure, empty when it throws none.
template <class F>
std::string failure_of(F&& code) {
  try {
    code();
  } catch (const failure& f) {
    return f.what();
  }
  return {};
}

[[nodiscard]] bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("testing: a probe sees what a process sends, in order, and answers what it asks") {
  for_seeds(20, [](std::uint64_t seed) {
    world w{tree(), {.seed = seed}};
    w.start();
    herald::testing::probe<too_high, rate_of> p{w};
    p.answer<rate_of>([](const rate_of& m) { return m.cents * 2; });
    const auto watching = add_watcher(w, {p, p.as_ref()});
    watching.cast(price{150});
    CHECK(p.expect<rate_of>().cents == 150);
    CHECK(p.expect<too_high>().cents == 300);
    watching.cast(price{50});
    p.expect_nothing();
    CHECK(w.ask(watching, look_up{}) == 50);
  });
}

TEST_CASE("testing: fish takes one kind and leaves the others") {
  world w{tree()};
  w.start();
  herald::testing::probe<too_high, rate_of> p{w};
  any_ref{p}.cast(too_high{1});
  any_ref{p}.cast(too_high{2});
  p.answer<rate_of>([](const rate_of&) { return 0; });
  w.ask(p.as_ref(), rate_of{7});
  CHECK(p.fish<rate_of>().cents == 7);
  CHECK(p.waiting() == 2);
  CHECK(p.expect<too_high>().cents == 1);
  CHECK(p.expect<too_high>().cents == 2);
}

TEST_CASE("testing: an expectation that fails says what came instead, and the seed") {
  world w{tree(), {.seed = 77}};
  w.start();
  herald::testing::probe<too_high, rate_of> p{w, "eye"};
  const auto nothing = failure_of([&] { static_cast<void>(p.expect<too_high>(20ms)); });
  CHECK(has(nothing, "\"eye\" expected"));
  CHECK(has(nothing, "too_high within 20 ms; behind it: nothing"));
  CHECK(has(nothing, "HERALD_SEED=77"));
  any_ref{p}.cast(too_high{1});
  any_ref{p}.cast(too_high{2});
  const auto other = failure_of([&] { static_cast<void>(p.expect<rate_of>()); });
  CHECK(has(other, "rate_of, got"));
  CHECK(has(other, "too_high; behind it: "));
  CHECK(has(failure_of([&] { p.expect_nothing(); }), "expected nothing, got"));
  CHECK(has(failure_of([&] { static_cast<void>(w.find<watcher>("watcher")); }), "there are: eye"));
  CHECK(has(failure_of([&] { w.run_until("the moon", [] { return false; }, 5ms); }), "the moon"));
}

TEST_CASE("testing: a probe that was told no answer crashes, and its caller hears down") {
  world w{tree()};
  w.start();
  herald::testing::probe<too_high, rate_of> p{w};
  const auto text = failure_of([&] { static_cast<void>(w.ask(p.as_ref(), rate_of{1})); });
  CHECK(has(text, "has no answer for it"));
}

TEST_CASE("testing: a probe watches, and runs code inside") {
  world w{tree()};
  w.start();
  herald::testing::probe<too_high> p{w};
  const auto watching = add_watcher(w, {p, {}});
  p.watch(watching);
  REQUIRE(w.app().kill("watcher"));
  CHECK(p.expect<restarted>().who == any_ref{watching});
  REQUIRE(w.app().root().terminate_child("watcher"));
  CHECK(p.expect<down>().who == any_ref{watching});
  CHECK_THROWS_AS(p.inside([](context&) { throw std::logic_error{"mine"}; }), std::logic_error);
  p.end();
  w.run();
  CHECK(w.app().tree().size() == 1);
}

TEST_CASE("testing: a fault makes the first inits fail") {
  world w{{.name = "root", .intensity = {5, 5s}, .children = {child<watcher>("watcher", {})}}};
  w.faults().fail_init("watcher", first(1), "no disk");
  CHECK(has(failure_of([&] {
    try {
      w.start();
    } catch (const start_error& e) {
      throw failure{e.what()};
    }
  }), "no disk"));
  CHECK(w.faults().count() == 1);
  world second{{.name = "root", .intensity = {5, 5s}, .children = {child<watcher>("watcher", {})}}};
  second.faults().fail_init("watcher", nth(2));
  second.start();
  REQUIRE(second.app().kill("watcher"));
  second.run();
  CHECK(second.faults().count() == 1);
  CHECK(second.count(report::restarted, "watcher") == 1);
  CHECK(second.find<watcher>("watcher"));
}

TEST_CASE("testing: a fault crashes a process on its nth message, which is gone; the others are kept") {
  for_seeds(20, [](std::uint64_t seed) {
    world w{tree(), {.seed = seed}};
    w.faults().crash_on<price>("watcher", nth(2));
    w.start();
    herald::testing::probe<too_high> p{w};
    const auto watching = add_watcher(w, {p, {}});
    for (int i = 1; i <= 4; ++i) watching.cast(price{100 + i});
    for (const int wanted : {101, 103, 104}) CHECK(p.expect<too_high>().cents == wanted);
    p.expect_nothing();
    CHECK(w.count(report::crashed, "watcher") == 1);
    CHECK(w.count(report::restarted, "watcher") == 1);
  });
}

TEST_CASE("testing: faults drop, delay and stall") {
  world w{tree()};
  w.faults().drop<price>("watcher", nth(1));
  w.faults().delay<price>("watcher", 50ms, nth(2));
  w.faults().drop<look_up>("*", nth(1));
  w.start();
  herald::testing::probe<too_high> p{w};
  const auto watching = add_watcher(w, {p, {}});
  const auto lost = w.app().dead_letters();
  for (int i = 1; i <= 3; ++i) watching.cast(price{100 + i});
  CHECK(p.expect<too_high>(0ms).cents == 103);
  p.expect_nothing(49ms);
  CHECK(p.expect<too_high>(1ms).cents == 102);
  CHECK(w.app().dead_letters() == lost + 1);
  CHECK(watching.call(look_up{}).error().is(errc::overload));
  CHECK(watching.call(look_up{}).value() == 102);

  w.faults().clear();
  w.faults().stall<price>("watcher", 300ms);
  REQUIRE(w.app().kill("watcher"));
  w.run();
  const auto before = w.sim().now();
  watching.cast(price{500});
  CHECK(p.expect<too_high>().cents == 500);
  CHECK(w.sim().now() - before >= 300ms);
  CHECK(w.count(report::overran, "watcher") == 1);
}

TEST_CASE("testing: a delayed message of a process that ends is a dead letter") {
  world w{tree()};
  w.faults().delay<any_message>("**", 50ms);
  w.start();
  const auto watching = add_watcher(w, {}, {.restart = temporary});
  watching.cast(price{1});
  w.run();
  const auto lost = w.app().dead_letters();
  REQUIRE(w.app().kill("watcher"));
  w.advance(100ms);
  CHECK(w.app().dead_letters() == lost + 1);
}

TEST_CASE("testing: random faults are repeated by the seed") {
  const auto run = [](std::uint64_t seed) {
    world w{tree(), {.seed = seed}};
    w.faults().drop<price>("watcher", one_in(3));
    w.start();
    herald::testing::probe<too_high> p{w};
    const auto watching = add_watcher(w, {p, {}});
    for (int i = 1; i <= 30; ++i) watching.cast(price{100 + i});
    w.run();
    std::vector<int> came;
    while (p.waiting() != 0) came.push_back(p.expect<too_high>().cents);
    return came;
  };
  CHECK(run(5) == run(5));
  CHECK(run(5) != run(6));
  CHECK(run(5).size() < 30);
}

TEST_CASE("testing: wrong rules are refused when they are made") {
  testing::faults f;
  CHECK_THROWS_AS(f.fail_init(""), std::invalid_argument);
  CHECK_THROWS_AS(f.fail_init("/a"), std::invalid_argument);
  CHECK_THROWS_AS(f.fail_init("a/"), std::invalid_argument);
  CHECK_THROWS_AS(f.drop<price>("a", first(0)), std::invalid_argument);
  CHECK_THROWS_AS(f.delay<price>("a", -1ms), std::invalid_argument);
}

TEST_CASE("testing: for_seeds runs every seed, names the one that fails, and obeys the environment") {
  std::vector<std::uint64_t> seen;
  const char* only = std::getenv("HERALD_SEED");
  const char* many = std::getenv("HERALD_SEEDS");
  if (only == nullptr && many == nullptr) {
    for_seeds(3, [&](std::uint64_t seed) { seen.push_back(seed); });
    CHECK(seen == std::vector<std::uint64_t>{1, 2, 3});
    CHECK(has(failure_of([] {
      for_seeds(3, [](std::uint64_t seed) {
        if (seed == 2) throw failure{"two"};
      });
    }), "with HERALD_SEED=2: two"));
  }
}

TEST_CASE("testing: a probe works on real threads as well") {
  application app{tree(), {.workers = 2, .sinks = {[](const report&) {}}}};
  app.start();
  herald::testing::probe<too_high, rate_of> p{app};
  p.answer<rate_of>([](const rate_of& m) { return m.cents + 1; });
  REQUIRE(app.root().start_child(child<watcher>("watcher", {p, p.as_ref()}, {.placement = spread})));
  app.find<watcher>("watcher").cast(price{200});
  CHECK(p.expect<rate_of>(10s).cents == 200);
  CHECK(p.expect<too_high>(10s).cents == 201);
  app.stop();
}
