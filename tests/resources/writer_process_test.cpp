// The store's writer as a supervised process: what callers see of it while it works, when it is killed, and at the end.

#include "store_fixture.hpp"

#include <herald/application.hpp>
#include <herald/process.hpp>
#include <herald/simulation.hpp>
#include <herald/store.hpp>

#include <atomic>
#include <latch>
#include <thread>

using namespace herald;
using namespace herald::test;
using namespace std::chrono_literals;
using herald::dsl::field;

namespace {

using described::counters;
using described::items;

store open_store(const std::string& file) {
  auto opened = store::open(all_tables, sqlite_options{.file = file});
  REQUIRE_MESSAGE(opened.has_value(), (opened ? std::string{} : opened.error().to_string()));
  return *opened;
}

supervisor tree_of(const store& of, std::vector<child_spec> more = {}) {
  supervisor root{.name = "test", .intensity = {1000, 60s}, .children = {of.writer(), of.notifier()}};
  for (auto& one : more) root.children.push_back(std::move(one));
  return root;
}

void require_whole(const std::string& file, std::uint64_t events) {
  const auto report = verify(file, all_tables);
  REQUIRE_MESSAGE(report.has_value(), (report ? std::string{} : report.error().to_string()));
  CHECK_MESSAGE(report->holds(), (report->faults.empty() ? "" : report->faults.front()));
  CHECK(report->events == events);
}

/// Makes `count` items one after the other, each from the answer to the one before.
struct go {};
struct maker : process<maker, go> {
  struct args {
    herald::store store;
    std::string prefix;
    int count;
    std::shared_ptr<std::latch> ready;
    friend bool operator==(const args&, const args&) = default;
  };
  maker(context& self, const args& with) : with_{with} { self.self().cast(go{}); }
  void on(context& self, const go&) { next(self); }

 private:
  void next(context& self) {
    if (made_ == with_.count) return with_.ready->count_down();
    with_.store.run<items, "make">(self, field<&item::name> = with_.prefix + std::to_string(made_),
                                   [this](context& here, const result<item>& made) {
                                     CHECK_MESSAGE(made.has_value(), (made ? std::string{} : made.error().to_string()));
                                     ++made_;
                                     next(here);
                                   });
  }
  args with_;
  int made_ = 0;
};

}  // namespace

TEST_CASE("plain threads and processes run actions on one writer, and each gets its answer") {
  temporary_directory directory;
  const auto file = directory.file("store.db");
  constexpr int threads = 3, each = 50;
  {
    const auto desk = open_store(file);
    auto ready = std::make_shared<std::latch>(2);
    application app{tree_of(desk, {child<maker>("a", {desk, "a", each, ready}), child<maker>("b", {desk, "b", each, ready})})};
    app.start();
    std::atomic<int> good = 0;
    std::vector<std::thread> callers;
    for (int t = 0; t < threads; ++t) {
      callers.emplace_back([&, t] {
        for (int i = 0; i < each; ++i) {
          const auto made = desk.run<items, "make">(field<&item::name> = std::to_string(t) + "." + std::to_string(i));
          if (made && desk.get<items>(made->id)) ++good;
        }
      });
    }
    for (auto& one : callers) one.join();
    ready->wait();
    CHECK(good == threads * each);
    app.stop();
  }
  require_whole(file, (threads + 2) * each);
}

TEST_CASE("a stop right behind an action leaves no dead letter: what only says that there is work is none") {
  for (int round = 0; round < 20; ++round) {
    const auto desk = store::open(all_tables, memory_options{}).value();
    std::atomic<int> letters = 0;
    application app{tree_of(desk), {.sinks = {[&](const report& r) { letters += r.kind == report::dead_letter ? 1 : 0; }}}};
    app.start();
    REQUIRE(desk.run<items, "make">(field<&item::name> = "lamp"));
    app.stop();
    CHECK(letters == 0);
  }
}

