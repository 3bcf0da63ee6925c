// What a topic keeps for those who come late (B1, B2): first what was kept, then live, none twice and none left out, on
// whatever host and while publishing goes on.

#include <algorithm>
#include <memory>
#include <random>
#include <stdexcept>

#include <doctest/doctest.h>

#include "fixture.hpp"

using namespace herald;
using namespace pubsub_test;

namespace {

void put(const world& w, int number, std::string_view topic = "t") { bus{w.app}.broadcast(topic, tick{number}, retain).value(); }

}  // namespace

TEST_CASE("B1: a late subscriber gets the last retained value first, then live ones") {
  world w{3};
  put(w, 1);
  put(w, 2);
  inside(w.p(0), [](context& self) { subscribe<tick>(self, "t"); });
  put(w, 3);
  inside(w.p(1), [](context& self) { subscribe<tick>(self, "t"); });
  w.publish(4);  // not kept
  inside(w.p(2), [](context& self) { subscribe<tick>(self, "t"); });
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{2, 3, 4});
  CHECK(w.logs[1].numbers == std::vector{3, 4});
  CHECK(w.logs[2].numbers == std::vector{3});
  CHECK(w.logs[2].topics == std::vector<std::string>{"t"});
}

TEST_CASE("B1: clearing it is a publish of nothing; the topic is then kept by nobody") {
  world w{3};
  put(w, 1);
  CHECK(bus{w.app}.topics() == 1);
  CHECK(bus{w.app}.topic("t").value().retained() == 1);
  bus{w.app}.clear("t").value();
  CHECK(bus{w.app}.topics() == 0);
  inside(w.p(0), [](context& self) { subscribe<tick>(self, "t"); });
  w.sim.run();
  CHECK(w.logs[0].numbers.empty());
  put(w, 2);
  inside(w.p(1), [](context& self) { subscribe<tick>(self, "t"); });
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{2});
  CHECK(w.logs[1].numbers == std::vector{2});
  CHECK(bus{w.app}.clear("").is(pubsub_errc::bad_topic));
  bus{w.app}.clear("nobody:knows").value();
}

TEST_CASE("B1: who does not want it does not get it") {
  world w{2};
  put(w, 1);
  inside(w.p(0), [](context& self) { subscribe<tick>(self, "t", {.retained = false}); });
  put(w, 2);
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{2});
}

TEST_CASE("B1: a pattern gets what each of its topics keeps") {
  world w{2};
  put(w, 1, "a:x");
  put(w, 2, "a:y");
  put(w, 3, "b:x");
  inside(w.p(0), [](context& self) { subscribe<tick>(self, "a:*"); });
  put(w, 4, "a:x");
  put(w, 5, "a:z");
  w.sim.run();
  auto got = w.logs[0].numbers;
  REQUIRE(got.size() == 4);
  std::sort(got.begin(), got.begin() + 2);
  CHECK(got == std::vector{1, 2, 4, 5});
}

TEST_CASE("B1: a filter and a type hold for kept events, too") {
  world w{2};
  const auto t = bus{w.app}.topic("t", {.history = 10}).value();
  for (int i = 0; i < 6; ++i) t.broadcast(tick{i});
  t.broadcast(text{"hello"});
  inside(w.p(0), [](context& self) {
    subscribe<tick>(self, "t", {.filter = [](const tick& e) {
      if (e.number == 4) throw std::runtime_error{"no idea"};
      return e.number % 2 == 0;
    }});
  });
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{0, 2});
  CHECK(w.logs[0].words.empty());
  CHECK(w.logs[0].inits == 1);
}

