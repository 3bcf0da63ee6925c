// A store under steady work for as long as one likes, with retention on: does what it keeps stay within bounds? A shop writes
// places that come and go, a teller and a ledger are told of them durably, a listener hears of them on the bus, and once a
// second one of the writer, the notifier and the consumers is killed. Prints a line a second: file, write-ahead log, resident memory, events
// kept, how far the consumers are behind.
//
//   soak FILE SECONDS [ACTIONS A SECOND, 2000]     600 seconds by hand; tests/soak/run takes a few
//
// Ends with 0 when rows and log agree, both consumers came through to the newest event, and neither the file nor the
// memory was larger in the second half than in the first by more than a tenth and 4 MiB.

#include "../crash/crash_resources.hpp"

#include <herald/application.hpp>
#include <herald/consumer.hpp>
#include <herald/process.hpp>
#include <herald/pubsub.hpp>
#include <herald/store_statistics.hpp>
#include <herald/verify.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <random>
#include <string>
#include <unistd.h>

using namespace herald;
using namespace herald::crash;
using namespace std::chrono_literals;
using dsl::field;

namespace {

using place_event = event<described::places>;
constexpr std::int64_t places_in_all = 2'000;
constexpr std::uint64_t events_kept = 20'000;

struct tick {};

/// Founds, measures and abandons places, a bundle every ten milliseconds; each place has one action under way at most.
struct shop : process<shop, tick> {
  struct args {
    herald::store store;
    std::int64_t rate;
  };
  shop(context& self, const args& with) : with_{with}, states_(places_in_all, unknown) { self.send_every(10ms, tick{}); }
  void on(context& self, const tick&) {
    for (auto left = with_.rate / 100; left != 0; --left) act(self, static_cast<std::int64_t>(random_() % places_in_all));
  }

 private:
  enum state : std::uint8_t { unknown, absent, there, busy };

  void act(context& self, std::int64_t number) {
    const auto then = [this, number](state now) {
      return [this, number, now](const result<place>& done) {
        // A life before this one may have left it either way.
        auto& mine = states_[static_cast<std::size_t>(number)];
        if (done) mine = now;
        else mine = done.is(resource_errc::taken) ? there : done.is(resource_errc::not_found) ? absent : unknown;
      };
    };
    auto& mine = states_[static_cast<std::size_t>(number)];
    const auto key = herald::key(area(number), number);
    const auto before = std::exchange(mine, busy);
    if (before == busy) return;
    if (before == there && random_() % 4 != 0) {
      with_.store.run<described::places, "measure">(self, key, field<&place::height> = static_cast<double>(random_() % 1000), then(there));
    } else if (before == there) {
      with_.store.run<described::places, "abandon">(self, key, then(absent));
    } else {
      with_.store.run<described::places, "found">(self, field<&place::area> = area(number), field<&place::number> = number, then(there));
    }
  }
  static std::string area(std::int64_t number) { return "area " + std::to_string(number % 50); }

  args with_;
  std::vector<state> states_;
  std::minstd_rand random_{1};
};

/// Told of everything, at least once.
struct teller : process<teller, any_event> {
  struct args {
    herald::store store;
  };
  teller(context& self, const args& with) {
    if (!subscribe<any_event>(self, with.store, at_least_once("teller"))) self.fail("cannot subscribe");
  }
  void on(const any_event& e) { told_ += e->at.sequence; }

 private:
  std::uint64_t told_ = 0;
};

/// Books what is measured in one area, once.
struct ledger : process<ledger, place_event> {
  struct args {
    herald::store store;
    uuid account;
  };
  ledger(context& self, const args& with)
      : account_{with.account}, work_{subscribe<place_event>(self, with.store, "place:area 7", effectively_once("ledger")).value()} {}
  void on(const place_event& e) {
    work_.run<described::accounts, "move">(account_, field<&account::balance> = static_cast<std::int64_t>(e.offset().sequence));
  }

 private:
  uuid account_;
  consumer work_;
};

struct listener : process<listener, place_event> {
  struct args {
    friend bool operator==(const args&, const args&) = default;
  };
  listener(context& self, const args&) { subscribe<place_event>(self, "place:area 8"); }
  void on(const place_event& e) { heard_ += e.offset().sequence; }

