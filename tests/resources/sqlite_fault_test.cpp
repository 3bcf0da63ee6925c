// A disk that fails at any call: each write, sync, read and lock of a store's life is made to fail once, in turn. Whatever
// happens, callers get an error that says so, what was answered as done is there, and the file holds.

#include "sqlite_store_fixture.hpp"

#include <herald/application.hpp>
#include <herald/process.hpp>
#include <herald/simulation.hpp>
#include <herald/store.hpp>
#include <herald/subscribe.hpp>

#include <sqlite3.h>

#include <atomic>
#include <cstring>
#include <set>

using namespace herald;
using namespace herald::test;

namespace {

enum class call { write, sync, read, lock };

/// Which call fails, and how. One at a time, for the whole program: the test is its only user.
struct plan {
  std::atomic<int> left = 0;  // calls of this kind until the one that fails; 0: none does
  std::atomic<bool> lasts = false;  // and all after it
  call what = call::write;
  int code = SQLITE_OK;
  std::atomic<int> hits = 0;

  int next(call now) {
    if (now != what) return SQLITE_OK;
    if (left == 0) return lasts && hits > 0 ? code : SQLITE_OK;
    if (--left != 0) return SQLITE_OK;
    ++hits;
    return code;
  }
};
plan faults;

struct shim_file {
  sqlite3_file base;
  [[nodiscard]] sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
sqlite3_file* real_of(sqlite3_file* file) { return reinterpret_cast<shim_file*>(file)->real(); }

#define FORWARD(name, ...) real_of(f)->pMethods->name(real_of(f) __VA_OPT__(, ) __VA_ARGS__)
int shim_close(sqlite3_file* f) { return FORWARD(xClose); }
int shim_read(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
  if (const int code = faults.next(call::read); code != SQLITE_OK) return code;
  return FORWARD(xRead, to, n, at);
}
int shim_write(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
  if (const int code = faults.next(call::write); code != SQLITE_OK) return code;
  return FORWARD(xWrite, from, n, at);
}
int shim_truncate(sqlite3_file* f, sqlite3_int64 size) { return FORWARD(xTruncate, size); }
int shim_sync(sqlite3_file* f, int flags) {
  if (const int code = faults.next(call::sync); code != SQLITE_OK) return code;
  return FORWARD(xSync, flags);
}
int shim_size(sqlite3_file* f, sqlite3_int64* size) { return FORWARD(xFileSize, size); }
int shim_lock(sqlite3_file* f, int level) {
  if (const int code = faults.next(call::lock); code != SQLITE_OK) return code;
  return FORWARD(xLock, level);
}
int shim_unlock(sqlite3_file* f, int level) { return FORWARD(xUnlock, level); }
int shim_reserved(sqlite3_file* f, int* out) { return FORWARD(xCheckReservedLock, out); }
int shim_control(sqlite3_file* f, int op, void* arg) { return FORWARD(xFileControl, op, arg); }
int shim_sector(sqlite3_file* f) { return FORWARD(xSectorSize); }
int shim_traits(sqlite3_file* f) { return FORWARD(xDeviceCharacteristics); }
int shim_shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** out) { return FORWARD(xShmMap, page, size, extend, out); }
int shim_shm_lock(sqlite3_file* f, int offset, int n, int flags) {
  if ((flags & SQLITE_SHM_LOCK) != 0) {
    if (const int code = faults.next(call::lock); code != SQLITE_OK) return code;
  }
  return FORWARD(xShmLock, offset, n, flags);
}
void shim_shm_barrier(sqlite3_file* f) { FORWARD(xShmBarrier); }
int shim_shm_unmap(sqlite3_file* f, int erase) { return FORWARD(xShmUnmap, erase); }
#undef FORWARD

const sqlite3_io_methods shim_methods{2,           shim_close,   shim_read,     shim_write,       shim_truncate, shim_sync,
                                      shim_size,   shim_lock,    shim_unlock,   shim_reserved,    shim_control,  shim_sector,
                                      shim_traits, shim_shm_map, shim_shm_lock, shim_shm_barrier, shim_shm_unmap, nullptr, nullptr};

/// SQLite's default file system is one that fails on demand, as long as this lives.
class failing_disk {
 public:
  failing_disk() {
    base_ = sqlite3_vfs_find(nullptr);
    shim_ = *base_;
    shim_.zName = "failing";
    shim_.szOsFile = static_cast<int>(sizeof(shim_file)) + base_->szOsFile;
    shim_.pNext = nullptr;
    shim_.xOpen = [](sqlite3_vfs*, const char* name, sqlite3_file* f, int flags, int* out) {
      auto* file = reinterpret_cast<shim_file*>(f);
      const int code = base_->xOpen(base_, name, file->real(), flags, out);
      file->base.pMethods = file->real()->pMethods != nullptr ? &shim_methods : nullptr;
      return code;
    };
    sqlite3_vfs_register(&shim_, 1);
  }
  failing_disk(const failing_disk&) = delete;
  failing_disk& operator=(const failing_disk&) = delete;
  ~failing_disk() {
    faults.left = 0;
    sqlite3_vfs_unregister(&shim_);
    sqlite3_vfs_register(base_, 1);
  }

