// Traces of one process, dead letters as a stream, counters and sampled handler times.

#include <condition_variable>

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct order {
  int number = 0;
};
struct receipt {
  int number = 0;
};
struct price {
  using reply = int;
};

/// Takes orders, sends a receipt for each to a printer, and asks a broker.
struct printer : process<printer, receipt, price> {
  void on(const receipt&) {}
  int on(const price&) { return 3; }
};
struct shop : process<shop, order> {
  explicit shop(context& self) : self_{self} {}
  void on(const order& o) {
    if (o.number == 13) throw std::runtime_error{"unlucky"};
    if (o.number == 7) simulation::stall(5ms);
    const auto to = self_.find<printer>("printer");
    to.cast(receipt{o.number});
    if (o.number == 1) self_.call(to, price{}, 1s, [](const result<int>&) {});
  }

 private:
  context& self_;
};

supervisor street() {
  return {.name = "root",
          .intensity = {1000, 1s},
          .children = {child<printer>("printer", {.placement = spread}), child<shop>("shop", {.placement = spread}),
                       child<shop>("other")}};
}

std::string short_of(const trace_event& e) {
  std::string type{e.message};
  if (const auto at = type.rfind(':'); at != std::string::npos) type = type.substr(at + 1);
  if (type.find('<') != std::string::npos || type.find('>') != std::string::npos) type = "reply";
  auto line = std::string{name_of(e.kind)} + " " + type;
  if (e.peer) line += (e.kind == trace_event::sent ? " > " : " < ") + e.peer_path;
  return line;
}

struct traced {
  explicit traced(std::uint64_t seed = 1) : w{seed} { w.start(street()); }
  [[nodiscard]] trace_sink sink() {
    return [this](const trace_event& e) { events.push_back(e); };
  }
  [[nodiscard]] std::vector<std::string> lines(trace_event::kind_t but = trace_event::kind_t{255}) const {
    std::vector<std::string> all;
    for (const auto& e : events)
      if (e.kind != but) all.push_back(short_of(e));
    return all;
  }
  world w;
  std::vector<trace_event> events;
};

using strings = std::vector<std::string>;

}  // namespace

TEST_CASE("trace: received, handling, sent, handled, in order, with peers (seeds)") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    traced t{seed};
    const auto shop_ref = t.w.app->find<shop>("shop");
    auto handle = trace(shop_ref, t.sink());
    t.w.sim.run();
    shop_ref.cast(order{1});
    t.w.app->find<shop>("other").cast(order{2});
    t.w.sim.run();
    CHECK(t.lines() == strings{"received order", "handling order", "sent receipt > printer", "sent price > printer",
                               "handled order", "received reply", "handling reply", "handled reply"});
    handle.end();
    t.w.sim.run();
    t.events.clear();
    shop_ref.cast(order{3});
    t.w.sim.run();
    CHECK(t.events.empty());
    CHECK((shop_ref.where().cell->busy & engine::busy_watched) == 0);
  }
}

TEST_CASE("trace: times, a crash, and the next life") {
  traced t;
  const auto shop_ref = t.w.app->find<shop>("shop");
  const auto handle = trace(shop_ref, t.sink());
  t.w.sim.run();
  shop_ref.cast(order{7});
  t.w.sim.advance(1s);
  REQUIRE(t.events.size() == 4);
  CHECK(t.events[3].kind == trace_event::handled);
  CHECK(t.events[3].time == 5ms);
  CHECK(t.events[3].when - t.events[1].when == 5ms);
  CHECK(t.events[3].to_string().find("handled") != std::string::npos);
  CHECK(t.events[3].to_string().find(" in 5000 us") != std::string::npos);
  t.events.clear();
  shop_ref.cast(order{13});
  shop_ref.cast(order{14});
  t.w.sim.run();
  CHECK(t.lines(trace_event::received) == strings{"handling order", "handling order", "sent receipt > printer", "handled order"});
}

TEST_CASE("trace: ends by itself at its limit, and leaves out what comes too fast") {
  traced t;
  const auto shop_ref = t.w.app->find<shop>("shop");
  const auto few = trace(shop_ref, t.sink(), {.limit = 5});
  t.w.sim.run();
  for (int i = 20; i < 30; ++i) shop_ref.cast(order{i});
  t.w.sim.run();
  CHECK(t.events.size() == 5);
  CHECK((shop_ref.where().cell->busy & engine::busy_watched) == 0);
  t.events.clear();
  const auto slow = trace(shop_ref, t.sink(), {.per_second = 8});
  t.w.sim.run();
  for (int i = 20; i < 30; ++i) shop_ref.cast(order{i});
  t.w.sim.run();
  CHECK(t.events.size() == 8);
  t.w.sim.advance(2s);
  shop_ref.cast(order{40});
  t.w.sim.run();
  CHECK(t.events.size() == 12);
  CHECK(t.events[8].skipped == 32);
}

TEST_CASE("trace: of nobody, of a process that goes, and a handle that outlives the application") {
  traced t;
  CHECK_FALSE(trace(any_ref{}, t.sink()));
  auto handle = trace(t.w.app->find<shop>("shop"), t.sink());
  t.w.sim.run();
  CHECK(t.w.app->root().terminate_child("shop"));
  CHECK(t.w.app->root().delete_child("shop"));
  t.w.sim.run();
  t.w.app.reset();
  handle.end();
}

