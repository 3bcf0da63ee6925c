// A disk that fails at any call: each write, sync, read, lock, open, removal, truncation and mapping of a store's life is made to
// fail once, in turn. Whatever happens, callers get an error that says so, what was answered as done is there, what was refused
// is not, and the file holds. And pages that are damaged in the file itself.
//
// In the suite only every so many-th call fails; HERALD_FAULT_STRIDE=1 makes it each one, for a run by hand.

#include "sqlite_store_fixture.hpp"

#include <herald/application.hpp>
#include <herald/process.hpp>
#include <herald/simulation.hpp>
#include <herald/store.hpp>
#include <herald/subscribe.hpp>
#include <herald/typed_query.hpp>
#include <herald/typed_request.hpp>

#include <sqlite3.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

using namespace herald;
using namespace herald::test;

namespace {

enum class call { write, sync, read, lock, open, remove, truncate, map };

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
int shim_truncate(sqlite3_file* f, sqlite3_int64 size) {
  if (const int code = faults.next(call::truncate); code != SQLITE_OK) return code;
  return FORWARD(xTruncate, size);
}
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
int shim_shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** out) {
  if (const int code = faults.next(call::map); code != SQLITE_OK) return code;
  return FORWARD(xShmMap, page, size, extend, out);
}
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
      file->base.pMethods = nullptr;
      if (const int failed = faults.next(call::open); failed != SQLITE_OK) return failed;
      const int code = base_->xOpen(base_, name, file->real(), flags, out);
      file->base.pMethods = file->real()->pMethods != nullptr ? &shim_methods : nullptr;
      return code;
    };
    shim_.xDelete = [](sqlite3_vfs*, const char* name, int sync) {
      if (const int failed = faults.next(call::remove); failed != SQLITE_OK) return failed;
      return base_->xDelete(base_, name, sync);
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
using described::cells;
using dsl::field;

bool is_clear(const error& why, const std::string& file) {
  if (why.message().find(file) == std::string::npos) return false;
  for (const auto code : {resource_errc::io_error, resource_errc::disk_full, resource_errc::locked, resource_errc::corrupt,
                          resource_errc::not_a_database, resource_errc::read_only}) {
    if (why.is(code)) return true;
  }
  return false;
}

std::string shown(const error& why) { return why.to_string(); }

/// What callers were told while a store lived on the failing disk.
struct told {
  std::map<std::int64_t, double> cells;  // by row, as they must be
  std::set<std::int64_t> open;           // rows of actions that failed
  std::set<std::string> counters;
  std::set<std::string> failed;
  std::size_t bad = 0;
  bool copied = false;

  void trouble(const error& why, const std::string& file) {
    ++bad;
    CHECK_MESSAGE(is_clear(why, file), shown(why));
  }
};

/// A store's life: each kind of work once, in batches.
class life {
 public:
  life(const std::string& file, durability lasting) : file_{file} {
    options_.file = file;
    options_.busy_limit = std::chrono::milliseconds{0};
    options_.durability = lasting;
    options_.cache_kib = 1;  // so that pages are read again
    options_.retention.compact = {&table_of<cells>};
  }

  told lived() {
    auto data = detail::open_sqlite(all_tables, options_);
    if (!data) {
      what_.trouble(data.error(), file_);
      return std::move(what_);
    }
    test_store store{*data, options_};
    store_ = &store;
    for (int batch = 0; batch < 2; ++batch) make_counters(batch);
    change_cells();
    look();
    forget();
    copy();
    return std::move(what_);
  }

 private:
  void make_counters(int batch) {
    std::vector<std::pair<std::string, test_store::answer>> asked;
    for (int i = 0; i < 3; ++i) {
      auto label = std::to_string(batch) + std::to_string(i);
      asked.emplace_back(label, store_->submit(request(table_of<described::counters>, "make", {{"label", label}})));
    }
    run();
    for (const auto& [label, answer] : asked) {
      REQUIRE(answer->has_value());
      if (**answer) {
        what_.counters.insert(label);
      } else {
        what_.failed.insert(label);
        what_.trouble((**answer).error(), file_);
      }
    }
  }

  void run() {
    while (store_->execute() != 0) {
    }
  }
  /// An action, and what it makes of a row when it is done.
  void ask(std::int64_t row, std::optional<double> content, action_request asked) {
    asked_.push_back({row, content, store_->submit(std::move(asked))});
  }
  void take() {
    run();
    for (const auto& one : asked_) {
      REQUIRE(one.answer->has_value());
      if (**one.answer) {
        apply_to_model(one.row, one.content);
        continue;
      }
      // What an action before it in the batch was to make is not there for it, when that one failed.
      const auto why = (**one.answer).error();
      what_.open.insert(one.row);
      if (!why.is(resource_errc::not_found)) what_.trouble(why, file_);
    }
    asked_.clear();
  }
  void apply_to_model(std::int64_t row, std::optional<double> content) {
    if (content) {
      what_.cells[row] = *content;
    } else {
      what_.cells.erase(row);
    }
  }
  static action_request make(std::int64_t row) {
    return request_for<cells, "make">(field<&cell::sheet> = "a", field<&cell::row> = row, field<&cell::content> = 0.5);
  }
  static action_request fill(std::int64_t row, double content) { return request_for<cells, "fill">(key("a", row), field<&cell::content> = content); }

  void change_cells() {
    for (std::int64_t row = 1; row <= 6; ++row) ask(row, 0.5, make(row));
    take();
    ask(1, 10, fill(1, 10));
    ask(2, 20, fill(2, 20));
    ask(3, std::nullopt, request_for<cells, "drop">(key("a", std::int64_t{3})));
    take();
    nest();
    ask(1, 11, fill(1, 11));
    take();
  }
  /// One transaction of three pieces: the second is undone alone.
  void nest() {
    const auto answer = store_->submit([](transaction& tx) -> result<action_outcome> {
      if (auto made = herald::run<cells, "make">(tx, field<&cell::sheet> = "a", field<&cell::row> = 7); !made) return made.error();
      const auto undone = transact(tx, [](transaction& inside) -> result<int> {
        for (std::int64_t row = 8; row < 12; ++row) {
          auto made = herald::run<cells, "make">(inside, field<&cell::sheet> = "a", field<&cell::row> = row);
          if (!made) return made.error();
        }
        if (auto gone = herald::run<cells, "drop">(inside, key("a", std::int64_t{7})); !gone) return gone.error();
        return error{resource_errc::invalid, "not today"};
      });
      if (!undone.is(resource_errc::invalid)) return undone.error();
      auto made = herald::run<cells, "make">(tx, field<&cell::sheet> = "a", field<&cell::row> = 12);
      if (!made) return made.error();
      return action_outcome{};
    });
    const auto refused = store_->submit([](transaction& tx) -> result<action_outcome> {
      if (auto made = herald::run<cells, "make">(tx, field<&cell::sheet> = "a", field<&cell::row> = 13); !made) return made.error();
      return error{resource_errc::invalid, "not today"};
    });
    run();
    CHECK_FALSE((**refused).has_value());
    if (**answer) {
      for (const std::int64_t row : {7, 12}) what_.cells[row] = 0;
    } else {
      what_.open.insert({7, 12});
      what_.trouble((**answer).error(), file_);
    }
  }

  /// Reads tell the truth or say that they cannot.
  void look() {
    std::map<std::int64_t, double> seen;
    auto of = query_for<cells>(dsl::limit{100});
    REQUIRE(of);
    const auto selected = store_->data().select(*of, [&](const record& row) { seen[row.as<cell>()->row] = row.as<cell>()->content; });
    if (!selected) {
      what_.trouble(selected.error(), file_);
    } else if (what_.open.empty()) {
      CHECK(seen == what_.cells);
    }
    const auto counted = store_->data().count(*of);
    if (!counted) what_.trouble(counted.error(), file_);
    const auto page = store_->data().read({store_->data().head().epoch, 0}, 1000, std::nullopt);
    if (!page) what_.trouble(page.error(), file_);
  }
  void forget() {
    const auto trimmed = store_->data().trim(3, 100);
    if (!trimmed) what_.trouble(trimmed.error(), file_);
    const auto compacted = store_->data().compact(store_->data().head().sequence, 100);
    if (!compacted) what_.trouble(compacted.error(), file_);
  }
  void copy() {
    const auto done = store_->data().backup(file_ + ".copy");
    what_.copied = done.has_value();
    if (!done) what_.trouble(done.error(), file_);
  }

  struct asked_for {
    std::int64_t row;
    std::optional<double> content;
    test_store::answer answer;
  };
  std::string file_;
  sqlite_options options_;
  test_store* store_ = nullptr;
  told what_;
  std::vector<asked_for> asked_;
};

/// The disk is well again: what was said to be done is there, what was said to have failed is not, and all of it holds.
void all_is_well(const std::string& file, const told& heard, bool after_sync) {
  auto store = sqlite_store(file);
  std::set<std::string> labels;
  REQUIRE(store.data().scan(counters, [&](const record& row) { labels.insert(row.as<counted>()->label); }));
  for (const auto& label : heard.counters) CHECK_MESSAGE(labels.contains(label), label);
  std::map<std::int64_t, double> there;
  REQUIRE(store.data().scan(table_of<cells>, [&](const record& row) { there[row.as<cell>()->row] = row.as<cell>()->content; }));
  // A failed sync leaves open what the disk has; SQLite's log may bring it back when the file is opened again.
  if (after_sync) {
    for (const auto& one : heard.cells) {
      if (!heard.open.contains(one.first)) CHECK_MESSAGE(there.contains(one.first), one.first);
    }
  } else {
    for (const auto& label : heard.failed) CHECK_MESSAGE(!labels.contains(label), label);
    CHECK(there == heard.cells);
  }
  store.require_that_it_holds();
  CHECK(store.run(counters, "make", {{"label", "after"}}));
  CHECK(std::filesystem::exists(file + ".copy") == heard.copied);
  if (!heard.copied) return;
  const auto copy = verify(file + ".copy", all_tables);
  REQUIRE_MESSAGE(copy.has_value(), (copy ? std::string{} : shown(copy.error())));
  CHECK_MESSAGE(copy->holds(), (copy->faults.empty() ? "" : copy->faults.front()));
}

/// `some_are_told`: false where SQLite can do without the call.
void every_call_fails_once(call what, int code, bool lasts, int stride, bool some_are_told = true) {
  const char* const by_hand = std::getenv("HERALD_FAULT_STRIDE");
  if (by_hand != nullptr) stride = std::max(1, std::atoi(by_hand));
  const failing_disk disk;
  int step = 1;
  std::size_t bad = 0, lives = 0;
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
    const auto heard = life{file, what == call::sync ? durability::full : durability::relaxed}.lived();
    bad += heard.bad;
    ++lives;
    reached = faults.hits > 0;
    faults.left = 0;
    faults.lasts = false;
    faults.hits = 0;
    all_is_well(file, heard, what == call::sync);
  }
  if (by_hand != nullptr) MESSAGE(lives, " lives, ", bad, " troubles told");
  CHECK(lives > 1);
  if (some_are_told) CHECK(bad > 0);
}