 private:
  static inline sqlite3_vfs* base_ = nullptr;
  sqlite3_vfs shim_{};
};

const resource_table& counters = table_of<described::counters>;

/// What callers were told while a store lived on the failing disk.
struct told {
  std::set<std::string> done;
  std::set<std::string> failed;
  bool refused = false;  // to open it
};

bool is_clear(const error& why, const std::string& file) {
  if (why.message().find(file) == std::string::npos) return false;
  for (const auto code : {resource_errc::io_error, resource_errc::disk_full, resource_errc::locked, resource_errc::corrupt,
                          resource_errc::not_a_database, resource_errc::read_only}) {
    if (why.is(code)) return true;
  }
  return false;
}

told live(const std::string& file, durability lasting) {
  told what;
  sqlite_options options;
  options.file = file;
  options.busy_limit = std::chrono::milliseconds{0};
  options.durability = lasting;
  options.cache_kib = 1;  // so that pages are read again
  auto data = detail::open_sqlite(all_tables, options);
  if (!data) {
    what.refused = true;
    CHECK_MESSAGE(is_clear(data.error(), file), data.error().to_string());
    return what;
  }
  test_store store{*data, options};
  for (int batch = 0; batch < 2; ++batch) {
    std::vector<std::pair<std::string, test_store::answer>> asked;
    for (int i = 0; i < 3; ++i) {
      auto label = std::to_string(batch) + std::to_string(i);
      asked.emplace_back(label, store.submit(request(counters, "make", {{"label", label}})));
    }
    while (store.execute() != 0) {
    }
    for (const auto& [label, answer] : asked) {
      REQUIRE(answer->has_value());
      const auto& committed = **answer;
      if (committed) {
        what.done.insert(label);
      } else {
        what.failed.insert(label);
        const auto why = committed.error();  // clang 14 lets no lambda use a structured binding
        CHECK_MESSAGE(is_clear(why, file), why.to_string());
      }
    }
  }
  return what;
}

void every_call_fails_once(call what, int code, bool lasts, int stride) {
  const failing_disk disk;
  int step = 1;
  std::size_t bad = 0;
  for (bool reached = true; reached; step += stride) {
    CAPTURE(step);
    temporary_directory directory;
    const auto file = directory.file("store.db");
    faults.what = what;
    faults.code = code;
    faults.lasts = lasts;
    faults.hits = 0;
    faults.left = step;
    // Only where syncs fail must there be any; they are what makes these tests slow.
    const auto heard = live(file, what == call::sync ? durability::full : durability::relaxed);
    bad += heard.failed.size() + (heard.refused ? 1 : 0);
    reached = faults.hits > 0;
    faults.left = 0;
    faults.lasts = false;
    faults.hits = 0;
    // The disk is well again: what was said to be done is there, what was said to have failed is not, and all of it holds.
    auto store = sqlite_store(file);
    std::set<std::string> there;
    REQUIRE(store.data().scan(counters, [&](const record& row) { there.insert(row.as<counted>()->label); }));
    for (const auto& label : heard.done) CHECK_MESSAGE(there.contains(label), label);
    for (const auto& label : heard.failed) {
      // A failed sync leaves open what the disk has; SQLite's log may bring it back when the file is opened again.
      if (what != call::sync) CHECK_MESSAGE(!there.contains(label), label);
    }
    CHECK(store.log().size() == there.size());
    store.require_that_it_holds();
    CHECK(store.run(counters, "make", {{"label", "after"}}));
  }
  CHECK(step > 3 * stride);
  CHECK(bad > 0);
}

}  // namespace