 private:
  std::uint64_t heard_ = 0;
};

struct sizes {
  std::uint64_t file = 0, memory = 0;
};

std::uint64_t bytes_of(const std::string& file) {
  std::error_code none;
  const auto size = std::filesystem::file_size(file, none);
  return none ? 0 : size;
}

std::uint64_t resident() {
  std::ifstream statm{"/proc/self/statm"};
  std::uint64_t all = 0, held = 0;
  statm >> all >> held;
  return held * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// Once a second: a line, and a kill.
struct reporter : process<reporter, tick> {
  struct args {
    herald::store store;
    std::string file;
    int seconds;
    std::vector<sizes>* measured;
    std::promise<void>* over;
    std::function<void(std::string_view)> kill;
  };
  reporter(context& self, args with) : with_{std::move(with)} { self.send_every(1s, tick{}); }
  void on(const tick&) {
    const auto found = statistics_of(with_.store).value();
    const sizes now{bytes_of(with_.file) + bytes_of(with_.file + "-wal"), resident()};
    with_.measured->push_back(now);
    std::printf("%4zu s: file %.1f MB, of it log ahead %.1f MB, resident %.1f MB, events %llu, kept %llu, actions %llu", with_.measured->size(),
                static_cast<double>(now.file) / 1e6, static_cast<double>(bytes_of(with_.file + "-wal")) / 1e6,
                static_cast<double>(now.memory) / 1e6, static_cast<unsigned long long>(found.head.sequence),
                static_cast<unsigned long long>(found.head.sequence + 1 - found.floor), static_cast<unsigned long long>(found.actions));
    for (const auto& one : found.consumers) std::printf(", %s -%llu", one.name.c_str(), static_cast<unsigned long long>(one.lag));
    std::puts("");
    if (with_.measured->size() == static_cast<std::size_t>(with_.seconds)) return with_.over->set_value();
    static constexpr std::string_view victims[]{"writer", "notifier", "teller", "ledger"};
    if (with_.measured->size() < static_cast<std::size_t>(with_.seconds)) with_.kill(victims[random_() % 4]);
  }

 private:
  args with_;
  std::minstd_rand random_{2};
};

sizes largest(const std::vector<sizes>& all, std::size_t from, std::size_t to) {
  sizes most;
  for (std::size_t i = from; i < to; ++i) most = {std::max(most.file, all[i].file), std::max(most.memory, all[i].memory)};
  return most;
}

bool bounded(const char* what, std::uint64_t early, std::uint64_t late) {
  const bool holds = late <= early + early / 10 + (4 << 20);
  std::printf("%s: at most %.1f MB in the first half, %.1f MB in the second%s\n", what, static_cast<double>(early) / 1e6,
              static_cast<double>(late) / 1e6, holds ? "" : ": it grows");
  return holds;
}

}  // namespace

int main(int argc, char** argv) {
  const int seconds = argc > 2 ? std::atoi(argv[2]) : 0;
  const int rate = argc > 3 ? std::atoi(argv[3]) : 2'000;
  if (seconds < 2 || rate < 100) {
    std::fputs("usage: soak FILE SECONDS [ACTIONS A SECOND]\n", stderr);
    return 2;
  }
  sqlite_options options;
  options.file = argv[1];
  options.retention = {.age = 60s, .events = events_kept, .hard_events = 10 * events_kept};
  std::vector<sizes> measured;
  bool caught_up = true;
  {
    auto desk = store::open(tables, options).value();
    const auto account = desk.run<described::accounts, "open">(field<&account::owner> = "soak").value().id;
    std::promise<void> over;
    // Kills from a thread of the application's own would wait for themselves.
    // Only the last one is kept, which joins the thread before it: a thread that nobody joins keeps its stack.
    std::future<void> last_kill;
    application* here = nullptr;
    const auto kill = [&](std::string_view who) {
      last_kill = std::async(std::launch::async, [&here, who] { static_cast<void>(here->kill(who)); });
    };
    application app{{.name = "soak",
                     .intensity = {1'000'000, 60s},
                     .children = {desk.writer(), desk.notifier(), child<teller>("teller", {desk}),
                                  child<ledger>("ledger", {desk, account}), child<listener>("listener", listener::args{}), child<shop>("shop", {desk, rate}),
                                  child<reporter>("reporter", {desk, options.file, seconds, &measured, &over, kill})}},
                    {.sinks = {[](const report&) {}}}};
    here = &app;
    app.start();
    over.get_future().wait();
    for (const auto& one : consumers_of(desk).value()) caught_up = caught_up && one.lag < events_kept;
    app.stop();
    last_kill = {};
  }
  if (!caught_up) std::puts("a consumer was left behind");
  const auto report = verify(options.file, tables);
  for (const auto& fault : report ? report->faults : std::vector<std::string>{report.error().to_string()}) std::puts(fault.c_str());
  const auto half = measured.size() / 2;
  const auto early = largest(measured, 0, half), late = largest(measured, half, measured.size());
  const bool file = bounded("file", early.file, late.file), memory = bounded("resident", early.memory, late.memory);
  return caught_up && report && report->holds() && file && memory ? 0 : 1;
}
