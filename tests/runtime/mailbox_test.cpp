// Full mailboxes, by policy, and messages that a process does not accept.

#include "support.hpp"

#include <herald/engine/core.hpp>
#include <herald/engine/extras.hpp>

using namespace herald;
using namespace herald::test;

namespace {

struct item {
  int number = 0;
};
struct work {
  std::chrono::nanoseconds time;
};
struct stranger {
  int number = 0;
};
struct question {
  using reply = int;
};

/// Stalls on `work`; while it does, its mailbox fills.
struct sink : process<sink, item, work, question> {
  struct args {
    std::vector<int>* seen;
  };
  explicit sink(args a) : seen_{a.seen} {}
  void on(const item& m) { seen_->push_back(m.number); }
  void on(const work& m) { simulation::stall(m.time); }
  int on(const question&) { return static_cast<int>(seen_->size()); }

 private:
  std::vector<int>* seen_;
};

struct send_items {
  int from = 0, count = 0;
};


/// Casts items from a process of its own and notes what it is told.
struct source : process<source, send_items, send_failed, question> {
  struct args {
    std::vector<std::string>* told;
  };
  explicit source(args a) : told_{a.told} {}
  void on(context& self, const send_items& m) {
    for (int i = 0; i < m.count; ++i) self.find<sink>("sink").cast(item{m.from + i});
  }
  void on(context& self, const send_failed& m) {
    CHECK(m.to == self.find<sink>("sink"));
    CHECK_FALSE(self.sender());
    told_->push_back(std::string{m.type});
  }
  int on(const question&) { return 0; }

 private:
  std::vector<std::string>* told_;
};

/// The same without a handler for send_failed.
struct careless : process<careless, send_items, question> {
  void on(context& self, const send_items& m) {
    for (int i = 0; i < m.count; ++i) self.find<sink>("sink").cast(item{m.from + i});
  }
  int on(const question&) { return 1; }
};

struct stuffed : world {
  explicit stuffed(mailbox_t mailbox, child_options rest = {}) {
    rest.mailbox = mailbox;
    rest.placement = by_key(1);
    start({.name = "root",
           .children = {child<sink>("sink", {&seen}, rest), child<source>("source", {&refusals}, {.placement = by_key(2)}),
                        child<careless>("careless", {.placement = by_key(1)})}});
    box = app->find<sink>("sink");
  }
  /// Its handler lasts for long, and its host goes on without it; what comes meanwhile waits.
  void block() {
    box.cast(work{10s});
    sim.advance(500ms);
  }
  void free() { sim.advance(20s); }
  std::vector<int> seen;
  std::vector<std::string> refusals;
  ref<sink> box;
};

}  // namespace

TEST_CASE("a full mailbox with drop_newest refuses the newest: casts become dead letters, calls answer overload") {
  stuffed w{{.limit = 3, .when_full = drop_newest}};
  w.block();
  for (int i = 1; i <= 5; ++i) w.box.cast(item{i});
  w.sim.run();
  CHECK(w.box.call(question{}, 100ms).is(errc::overload));
  CHECK(w.box.try_cast(item{6}).is(errc::overload));
  w.free();
  CHECK(w.seen == std::vector{1, 2, 3});
  CHECK(w.told(report::dead_letter) > 0);
}

TEST_CASE("a full mailbox with drop_oldest drops the oldest: a dropped call answers overload") {
  stuffed w{{.limit = 3, .when_full = drop_oldest}};
  w.block();
  std::optional<result<int>> answer;
  w.box.cast(item{1});
  w.sim.run();
  for (int i = 2; i <= 5; ++i) w.box.cast(item{i});
  w.free();
  CHECK(w.seen == std::vector{3, 4, 5});
  // The oldest may be a call: its caller is told at once.
  w.seen.clear();
  w.block();
  struct caller : process<caller, send_items> {
    struct args {
      std::optional<result<int>>* answer;
    };
    explicit caller(args a) : answer_{a.answer} {}
    void on(context& self, const send_items&) {
      self.call(self.find<sink>("sink"), question{}, 60s, [this](result<int> r) { *answer_ = std::move(r); });
    }
    std::optional<result<int>>* answer_;
  };
  const auto asker = w.app->find_supervisor("").start_child(child<caller>("caller", {&answer}));
  REQUIRE(asker);
  w.app->find<caller>("caller").cast(send_items{});
  w.sim.run();
  for (int i = 1; i <= 3; ++i) w.box.cast(item{i});
  w.sim.run();
  REQUIRE(answer);
  CHECK(answer->is(errc::overload));
  w.free();
  CHECK(w.seen == std::vector{1, 2, 3});
}