TEST_CASE("B2: a topic with a history hands its last n to who comes late, in order, however many that one wants") {
  world w{3};
  const auto t = bus{w.app}.topic("t", {.history = 3}).value();
  for (int i = 1; i <= 5; ++i) t.broadcast(tick{i});
  inside(w.p(0), [](context& self) { subscribe<tick>(self, "t"); });
  inside(w.p(1), [](context& self) { subscribe<tick>(self, "t", {.history = 2}); });
  inside(w.p(2), [](context& self) { subscribe<tick>(self, "t", {.history = 50}); });
  t.broadcast(tick{6});
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{3, 4, 5, 6});
  CHECK(w.logs[1].numbers == std::vector{4, 5, 6});
  CHECK(w.logs[2].numbers == std::vector{3, 4, 5, 6});
  CHECK(t.retained() == 3);
  CHECK(bus{w.app}.statistics("t").value().retained == 3);
  CHECK(bus{w.app}.statistics("*").value().retained == 0);
}

TEST_CASE("B2: what is kept is more than a mailbox may hold, and does not use it up") {
  simulation sim{1};
  seen log;
  const child_options mailbox{.mailbox = {.limit = 3}};
  const auto init = [](context& self) { subscribe<tick>(self, "t"); };
  application app{{.name = "root", .children = {child<listener>("p", {.into = &log, .init = init}, mailbox)}}, simulated(sim)};
  const auto t = bus{app}.topic("t", {.history = 20}).value();
  for (int i = 0; i < 20; ++i) t.broadcast(tick{i});
  app.start();
  for (int i = 20; i < 22; ++i) t.broadcast(tick{i});
  sim.run();
  CHECK(log.numbers == up_to(22));
  CHECK(std::count(log.missed.begin(), log.missed.end(), 0) == 22);
}