/// A file of several pages of rows and events, closed.
struct whole_file {
  std::string bytes;
  std::map<std::int64_t, double> cells;
  std::vector<std::string> log;
};
whole_file written_whole(const std::string& file) {
  whole_file made;
  {
    auto store = sqlite_store(file);
    for (std::int64_t row = 0; row < 400; ++row) {
      static_cast<void>(store.submit(request_for<cells, "make">(field<&cell::sheet> = "a", field<&cell::row> = row, field<&cell::content> = 0.5)));
      made.cells[row] = 0.5;
    }
    for (int i = 0; i < 100; ++i) static_cast<void>(store.submit(request(counters, "make", {{"label", std::to_string(i)}})));
    while (store.execute() != 0) {
    }
    made.log = names(store.log());
  }
  std::ifstream in{file, std::ios::binary};
  made.bytes.assign(std::istreambuf_iterator<char>{in}, {});
  return made;
}

}  // namespace

TEST_CASE("a disk that is full at any write: callers are told, nothing is half done") {
  every_call_fails_once(call::write, SQLITE_FULL, false, 7);
}
TEST_CASE("a disk that becomes full and stays so") { every_call_fails_once(call::write, SQLITE_FULL, true, 13); }
TEST_CASE("a disk that fails at any write") { every_call_fails_once(call::write, SQLITE_IOERR_WRITE, false, 11); }
TEST_CASE("a disk that fails at any sync") { every_call_fails_once(call::sync, SQLITE_IOERR_FSYNC, false, 3); }
TEST_CASE("a disk that fails at any read") { every_call_fails_once(call::read, SQLITE_IOERR_READ, false, 7); }
TEST_CASE("a page that is found damaged at any read") { every_call_fails_once(call::read, SQLITE_CORRUPT, false, 11); }
TEST_CASE("a file that another program has locked at any time") { every_call_fails_once(call::lock, SQLITE_BUSY, false, 11); }
TEST_CASE("a file that cannot be opened, at any of its openings") { every_call_fails_once(call::open, SQLITE_CANTOPEN, false, 1); }
TEST_CASE("a file that cannot be removed") { every_call_fails_once(call::remove, SQLITE_IOERR_DELETE, false, 1, false); }
TEST_CASE("a file that cannot be cut") { every_call_fails_once(call::truncate, SQLITE_IOERR_TRUNCATE, false, 1, false); }
TEST_CASE("memory that cannot be shared with other programs") { every_call_fails_once(call::map, SQLITE_IOERR_SHMMAP, false, 1); }