TEST_CASE("drop_oldest leaves notices alone, and looks at 64 messages at most") {
  struct clocked : process<clocked, item, work, send_items, timeout> {
    struct args {
      std::vector<int>* seen;
    };
    explicit clocked(args a) : seen_{a.seen} {}
    void on(context& self, const send_items& m) {
      for (int i = 0; i < m.count; ++i) self.send_after(1ms, item{m.from + i});
    }
    void on(const item& m) { seen_->push_back(m.number); }
    void on(const work& m) { simulation::stall(m.time); }
    void on(const timeout&) {}
    std::vector<int>* seen_;
  };
  for (const int timers : {10, 70}) {
    CAPTURE(timers);
    world w;
    std::vector<int> seen;
    w.start({.name = "root",
             .children = {child<clocked>("c", {&seen}, {.mailbox = {.limit = 4, .when_full = drop_oldest}})}});
    const auto c = w.app->find<clocked>("c");
    c.cast(send_items{1000, timers});
    w.sim.run();
    c.cast(work{10s});
    w.sim.advance(500ms);  // the timers' messages wait, more than the limit
    for (int i = 1; i <= 3; ++i) c.cast(item{i});
    w.sim.advance(20s);
    std::vector<int> expected;
    for (int i = 0; i < timers; ++i) expected.push_back(1000 + i);
    // None of the casts found room beside the notices; nothing older may go, so the mailbox takes none of them, or each
    // in place of the one before.
    std::vector<int> casts;
    for (const auto n : seen)
      if (n < 1000) casts.push_back(n);
    std::erase_if(seen, [](int n) { return n < 1000; });
    CHECK(seen == expected);
    CHECK(casts.empty());
  }
}

TEST_CASE("a full mailbox with stop_process ends the process; its supervisor starts it again") {
  stuffed w{{.limit = 3, .when_full = stop_process}};
  w.block();
  for (int i = 1; i <= 4; ++i) w.box.cast(item{i});
  w.free();
  CHECK(w.told(report::crashed, "sink") == 1);
  const auto found = std::find_if(w.reports.begin(), w.reports.end(),
                                  [](const report& r) { return r.kind == report::crashed && r.path == "sink"; });
  REQUIRE(found != w.reports.end());
  CHECK(found->reason.text() == "its mailbox is full");
  CHECK(w.seen == std::vector{1, 2, 3});  // by the next incarnation: on_restart is keep
  CHECK(w.box.call(question{}, 1s).value() == 3);
}

TEST_CASE("an unbounded mailbox takes everything") {
  stuffed w{{.limit = 3, .when_full = unbounded}};
  w.block();
  for (int i = 1; i <= 1000; ++i) w.box.cast(item{i});
  CHECK(w.box.try_cast(item{1001}));
  w.free();
  CHECK(w.seen.size() == 1001);
}

TEST_CASE("a full mailbox with fail_sender tells the process that cast it, wherever that lives") {
  stuffed w{{.limit = 3, .when_full = fail_sender}};
  w.block();
  w.app->find<source>("source").cast(send_items{1, 5});
  w.sim.run();
  CHECK(w.refusals.size() == 2);
  CHECK(w.refusals.front().find("item") != std::string::npos);
  CHECK(w.box.call(question{}, 100ms).is(errc::overload));
  CHECK(w.box.try_cast(item{6}).is(errc::overload));
  w.free();
  CHECK(w.seen == std::vector{1, 2, 3});
}

TEST_CASE("fail_sender: a sender that does not accept send_failed goes on; plain threads have try_cast") {
  stuffed w{{.limit = 3, .when_full = fail_sender}};
  w.block();
  w.app->find<careless>("careless").cast(send_items{1, 5});
  w.box.cast(item{9});
  w.free();
  CHECK(w.app->find<careless>("careless").call(question{}, 1s).value() == 1);
  CHECK(w.told(report::crashed) == 0);
}

TEST_CASE("refusals count against the sender's own limit") {
  world w;
  std::vector<int> seen;
  std::vector<std::string> told;
  w.start({.name = "root",
           .children = {child<sink>("sink", {&seen}, {.mailbox = {.limit = 1, .when_full = fail_sender}}),
                        child<source>("source", {&told}, {.mailbox = {.limit = 10}})}});
  const auto box = w.app->find<sink>("sink");
  box.cast(work{1s});
  w.sim.advance(500ms);
  w.app->find<source>("source").cast(send_items{0, 1000});
  w.sim.advance(2s);
  CHECK(told.size() == 10);
}

