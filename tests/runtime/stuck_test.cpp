// Handlers that do not return: what is told of them while they run, and what happens when they have eaten the threads.

#include "support.hpp"

#include <atomic>
#include <condition_variable>
#include <thread>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;

namespace {

struct hang {
  std::function<void()> how;
};
struct patient : process<patient, hang, life> {
  void on(const hang& m) { m.how(); }
  std::uint32_t on(const life&) { return 1; }
};

/// The reports of one application on real threads, to wait for.
struct told_reports {
  void operator()(const report& r) {
    const std::lock_guard lock{mutex};
    all.push_back(r);
    changed.notify_all();
  }
  report wait_for(report::kind_t kind) {
    std::unique_lock lock{mutex};
    const auto found = [&] { return std::find_if(all.begin(), all.end(), [&](const report& r) { return r.kind == kind; }); };
    changed.wait(lock, [&] { return found() != all.end(); });
    return *found();
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<report> all;
};

/// An application whose reports are kept; its process p hangs as it is told.
struct stuck_world {
  explicit stuck_world(application_options o = {}, child_options of_p = {}) {
    o.workers = o.workers == 0 ? 2 : o.workers;
    o.overrun_limit = 20ms;
    o.sinks = {[this](const report& r) { reports(r); }};
    app.emplace(supervisor{.name = "root", .children = {child<patient>("p", of_p)}}, o);
    app->start();
  }
  overrun_details overrun_of(std::function<void()> how) {
    app->find<patient>("p").cast(hang{std::move(how)});
    return *reports.wait_for(report::overran).overrun;
  }
  told_reports reports;
  std::optional<application> app;
};

#if defined(__SANITIZE_THREAD__)
constexpr bool signals_come_late = true;
#else
constexpr bool signals_come_late = false;
#endif

}  // namespace

TEST_CASE("a handler that overruns is reported again while it runs, at growing intervals, with its message and time") {
  world w;
  w.start({.name = "root", .children = {w.worker("a"), w.worker("b")}});
  w.tell("a", stall_for{100s});
  w.sim.advance(150ms);
  REQUIRE(w.told(report::overran, "a") == 1);
  const auto first = w.reports.back();
  REQUIRE(first.overrun != nullptr);
  CHECK(first.overrun->message_type == "herald::test::stall_for");
  CHECK(first.overrun->running >= 100ms);
  CHECK(first.overrun->running < 130ms);
  CHECK(first.overrun->stack.empty());
  CHECK(first.incarnation == 1);
  CHECK(first.to_string().find("; message herald::test::stall_for") != std::string::npos);
  w.sim.advance(10s);
  // After 0.1, 1.1, 2.2, 4.4, 8.8 s.
  CHECK(w.told(report::overran, "a") == 5);
  w.sim.advance(200s);
  const auto n = w.told(report::overran, "a");
  CHECK(n >= 8);
  CHECK(w.told(report::came_back, "a") == 1);
  w.sim.advance(200s);
  CHECK(w.told(report::overran, "a") == n);
}

TEST_CASE("a fenced handler is still reported, also on a thread of its own") {
  for (const bool own : {false, true}) {
    world w;
    w.start({.name = "root", .children = {w.worker("a", {.shutdown = 1s, .placement = own ? own_thread : together})}});
    w.tell("a", stall_for{100s});
    w.sim.advance(5s);
    CHECK((w.told(report::overran, "a") > 0) == !own);
    CHECK(w.app->root().terminate_child("a"));
    REQUIRE(w.told(report::zombie, "a") == 1);
    const auto zombie = std::find_if(w.reports.begin(), w.reports.end(), [](const report& r) { return r.kind == report::zombie; });
    CHECK(zombie->overrun->message_type == "herald::test::stall_for");
    const auto before = w.told(report::overran, "a");
    w.sim.advance(60s);
    CHECK(w.told(report::overran, "a") > before);
    CHECK(w.reports.back().text.find("fenced off") != std::string::npos);
    w.sim.advance(200s);
    CHECK(w.app->stop().zombies.empty());
  }
}

TEST_CASE("threads: the stack of a handler that computes") {
  std::atomic<bool> go_on{true};
  stuck_world w;
  const auto seen = w.overrun_of([&] {
    while (go_on.load(std::memory_order_relaxed)) {
    }
  });
  go_on = false;
  CHECK(seen.message_type.ends_with("hang"));
  CHECK(seen.thread > 0);
  CHECK(seen.running >= 20ms);
  CHECK(seen.doing == "computing");
  const auto engine = [](const std::string& line) { return line.find("herald::engine::host::run") != std::string::npos; };
  if (!signals_come_late) CHECK(std::any_of(seen.stack.begin(), seen.stack.end(), engine));
  report shown;
  shown.overrun = std::make_shared<overrun_details>(seen);
  INFO(shown.to_string());
  CHECK(seen.stack.size() < 64);
  w.reports.wait_for(report::came_back);
}

TEST_CASE("threads: the stack of a handler that waits for a lock, which stays undisturbed") {
  std::mutex m;
  std::unique_lock lock{m};
  stuck_world w;
  const auto seen = w.overrun_of([&] { const std::lock_guard mine{m}; });
  CHECK(seen.doing.starts_with("in futex"));
  if (!signals_come_late) CHECK(seen.stack.size() > 3);
  lock.unlock();
  w.reports.wait_for(report::came_back);
}

TEST_CASE("threads: a handler in poll is named and gets no signal, so poll does not end early") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  std::atomic<int> answer{-2};
  stuck_world w;
  const auto seen = w.overrun_of([&] {
    pollfd p{ends[0], POLLIN, 0};
    answer = ::poll(&p, 1, -1);
  });
  CHECK(seen.doing.find("poll") != std::string::npos);
  CHECK(seen.stack.empty());
  REQUIRE(::write(ends[1], "x", 1) == 1);
  w.reports.wait_for(report::came_back);
  CHECK(answer == 1);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("threads: without stuck_stacks nothing is looked at") {
  std::mutex m;
  std::unique_lock lock{m};
  stuck_world w{{.stuck_stacks = false}};
  const auto seen = w.overrun_of([&] { const std::lock_guard mine{m}; });
  CHECK(seen.doing.empty());
  CHECK(seen.stack.empty());
  CHECK(seen.thread > 0);
  lock.unlock();
  w.reports.wait_for(report::came_back);
}

TEST_CASE("threads: a stuck process is fenced at its limit, the stop ends, and says who was stuck and where") {
  const auto m = std::make_shared<std::mutex>();
  m->lock();
  {
    stuck_world w{{}, {.shutdown = 50ms}};
    w.overrun_of([m] { const std::lock_guard mine{*m}; });
    const auto r = w.app->stop();
    CHECK(r.zombies == std::vector<std::string>{"p"});
    REQUIRE(r.listed.size() == 2);
    CHECK(r.listed[0].path == "p");
    CHECK(r.listed[0].stuck);
    const auto zombie = w.reports.wait_for(report::zombie);
    CHECK(zombie.overrun->doing.starts_with("in futex"));
    m->unlock();
  }
}

TEST_CASE("threads: when stuck handlers have eaten all workers and spare threads, that is told, and it goes on when one returns") {
  std::mutex m;
  std::unique_lock lock{m};
  told_reports reports;
  application app{{.name = "root", .children = {child<patient>("a", {.placement = by_key(0)}), child<patient>("b", {.placement = by_key(1)}),
                                                child<patient>("c", {.placement = by_key(2)})}},
                  {.workers = 1, .hosts = 3, .overrun_limit = 20ms, .spare_threads = 1, .sinks = {[&](const report& r) { reports(r); }}}};
  app.start();
  for (const auto* n : {"a", "b"}) app.find<patient>(n).cast(hang{[&] { const std::lock_guard mine{m}; }});
  const auto r = reports.wait_for(report::starved);
  CHECK(r.failure());
  CHECK(r.text.find("have eaten all 1 workers and 1 spare threads") != std::string::npos);
  CHECK(app.find<patient>("c").call(life{}, 1ms).is(errc::timeout));
  lock.unlock();
  CHECK(app.find<patient>("c").call(life{}, 60s).value() == 1);
  CHECK(app.find<patient>("a").call(life{}, 60s).value() == 1);
  CHECK(app.stop().zombies.empty());
}

#ifndef __SANITIZE_THREAD__  // it ends a forked child by its own code, and reports what the fork left of the threads
TEST_CASE("threads: ... or the program ends, where that is wanted") {
  const auto child_process = ::fork();
  REQUIRE(child_process >= 0);
  if (child_process == 0) {
    static std::mutex m;
    m.lock();
    application app{{.name = "root", .children = {child<patient>("a", {.placement = by_key(0)}), child<patient>("b", {.placement = by_key(1)})}},
                    {.workers = 1, .hosts = 2, .overrun_limit = 20ms, .spare_threads = 1,
                     .when_starved = when_starved_t::end_program, .sinks = {[](const report&) {}}}};
    app.start();
    for (const auto* n : {"a", "b"}) app.find<patient>(n).cast(hang{[] { const std::lock_guard mine{m}; }});
    app.wait_for_end(5min);
    ::_exit(1);
  }
  int status = 0;
  REQUIRE(::waitpid(child_process, &status, 0) == child_process);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 70);
}
#endif