TEST_CASE("a page that is overwritten in the file: what is read is right, or the error is `corrupt`, and nothing comes down") {
  temporary_directory directory;
  const auto file = directory.file("store.db");
  const auto whole = written_whole(file);
  const auto size_at = [&](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(whole.bytes[at])); };
  const std::size_t page_size = size_at(16) * 256 + size_at(17);
  REQUIRE(page_size >= 512);
  REQUIRE(whole.bytes.size() >= 10 * page_size);
  std::size_t corrupt = 0;
  const auto is_told = [&](const error& why) {
    CHECK_MESSAGE((why.is(resource_errc::corrupt) || why.is(resource_errc::not_a_database)), shown(why));
    CHECK_MESSAGE(is_clear(why, file), shown(why));
    ++corrupt;
  };
  for (const char filling : {'\0', '\xa5'}) {
    for (std::size_t page = 0; page < whole.bytes.size() / page_size; ++page) {
      CAPTURE(page);
      CAPTURE(static_cast<int>(filling));
      for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(file + end);
      {
        std::string damaged = whole.bytes;
        damaged.replace(page * page_size, page_size, page_size, filling);
        std::ofstream{file, std::ios::binary} << damaged;
      }
      const auto opened = try_open(file);
      if (!opened) {
        is_told(opened.error());
        continue;
      }
      std::map<std::int64_t, double> seen;
      const auto scanned = (*opened)->scan(table_of<cells>, [&](const record& row) { seen[row.as<cell>()->row] = row.as<cell>()->content; });
      if (!scanned) is_told(scanned.error());
      else CHECK(seen == whole.cells);
      const auto page_of_log = (*opened)->read({(*opened)->head().epoch, 0}, 1000, std::nullopt);
      if (!page_of_log) is_told(page_of_log.error());
      else CHECK(names(page_of_log->events) == whole.log);
      const auto found = (*opened)->find(table_of<cells>, key("a", std::int64_t{200}));
      if (!found) is_told(found.error());
      else CHECK((*found && found->as<cell>()->content == 0.5));
      const auto report = detail::verify(**opened);
      if (!report) is_told(report.error());
    }
  }
  CHECK(corrupt > 20);
}
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
