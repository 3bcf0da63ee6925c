// B8: as many subscribers on one topic as there are topics of one, on threads, compared with a plain model.
//
// HERALD_SCALE says how many; the suite takes 5 000, by hand it is a million.

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <herald/application.hpp>
#include <herald/application_options.hpp>
#include <herald/dynamic_supervisor.hpp>
#include <herald/pubsub.hpp>
#include <herald/supervisor_ref.hpp>

using namespace herald;
using namespace std::chrono_literals;

namespace {

struct to_all {
  std::uint32_t number;
};
struct to_one {
  std::uint32_t number;
};
/// What a member does next.
enum class deed : std::uint8_t { join_all, leave_all, join_own, leave_own, crash };
struct act {
  deed what;
};

/// What all members together have done and got, and each of them.
struct ledger {
  explicit ledger(std::size_t members) : all(members), own(members) {}
  std::vector<std::atomic<std::uint32_t>> all, own;
  std::atomic<std::uint64_t> deeds{0}, got{0}, lives{0};
};

void await(const std::atomic<std::uint64_t>& counter, std::uint64_t wanted) {
  for (auto now = counter.load(); now < wanted; now = counter.load()) counter.wait(now);
}
void count(std::atomic<std::uint64_t>& counter) {
  counter.fetch_add(1);
  counter.notify_all();
}

struct member : process<member, to_all, to_one, act> {
  struct args {
    std::size_t number = 0;
    ledger* book = nullptr;
  };
  member(context&, args a) : a_{a} { count(a_.book->lives); }
  void on(const to_all&) {
    ++a_.book->all[a_.number];
    count(a_.book->got);
  }
  void on(const to_one&) {
    ++a_.book->own[a_.number];
    count(a_.book->got);
  }
  void on(context& self, const act& m) {
    const auto topic = "own:" + std::to_string(a_.number);
    switch (m.what) {
      case deed::join_all: subscribe<to_all>(self, "all"); break;
      case deed::leave_all: unsubscribe(self, "all"); break;
      case deed::join_own: subscribe<to_one>(self, topic, {.key = "k", .when_slow = policy::drop_oldest(1'000)}); break;
      case deed::leave_own: unsubscribe(self, topic); break;
      case deed::crash: throw std::runtime_error{"as told"};
    }
    count(a_.book->deeds);
  }

 private:
  args a_;
};

std::size_t members_wanted() {
  std::size_t n = 5'000;
  if (const char* text = std::getenv("HERALD_SCALE"); text != nullptr)
    REQUIRE(std::from_chars(text, text + std::strlen(text), n).ec == std::errc{});
  return n;
}

/// What should be true of one member.
struct expectation {
  std::uint32_t on_all = 0;  // copies
  bool on_own = false;
  bool crashed = false;  // by its last deed: a second one in a row would make the rest dead letters
  std::uint32_t all = 0, own = 0;
};

}  // namespace

TEST_CASE("B8: as many subscribers on one topic as topics of one come, get and go in random order, and nothing is left") {
  const auto size = members_wanted();
  ledger book{size};
  application_options options;
  options.workers = 2;
  options.hosts = 4;
  options.sinks = {[](const report&) {}};
  application app{{.name = "scale",
                   .children = {dynamic<member>("members", {.placement = spread, .intensity = {1'000'000'000, 1s}})}},
                  options};
  app.start();
  const auto crowd = app.find_supervisor("members");
  std::vector<ref<member>> members;
  members.reserve(size);
  for (std::size_t i = 0; i < size; ++i) members.push_back(crowd.start_child<member>({i, &book}).value());

  std::mt19937_64 random{size};
  std::vector<expectation> model(size);
  std::uint64_t deeds = 0, got = 0, lives = size;
  std::uint32_t number = 0;
  const auto joined_all = [&] {
    std::uint64_t sum = 0;
    for (const auto& m : model) sum += m.on_all;
    return sum;
  };
  const auto order = [&](std::size_t i, deed what) {
    auto& m = model[i];
    if (m.crashed) what = deed::join_all;
    m.crashed = what == deed::crash;
    switch (what) {
      case deed::join_all: ++m.on_all; break;
      case deed::leave_all: m.on_all = 0; break;
      case deed::join_own: m.on_own = true; break;
      case deed::leave_own: m.on_own = false; break;
      case deed::crash:  // the next life declares nothing
        m.on_all = 0;
        m.on_own = false;
        ++lives;
        break;
    }
    if (what != deed::crash) ++deeds;
    members[i].cast(act{what});
  };
  const auto settle = [&] {
    await(book.deeds, deeds);
    await(book.lives, lives);
  };

  const bus b{app};
  for (int round = 0; round < 8; ++round) {
    for (std::size_t n = 0; n < size; ++n) {
      const auto i = random() % size;
      const auto dice = random() % 100;
      order(i, dice < 35 ? deed::join_all : dice < 50 ? deed::leave_all : dice < 80 ? deed::join_own : dice < 95 ? deed::leave_own : deed::crash);
    }
    settle();
    CHECK(b.statistics("all").value().subscribers == joined_all());
    b.broadcast("all", to_all{++number}).value();
    for (std::size_t i = 0; i < size; ++i) {
      model[i].all += model[i].on_all;
      got += model[i].on_all;
    }
    for (std::size_t n = 0; n < size / 4; ++n) {
      const auto i = random() % size;
      b.broadcast("own:" + std::to_string(i), to_one{++number}).value();
      if (model[i].on_own) ++model[i].own, ++got;
    }
    await(book.got, got);
  }
  CHECK(book.got.load() == got);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < size; ++i) wrong += book.all[i] != model[i].all || book.own[i] != model[i].own ? 1U : 0U;
  CHECK(wrong == 0);

  std::size_t topics = joined_all() > 0 ? 1 : 0;
  for (const auto& m : model) topics += m.on_own ? 1 : 0;
  CHECK(b.topics() == topics);
  for (std::size_t i = 0; i < size; ++i) {
    if (model[i].crashed) order(i, deed::join_own);
    order(i, deed::leave_all);
    order(i, deed::leave_own);
  }
  settle();
  CHECK(b.topics() == 0);
  CHECK(app.dead_letters() == 0);
  app.stop();
}
