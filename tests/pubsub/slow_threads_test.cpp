// B6 on real threads: a subscriber that handles nothing for as long as it likes costs its publishers nothing but the count, and
// once its host has looked at what was published, no more is left of it than its policy's bound.

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <herald/pubsub.hpp>
#include <herald/runtime.hpp>

using namespace herald;

namespace {

constexpr int publishers = 2;
constexpr int each = 30'000;
constexpr std::size_t bound = 100;
constexpr std::uint32_t inbox = 1000;

/// How many payloads there are, and ever were at once.
struct scales {
  std::atomic<int> now{0};
  std::atomic<int> most{0};
};
struct weighed {
  explicit weighed(scales& on) : alive{&on} {
    const auto now = ++alive->now;
    for (auto most = alive->most.load(); most < now && !alive->most.compare_exchange_weak(most, now);) {
    }
  }
  weighed(const weighed&) = delete;
  weighed& operator=(const weighed&) = delete;
  ~weighed() { --alive->now; }
  scales* alive;
};
struct heavy {
  int publisher = 0;
  int number = 0;
  std::shared_ptr<weighed> body;
};
struct question {
  using reply = int;
};

/// What the subscriber saw; read when it has answered.
struct account {
  std::atomic<bool> released{false};
  std::atomic<std::uint64_t> got{0};
  std::uint64_t missed = 0;
  std::uint64_t ended = 0;
  std::vector<int> last = std::vector<int>(publishers + 1, -1);
  int wrong = 0;
};

/// Does not return from its first event until it is released.
struct sleeper : process<sleeper, heavy, question, subscription_ended> {
  struct args {
    account* into = nullptr;
    policy when_slow{};
  };
  sleeper(context& self, args a) : into_{a.into} { subscribe<heavy>(self, "t", {.when_slow = a.when_slow}); }
  void on(context& self, const heavy& h) {
    ++into_->got;
    into_->missed += missed_of(self);
    auto& last = into_->last[static_cast<std::size_t>(h.publisher)];
    if (h.number <= last) ++into_->wrong;
    last = h.number;
    into_->released.wait(false);
  }
  void on(const subscription_ended& e) { into_->ended += e.missed; }
  int on(const question&) { return 0; }

 private:
  account* into_;
};

}  // namespace

TEST_CASE("B6: beside a subscriber that never returns publishers go on, memory is bounded, and what it lost is counted exactly") {
  const policy all[]{policy::keep_all(bound), policy::drop_oldest(bound), policy::drop_newest(bound),
                     policy::latest_by([](const heavy& h) { return h.number % 150; }, bound), policy::disconnect(bound)};
  for (const auto& one : all) {
    const bool disconnects = one.kind() == policy::kind_t::disconnect;
    CAPTURE(static_cast<int>(one.kind()));
    account seen;
    scales alive;
    std::atomic<bool> overran{false};
    application_options o;
    o.workers = 2;
    o.hosts = 2;
    o.inbox_limit = inbox;
    o.sinks = {[&overran](const report& r) {
      if (r.kind != report::overran) return;
      overran = true;
      overran.notify_all();
    }};
    {
      application app{{.name = "root", .children = {child<sleeper>("p", {.into = &seen, .when_slow = one})}}, o};
      app.start();
      const bus b{app};
      const auto to = b.topic("t").value();
      to.broadcast(heavy{publishers, 0, std::make_shared<weighed>(alive)});
      overran.wait(false);  // from here on its host has another runner
      std::vector<std::thread> threads;
      for (int p = 0; p < publishers; ++p)
        threads.emplace_back([&, p] {
          for (int i = 0; i < each; ++i) to.broadcast(heavy{p, i, std::make_shared<weighed>(alive)});
        });
      for (auto& t : threads) t.join();
      // Asks the host, which has looked at everything that was published before it answers.
      const auto lost = b.statistics("t").value().lost;
      CHECK(seen.got == 1);
      CHECK(alive.now <= 1 + static_cast<int>(bound));
      // The inbox, what the host has taken from it and not looked at yet, and one in each publisher's hand.
      CHECK(alive.most <= 1 + static_cast<int>(bound) + 2 * static_cast<int>(inbox) + publishers);
      seen.released = true;
      seen.released.notify_all();
      const auto p = app.find<sleeper>("p");
      // Values of latest_by take turns with other messages, one each: an answer does not say that all have been handled.
      for (std::size_t i = 0; i < 2 * bound && (i == 0 || seen.got < 1 + bound); ++i) CHECK(p.call(question{}, std::chrono::seconds{60}));
      CHECK(seen.wrong == 0);
      if (disconnects) {
        CHECK(seen.got == 1 + bound);
        CHECK(seen.ended >= 1);
        CHECK(b.subscribers("t").value().empty());
      } else {
        to.broadcast(heavy{publishers, 1, std::make_shared<weighed>(alive)});  // tells what was lost last
        CHECK(p.call(question{}, std::chrono::seconds{60}));
        CHECK(seen.got == 1 + bound + 1);
        CHECK(seen.got + seen.missed == publishers * each + 2);
        CHECK(lost[static_cast<std::size_t>(loss::inbox_full)] == b.missed());
        std::uint64_t sum = 0;
        for (const auto n : lost) sum += n;
        CHECK(sum == seen.missed);
      }
    }
    CHECK(alive.now == 0);
  }
}
