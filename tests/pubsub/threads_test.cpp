// The same contract on real threads: what only more than one runner at a time can break.

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <herald/pubsub.hpp>
#include <herald/runtime.hpp>

using namespace herald;

namespace {

struct item {
  int publisher = 0;
  int number = 0;
};
struct question {
  using reply = int;
};
struct come {
  using reply = void;
};
struct go {
  using reply = void;
};
struct publish_some {
  int count = 0;
};

application_options quiet_options() {
  application_options o;
  o.workers = 2;
  o.hosts = 4;
  o.sinks = {[](const report&) {}};
  return o;
}

/// Counts, and finds what is out of order.
struct taker : process<taker, item, question, come, go> {
  struct args {
    std::atomic<int>* wrong = nullptr;
    bool from_the_start = true;
    std::string topic = "items";
  };
  taker(context& self, args a) : wrong_{a.wrong}, topic_{a.topic} {
    if (a.from_the_start) subscribe<item>(self, topic_);
  }
  void on(const item& i) {
    ++count_;
    auto& last = last_[static_cast<std::size_t>(i.publisher)];
    if (i.number <= last) wrong_->fetch_add(1);
    last = i.number;
  }
  int on(const question&) { return count_; }
  void on(context& self, const come&) { subscribe<item>(self, topic_); }
  void on(context& self, const go&) { unsubscribe(self, topic_); }

 private:
  std::atomic<int>* wrong_;
  std::string topic_;
  int count_ = 0;
  std::vector<int> last_ = std::vector<int>(8, -1);
};

struct giver : process<giver, publish_some> {
  struct args {
    int number = 0;
    std::atomic<int>* done = nullptr;
  };
  giver(context& self, args a) : a_{a}, to_{bus{self}.topic("items").value()} {}
  void on(const publish_some& p) {
    for (int i = 0; i < p.count; ++i) to_.broadcast(item{a_.number, i});
    a_.done->fetch_add(1);
    a_.done->notify_all();
  }

 private:
  args a_;
  topic to_;
};

void wait_for(std::atomic<int>& value, int wanted) {
  for (int now = value.load(); now < wanted; now = value.load()) value.wait(now);
}

}  // namespace

TEST_CASE("P10, P13: publishers on threads and in processes, each in its order, nothing lost") {
  constexpr int takers = 12;
  constexpr int each = 2000;
  std::atomic<int> wrong{0};
  std::atomic<int> done{0};
  supervisor tree{.name = "root"};
  for (int i = 0; i < takers; ++i)
    tree.children.push_back(child<taker>("t" + std::to_string(i), {.wrong = &wrong}, {.placement = spread}));
  for (int i = 0; i < 2; ++i)
    tree.children.push_back(child<giver>("g" + std::to_string(i), {.number = i, .done = &done}, {.placement = spread}));
  application app{tree, quiet_options()};
  app.start();
  std::vector<std::thread> threads;
  for (int n = 2; n < 4; ++n)
    threads.emplace_back([&app, n] {
      const auto to = bus{app}.topic("items").value();
      for (int i = 0; i < each; ++i) to.broadcast(item{n, i});
    });
  for (int i = 0; i < 2; ++i) app.find<giver>("g" + std::to_string(i)).cast(publish_some{each});
  for (auto& t : threads) t.join();
  wait_for(done, 2);
  // A call queues behind everything that was published before.
  for (int i = 0; i < takers; ++i)
    CHECK(app.find<taker>("t" + std::to_string(i)).call(question{}, std::chrono::seconds{60}).value() == 4 * each);
  CHECK(wrong == 0);
  CHECK(bus{app}.missed() == 0);
}

TEST_CASE("P11: subscribing and unsubscribing while others publish") {
  std::atomic<int> wrong{0};
  std::atomic<bool> over{false};
  supervisor tree{.name = "root"};
  for (int i = 0; i < 4; ++i)
    tree.children.push_back(
        child<taker>("t" + std::to_string(i), {.wrong = &wrong, .from_the_start = false}, {.placement = spread}));
  application app{tree, quiet_options()};
  app.start();
  const bus b{app};
  std::thread noise{[&] {
    for (int i = 0; !over; ++i) {
      b.broadcast("items", item{7, i}).value();  // by name: records come and go meanwhile
      std::this_thread::yield();
    }
  }};
  for (int round = 0; round < 300; ++round) {
    const auto t = app.find<taker>("t" + std::to_string(round % 4));
    t.call(come{}).value();
    const auto before = t.call(question{}).value();
    b.broadcast("items", item{0, round}).value();
    CHECK(t.call(question{}).value() > before);
    t.call(go{}).value();
    const auto after = t.call(question{}).value();
    b.broadcast("items", item{1, round}).value();
    CHECK(t.call(question{}).value() == after);
  }
  over = true;
  noise.join();
  CHECK(wrong == 0);
  CHECK(b.topics() == 0);
}

