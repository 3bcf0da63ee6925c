// A copy of a store that is written meanwhile, and what the store tells about itself.

#include "sqlite_store_fixture.hpp"

#include <herald/application.hpp>
#include <herald/backup.hpp>
#include <herald/store.hpp>
#include <herald/store_statistics.hpp>

#include <atomic>
#include <filesystem>
#include <thread>

using namespace herald;
using namespace herald::test;
using herald::dsl::field;
using described::counters;

TEST_CASE("a backup that is taken while others write is one moment of the store, with an epoch of its own") {
  temporary_directory directory;
  const auto file = directory.file("store.db"), copy = directory.file("copy.db");
  auto opened = store::open(all_tables, sqlite_options{.file = file});
  REQUIRE(opened);
  const auto& desk = *opened;
  REQUIRE(desk.run<counters, "make">(field<&counted::label> = "first"));
  REQUIRE(desk.transact([&](transaction& tx) -> result<void> { return tx.keep_cursor("reader", {desk.head(), 0, false}); }));
  {
    application app{{.name = "test", .children = {desk.writer(), desk.notifier()}}};
    app.start();
    std::atomic<bool> enough = false;
    std::atomic<int> made = 0;
    std::thread writer{[&] {
      while (!enough) {
        if (desk.run<counters, "make">(field<&counted::label> = "more")) ++made;
      }
    }};
    while (made < 20) std::this_thread::yield();
    const auto done = backup(desk, copy);
    CHECK_MESSAGE(done.has_value(), (done ? std::string{} : done.error().to_string()));
    enough = true;
    writer.join();
    app.stop();
  }
  const auto report = verify(copy, all_tables);
  REQUIRE_MESSAGE(report.has_value(), (report ? std::string{} : report.error().to_string()));
  CHECK_MESSAGE(report->holds(), (report->faults.empty() ? "" : report->faults.front()));
  CHECK(report->head >= 21);
  CHECK(report->rows == report->events);
  auto restored = store::open(all_tables, sqlite_options{.file = copy});
  REQUIRE(restored);
  CHECK(restored->head().epoch != desk.head().epoch);
  CHECK(restored->read({desk.head().epoch, 1}, 1).error().is(resource_errc::gone));
  const auto readers = consumers_of(*restored).value();
  REQUIRE(readers.size() == 1);
  CHECK(readers[0].at == offset{restored->head().epoch, 1});
  CHECK(restored->run<counters, "make">(field<&counted::label> = "on").value().id == static_cast<std::int64_t>(report->rows) + 1);
}

TEST_CASE("a backup is refused where a file is, where no folder is, and of a memory store; nothing is left behind") {
  temporary_directory directory;
  const auto file = directory.file("store.db");
  const auto desk = store::open(all_tables, sqlite_options{.file = file}).value();
  const auto there = backup(desk, file);
  REQUIRE_FALSE(there);
  CHECK(says(there.error(), "there is a file of that name"));
  const auto nowhere = backup(desk, directory.file("none/copy.db"));
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().is(resource_errc::no_such_directory));
  const auto memory = store::open(all_tables, memory_options{}).value();
  CHECK_FALSE(backup(memory, directory.file("copy.db")));
  CHECK_FALSE(std::filesystem::exists(directory.file("copy.db")));
  CHECK_FALSE(std::filesystem::exists(directory.file("copy.db.part")));
}

TEST_CASE("a store tells how long its log is, how its writer works, and who is behind") {
  const auto desk = store::open(all_tables, memory_options{}).value();
  for (int i = 0; i < 3; ++i) REQUIRE(desk.run<counters, "make">(field<&counted::label> = "x"));
  REQUIRE(desk.transact([&](transaction& tx) -> result<void> {
    return tx.keep_cursor("reader", {{desk.head().epoch, 1}, 2, true});
  }));
  const auto is = statistics_of(desk).value();
  CHECK(is.head == desk.head());
  CHECK(is.head.sequence == 3);
  CHECK(is.floor == 1);
  CHECK(is.compacted == 0);
  CHECK(is.waiting == 0);
  CHECK(is.batches == 4);
  CHECK(is.actions == 4);
  CHECK(is.largest_batch == 1);
  CHECK(is.followers == 0);
  REQUIRE(is.consumers.size() == 1);
  CHECK(is.consumers[0].name == "reader");
  CHECK(is.consumers[0].lag == 2);
  CHECK(is.consumers[0].paused);
  CHECK_FALSE(is.consumers[0].attached);
}