TEST_CASE("a disk that is full at any write: callers are told, nothing is half done") {
  every_call_fails_once(call::write, SQLITE_FULL, false, 3);
}
TEST_CASE("a disk that becomes full and stays so") { every_call_fails_once(call::write, SQLITE_FULL, true, 7); }
TEST_CASE("a disk that fails at any write") { every_call_fails_once(call::write, SQLITE_IOERR_WRITE, false, 5); }
TEST_CASE("a disk that fails at any sync") { every_call_fails_once(call::sync, SQLITE_IOERR_FSYNC, false, 1); }
TEST_CASE("a disk that fails at any read") { every_call_fails_once(call::read, SQLITE_IOERR_READ, false, 3); }
TEST_CASE("a page that is found damaged at any read") { every_call_fails_once(call::read, SQLITE_CORRUPT, false, 5); }
TEST_CASE("a file that another program has locked at any time") { every_call_fails_once(call::lock, SQLITE_BUSY, false, 5); }

namespace {

/// Follows a store from its beginning; the next read of the file after that fails.
struct listener : process<listener, any_event> {
  struct args {
    herald::store store;
    std::shared_ptr<std::vector<std::uint64_t>> seen;
  };
  listener(context& self, args with) : with_{std::move(with)} {
    subscribe<any_event>(self, with_.store, earliest).value();
    faults.hits = 0;
    faults.left = 1;
  }
  void on(const any_event& event) { with_.seen->push_back(event->at.sequence); }

 private:
  args with_;
};

}  // namespace

TEST_CASE("R78: a read that fails once ends the notifier, and the next one serves its followers on") {
  const failing_disk disk;
  temporary_directory directory;
  sqlite_options options{.file = directory.file("store.db")};
  options.busy_limit = std::chrono::milliseconds{0};
  faults.what = call::lock;
  faults.code = SQLITE_IOERR_SHMLOCK;
  faults.lasts = false;
  const auto store = herald::store::open(all_tables, options).value();
  for (int i = 0; i < 3; ++i) REQUIRE(store.run("counters", "make", {{"label", value{"x"}}}));
  simulation sim{1};
  auto seen = std::make_shared<std::vector<std::uint64_t>>();
  int crashes = 0;
  application app{{.name = "desk", .intensity = {10, std::chrono::seconds{60}}, .children = {store.notifier()}},
                  {.sinks = {[&](const report& one) { crashes += one.kind == report::crashed ? 1 : 0; }}, .simulation = &sim}};
  app.start();
  sim.run();  // the notifier has nothing to do any more
  REQUIRE(app.root().start_child(child<listener>("listener", {store, seen})).has_value());
  sim.run();
  CHECK(faults.hits == 1);
  CHECK(crashes == 1);
  CHECK(*seen == std::vector<std::uint64_t>{1, 2, 3});
  REQUIRE(store.run("counters", "make", {{"label", value{"y"}}}));
  sim.run();
  CHECK(*seen == std::vector<std::uint64_t>{1, 2, 3, 4});
}

TEST_CASE("C44: with go_on and a full disk every input of a bulk is either done or failed") {
  const failing_disk disk;
  for (int step = 1; step <= 25; step += 4) {
    CAPTURE(step);
    temporary_directory directory;
    sqlite_options options{.file = directory.file("store.db")};
    options.durability = durability::relaxed;
    faults.what = call::write;
    faults.code = SQLITE_FULL;
    faults.left = 0;
    faults.hits = 0;
    const auto store = herald::store::open(all_tables, options).value();
    faults.lasts = true;
    faults.left = step;
    std::vector<std::string> labels;
    for (int i = 0; i < 20; ++i) labels.push_back(std::to_string(i));
    const auto done = store.bulk(labels, [](const std::string& label) {
      return request_for<described::counters, "make">(dsl::field<&counted::label> = label);
    }, bulk_options{.batch_size = 6, .on_error = bulk_errors::go_on});
    faults.left = 0;
    faults.lasts = false;
    CHECK(faults.hits == 1);
    CHECK(done.failed > 0);
    CHECK(done.done() + done.failed == labels.size());
    CHECK(store.count<described::counters>().value() == done.created);
  }
}