TEST_CASE("N210, N211: a message that its process does not accept") {
  static std::vector<std::string> unknown;
  unknown.clear();
  struct open : process<open, item> {
    void on(const item&) {}
    void on_unknown(context& self, const unknown_message& m) {
      const auto* known = m.as<stranger>();
      CHECK(m.as<work>() == nullptr);
      unknown.push_back(std::string{m.type()} + (known != nullptr ? std::to_string(known->number) : "?") +
                        (m.sender() ? " from a process" : ""));
      if (known != nullptr && known->number == 13) throw std::runtime_error{"unlucky"};
      static_cast<void>(self);
    }
  };
  struct gossip : process<gossip, item> {
    void on(context& self, const item& m) { any_ref{self.find<open>("open")}.cast(stranger{m.number}); }
  };
  world w;
  w.start({.name = "root", .children = {child<open>("open"), child<gossip>("gossip"), w.worker("closed")}});
  const any_ref open_one = w.app->find<open>("open");
  const any_ref closed_one = w.at("closed");

  SUBCASE("reaches on_unknown, with its type, its sender and itself") {
    open_one.cast(stranger{7});
    w.app->find<gossip>("gossip").cast(item{8});
    w.sim.run();
    REQUIRE(unknown.size() == 2);
    CHECK(unknown[0].find("stranger") != std::string::npos);
    CHECK(unknown[0].back() == '7');
    CHECK(unknown[1].find("8 from a process") != std::string::npos);
  }
  SUBCASE("without on_unknown it is told once for its type, and dropped") {
    for (int i = 0; i < 5; ++i) closed_one.cast(stranger{i});
    w.sim.run();
    std::vector<std::string> texts;
    for (const auto& r : w.reports)
      if (r.kind == report::dead_letter) texts.push_back(r.path + ": " + r.text);
    REQUIRE(texts.size() == 1);
    CHECK(texts[0].find("closed: a message of type") == 0);
    CHECK(texts[0].find("stranger") != std::string::npos);
    CHECK(w.app->inside().dead_letters().by_reason[static_cast<std::size_t>(engine::discard_reason::unhandled)] == 5);
    closed_one.cast(item{1});
    w.sim.run();
    CHECK(w.told(report::dead_letter) == 2);
    CHECK(w.life_of("closed") == 1);
  }
  SUBCASE("an exception in on_unknown is a crash") {
    open_one.cast(stranger{13});
    w.sim.run();
    CHECK(w.told(report::crashed, "open") == 1);
  }
}

TEST_CASE("on_idle runs when the mailbox has run empty, and only then") {
  static std::vector<std::string> log;
  log.clear();
  struct lazy : process<lazy, item> {
    void on(const item& m) { log.push_back(std::to_string(m.number)); }
    void on_idle(context& self) {
      log.push_back("idle");
      if (log.size() == 2) self.self().cast(item{100});
      if (log.size() == 5) throw std::runtime_error{"bored"};
      if (log.size() == 7) self.stop();
    }
  };
  world w;
  w.start({.name = "root", .children = {child<lazy>("lazy", {.restart = transient})}});
  const auto l = w.app->find<lazy>("lazy");
  w.sim.run();
  CHECK(log.empty());  // nothing came, so nothing ran empty
  l.cast(item{1});
  w.sim.run();
  CHECK(log == std::vector<std::string>{"1", "idle", "100", "idle"});
  log.pop_back();
  l.cast(item{2});
  w.sim.run();
  CHECK(log == std::vector<std::string>{"1", "idle", "100", "2", "idle"});
  CHECK(w.told(report::crashed, "lazy") == 1);
  l.cast(item{3});
  w.sim.run();
  CHECK(log.back() == "idle");
  CHECK(w.counts().active == 0);  // it stopped itself, which is clean
}

TEST_CASE("a process's label is what it last said") {
  world w;
  struct named : process<named, item> {
    void on(context& self, const item& m) { self.set_label("order " + std::to_string(m.number)); }
  };
  w.start({.name = "root", .children = {child<named>("n")}});
  const auto n = w.app->find<named>("n");
  const auto label = [&] { return std::string{engine::label_of(*n.where().cell)}; };
  CHECK(label().empty());
  n.cast(item{1});
  n.cast(item{2});
  w.sim.run();
  CHECK(label() == "order 2");
}
