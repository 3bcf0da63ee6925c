// Snapshots: what they list, that each host is seen at one instant while its processes go on, and that stuck handlers,
// new and ending processes and shutdown do not disturb them.

#include <map>
#include <random>

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

const process_row& row_at(const snapshot& s, std::string_view path) {
  const auto* row = s.find(path);
  REQUIRE_MESSAGE(row != nullptr, path);
  return *row;
}

struct tick {
  int crash = 0;
};
struct look {};

/// What happened on one host, in order: a message handled ('h') or an init ('i') of process `who`.
struct event {
  char what;
  int who;
};
using history = std::vector<event>;

struct ticker : process<ticker, tick> {
  struct args {
    int number;
    std::shared_ptr<std::map<const void*, history>> all;
  };
  ticker(context& self, args a) : a_{std::move(a)}, mine_{&(*a_.all)[self.cell().home]} { mine_->push_back({'i', a_.number}); }
  void on(const tick& m) {
    mine_->push_back({'h', a_.number});
    if (m.crash != 0) throw std::runtime_error{"tick"};
  }

 private:
  args a_;
  history* mine_;
};

struct observer : process<observer, look> {
  struct args {
    std::shared_ptr<std::vector<snapshot>> seen;
  };
  observer(context& self, args a) : self_{self}, a_{std::move(a)} {}
  void on(const look&) {
    take_snapshot(self_, 50ms, [this](result<snapshot> s) { a_.seen->push_back(std::move(s).value()); });
  }

 private:
  context& self_;
  args a_;
};

/// Whether the figures of one host's tickers are those after some prefix of what happened there.
bool is_an_instant(const std::map<int, std::pair<std::uint64_t, std::uint32_t>>& figures, const history& happened) {
  std::map<int, std::pair<std::uint64_t, std::uint32_t>> model;
  for (const auto& [who, unused] : figures) model[who] = {0, 0};
  for (std::size_t i = 0;; ++i) {
    if (model == figures) return true;
    if (i == happened.size()) return false;
    auto& m = model[happened[i].who];
    if (happened[i].what == 'h') {
      ++m.first;
    } else {
      ++m.second;
    }
  }
}

}  // namespace

TEST_CASE("snapshot: every process with its place, type, state and figures") {
  world w;
  auto& app = w.start({.name = "root",
                       .children = {w.worker("a"),
                                    supervisor{.name = "group", .children = {w.worker("b"), w.worker("c")}},
                                    child<probe>("own", {.name = "own", .log = &w.log}, {.placement = own_thread})}});
  w.tell("a", note{1});
  w.tell("a", note{2});
  w.crash("group/b");
  const auto s = app.snapshot(50ms).value();
  CHECK(s.complete());
  CHECK(s.processes.size() == 6);
  const auto& a = row_at(s, "a");
  CHECK(s.path(a) == "a");
  CHECK(s.id(a) == "a");
  CHECK(a.type.find("probe") != std::string_view::npos);
  CHECK(a.state == process_state::running);
  CHECK(a.handled == 2);
  CHECK(a.incarnation == 1);
  CHECK(a.who == any_ref{w.at("a")});
  CHECK(s.find(a.who) == &a);
  CHECK(s.processes[a.parent].supervisor);
  CHECK(s.path(s.processes[a.parent]).empty());
  const auto& b = row_at(s, "group/b");
  CHECK(b.incarnation == 2);
  CHECK(b.restarts == 1);
  CHECK(s.path(b) == "group/b");
  CHECK(row_at(s, "own").own_thread);
  CHECK_FALSE(row_at(s, "group").own_thread);
  CHECK(&s.processes[row_at(s, "group").parent] == s.find(""));
  CHECK(row_at(s, "a").memory >= sizeof(engine::cell));
  CHECK(s.find("group/nobody") == nullptr);
  CHECK(s.find("nobody") == nullptr);
  CHECK(s.hosts.size() == 4);  // three shared ones and the thread's
  std::uint32_t processes = 0;
  for (const auto& h : s.hosts) processes += h.processes;
  CHECK(processes == 6);
}