TEST_CASE("a topic's history is 0 to 100 000, and one number while the topic exists") {
  world w{1};
  const bus b{w.app};
  const auto too_long = b.topic("t", {.history = 100'001});
  REQUIRE(too_long.is(pubsub_errc::bad_option));
  CHECK(too_long.error().message().find("100001") != std::string::npos);
  {
    const auto t = b.topic("t", {.history = 5}).value();
    CHECK(b.topic("t", {.history = 5}).value() == t);
    CHECK(b.topic("t", {}).value() == t);
    CHECK(b.topic("t").value() == t);
    const auto other = b.topic("t", {.history = 6});
    REQUIRE(other.is(pubsub_errc::bad_option));
    CHECK(other.error().message().find("keeps 5 already") != std::string::npos);
    t.broadcast(tick{1});
  }
  CHECK(b.topic("t", {.history = 6}).is(pubsub_errc::bad_option));  // it keeps one, so it is still there
  b.clear("t").value();
  CHECK(b.topics() == 0);
  CHECK(b.topic("t", {.history = 6}).has_value());
}

TEST_CASE("B1: a new incarnation gets it again, unless events of it still wait") {
  struct teller : process<teller, tick, crash_now, run_inside> {
    struct args {
      std::vector<std::vector<int>>* lives;
    };
    teller(context& self, args a) : a_{a} {
      a_.lives->emplace_back();
      subscribe<tick>(self, "t");
    }
    void on(const tick& t) { a_.lives->back().push_back(t.number); }
    void on(const crash_now&) { throw std::runtime_error{"told to"}; }
    void on(context& self, const run_inside& r) { r.code(self); }

   private:
    args a_;
  };
  simulation sim{1};
  std::vector<std::vector<int>> lives;
  application app{{.name = "root", .intensity = {10, std::chrono::seconds{1}}, .children = {child<teller>("p", {&lives})}}, simulated(sim)};
  app.start();
  const bus b{app};
  b.broadcast("t", tick{1}, retain).value();
  sim.run();
  app.find<teller>("p").cast(crash_now{});
  sim.run();
  b.broadcast("t", tick{2}, retain).value();
  sim.run();
  CHECK(lives == std::vector<std::vector<int>>{{1}, {1, 2}});
  // 3 and 4 wait behind the crash: the next life goes on with them.
  app.find<teller>("p").cast(run_inside{[](context&) { simulation::stall(std::chrono::seconds{1}); }});
  sim.advance(std::chrono::milliseconds{500});
  app.find<teller>("p").cast(crash_now{});
  b.broadcast("t", tick{3}, retain).value();
  b.broadcast("t", tick{4}, retain).value();
  sim.advance(std::chrono::seconds{1});
  sim.run();
  CHECK(lives == std::vector<std::vector<int>>{{1}, {1, 2}, {3, 4}});
}

TEST_CASE("B1: what is kept ends with the application, or with clear") {
  struct counted {
    explicit counted(int* n) : alive{n} { ++*alive; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    ~counted() { --*alive; }
    int* alive;
  };
  struct body {
    std::shared_ptr<counted> what;
  };
  int alive = 0;
  auto w = std::make_unique<world>(1);
  const bus b{w->app};
  const auto t = b.topic("t", {.history = 10}).value();
  for (int i = 0; i < 50; ++i) t.broadcast(body{std::make_shared<counted>(&alive)});
  CHECK(alive == 10);
  t.clear();
  CHECK(alive == 0);
  for (int i = 0; i < 50; ++i) b.broadcast("u", body{std::make_shared<counted>(&alive)}, retain).value();
  CHECK(alive == 1);
  w->app.stop();
  CHECK(alive == 0);
  CHECK(b.broadcast("u", body{std::make_shared<counted>(&alive)}, retain).is(pubsub_errc::closed));
  w.reset();
  CHECK(alive == 0);
}

TEST_CASE("B1, W2: once holds for what topics keep, whichever subscriptions it comes through") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    world w{3, seed};
    put(w, 1, "a:b");
    // By two patterns that say once, and one that does not.
    inside(w.p(0), [](context& self) {
      subscribe<tick>(self, "a:*", {.once = true});
      subscribe<tick>(self, "*:b", {.once = true});
      subscribe<tick>(self, "**");
    });
    inside(w.p(1), [](context& self) { subscribe<tick>(self, "a:*", {.once = true}); });
    w.sim.run();
    CHECK(w.logs[0].numbers == std::vector{1, 1});
    CHECK(w.logs[1].numbers == std::vector{1});
    // Live first, kept by the topic and given to another subscription later.
    put(w, 2, "a:b");
    inside(w.p(1), [](context& self) { subscribe<tick>(self, "*:b", {.once = true}); });
    w.sim.run();
    CHECK(w.logs[0].numbers == std::vector{1, 1, 2, 2});
    CHECK(w.logs[1].numbers == std::vector{1, 2});
    // Each process has its own copy, and who refused it by a filter gets it through another subscription.
    inside(w.p(2), [](context& self) {
      subscribe<tick>(self, "a:*", {.filter = [](const tick&) { return false; }, .once = true});
      subscribe<tick>(self, "*:b", {.once = true});
    });
    w.sim.run();
    CHECK(w.logs[2].numbers == std::vector{2});
  }
}

TEST_CASE("B1, W2: a subscription that comes when the one with the copy has gone gets it, and so does the next life") {
  world w{1, 1, [](context& self) {
            if (self.incarnation() == 1) return;
            subscribe<tick>(self, "a:*", {.once = true});
            subscribe<tick>(self, "*:b", {.once = true});
          }};
  put(w, 1, "a:b");
  inside(w.p(0), [](context& self) { subscribe<tick>(self, "a:*", {.once = true}); });
  w.sim.run();
  inside(w.p(0), [](context& self) {
    unsubscribe(self, "a:*");
    subscribe<tick>(self, "*:b", {.once = true});
  });
  w.sim.run();
  CHECK(w.logs[0].numbers == std::vector{1, 1});
  w.p(0).cast(crash_now{});
  w.sim.run();
  CHECK(w.logs[0].inits == 2);
  CHECK(w.logs[0].numbers == std::vector{1, 1, 1});
}

TEST_CASE("B1, W2: what waits for the next life counts as its copy") {
  world w{1, 1, [](context& self) {
            if (self.incarnation() == 2) subscribe<tick>(self, "*:b", {.once = true});
            subscribe<tick>(self, "a:*", {.once = true});
          }};
  w.p(0).cast(run_inside{[](context&) { simulation::stall(std::chrono::seconds{1}); }});
  w.sim.advance(std::chrono::milliseconds{500});
  w.p(0).cast(crash_now{});
  put(w, 1, "a:b");
  w.sim.advance(std::chrono::seconds{1});
  w.sim.run();
  CHECK(w.logs[0].inits == 2);
  CHECK(w.logs[0].numbers == std::vector{1});
}

TEST_CASE("B1, W2: a filter that overruns on a kept event takes its one copy all the same") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    world w{1, seed};
    put(w, 1, "a:b");
    inside(w.p(0), [](context& self) {
      subscribe<tick>(self, "a:*", {.filter = [](const tick&) { return simulation::stall(std::chrono::seconds{1}), true; }, .once = true});
      subscribe<tick>(self, "*:b", {.once = true});
    });
    w.sim.advance(std::chrono::seconds{3});
    CHECK(w.logs[0].numbers == std::vector{1});
  }
}