TEST_CASE("a writer that is killed again and again loses and doubles nothing: who waits is answered by the next one") {
  temporary_directory directory;
  const auto file = directory.file("store.db");
  constexpr int threads = 3, each = 60;
  {
    const auto desk = open_store(file);
    auto ready = std::make_shared<std::latch>(1);
    application app{tree_of(desk, {child<maker>("a", {desk, "a", each, ready})})};
    app.start();
    std::atomic<int> good = 0, running = threads;
    std::vector<std::thread> callers;
    for (int t = 0; t < threads; ++t) {
      callers.emplace_back([&, t] {
        for (int i = 0; i < each; ++i) {
          const auto made = desk.run<items, "make">(field<&item::name> = std::to_string(t) + "." + std::to_string(i));
          CHECK_MESSAGE(made.has_value(), (made ? std::string{} : made.error().to_string()));
          if (made) ++good;
        }
        --running;
      });
    }
    int kills = 0;
    // By progress, not by time: a slower machine must not be killed more often, or the supervisor gives up.
    std::uint64_t last = 0;
    while (running != 0) {
      const auto head = desk.head().sequence;
      if (head < last + 3) {
        std::this_thread::yield();
      } else if (app.kill("writer")) {
        last = head;
        ++kills;
      }
    }
    for (auto& one : callers) one.join();
    ready->wait();
    CHECK(kills > 0);
    CHECK(good == threads * each);
    app.stop();
  }
  require_whole(file, (threads + 1) * each);
}

TEST_CASE("an orderly stop writes what waits, and the file is there for the next store at once") {
  temporary_directory directory;
  const auto file = directory.file("store.db");
  for (int round = 0; round < 3; ++round) {
    const auto desk = open_store(file);
    application app{tree_of(desk)};
    app.start();
    REQUIRE(desk.run<counters, "make">(field<&counted::label> = std::to_string(round)));
    app.stop();
    CHECK(desk.head().sequence == static_cast<std::uint64_t>(round) + 1);
  }
  require_whole(file, 3);
}

TEST_CASE("a store is refused while another one of this program has the file, and opens when that one is gone") {
  temporary_directory directory;
  const auto file = directory.file("store.db");
  {
    const auto first = open_store(file);
    const auto second = store::open(all_tables, sqlite_options{.file = file});
    REQUIRE(second.is(resource_errc::locked));
    CHECK(second.error().message().find(file) != std::string::npos);
  }
  CHECK(store::open(all_tables, sqlite_options{.file = file}));
}

TEST_CASE("the memory store's writer is a process as well") {
  const auto desk = store::open(all_tables, memory_options{}).value();
  auto ready = std::make_shared<std::latch>(1);
  application app{tree_of(desk, {child<maker>("a", {desk, "a", 100, ready})})};
  app.start();
  REQUIRE(desk.run<items, "make">(field<&item::name> = "plain"));
  ready->wait();
  REQUIRE(app.kill("writer"));
  REQUIRE(desk.run<items, "make">(field<&item::name> = "after"));
  CHECK(desk.head().sequence == 102);
  app.stop();
}

TEST_CASE("an idle store's events grow old: its writer looks for them by itself, after a restart too") {
  simulation sim{1};
  memory_options options;
  options.retention.age = 60s;
  options.clock = [&] { return timestamp{std::chrono::duration_cast<std::chrono::microseconds>(sim.now().time_since_epoch())}; };
  const auto desk = store::open(all_tables, options).value();
  application app{tree_of(desk), {.sinks = {[](const report&) {}}, .simulation = &sim}};
  app.start();
  for (int i = 0; i < 3; ++i) REQUIRE(desk.run<counters, "make">(field<&counted::label> = "x"));
  sim.advance(50s);
  CHECK(desk.floor() == 1);
  REQUIRE(app.kill("writer"));
  sim.advance(20s);
  CHECK(desk.floor() == 4);
}

TEST_CASE("actions that wait while a writer cannot start are answered unavailable") {
  auto at = memory_store();
  std::optional<result<action_outcome>> answer;
  REQUIRE(at.core->submit([](transaction& tx) { return apply(tx, request(*all_tables[1], "make", {{"label", "x"}})); },
                          [&](result<action_outcome> r) { answer.emplace(std::move(r)); }));
  at.core->refuse_waiting({resource_errc::unavailable, "no writer"});
  REQUIRE(answer.has_value());
  CHECK(answer->error().is(resource_errc::unavailable));
  // The store itself is not closed: the next action is taken.
  CHECK(at.run(*all_tables[1], "make", {{"label", "x"}}));
}