TEST_CASE("snapshot: children without an id are called by their row, and a mailbox shows its depth") {
  world w;
  auto& app = w.start({.name = "root", .children = {dynamic<probe>("pool", {.mailbox = {.limit = 3}})}});
  const auto one = app.find_supervisor("pool").start_child<probe>({.name = "x", .log = &w.log}).value();
  for (int i = 0; i < 5; ++i) one.cast(note{i});
  one.cast(stall_for{60ms});
  const auto s = app.snapshot(200ms).value();
  const auto* row = s.find(any_ref{one});
  REQUIRE(row != nullptr);
  CHECK(s.path(*row) == "pool/#" + std::to_string(row - s.processes.data()));
  CHECK(s.id(*row).empty());
  w.sim.run();
  const auto later = app.snapshot(200ms).value();
  CHECK(later.find(any_ref{one})->handled + later.find(any_ref{one})->dropped == 6);
}

TEST_CASE("snapshot: each host is seen at one instant while its processes handle, crash and restart (seeds)") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    world w{seed};
    const auto all = std::make_shared<std::map<const void*, history>>();
    const auto seen = std::make_shared<std::vector<snapshot>>();
    std::vector<child_spec> children{child<observer>("observer", {seen}, {.placement = by_key(seed)})};
    for (int i = 0; i < 12; ++i)
      children.push_back(child<ticker>("t" + std::to_string(i), {i, all}, {.placement = by_key(static_cast<std::uint64_t>(i) % 3)}));
    auto& app = w.start({.name = "root", .intensity = {10'000, 1s}, .children = std::move(children)});
    std::map<any_ref, int, decltype([](const any_ref& l, const any_ref& r) { return l.where().cell < r.where().cell; })> numbers;
    for (int i = 0; i < 12; ++i) numbers[app.find<ticker>("t" + std::to_string(i))] = i;
    std::mt19937_64 dice{seed};
    for (int round = 0; round < 4; ++round) {
      for (int i = 0; i < 200; ++i)
        app.find<ticker>("t" + std::to_string(dice() % 12)).cast(tick{dice() % 25 == 0});
      w.sim.step(dice() % 60);
      app.find<observer>("observer").cast(look{});
      w.sim.step(dice() % 60);
    }
    w.sim.run();
    REQUIRE(seen->size() == 4);
    for (const auto& s : *seen) {
      REQUIRE(s.complete());
      std::map<const void*, std::map<int, std::pair<std::uint64_t, std::uint32_t>>> figures;
      for (const auto& row : s.processes)
        if (const auto found = numbers.find(row.who); found != numbers.end())
          figures[row.who.where().cell->home][found->second] = {row.handled, row.incarnation};
      CHECK(figures.size() == 3);
      for (const auto& [home, f] : figures) CHECK(is_an_instant(f, (*all)[home]));
    }
  }
}

TEST_CASE("snapshot: processes that come and go meanwhile are seen once or not at all (seeds)") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    world w{seed};
    const auto seen = std::make_shared<std::vector<snapshot>>();
    auto& app = w.start({.name = "root",
                         .children = {child<observer>("observer", {seen}), dynamic<probe>("pool", {.placement = spread})}});
    const auto pool = app.find_supervisor("pool");
    std::vector<ref<probe>> lasting, leaving;
    for (int i = 0; i < 20; ++i) {
      lasting.push_back(pool.start_child<probe>({.name = "l", .log = &w.log}).value());
      leaving.push_back(pool.start_child<probe>({.name = "x", .log = &w.log}).value());
    }
    std::mt19937_64 dice{seed};
    app.find<observer>("observer").cast(look{});
    for (const auto& one : leaving) {
      w.sim.step(dice() % 4);
      static_cast<void>(pool.terminate_child(one));
      static_cast<void>(pool.start_child<probe>({.name = "n", .log = &w.log}));
    }
    w.sim.run();
    REQUIRE(seen->size() == 1);
    const auto& s = seen->front();
    for (const auto& one : lasting) CHECK(s.find(any_ref{one}) != nullptr);
    std::map<const void*, int> times;
    for (const auto& row : s.processes) CHECK(++times[row.who.where().cell] == 1);
    CHECK(s.processes.size() >= 23);
    const auto again = app.snapshot(50ms).value();
    CHECK(again.processes.size() == 43);
    for (const auto& one : leaving) CHECK(again.find(any_ref{one}) == nullptr);
  }
}