TEST_CASE("dead letters: a stream with from, to, type and reason, until the handle ends") {
  traced t;
  std::vector<dead_letter> lost;
  auto handle = t.w.app->on_dead_letters([&](const dead_letter& d) { lost.push_back(d); });
  const auto gone = t.w.app->find<printer>("printer");
  CHECK(t.w.app->root().terminate_child("printer"));
  t.w.app->find<shop>("shop").cast(order{2});
  t.w.sim.run();
  any_ref{t.w.app->find<shop>("other")}.cast(note{1});
  t.w.sim.run();
  gone.cast(receipt{1});
  t.w.sim.run();
  REQUIRE(lost.size() == 3);
  const auto of = [&](dead_letter_reason why, std::string_view type) -> const dead_letter& {
    for (const auto& d : lost)
      if (d.reason == why && d.type.find(type) != std::string_view::npos) return d;
    FAIL("no such letter");
    return lost[0];
  };
  const auto& unknown = of(dead_letter_reason::unhandled, "note");
  CHECK(unknown.to_path == "other");
  CHECK_FALSE(unknown.from);
  CHECK(lost[0].from_path == "shop");
  CHECK(lost[2].to_path == "printer");
  CHECK_FALSE(lost[2].from);
  CHECK(lost[2].to_string().find("from (no process) to printer: noproc") != std::string::npos);
  const auto c = t.w.app->counters();
  CHECK(c.dropped_for(dead_letter_reason::noproc) == 2);
  CHECK(c.dropped_for(dead_letter_reason::unhandled) == 1);
  handle.end();
  gone.cast(receipt{2});
  t.w.sim.run();
  CHECK(lost.size() == 3);
  CHECK(t.w.app->counters().dropped_for(dead_letter_reason::noproc) == 3);
}

TEST_CASE("counters: handled, sent, restarts, crashes, timers, hosts") {
  world w;
  auto& app = w.start({.name = "root", .intensity = {100, 1s}, .children = {w.worker("a"), w.worker("b")}});
  const auto before = app.counters();
  CHECK(before.hosts == 3);
  CHECK(before.restarts == 0);
  CHECK(before.timers == 0);
  for (int i = 0; i < 10; ++i) w.tell("a", note{i});
  w.crash("b");
  CHECK(w.life_of("b") == 2);
  const auto after = app.counters();
  CHECK(after.handled - before.handled == 12);
  CHECK(after.sent - before.sent == 12);
  CHECK(after.restarts == 1);
  CHECK(after.crashes == 1);
}

TEST_CASE("handler times: sampled by process type, with the stalls they have") {
  struct sleepy : process<sleepy, note> {
    void on(const note&) { simulation::stall(1ms); }
  };
  world w;
  auto& app = w.start({.name = "root", .children = {w.worker("quick"), child<sleepy>("sleepy", {.mailbox = {.limit = 1'000'000}})}});
  const auto who = app.find<sleepy>("sleepy");
  for (int i = 0; i < 6000; ++i) who.cast(note{i});
  w.sim.advance(20s);
  const auto s = app.snapshot().value();
  REQUIRE(s.times.size() >= 1);
  const auto found = std::find_if(s.times.begin(), s.times.end(), [](const auto& t) { return t.process_type.find("sleepy") != std::string_view::npos; });
  REQUIRE(found != s.times.end());
  CHECK(found->samples >= 4);
  CHECK(found->samples <= 6);
  CHECK(found->mean == 1ms);
  CHECK(found->p50 >= 1ms);
  CHECK(found->longest == 1ms);
  CHECK(s.hosts[s.find("sleepy")->host].times.samples == found->samples);
}

TEST_CASE("threads: dead letters and traces reach their sinks, with paths, off the runners") {
  struct inbox {
    std::mutex mutex;
    std::condition_variable changed;
    std::uint64_t letters = 0;
    std::vector<std::string> lines;
    bool wait(const std::function<bool()>& done) {
      std::unique_lock lock{mutex};
      return changed.wait_for(lock, 20s, done);
    }
  } in;
  application_options o;
  o.workers = 2;
  o.hosts = 2;
  o.sinks = {[](const report&) {}};
  application app{street(), o};
  app.start();
  const auto letters = app.on_dead_letters([&](const dead_letter& d) {
    const std::lock_guard lock{in.mutex};
    if (d.to_path == "other" && d.type.find("note") != std::string_view::npos) in.letters += d.count;
    in.changed.notify_all();
  });
  auto handle = trace(app.find<shop>("shop"), [&](const trace_event& e) {
    const std::lock_guard lock{in.mutex};
    in.lines.push_back(short_of(e));
    in.changed.notify_all();
  });
  for (int i = 0; i < 500; ++i) any_ref{app.find<shop>("other")}.cast(note{i});
  CHECK(in.wait([&] { return in.letters == 500; }));
  for (int i = 20; i < 70; ++i) app.find<shop>("shop").cast(order{i});
  CHECK(in.wait([&] { return std::count(in.lines.begin(), in.lines.end(), "handled order") == 50; }));
  CHECK(std::count(in.lines.begin(), in.lines.end(), "sent receipt > printer") == 50);
  handle.end();
  CHECK(app.counters().threads >= 4);
  app.stop();
}
