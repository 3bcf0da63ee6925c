// The engine on real threads: CAF's workers, the clock, threads of their own, handlers that are really stuck. Nothing
// here waits for a time to pass; handlers block on gates that the test opens, and the overrun limit is short.

#include <atomic>
#include <condition_variable>
#include <thread>

#include "support.hpp"

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

/// Handlers wait here until the test lets them go.
class gate {
 public:
  void wait() {
    std::unique_lock lock{mutex_};
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    --waiting_;
    changed_.notify_all();
  }
  void open() {
    const std::lock_guard lock{mutex_};
    open_ = true;
    changed_.notify_all();
  }
  void await_waiting(int n) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return waiting_ >= n; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

struct block_on {
  gate* at;
};
struct add {
  int n = 1;
};
struct total {
  using reply = int;
};
struct crash_it {};
struct ping {
  int hops = 0;
  any_ref back;
};

struct worker : process<worker, block_on, add, total, crash_it, ping> {
  struct args {
    gate* blocks_init = nullptr;
    std::atomic<int>* alive = nullptr;
  };
  worker(context& self, args a) : self_{self}, a_{a} {
    if (a_.blocks_init != nullptr) a_.blocks_init->wait();
    if (a_.alive != nullptr) ++*a_.alive;
  }
  ~worker() {
    if (a_.alive != nullptr) --*a_.alive;
  }
  void on(const block_on& m) { m.at->wait(); }
  void on(const add& m) { sum_ += m.n; }
  int on(const total&) { return sum_; }
  void on(const crash_it&) { throw std::runtime_error{"crash"}; }
  void on(const ping& m) {
    ++sum_;
    if (m.hops > 0) m.back.cast(ping{m.hops - 1, self_.self()});
  }

 private:
  context& self_;
  args a_;
  int sum_ = 0;
};

/// Collects reports and lets the test wait for one.
class told {
 public:
  report_sink sink() {
    return [this](const report& r) {
      const std::lock_guard lock{mutex_};
      reports_.push_back(r);
      changed_.notify_all();
    };
  }
  [[nodiscard]] bool await(report::kind_t kind, std::size_t times = 1) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, 20s, [&] {
      return static_cast<std::size_t>(std::count_if(reports_.begin(), reports_.end(), [&](const report& r) { return r.kind == kind; })) >= times;
    });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<report> reports_;
};

application_options real(told& t, unsigned workers = 2) {
  application_options o;
  o.workers = workers;
  o.hosts = 4;
  o.overrun_limit = 20ms;
  o.sinks = {t.sink()};
  return o;
}

}  // namespace

TEST_CASE("threads: many senders, many receivers, nothing lost and nothing twice") {
  told t;
  std::vector<child_spec> children;
  for (int i = 0; i < 8; ++i) children.push_back(child<worker>("w" + std::to_string(i), {}, {.placement = spread}));
  application app{{.name = "root", .children = children}, real(t)};
  app.start();
  std::vector<std::thread> senders;
  for (int s = 0; s < 4; ++s)
    senders.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) app.find<worker>("w" + std::to_string(i % 8)).cast(add{1});
    });
  for (auto& s : senders) s.join();
  int sum = 0;
  for (int i = 0; i < 8; ++i) sum += app.find<worker>("w" + std::to_string(i)).call(total{}).value();
  CHECK(sum == 80'000);
  CHECK(app.dead_letters() == 0);
}