TEST_CASE("snapshot: a handler that runs is looked at from outside; one that overruns is stuck, its host answers") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    world w{seed};
    auto& app = w.start({.name = "root", .children = {w.worker("slow"), w.worker("next")}});
    w.tell("next", note{1});
    w.at("slow").cast(stall_for{400ms});
    w.at("slow").cast(note{2});
    w.sim.step(50);
    const auto early = app.snapshot(20ms).value();
    CHECK(early.complete());
    CHECK(row_at(early, "slow").state == process_state::busy);
    CHECK(early.hosts[row_at(early, "slow").host].from_outside);
    CHECK(row_at(early, "next").handled == 1);
    REQUIRE(early.running.size() == 1);
    CHECK(early.running[0].message.find("stall_for") != std::string_view::npos);
    CHECK_FALSE(early.running[0].overran);
    w.sim.advance(150ms);
    const auto s = app.snapshot(20ms).value();
    CHECK(row_at(s, "slow").state == process_state::stuck);
    CHECK(row_at(s, "slow").mailbox == 1);
    CHECK_FALSE(s.hosts[row_at(s, "slow").host].from_outside);
    REQUIRE(s.running.size() == 1);
    CHECK(s.running[0].overran);
    CHECK(s.running[0].time >= 100ms);
    CHECK(&s.processes[s.running[0].process] == &row_at(s, "slow"));
    w.sim.advance(400ms);
    const auto later = app.snapshot(20ms).value();
    CHECK(later.running.empty());
    CHECK(row_at(later, "slow").state == process_state::running);
    CHECK(row_at(later, "slow").handled == 2);
  }
}

TEST_CASE("snapshot: an init and a terminate that take long are named as such") {
  world w;
  auto& app = w.start({.name = "root", .children = {w.worker("a"), dynamic<probe>("pool")}});
  w.how("late")->init_stall = 300ms;
  const auto r = app.find_supervisor("pool").start_child<probe>({.name = "late", .log = &w.log, .how = w.how("late")}, 150ms);
  CHECK_FALSE(r);
  const auto s = app.snapshot(20ms).value();
  REQUIRE(s.running.size() == 1);
  CHECK(s.running[0].message == "init");
  w.sim.advance(1s);
  w.how("a")->terminate_stall = 300ms;
  w.tell("a", end_with{exit_reason::normal});
  w.sim.advance(150ms);
  const auto later = app.snapshot(20ms).value();
  REQUIRE(later.running.size() == 1);
  CHECK(later.running[0].message == "terminate");
  CHECK(row_at(later, "a").state == process_state::stuck);
}

TEST_CASE("snapshot: rates are those since the snapshot before, also of processes that are new") {
  world w;
  auto& app = w.start({.name = "root", .children = {w.worker("a"), w.worker("b"), dynamic<probe>("pool")}});
  w.tell("a", note{1});
  snapshot_series series;
  CHECK(row_at(series.take(app).value(), "a").rate == 0);
  for (int i = 0; i < 30; ++i) w.at("a").cast(note{i});
  const auto fresh = app.find_supervisor("pool").start_child<probe>({.name = "x", .log = &w.log}).value();
  for (int i = 0; i < 6; ++i) fresh.cast(note{i});
  w.sim.advance(3s);
  const auto s = series.take(app).value();
  CHECK(row_at(s, "a").rate == doctest::Approx(10));
  CHECK(row_at(s, "b").rate == 0);
  CHECK(s.find(any_ref{fresh})->rate == doctest::Approx(2));
  double sum = 0;
  for (const auto& h : s.hosts) sum += h.rate;
  CHECK(sum == doctest::Approx(12));
}