TEST_CASE("B1, W2: a process that has the place of one that ended gets its own copy of a kept event") {
  world w{1};
  put(w, 1, "a:b");
  auto root = w.app.root();
  const auto init = [](context& self) {
    subscribe<tick>(self, "a:*", {.once = true});
    subscribe<tick>(self, "*:b", {.once = true});
  };
  for (int i = 1; i <= 300; ++i) {
    seen log;
    static_cast<void>(root.start_child(child<listener>("one", {.into = &log, .init = init}, {.restart = temporary})).value());
    w.sim.run();
    REQUIRE(log.numbers == std::vector{1});
    CHECK(root.terminate_child("one"));
    w.sim.run();
  }
}

// --- a model, many seeds ----------------------------------------------------------------------------------------------

namespace {

/// One life's subscription to the topic, as it happened.
struct chapter {
  int known = 0;      ///< the last number kept when it subscribed
  bool anew = true;   ///< the subscription did not exist before
  std::vector<int> got;
};

struct history_model;
struct archivist : process<archivist, tick, run_inside, crash_now> {
  struct args {
    history_model* model = nullptr;
    std::size_t who = 0;
  };
  archivist(context& self, args a);
  void on(context& self, const tick& t);
  void on(context& self, const run_inside& r) { r.code(self); }
  void on(const crash_now&) { throw std::runtime_error{"told to"}; }

 private:
  args a_;
};

struct history_model {
  explicit history_model(std::uint64_t s) : seed{s} {}
  const std::uint64_t seed;
  std::mt19937_64 dice{seed};
  simulation sim{seed};
  const std::size_t depth = 1 + dice() % 6;
  const bool pattern = dice() % 3 == 0;
  const bool dispatched = seed % 4 == 3;  ///< every other event by way of a dispatcher
  std::vector<std::vector<chapter>> stories = std::vector<std::vector<chapter>>(2 + dice() % 5);
  std::vector<bool> subscribed = std::vector<bool>(stories.size());
  std::vector<int> stall_at = std::vector<int>(stories.size());
  int number = 0;  ///< nobody is interrupted between this and the publish
  std::unique_ptr<application> app;

  [[nodiscard]] ref<archivist> p(std::size_t i) const { return app->find<archivist>("p" + std::to_string(i)); }
  void begin(context& self, std::size_t who, bool anew) {
    stories[who].push_back({number, anew, {}});
    subscribe<tick>(self, pattern ? "t:*" : "t:a", {.metadata = stories[who].size()});
  }
  void publish(const topic& to) {
    static const dispatcher everybody{[](dispatch_call& call) {
      for (const auto& e : call.entries()) call.deliver(e);
    }};
    ++number;
    if (dispatched && number % 2 == 0) broadcast(to.bus(), to.name(), tick{number}, everybody).value();
    else to.broadcast(tick{number});
  }