TEST_CASE("threads: processes on different hosts play ping-pong") {
  told t;
  application app{{.name = "root", .children = {child<worker>("a", {}, {.placement = by_key(0)}), child<worker>("b", {}, {.placement = by_key(1)})}}, real(t)};
  app.start();
  const auto a = app.find<worker>("a");
  const auto b = app.find<worker>("b");
  for (int i = 0; i < 10; ++i) a.cast(ping{2001, b});
  for (;;)
    if (a.call(total{}).value() + b.call(total{}).value() == 20'020) break;
  CHECK(a.call(total{}).value() == 10'010);
}

TEST_CASE("threads: a stuck handler is reported, its neighbours go on, and it rejoins") {
  gate g;
  told t;
  application app{{.name = "root", .children = {child<worker>("stuck", {}), child<worker>("neighbour", {})}}, real(t)};
  app.start();
  const auto stuck = app.find<worker>("stuck");
  stuck.cast(block_on{&g});
  stuck.cast(add{5});
  CHECK(t.await(report::overran));
  CHECK(app.find<worker>("neighbour").call(total{}).value() == 0);
  g.open();
  CHECK(t.await(report::came_back));
  CHECK(stuck.call(total{}).value() == 5);
  CHECK(app.stop().zombies.empty());
}

TEST_CASE("threads: with every worker stuck the other hosts still run") {
  gate g;
  told t;
  std::vector<child_spec> children;
  for (unsigned i = 0; i < 4; ++i) children.push_back(child<worker>("w" + std::to_string(i), {}, {.placement = by_key(i)}));
  application app{{.name = "root", .children = children}, real(t)};
  app.start();
  for (int i = 1; i < 4; ++i) app.find<worker>("w" + std::to_string(i)).cast(block_on{&g});
  g.await_waiting(3);
  CHECK(t.await(report::overran, 3));
  const auto free_one = app.find<worker>("w0");
  for (int i = 0; i < 100; ++i) free_one.cast(add{1});
  CHECK(free_one.call(total{}).value() == 100);
  g.open();
  CHECK(t.await(report::came_back, 3));
  for (int i = 1; i < 4; ++i) CHECK(app.find<worker>("w" + std::to_string(i)).call(total{}).value() == 0);
}

TEST_CASE("threads: a killed stuck process is fenced, restarts in fresh memory, and its zombie is buried") {
  gate g;
  told t;
  std::atomic<int> alive{0};
  {
    application app{{.name = "root", .children = {child<worker>("stuck", {.alive = &alive})}}, real(t)};
    app.start();
    app.find<worker>("stuck").cast(block_on{&g});
    g.await_waiting(1);
    CHECK(t.await(report::overran));
    CHECK(app.kill("stuck"));
    CHECK(t.await(report::zombie));
    CHECK(t.await(report::restarted));
    CHECK(app.find<worker>("stuck").call(total{}).value() == 0);
    CHECK(alive == 2);
    g.open();
    // The zombie's return goes through its host's control lane, ahead of this call or not: ask until it is gone.
    while (alive != 1) static_cast<void>(app.find<worker>("stuck").call(total{}));
  }
  CHECK(alive == 0);
}

TEST_CASE("threads: stop with a stuck child ends within its limit and names the zombie") {
  // Both outlive the program: the application is left to its zombie, and nobody can say when that is through.
  static auto* const g = new gate;
  static auto* const t = new told;
  auto app = std::make_unique<application>(
      supervisor{.name = "root", .children = {child<worker>("fine", {}), child<worker>("stuck", {}, {.shutdown = 50ms})}}, real(*t));
  app->start();
  app->find<worker>("stuck").cast(block_on{g});
  g->await_waiting(1);
  const auto end = app->stop();
  CHECK(end.zombies == std::vector<std::string>{"stuck"});
  CHECK(app->ended());
  app.reset();
  // The thread is let go only now, so that stop could not have waited for it.
  g->open();
}

TEST_CASE("threads: an init stuck over its start_timeout fails the start") {
  gate g;
  told t;
  application app{{.name = "root", .children = {child<worker>("fine", {})}}, real(t)};
  app.start();
  const auto r = app.root().start_child(child<worker>("stuck", {.blocks_init = &g}, {.placement = by_key(2), .start_timeout = 50ms}));
  CHECK(r.is(errc::start_failed));
  CHECK(app.root().count_children().value().specs == 1);
  g.open();
  CHECK(app.find<worker>("fine").call(total{}).value() == 0);
}

TEST_CASE("threads: a process with a thread of its own may block; it is not reported, and is stopped at its limit") {
  gate g;
  told t;
  application app{{.name = "root", .intensity = {100, 5s}, .children = {child<worker>("own", {}, {.shutdown = 50ms, .placement = own_thread}), child<worker>("other", {})}}, real(t)};
  app.start();
  const auto own = app.find<worker>("own");
  own.cast(add{3});
  CHECK(own.call(total{}).value() == 3);
  own.cast(block_on{&g});
  g.await_waiting(1);
  CHECK(app.find<worker>("other").call(total{}).value() == 0);
  CHECK(own.call(total{}, 60ms).is(errc::timeout));
  CHECK(app.root().terminate_child("own"));
  CHECK(t.await(report::zombie));
  CHECK(app.root().restart_child("own"));
  CHECK(app.find<worker>("own").call(total{}).value() == 0);
  g.open();
  for (int i = 0; i < 20; ++i) {
    app.find<worker>("own").cast(crash_it{});
    app.find<worker>("own").cast(add{1});
  }
  CHECK(t.await(report::restarted, 2));
}

TEST_CASE("threads: own-thread children come and go, and their threads are used again") {
  told t;
  application app{{.name = "root", .children = {dynamic<worker>("d", {.restart = temporary, .placement = own_thread})}}, real(t)};
  app.start();
  const auto d = app.find_supervisor("d");
  for (int round = 0; round < 10; ++round) {
    std::vector<ref<worker>> all;
    for (int i = 0; i < 4; ++i) all.push_back(d.start_child<worker>({}).value());
    for (auto& r : all) r.cast(add{round});
    for (auto& r : all) CHECK(r.call(total{}).value() == round);
    for (auto& r : all) CHECK(d.terminate_child(r));
  }
  CHECK(d.count_children().value() == child_counts{1, 0, 0, 0});
}

TEST_CASE("threads: crashes, restarts and administration from many threads at once") {
  told t;
  application app{{.name = "root", .intensity = {1'000'000, 5s}, .children = {
                      supervisor{.name = "all", .strategy = one_for_all, .intensity = {1'000'000, 5s},
                                 .children = {child<worker>("a", {}, {.placement = spread}), child<worker>("b", {}, {.placement = spread}),
                                              child<worker>("c", {}, {.placement = spread})}},
                      dynamic<worker>("d", {.placement = spread, .intensity = {1'000'000, 5s}})}},
                  real(t)};
  app.start();
  std::vector<std::thread> hands;
  for (int h = 0; h < 3; ++h)
    hands.emplace_back([&, h] {
      const auto d = app.find_supervisor("d");
      const auto all = app.find_supervisor("all");
      for (int i = 0; i < 150; ++i) {
        const auto r = d.start_child<worker>({});
        if (r) r->cast(crash_it{});
        app.find<worker>(h == 0 ? "all/a" : h == 1 ? "all/b" : "all/c").cast(crash_it{});
        static_cast<void>(all.count_children());
        if (i % 10 == h) {
          static_cast<void>(all.terminate_child("b"));
          static_cast<void>(all.restart_child("b"));
        }
        if (r && i % 2 == 0) CHECK(d.terminate_child(*r));
      }
    });
  for (auto& h : hands) h.join();
  const auto all = app.find_supervisor("all");
  static_cast<void>(all.restart_child("b"));
  CHECK(app.find_supervisor("d").count_children().value().workers == 3 * 75);
  CHECK(all.count_children().value().specs == 3);
  const auto end = app.stop();
  CHECK_FALSE(end.gave_up);
  CHECK(end.zombies.empty());
}

TEST_CASE("threads: stop from two threads at once gives both the same") {
  told t;
  application app{{.name = "root", .children = {child<worker>("a", {})}}, real(t)};
  app.start();
  stop_report first;
  std::thread other{[&] { first = app.stop(); }};
  const auto second = app.stop();
  other.join();
  CHECK(first.reason == second.reason);
  CHECK(app.find<worker>("a").call(total{}).is(errc::noproc));
}

TEST_CASE("threads: senders go on while the application stops; every call ends") {
  for (int round = 0; round < 5; ++round) {
    told t;
    application app{{.name = "root", .children = {child<worker>("a", {}, {.placement = spread}), child<worker>("b", {}, {.placement = spread})}}, real(t)};
    app.start();
    const auto a = app.find<worker>("a");
    std::atomic<bool> over{false};
    std::atomic<int> calls{0};
    std::vector<std::thread> senders;
    for (int s = 0; s < 2; ++s)
      senders.emplace_back([&] {
        while (!over) {
          a.cast(add{1});
          const auto r = a.call(total{}, 10s);
          if (!r) {
            CHECK(r.is(errc::noproc));
          }
          ++calls;
        }
      });
    while (calls < 100) std::this_thread::yield();
    app.stop();
    over = true;
    for (auto& s : senders) s.join();
  }
}