TEST_CASE("P11: patterns come and go while others publish, by handle and by name") {
  std::atomic<int> wrong{0};
  std::atomic<bool> over{false};
  const std::vector<std::string> patterns{"items:*", "items:**", "*:eu", "**"};
  supervisor tree{.name = "root"};
  for (std::size_t i = 0; i < 4; ++i)
    tree.children.push_back(child<taker>("t" + std::to_string(i), {.wrong = &wrong, .from_the_start = false, .topic = patterns[i]},
                                         {.placement = spread}));
  application app{tree, quiet_options()};
  app.start();
  const bus b{app};
  const auto eu = b.topic("items:eu").value();
  std::thread noise{[&] {
    for (int i = 0; !over; ++i) {
      eu.broadcast(item{7, 2 * i});
      b.broadcast("items:eu", item{7, 2 * i + 1}).value();
      std::this_thread::yield();
    }
  }};
  const auto publish = [&](int round, int number) {
    if (round % 2 == 0) {
      eu.broadcast(item{number, round});
    } else {
      b.broadcast("items:eu", item{number, round}).value();
    }
  };
  for (int round = 0; round < 300; ++round) {
    const auto t = app.find<taker>("t" + std::to_string(round % 4));
    t.call(come{}).value();
    const auto before = t.call(question{}).value();
    publish(round, 0);
    CHECK(t.call(question{}).value() > before);
    t.call(go{}).value();
    const auto after = t.call(question{}).value();
    publish(round, 1);
    CHECK(t.call(question{}).value() == after);
  }
  over = true;
  noise.join();
  CHECK(wrong == 0);
  CHECK(b.patterns() == 0);
}

namespace {

struct slow : process<slow, item> {
  struct args {
    std::atomic<int>* entered = nullptr;
    std::atomic<int>* release = nullptr;
    std::atomic<int>* left = nullptr;
  };
  slow(context& self, args a) : a_{a} { subscribe<item>(self, "items"); }
  void on(context& self, const item& i) {
    if (i.number != 0) return;
    a_.entered->fetch_add(1);
    a_.entered->notify_all();
    wait_for(*a_.release, 1);
    // Its host went on without it: the event is still there, and the runtime answers.
    if (topic_of(self).topic == "items" && i.publisher == 3 && subscribe<item>(self, "more")) a_.left->fetch_add(1);
    a_.left->notify_all();
  }

 private:
  args a_;
};

}  // namespace

TEST_CASE("a subscriber that overruns keeps its event, and its host serves the others") {
  std::atomic<int> wrong{0}, entered{0}, release{0}, left{0};
  supervisor tree{.name = "root", .placement = spread};
  tree.children.push_back(child<taker>("before", {.wrong = &wrong}));
  tree.children.push_back(child<slow>("slow", {.entered = &entered, .release = &release, .left = &left}));
  tree.children.push_back(child<taker>("after", {.wrong = &wrong}));
  auto options = quiet_options();
  options.overrun_limit = std::chrono::milliseconds{20};
  application app{tree, options};
  app.start();
  bus{app}.broadcast("items", item{3, 0}).value();
  wait_for(entered, 1);
  // Same host, subscribed later than the one that hangs: served by the host's next runner.
  while (app.find<taker>("after").call(question{}, std::chrono::seconds{60}).value() == 0) std::this_thread::yield();
  bus{app}.broadcast("items", item{3, 1}).value();
  CHECK(app.find<taker>("before").call(question{}).value() == 2);
  release = 1;
  release.notify_all();
  wait_for(left, 1);
  CHECK(left == 1);
  CHECK(bus{app}.subscribers("more").value().size() == 1);
  CHECK(wrong == 0);
}

TEST_CASE("a host whose inbox is full: publishers go on, and subscribers are told how many they missed") {
  struct told : process<told, item, question> {
    struct args {
      std::atomic<int>* entered = nullptr;
      std::atomic<int>* release = nullptr;
    };
    told(context& self, args a) : a_{a} { subscribe<item>(self, "items"); }
    void on(context& self, const item& i) {
      missed_ += static_cast<int>(missed_of(self));
      ++got_;
      if (i.number == 0) {
        a_.entered->fetch_add(1);
        a_.entered->notify_all();
        wait_for(*a_.release, 1);
      }
    }
    int on(const question&) { return got_ + missed_; }

   private:
    args a_;
    int got_ = 0;
    int missed_ = 0;
  };
  std::atomic<int> entered{0}, release{0};
  auto options = quiet_options();
  options.inbox_limit = 10;
  options.overrun_limit = std::chrono::minutes{10};
  application app{{.name = "root", .children = {child<told>("told", {.entered = &entered, .release = &release})}}, options};
  app.start();
  const auto to = bus{app}.topic("items").value();
  CHECK(to.broadcast(item{0, 0}));
  wait_for(entered, 1);
  for (int i = 1; i < 100; ++i) CHECK(to.broadcast(item{0, i}));
  CHECK(bus{app}.missed() >= 80);
  release = 1;
  release.notify_all();
  const auto who = app.find<told>("told");
  // The gap is told with the first event after it.
  for (int i = 100; who.call(question{}, std::chrono::seconds{60}).value_or(0) != i; ++i) CHECK(to.broadcast(item{0, i}));
}