  void act() {
    const auto who = dice() % stories.size();
    switch (dice() % 8) {
      case 0:
        p(who).cast(run_inside{[this, who](context& self) {
          if (subscribed[who]) return;
          subscribed[who] = true;
          begin(self, who, true);
        }});
        break;
      case 1:
        p(who).cast(run_inside{[this, who](context& self) {
          if (!subscribed[who]) return;
          subscribed[who] = false;
          unsubscribe(self, pattern ? "t:*" : "t:a");
        }});
        break;
      case 2:
        if (dice() % 2 == 0) p(who).cast(crash_now{});
        break;
      case 3:
        if (dice() % 4 == 0)
          p(who).cast(run_inside{[this, who](context& self) {
            // Left behind: what it does now comes from afar.
            simulation::stall(std::chrono::milliseconds{150});
            if (subscribed[who] || pattern) return;
            subscribed[who] = true;
            begin(self, who, true);
          }});
        break;
      case 4:
      case 5:
        p(who).cast(run_inside{[this](context& self) { publish(bus{self}.topic("t:a").value()); }});
        break;
      default: publish(bus{*app}.topic("t:a").value());
    }
    if (dice() % 3 == 0) sim.step(dice() % 12);
    if (dice() % 16 == 0) sim.advance(std::chrono::milliseconds{100});
  }

  void check() {
    for (std::size_t i = 0; i < stories.size(); ++i) {
      CAPTURE(i);
      int last = 0;  ///< of the same subscription, in the life before
      for (const auto& c : stories[i]) {
        const auto& got = c.got;
        for (std::size_t k = 1; k < got.size(); ++k) REQUIRE(got[k] == got[k - 1] + 1);
        const int oldest = std::max(1, c.known - static_cast<int>(depth) + 1);
        if (c.anew) {
          if (!got.empty()) REQUIRE(got.front() == oldest);
          if (&c == &stories[i].back() && subscribed[i] && number >= oldest) REQUIRE(!got.empty());
        } else if (!got.empty()) {
          REQUIRE(got.front() <= std::max(last + 1, oldest));  // whatever the life before had, nothing is left out after it
        }
        if (!got.empty()) last = got.back();
      }
      if (subscribed[i] && number > 0 && !stories[i].empty() && stories[i].back().anew) REQUIRE(last == number);
    }
  }

  void run() {
    supervisor tree{.name = "root", .intensity = {1'000'000, std::chrono::milliseconds{1000}}};
    for (std::size_t i = 0; i < stories.size(); ++i)
      tree.children.push_back(child<archivist>("p" + std::to_string(i), {.model = this, .who = i}, {.placement = dice() % 2 == 0 ? spread : together}));
    app = std::make_unique<application>(tree, simulated(sim, 1 + static_cast<unsigned>(dice() % 3)));
    app->start();
    {
      const auto t = bus{*app}.topic("t:a", {.history = depth}).value();
      for (int i = 0; i < 60; ++i) act();
      static_cast<void>(sim.run_until([] { return false; }));
      check();
      t.clear();
    }
    for (std::size_t i = 0; i < stories.size(); ++i)
      if (subscribed[i]) p(i).call(run_inside{[this](context& self) { unsubscribe(self, pattern ? "t:*" : "t:a"); }}).value();
    CHECK(bus{*app}.topics() == 0);
  }
};

archivist::archivist(context& self, args a) : a_{a} {
  if (!a_.model->subscribed[a_.who]) return;
  a_.model->begin(self, a_.who, false);
}
void archivist::on(context& self, const tick& t) {
  // What waited when a subscription ended is still handled, and belongs to no other.
  const auto* chapter_number = std::any_cast<std::size_t>(topic_of(self).metadata);
  if (chapter_number != nullptr) a_.model->stories[a_.who].at(*chapter_number - 1).got.push_back(t.number);
}

}  // namespace

TEST_CASE("B1, B2: random late subscribers, crashes and overruns on all hosts get the history and then all that is live") {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    history_model m{seed};
    m.run();
  }
}
