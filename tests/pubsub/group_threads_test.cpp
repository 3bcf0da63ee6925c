// Groups, interest and dispatchers on real threads: members die and are restarted while publishers go on.

#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <herald/pubsub.hpp>
#include <herald/runtime.hpp>

using namespace herald;

namespace {

struct job {
  std::size_t number = 0;
};
struct fall {};
struct ask_done {
  using reply = bool;
};

constexpr std::size_t jobs = 4000;
using tally = std::vector<std::atomic<int>>;

struct hand : process<hand, job, fall, ask_done> {
  struct args {
    std::shared_ptr<tally> done;
    group_policy group;
  };
  hand(context& self, const args& a) : done_{a.done} { subscribe<job>(self, "jobs:*", {.group = a.group}); }
  void on(const job& j) { (*done_)[j.number].fetch_add(1); }
  void on(const fall&) { throw std::runtime_error{"told to"}; }
  bool on(const ask_done&) { return true; }

 private:
  std::shared_ptr<tally> done_;
};

struct watcher : process<watcher, wanted, unwanted, ask_done> {
  struct args {
    std::shared_ptr<std::atomic<int>> wrong;
  };
  watcher(context& self, args a) : wrong_{std::move(a.wrong)} { watch_interest(self, "jobs:a"); }
  void on(const wanted&) {
    if (std::exchange(now_, true)) wrong_->fetch_add(1);
  }
  void on(const unwanted&) {
    if (!std::exchange(now_, false)) wrong_->fetch_add(1);
  }
  bool on(const ask_done&) { return now_; }

 private:
  std::shared_ptr<std::atomic<int>> wrong_;
  bool now_ = false;
};

application_options quiet() {
  application_options o;
  o.workers = 2;
  o.hosts = 4;
  o.sinks = {[](const report&) {}};
  return o;
}

}  // namespace

TEST_CASE("B4: on threads every event reaches exactly one member, while members crash, leave and come") {
  group_policy group;
  SUBCASE("round robin") { group = group_policy::round_robin("g"); }
  SUBCASE("by key") { group = group_policy::by_key("g", &job::number); }
  SUBCASE("least loaded") { group = group_policy::least_loaded("g"); }
  const auto done = std::make_shared<tally>(jobs);
  const auto wrong = std::make_shared<std::atomic<int>>(0);
  supervisor tree{.name = "root", .intensity = {1'000'000, std::chrono::milliseconds{1000}}};
  for (int i = 0; i < 4; ++i)
    tree.children.push_back(child<hand>("h" + std::to_string(i), {.done = done, .group = group}, {.placement = spread}));
  tree.children.push_back(child<watcher>("watcher", {.wrong = wrong}, {.placement = spread}));
  application app{tree, quiet()};
  app.start();
  const bus b{app};
  std::vector<std::thread> publishers;
  for (std::size_t p = 0; p < 2; ++p)
    publishers.emplace_back([&, p] {
      const auto to = b.topic(p == 0 ? "jobs:a" : "jobs:b").value();
      for (std::size_t n = p; n < jobs; n += 2) {
        if (n % 5 == 0) {
          b.broadcast(to.name(), job{n}).value();
        } else {
          to.broadcast(job{n});
        }
      }
    });
  for (int round = 0; round < 40; ++round) {
    app.find<hand>("h" + std::to_string(1 + round % 2)).cast(fall{});
    if (round % 10 == 3) app.root().terminate_child("h3").value();
    if (round % 10 == 6) static_cast<void>(app.root().restart_child("h3"));
    std::this_thread::yield();
  }
  for (auto& p : publishers) p.join();
  const auto missing = [&] {
    std::size_t open = 0;
    for (auto& n : *done)
      if (n.load() == 0) ++open;
    return open;
  };
  // What is handed on comes behind other mail: a few rounds of questions until all is through.
  for (int round = 0; round < 10'000 && missing() != 0; ++round)
    for (const char* name : {"h0", "h1", "h2"}) static_cast<void>(app.find<hand>(name).call(ask_done{}));
  CHECK(missing() == 0);
  for (auto& n : *done) CHECK(n.load() == 1);
  CHECK(app.find<watcher>("watcher").call(ask_done{}).value());
  CHECK(*wrong == 0);
}

TEST_CASE("P7: on threads what a dispatcher encodes is encoded once for each event") {
  struct bytes {
    std::size_t number;
  };
  struct socket : process<socket, job, bytes, ask_done> {
    struct args {
      std::shared_ptr<tally> got;
    };
    socket(context& self, args a) : got_{std::move(a.got)} { subscribe<job>(self, "t"); }
    void on(const job&) {}
    void on(const bytes& m) { (*got_)[m.number].fetch_add(1); }
    bool on(const ask_done&) { return true; }

   private:
    std::shared_ptr<tally> got_;
  };
  const auto got = std::make_shared<tally>(100);
  tally encoded(100);
  supervisor tree{.name = "root"};
  for (int i = 0; i < 8; ++i) tree.children.push_back(child<socket>("s" + std::to_string(i), {.got = got}, {.placement = spread}));
  application app{tree, quiet()};
  app.start();
  const dispatcher by{[&](dispatch_call& call) {
    const auto number = call.encoded<std::size_t>([&] {
      const auto n = call.event<job>()->number;
      encoded[n].fetch_add(1);
      return n;
    });
    for (const auto& e : call.entries()) call.send(e, bytes{*number});
  }};
  for (std::size_t n = 0; n < 100; ++n) CHECK(broadcast(bus{app}, "t", job{n}, by));
  // The dispatcher's work on each host is in front of these, and its casts are in front of the next ones.
  for (int round = 0; round < 1000 && (*got)[99] != 8; ++round)
    for (int i = 0; i < 8; ++i) static_cast<void>(app.find<socket>("s" + std::to_string(i)).call(ask_done{}));
  for (std::size_t n = 0; n < 100; ++n) {
    CHECK(encoded[n] == 1);
    CHECK((*got)[n] == 8);
  }
}
