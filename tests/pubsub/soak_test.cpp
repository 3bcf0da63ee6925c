// A soak: subscribers of all kinds come, lag, crash and die while threads publish; after each round nothing may be left.
//
// The suite takes two rounds. By hand, for so many seconds, with the resident memory printed after each minute:
//   HERALD_SOAK=600 build/tests/pubsub/test_pubsub -tc='soak:*'
// (or with any other build of the tests; figures of memory are those of a release build).

#include <unistd.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <herald/application.hpp>
#include <herald/application_options.hpp>
#include <herald/callback.hpp>
#include <herald/dynamic_supervisor.hpp>
#include <herald/presence.hpp>
#include <herald/pubsub.hpp>
#include <herald/supervisor_ref.hpp>

using namespace herald;
using namespace std::chrono_literals;

namespace {

using wall = std::chrono::steady_clock;

struct reading {
  int sensor = 0;
  int number = 0;
};
struct poison {};
struct count_asked {
  using reply = std::uint64_t;
};
struct badge {
  int number = 0;
};

/// Subscribes in one of several ways, is told of what it missed, and crashes when it is told to.
struct soaker : process<soaker, reading, gap, poison, count_asked> {
  struct args {
    int number = 0;
  };
  soaker(context& self, args a) : present_{self, "soak"} {
    const auto own = "sensors:" + std::to_string(a.number);
    switch (a.number % 5) {
      case 0: subscribe<reading>(self, own); break;
      case 1: subscribe<reading>(self, "sensors:*", {.when_slow = policy::drop_oldest(8)}); break;
      case 2: subscribe<reading>(self, "**", {.key = "all", .filter = [](const reading& r) { return r.sensor % 3 == 0; }}); break;
      case 3:
        subscribe<reading>(self, "sensors:*", {.when_slow = policy::latest_by([](const reading& r) { return r.sensor; }, 16)});
        break;
      default: subscribe<reading>(self, "sensors:*", {.group = group_policy::round_robin("workers")}); break;
    }
    if (!present_.track(self, "room", std::to_string(a.number), badge{a.number})) throw std::logic_error{"not tracked"};
  }
  void on(const reading&) { ++got_; }
  void on(const gap& g) { missed_ += g.missed; }
  void on(const poison&) { throw std::runtime_error{"poison"}; }
  std::uint64_t on(const count_asked&) { return got_ + missed_; }

 private:
  presence<badge> present_;
  std::uint64_t got_ = 0, missed_ = 0;
};

std::chrono::seconds seconds_wanted() {
  int seconds = 0;
  if (const char* text = std::getenv("HERALD_SOAK"); text != nullptr)
    REQUIRE(std::from_chars(text, text + std::strlen(text), seconds).ec == std::errc{});
  return std::chrono::seconds{seconds};
}

double resident_mb() {
  std::ifstream file{"/proc/self/statm"};
  std::uint64_t size = 0, resident = 0;
  file >> size >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
}

/// One round: 400 subscribers, two publishing threads, a callback, crashes, and an end of all.
std::uint64_t round_of(application& app, int round) {
  constexpr int members = 400;
  constexpr int each = 2'000;
  const bus b{app};
  const auto crowd = app.find_supervisor("crowd");
  std::vector<ref<soaker>> all;
  for (int i = 0; i < members; ++i) all.push_back(crowd.start_child<soaker>({i}).value());
  std::atomic<std::uint64_t> called{0};
  const auto callback = b.subscribe("sensors:1", spread, [&](const reading&) { ++called; });
  REQUIRE(callback);
  std::vector<std::thread> publishers;
  for (int p = 0; p < 2; ++p)
    publishers.emplace_back([&b, p, round] {
      for (int n = 0; n < each; ++n) {
        const int sensor = (n * 7 + p + round) % members;
        const auto topic = "sensors:" + std::to_string(sensor);
        const bool kept = n % 50 == 0;
        CHECK((kept ? b.broadcast(topic, reading{sensor, n}, retain) : b.broadcast(topic, reading{sensor, n})).has_value());
      }
    });
  for (int i = round % 7; i < members; i += 7) all[static_cast<std::size_t>(i)].cast(poison{});
  for (auto& t : publishers) t.join();
  std::uint64_t handled = 0;
  for (const auto& one : all) handled += one.call(count_asked{}, 60s).value();
  for (const auto& one : all) crowd.terminate_child(one).value();
  for (int i = 0; i < members; ++i) b.clear("sensors:" + std::to_string(i)).value();
  return handled + called;
}

}  // namespace

TEST_CASE("soak: subscribers of all kinds come, lag, crash and die while threads publish, and nothing is left") {
  const auto seconds = seconds_wanted();
  application_options options;
  options.workers = 2;
  options.hosts = 4;
  options.sinks = {[](const report&) {}};
  application app{{.name = "soak",
                   .children = {presence_tracker<badge>("soak"),
                                dynamic<soaker>("crowd", {.placement = spread, .intensity = {1'000'000'000, 1s}})}},
                  options};
  app.start();
  const bus b{app};
  const presence<badge> present{app, "soak"};

  const auto begun = wall::now();
  auto next_line = begun + 60s;
  double after_warm_up = 0;
  std::uint64_t handled = 0;
  int round = 0;
  for (; round < 2 || wall::now() - begun < seconds; ++round) {
    handled += round_of(app, round);
    // The end of the last of them, and what they published then, may still be on its way.
    for (int i = 0; i < 10'000'000 && (b.topics() != 0 || b.patterns() != 0); ++i) std::this_thread::yield();
    CHECK(b.topics() == 0);
    CHECK(b.patterns() == 0);
    CHECK(present.count("room").value() == 0);
    if (wall::now() < next_line) continue;
    next_line += 60s;
    const auto now = resident_mb();
    if (after_warm_up == 0) after_warm_up = now;
    std::printf("soak: %lld s, %d rounds, %llu events handled or told as missed, %.1f MB resident\n",
                static_cast<long long>(std::chrono::duration_cast<std::chrono::seconds>(wall::now() - begun).count()), round + 1,
                static_cast<unsigned long long>(handled), now);
    std::fflush(stdout);
  }
  CHECK(handled > 0);
  if (after_warm_up > 0) CHECK(resident_mb() < after_warm_up * 1.1 + 4);
  app.stop();
}