TEST_CASE("snapshot: while the tree stops, with a zombie, and after the end") {
  world w;
  auto& app = w.start({.name = "root", .children = {w.worker("a"), w.worker("b", {.shutdown = brutal_kill})}});
  w.at("b").cast(stall_for{10s});
  w.sim.advance(150ms);
  CHECK(app.kill("b"));
  w.sim.advance(10ms);
  const auto s = app.snapshot(20ms).value();
  CHECK(s.zombies == std::vector<std::string>{"b"});
  CHECK(s.find("b") != nullptr);
  CHECK(row_at(s, "b").incarnation == 2);
  app.stop();
  const auto after = app.snapshot(20ms).value();
  CHECK(after.processes.empty());
  CHECK_FALSE(after.complete());
}

TEST_CASE("snapshot: a handler cannot wait for one, it asks for a continuation") {
  world w;
  struct asker : process<asker, look> {
    struct args {
      application** app;
      std::string* said;
    };
    explicit asker(args a) : a_{a} {}
    void on(const look&) {
      const auto r = (*a_.app)->snapshot(10ms);
      *a_.said = r ? "a snapshot" : std::string{r.error().name()};
    }
    args a_;
  };
  application* self = nullptr;
  std::string said;
  auto& app = w.make({.name = "root", .children = {child<asker>("asker", {&self, &said})}});
  self = &app;
  app.start();
  app.find<asker>("asker").cast(look{});
  w.sim.run();
  CHECK(said == "would_block");
}

TEST_CASE("snapshot: asked for in a handler it comes within the limit, whoever is stuck (seeds)") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    world w{seed};
    const auto seen = std::make_shared<std::vector<snapshot>>();
    auto& app = w.start({.name = "root",
                         .children = {child<observer>("observer", {seen}, {.placement = by_key(0)}),
                                      child<probe>("slow", {.name = "slow", .log = &w.log}, {.placement = by_key(1)})}});
    app.find<probe>("slow").cast(stall_for{10s});
    w.sim.step(40);
    app.find<observer>("observer").cast(look{});
    w.sim.advance(50ms);
    REQUIRE(seen->size() == 1);
    CHECK(seen->front().complete());
    CHECK(row_at(seen->front(), "slow").state == process_state::busy);
    w.sim.advance(10s);
    app.find<observer>("observer").cast(look{});
    w.sim.run();
    CHECK(seen->size() == 2);
  }
}

namespace {

struct block {
  std::atomic<int>* gate;  ///< 1: the handler is in; 2: it may go
};
struct blocker : process<blocker, block, note> {
  void on(const block& m) {
    m.gate->store(1);
    m.gate->notify_all();
    m.gate->wait(1);
  }
  void on(const note&) {}
};

}  // namespace

TEST_CASE("snapshot on threads: a blocked thread of its own is looked at from outside, and is not disturbed") {
  application_options o;
  o.workers = 2;
  o.hosts = 2;
  o.sinks = {[](const report&) {}};
  std::vector<child_spec> children{child<blocker>("own", {.placement = own_thread}), child<blocker>("free")};
  application app{{.name = "root", .children = std::move(children)}, o};
  app.start();
  std::atomic<int> gate{0};
  const auto own = app.find<blocker>("own");
  own.cast(block{&gate});
  own.cast(note{1});
  gate.wait(0);
  std::atomic<bool> over{false};
  std::thread sender{[&] {
    while (!over) app.find<blocker>("free").cast(note{2});
  }};
  for (int i = 0; i < 20; ++i) {
    const auto s = app.snapshot(20s).value();
    CHECK(s.complete());
    CHECK(row_at(s, "own").state == process_state::busy);
    CHECK(s.hosts[row_at(s, "own").host].from_outside);
    CHECK(row_at(s, "own").handled == 0);
    CHECK(row_at(s, "free").state != process_state::stopped);
  }
  over = true;
  sender.join();
  gate.store(2);
  gate.notify_all();
  app.stop();
}
