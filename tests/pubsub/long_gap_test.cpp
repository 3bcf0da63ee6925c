// Gaps longer than 32 bits count: minutes of a fast topic that nobody took. What a full inbox did not take is written into its
// count here, as the publishers would have.

#include <doctest/doctest.h>

#include <herald/engine/topic_record.hpp>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;

namespace {

constexpr std::uint64_t many = 3'000'000'000;

/// The inbox was full for so many events of the topic; all subscribers are on one host.
void lose(const application& app, std::uint64_t count) { bus{app}.topic("t").value().inside().seats()->missed += count; }

struct hearer : process<hearer, tick, text, gap, run_inside> {
  struct args {
    std::vector<std::uint64_t>* gaps;
    std::vector<int>* numbers;
    subscription_options options{};
  };
  hearer(context& self, args a) : a_{std::move(a)} { subscribe<tick>(self, "t", a_.options); }
  void on(const tick& t) { a_.numbers->push_back(t.number); }
  void on(const text&) {}
  void on(const gap& g) { a_.gaps->push_back(g.missed); }
  void on(context& self, const run_inside& r) { r.code(self); }

 private:
  args a_;
};

event_filter even() {
  return [](const tick& t) { return t.number % 2 == 0; };
}

}  // namespace

TEST_CASE("B5: a gap of more than 2^32 events is counted exactly, with the next event") {
  simulation sim{1};
  seen filtered, plain;
  const auto by_filter = [](context& self) { subscribe<tick>(self, "t", {.key = "k", .filter = even()}); };
  const auto all = [](context& self) { subscribe<tick>(self, "t"); };
  application app{{.name = "root", .children = {child<listener>("a", {.into = &filtered, .init = by_filter}), child<listener>("b", {.into = &plain, .init = all})}},
                  simulated(sim, 1)};
  app.start();
  const bus b{app};
  for (const int n : {1, 3, 5}) {
    lose(app, many);
    b.broadcast("t", tick{n}).value();
    sim.run();
  }
  // Said anew while it is owed, the count stays.
  inside(app.find<listener>("a"), [](context& self) { subscribe<tick>(self, "t", {.key = "k"}); });
  lose(app, 7);
  b.broadcast("t", tick{6}).value();
  b.broadcast("t", tick{8}).value();
  sim.run();
  CHECK(filtered.missed == std::vector<std::uint64_t>{3 * many + 7, 0});
  CHECK(plain.missed == std::vector<std::uint64_t>{many, many, many, 7, 0});
  CHECK(b.statistics("t").value().lost[static_cast<std::size_t>(loss::inbox_full)] == 2 * (3 * many + 7));
}

TEST_CASE("B5: a gap of more than 2^32 events is counted exactly where events wait") {
  for (const auto& when_slow : {policy{}, policy::drop_oldest(2), policy::drop_newest(2), policy::latest_by(&tick::publisher, 2)}) {
    CAPTURE(static_cast<int>(when_slow.kind()));
    simulation sim{1};
    seen log;
    std::vector<std::uint64_t> gaps;
    std::vector<int> numbers;
    const auto init = [&](context& self) { subscribe<tick>(self, "t", {.when_slow = when_slow}); };
    application app{{.name = "root",
                     .children = {child<listener>("a", {.into = &log, .init = init}, {.mailbox = {.limit = 2}}),
                                  child<hearer>("b", {&gaps, &numbers, {.when_slow = when_slow}}, {.mailbox = {.limit = 2}})}},
                    simulated(sim, 1)};
    app.start();
    const auto stall = run_inside{[](context&) { simulation::stall(std::chrono::seconds{1}); }};
    app.find<listener>("a").cast(stall);
    app.find<hearer>("b").cast(stall);
    sim.advance(std::chrono::milliseconds{500});
    for (int n = 1; n <= 6; ++n) {
      lose(app, many);
      bus{app}.broadcast("t", tick{n, n % 2}).value();
      sim.run();
    }
    sim.advance(std::chrono::seconds{2});
    bus{app}.broadcast("t", tick{7, 3}).value();
    sim.run();
    std::uint64_t sum = 0;
    for (const auto m : log.missed) sum += m;
    CHECK(sum + log.numbers.size() == 6 * many + 7);
    sum = 0;
    for (const auto m : gaps) sum += m;
    CHECK(sum + numbers.size() == 6 * many + 7);
  }
}

TEST_CASE("B5: who subscribes after a gap of more than 2^31 events is not told of it, whatever it subscribes to") {
  simulation sim{1};
  seen early, late, words;
  application app{{.name = "root",
                   .children = {child<listener>("early", {.into = &early, .init = [](context& self) { subscribe<tick>(self, "t"); }}),
                                child<listener>("late", {.into = &late}), child<listener>("words", {.into = &words})}},
                  simulated(sim, 1)};
  app.start();
  const bus b{app};
  lose(app, many);
  inside(app.find<listener>("late"), [](context& self) { subscribe<tick>(self, "t"); });
  inside(app.find<listener>("words"), [](context& self) { subscribe<text>(self, "t"); });
  lose(app, 2 * many);
  b.broadcast("t", tick{1}).value();
  sim.run();
  CHECK(early.missed == std::vector<std::uint64_t>{3 * many});
  CHECK(late.missed == std::vector<std::uint64_t>{2 * many});
  lose(app, 3);
  b.broadcast("t", text{"hello"}).value();
  b.broadcast("t", tick{2}).value();
  sim.run();
  CHECK(early.missed.back() == 3);
  CHECK(late.missed.back() == 3);
  CHECK(words.missed == std::vector<std::uint64_t>{2 * many + 3});
}
