// The program that the crash test of durable consumers kills: callers book entries in transactions with nested actions, a
// notifier of its own (at least once) writes down what it was told, and a ledger (effectively once) writes one receipt for
// each entry.
//
//   crash_consumers FILE SEED     works until it is killed; prints 8 bytes, a sequence, for each transaction that was answered
//   crash_consumers FILE check    lets the consumers catch up, and proves that nothing was missed and nothing done twice

#include "crash_resources.hpp"

#include <herald/application.hpp>
#include <herald/consumer.hpp>
#include <herald/process.hpp>

#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <random>
#include <semaphore>
#include <set>
#include <string>
#include <thread>
#include <unistd.h>

using namespace herald;
using namespace herald::crash;
using namespace std::chrono_literals;
using dsl::field;

namespace {

using entry_event = event<described::entries>;

/// How far the teller has come, for who waits for it.
struct progress {
  std::atomic<std::uint64_t> told{0};
  std::counting_semaphore<> moved{0};
};

/// Appends the sequence of each event to a file: whole, and before the event is handled.
struct teller : process<teller, any_event> {
  struct args {
    herald::store store;
    int tape;
    progress* so_far;
  };
  teller(context& self, args with) : with_{std::move(with)} {
    if (auto begun = subscribe<any_event>(self, with_.store, at_least_once("teller"), {.keep_every = 50}); !begun) {
      self.fail(begun.error().to_string());
    }
  }
  void on(const any_event& e) {
    const std::uint64_t sequence = e->at.sequence;
    if (::write(with_.tape, &sequence, sizeof sequence) != sizeof sequence) std::abort();
    with_.so_far->told.store(sequence);
    with_.so_far->moved.release();
  }

 private:
  args with_;
};

struct ledger : process<ledger, entry_event> {
  struct args {
    herald::store store;
  };
  ledger(context& self, args with) : work_{subscribe<entry_event>(self, with.store, effectively_once("ledger")).value()} {}
  void on(const entry_event& e) {
    if (e.kind() != event_kind::created) return;
    work_.run<described::receipts, "write">(field<&receipt::of> = static_cast<std::int64_t>(e.offset().sequence));
  }

 private:
  consumer work_;
};

void work(const store& desk, std::uint64_t seed) {
  std::mt19937_64 random{seed};
  for (std::int64_t number = 1;; ++number) {
    const auto done = desk.transact([&](transaction& tx) -> result<void> {
      const auto owner = std::to_string(seed) + "." + std::to_string(number);
      auto made = run<described::accounts, "open">(tx, field<&account::owner> = owner, field<&account::balance> = number);
      if (!made) return made.error();
      for (std::uint64_t i = random() % 4; i != 0; --i) {
        auto booked = run<described::entries, "book">(tx, field<&entry::amount> = number, field<&entry::text> = owner);
        if (!booked) return booked.error();
      }
      // One that fails inside is undone alone.
      static_cast<void>(run<described::accounts, "open">(tx, field<&account::owner> = owner));
      if (random() % 8 == 0) return error{resource_errc::invalid, "spoilt"};
      auto moved = run<described::accounts, "move">(tx, made->id, field<&account::balance> = -number);
      if (!moved) return moved.error();
      return {};
    });
    if (!done) continue;
    const std::uint64_t sequence = desk.head().sequence;
    if (::write(STDOUT_FILENO, &sequence, sizeof sequence) != sizeof sequence) std::abort();
  }
}

std::set<std::uint64_t> told_in(const std::string& tape) {
  std::set<std::uint64_t> told;
  if (FILE* file = std::fopen(tape.c_str(), "rb")) {
    std::uint64_t sequence = 0;
    while (std::fread(&sequence, sizeof sequence, 1, file) == 1) told.insert(sequence);
    std::fclose(file);
  }
  return told;
}

/// Waits until each entry has its receipt, and the teller, whom the last receipt comes to as well, was told of the newest event.
bool catch_up(const store& desk, progress& so_far) {
  const auto booked = desk.read(desk.beginning(), desk.head().sequence + 1, "entry:booked").value().events.size();
  // Asked of the log and not of head(), which follows a COMMIT by a moment: a receipt may be seen before it.
  const auto all_told = [&] {
    const auto page = desk.read({desk.head().epoch, so_far.told.load()}, 1).value();
    return page.events.empty();
  };
  while (desk.count<described::receipts>().value() != booked || !all_told()) {
    if (!so_far.moved.try_acquire_for(30s)) return false;  // nothing moves any more
  }
  return true;
}

int faults = 0;
void fault(const char* what, std::uint64_t at) {
  if (++faults < 20) std::fprintf(stderr, "event %llu: %s\n", static_cast<unsigned long long>(at), what);
}

int prove(const store& desk, const std::string& tape) {
  const auto told = told_in(tape);
  std::map<std::uint64_t, int> receipts;
  for (const auto& one : desk.all<described::receipts>().value().rows) ++receipts[static_cast<std::uint64_t>(one.of)];
  std::uint64_t last = 0;
  for (offset at = desk.beginning(); at.sequence < desk.head().sequence;) {
    const auto page = desk.read(at, 1000).value();
    for (const auto& event : page.events) {
      const auto sequence = event->at.sequence;
      if (!told.contains(sequence)) fault("the notifier was not told of it", sequence);
      if (event->resource == &table_of<described::entries> && event->kind == event_kind::created) {
        if (receipts[sequence] != 1) fault("not exactly one receipt", sequence);
        receipts.erase(sequence);
      }
      last = sequence;
    }
    at = page.last;
  }
  for (const auto& [sequence, count] : receipts) fault("a receipt for no entry", sequence);
  for (const auto sequence : told) {
    if (sequence > last) fault("told of, and not in the log", sequence);
  }
  return faults == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seed = 0;
  const bool checks = argc == 3 && std::string_view{argv[2]} == "check";
  if (argc != 3 || (!checks && std::from_chars(argv[2], argv[2] + std::strlen(argv[2]), seed).ec != std::errc{})) {
    std::fputs("usage: crash_consumers FILE SEED|check\n", stderr);
    return 2;
  }
  sqlite_options options;
  options.file = argv[1];
  auto opened = store::open(tables, options);
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().to_string().c_str());
    return 1;
  }
  const auto& desk = *opened;
  const std::string tape = options.file + ".tape";
  progress so_far;
  if (const auto told = told_in(tape); !told.empty()) so_far.told = *told.rbegin();
  const int file = ::open(tape.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  application app{{.name = "crash", .children = {desk.writer(), desk.notifier(), child<teller>("teller", {desk, file, &so_far}),
                                                 child<ledger>("ledger", {desk})}},
                  {.sinks = {[](const report&) {}}}};
  app.start();
  if (!checks) {
    std::thread second{[&] { work(desk, seed * 2 + 1); }};
    work(desk, seed * 2);
  }
  if (!catch_up(desk, so_far)) fault("the consumers do not catch up", desk.head().sequence);
  app.stop();
  return prove(desk, tape);
}
