// The core between callers and the writer: batches, answers, hand-over, limits. Over the memory store and over SQLite.

#include "store_fixture.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>

using namespace herald;
using namespace herald::test;

namespace {

const resource_table& items = table_of<described::items>;
const resource_table& counters = table_of<described::counters>;

}  // namespace

TEST_CASE_TEMPLATE("a listener that throws ends the writer after the callers were answered; the next writer hands over from "
                   "there",
                   Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  std::vector<std::uint64_t> heard;
  bool broken = false;
  store.core->on_commit([&](std::span<const event_ptr> events) {
    if (broken) throw std::runtime_error{"the notifier is gone"};
    for (const auto& event : events) heard.push_back(event->at.sequence);
  });
  REQUIRE(store.run(counters, "make", {{"label", "1"}}));
  broken = true;
  auto second = store.submit(request(counters, "make", {{"label", "2"}}));
  CHECK_THROWS(store.execute());
  CHECK((*second)->has_value());
  CHECK(store.core->handed_over() == 1);
  broken = false;
  REQUIRE(store.core->recover());
  CHECK(heard == std::vector<std::uint64_t>{1, 2});
  REQUIRE(store.run(counters, "make", {{"label", "3"}}));
  CHECK(heard == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE_TEMPLATE("what arrives while a batch runs comes along in it", Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  test_store::answer late;
  auto first = store.submit([&](transaction& tx) {
    late = store.submit(request(counters, "make", {{"label", "late"}}));
    return apply(tx, request(counters, "make", {{"label", "first"}}));
  });
  CHECK(store.execute() == 2);
  CHECK((*late)->has_value());
}

TEST_CASE_TEMPLATE("a full queue refuses with overload, and a closed store answers those who wait", Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  store_options few;
  few.queue_limit = 1;
  auto core = std::make_shared<detail::store_core>(
      std::shared_ptr<detail::storage>{std::shared_ptr<void>{}, &store.data()}, few);
  std::optional<result<action_outcome>> answer;
  const auto ask = [](transaction& tx) { return apply(tx, request(counters, "make", {{"label", "x"}})); };
  REQUIRE(core->submit(ask, [&](result<action_outcome> r) { answer.emplace(std::move(r)); }));
  CHECK(core->submit(ask, [](result<action_outcome>) { FAIL("was refused, and answered all the same"); })
            .is(resource_errc::overload));
  CHECK_FALSE(answer.has_value());
  core->close();
  REQUIRE(answer.has_value());
  CHECK(answer->error().is(resource_errc::closed));
  CHECK(core->submit(ask, [](result<action_outcome>) {}).is(resource_errc::closed));
}

TEST_CASE_TEMPLATE("only one may be the writer at a time; a second is told that the first is still inside an action", Store,
                   EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  bool checked = false;
  REQUIRE(store.run([&](transaction& tx) {
    std::thread other{[&] {
      CHECK(store.core->recover().is(resource_errc::unavailable));
      CHECK(store.core->execute() == 0);
      checked = true;
    }};
    other.join();
    return apply(tx, request(counters, "make", {{"label", "x"}}));
  }));
  CHECK(checked);
}

TEST_CASE_TEMPLATE("concurrent callers: every answer once, all rows there, numbers without a gap", Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  constexpr int callers = 4, actions = 100;
  std::atomic<int> answered = 0, failed = 0, running = callers;
  std::vector<std::thread> threads;
  for (int caller = 0; caller < callers; ++caller) {
    threads.emplace_back([&, caller] {
      for (int i = 0; i < actions; ++i) {
        const auto name = std::to_string(caller) + "-" + std::to_string(i);
        auto asked = request_by_name(items, "make", std::vector<named_value>{{"name", name}}).value();
        auto taken = store.core->submit([asked](transaction& tx) { return apply(tx, asked); },
                                           [&](result<action_outcome> r) { ++(r ? answered : failed); });
        if (!taken) ++failed;
      }
      --running;
    });
  }
  while (running != 0 || !store.core->idle()) store.execute();
  for (auto& thread : threads) thread.join();
  CHECK(answered == callers * actions);
  CHECK(failed == 0);
  CHECK(store.rows(items) == callers * actions);
  CHECK(store.data().head().sequence == callers * actions);
  store.require_that_it_holds();
}

TEST_CASE_TEMPLATE("the time of events never runs backwards, whatever the clock does", Store, EVERY_STORE) {
  auto time = std::make_shared<std::int64_t>(1'000'000);
  const auto clock = [time] { return timestamp{std::chrono::microseconds{*time}}; };
  temporary_directory directory;
  const auto open = [&] {
    if constexpr (std::is_same_v<Store, in_memory>) {
      memory_options options;
      options.clock = clock;
      return memory_store(options);
    } else {
      sqlite_options options;
      options.clock = clock;
      return sqlite_store(directory.file("store.db"), options);
    }
  };
  auto store = open();
  REQUIRE(store.run(counters, "make", {{"label", "a"}}));
  *time = 500'000;
  REQUIRE(store.run(counters, "make", {{"label", "b"}}));
  *time = 2'000'000;
  REQUIRE(store.run(counters, "make", {{"label", "c"}}));
  std::vector<std::int64_t> times;
  for (const auto& event : store.log()) times.push_back(event->time.time_since_epoch().count());
  CHECK(times == std::vector<std::int64_t>{1'000'000, 1'000'000, 2'000'000});
}

TEST_CASE_TEMPLATE("an action is withdrawn while it waits in line; one that is in hand is not, and is answered", Store, EVERY_STORE) {
  Store fixture;
  test_store& store = fixture.store;
  auto& core = *store.core;
  std::vector<std::string> answers;
  const auto submit = [&](std::uint64_t ticket, std::function<result<action_outcome>(transaction&)> run) {
    REQUIRE(core.submit(std::move(run), [&answers, ticket](result<action_outcome> r) noexcept {
      answers.push_back(std::to_string(ticket) + (r ? " done" : " " + r.error().to_string().substr(0, 21)));
    }, ticket));
  };
  const auto make = [&](transaction& tx) { return apply(tx, request(table_of<described::counters>, "make", {{"label", "x"}})); };
  const auto waiting = core.new_ticket();
  submit(waiting, make);
  CHECK(core.withdraw(waiting));
  CHECK_FALSE(core.withdraw(waiting));
  CHECK(core.execute() == 0);
  CHECK(answers.empty());

  const auto in_hand = core.new_ticket();
  submit(in_hand, [&](transaction& tx) {
    CHECK_FALSE(core.withdraw(in_hand));
    return make(tx);
  });
  CHECK(core.execute() == 1);
  CHECK(answers == std::vector<std::string>{std::to_string(in_hand) + " done"});
  CHECK(store.rows(table_of<described::counters>) == 1);
}
