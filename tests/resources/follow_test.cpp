// Following a store's log: what was, then what comes, without a gap or a duplicate, whoever is killed in between.

#include "ticket_office.hpp"

#include <herald/subscribe.hpp>

#include <algorithm>

using namespace ticket_test;
using namespace std::chrono_literals;
using herald::any_event;
using herald::context;
using herald::resource_errc;

namespace {

using ticket_event = herald::event<tickets>;

/// What a recorder keeps outside of its process, as a file would be.
struct tape {
  std::vector<herald::offset> seen;
  std::vector<herald::log_gone> gone;
  std::string refused;
};

/// Follows every event of the store from after what its tape has.
struct recorder : herald::process<recorder, any_event, herald::log_gone> {
  struct args {
    herald::store store;
    std::shared_ptr<tape> into;
    herald::log_start start = herald::earliest;
  };
  recorder(context& self, args with) : with_{std::move(with)} {
    const auto& seen = with_.into->seen;
    const auto begun = herald::subscribe<any_event>(self, with_.store, seen.empty() ? with_.start : herald::after(seen.back()));
    if (!begun) with_.into->refused = begun.error().to_string();
  }
  void on(const any_event& event) { with_.into->seen.push_back(event->at); }
  void on(const herald::log_gone& gone) { with_.into->gone.push_back(gone); }

 private:
  args with_;
};

/// Follows the typed events of one topic.
struct clerk : herald::process<clerk, ticket_event> {
  struct args {
    herald::store store;
    std::shared_ptr<std::vector<ticket_event>> into;
    std::string topic;
  };
  clerk(context& self, args with) : with_{std::move(with)} {
    const auto begun = with_.topic.empty() ? herald::subscribe<ticket_event>(self, with_.store, herald::earliest)
                                           : herald::subscribe<ticket_event>(self, with_.store, with_.topic, herald::earliest);
    if (!begun) self.fail(begun.error().to_string());
  }
  void on(const ticket_event& event) { with_.into->push_back(event); }

 private:
  args with_;
};

herald::store open(std::size_t keep_events = 1'000'000) {
  herald::memory_options options;
  options.keep_events = keep_events;
  return herald::store::open({&herald::table_of<tickets>}, options).value();
}

void check_whole(const std::vector<herald::offset>& seen, std::uint64_t first, std::uint64_t last) {
  REQUIRE(seen.size() == last - first + 1);
  for (std::size_t i = 0; i < seen.size(); ++i) CHECK(seen[i].sequence == first + i);
}

}  // namespace

TEST_CASE("H8: a follower gets exactly the events after its offset, then the live ones, in order") {
  herald::simulation sim{1};
  const auto store = open();
  make(store, 10);
  auto into = std::make_shared<tape>();
  const herald::log_start start = herald::after({store.head().epoch, 4});
  herald::application app{tree({store.writer(), store.notifier(), herald::child<recorder>("recorder", {store, into, start})}),
                          quiet(sim)};
  app.start();
  sim.run();
  check_whole(into->seen, 5, 10);
  make(store, 3);
  sim.run();
  check_whole(into->seen, 5, 13);
}

TEST_CASE("now begins with the next event, earliest with the oldest the log has") {
  herald::simulation sim{2};
  const auto store = open(5);
  make(store, 20);
  auto from_now = std::make_shared<tape>();
  auto from_earliest = std::make_shared<tape>();
  const std::uint64_t floor = store.floor();
  CHECK(floor > 1);
  herald::application app{
      tree({store.writer(), store.notifier(), herald::child<recorder>("now", {store, from_now, herald::now}),
            herald::child<recorder>("earliest", {store, from_earliest, herald::earliest})}),
      quiet(sim)};
  app.start();
  sim.run();
  check_whole(from_earliest->seen, floor, 20);
  CHECK(from_now->seen.empty());
  make(store, 1);
  sim.run();
  check_whole(from_now->seen, 21, 21);
  check_whole(from_earliest->seen, floor, 21);
}

TEST_CASE("typed events can be followed by topic, or for the whole resource") {
  herald::simulation sim{3};
  const auto store = open();
  auto created = std::make_shared<std::vector<ticket_event>>();
  auto every = std::make_shared<std::vector<ticket_event>>();
  const auto first = store.run<tickets, "open">(field<&Ticket::subject> = "old").value();
  static_cast<void>(store.run<tickets, "close">(first.id).value());
  herald::application app{
      tree({store.writer(), store.notifier(), herald::child<clerk>("created", {store, created, "ticket:created"}),
            herald::child<clerk>("every", {store, every, ""})}),
      quiet(sim)};
  app.start();
  const auto second = store.run<tickets, "open">(field<&Ticket::subject> = "new").value();
  static_cast<void>(store.run<tickets, "destroy">(second.id).value());
  sim.run();
  REQUIRE(created->size() == 2);
  CHECK((*created)[0].after->subject == "old");
  CHECK((*created)[1].after->subject == "new");
  CHECK((*created)[1].topic() == "ticket:created");
  REQUIRE(every->size() == 4);
  CHECK((*every)[1].action() == "close");
  CHECK((*every)[1].topic() == "");
  CHECK((*every)[3].kind() == herald::event_kind::destroyed);
}

TEST_CASE("H11: an offset of another epoch, beyond the head or below the floor is gone, and never silence") {
  herald::simulation sim{4};
  const auto store = open(5);
  make(store, 20);
  auto other = std::make_shared<tape>();
  auto beyond = std::make_shared<tape>();
  auto below = std::make_shared<tape>();
  const std::uint64_t epoch = store.head().epoch;
  herald::application app{
      tree({store.writer(), store.notifier(),
            herald::child<recorder>("other", {store, other, herald::after({epoch + 1, 15})}),
            herald::child<recorder>("beyond", {store, beyond, herald::after({epoch, 21})}),
            herald::child<recorder>("below", {store, below, herald::after({epoch, 3})})}),
      quiet(sim)};
  app.start();
  sim.run();
  for (const auto& one : {other, beyond, below}) {
    CHECK(one->seen.empty());
    CHECK(one->refused.find("resources.gone") == 0);
  }
}

TEST_CASE("H11: a follower that falls below the floor is told so, and its subscription ends") {
  herald::simulation sim{5};
  const auto store = open(5);
  make(store, 5);
  auto into = std::make_shared<tape>();
  std::vector<std::string> lost;
  herald::application app{
      tree({store.writer(), herald::child<recorder>("recorder", {store, into})}),
      {.sinks = {[&](const herald::report& r) { if (r.kind == herald::report::dead_letter) lost.push_back(r.text); }}, .simulation = &sim}};
  app.start();
  make(store, 100);  // nobody serves the follower yet
  REQUIRE(app.root().start_child(store.notifier()).has_value());
  sim.run();
  CHECK(into->seen.empty());
  REQUIRE(into->gone.size() == 1);
  CHECK(into->gone[0].floor == store.floor());
  // What nobody handed to the bus in time is told as well.
  REQUIRE(lost.size() == 1);
  CHECK(lost[0] == "events 1 to " + std::to_string(store.floor() - 1) + " were trimmed from the log before they were handed to the bus");
  make(store, 3);
  sim.run();
  CHECK(into->seen.empty());
  CHECK(into->gone.size() == 1);
}

TEST_CASE("a slow process is read for from the log, and gets everything") {
  herald::simulation sim{6};
  const auto store = open();
  make(store, 5000);  // ten times what may wait in its mailbox
  auto into = std::make_shared<tape>();
  herald::application app{tree({store.writer(), store.notifier(),
                                herald::child<recorder>("recorder", {store, into}, {.mailbox = {.limit = 10}})}),
                          quiet(sim)};
  app.start();
  make(store, 100);
  sim.run();
  check_whole(into->seen, 1, 5100);
}

TEST_CASE("H7, H8: writer, notifier and recorder are killed at random; the recorder's tape has every event once, in order") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    herald::simulation sim{seed};
    const auto store = open();
    make(store, static_cast<int>(seed % 7));
    auto into = std::make_shared<tape>();
    auto made = std::make_shared<int>(0);
    herald::application app{tree({store.writer(), store.notifier(), herald::child<recorder>("recorder", {store, into}),
                                  herald::child<opener>("opener", {store, 40, made})}),
                            quiet(sim)};
    app.start();
    for (int i = 0; i < 40; ++i) {
      sim.step(1 + sim.random() % 15);
      switch (sim.random() % 4) {
        case 0: CHECK(app.kill("notifier").has_value()); break;
        case 1: CHECK(app.kill("recorder").has_value()); break;
        case 2: CHECK(app.kill("writer").has_value()); break;
        default: break;
      }
    }
    REQUIRE(sim.run_until([&] { return *made >= 40; }));
    sim.run();
    check_whole(into->seen, 1, store.head().sequence);
    CHECK(into->gone.empty());
    CHECK(into->refused.empty());
  }
}

TEST_CASE("a store outlives its application, and serves the followers of the next one only") {
  const auto store = open();
  auto first = std::make_shared<tape>();
  auto second = std::make_shared<tape>();
  for (const auto& into : {first, second}) {
    herald::simulation sim{7};
    herald::application app{tree({store.writer(), store.notifier(), herald::child<recorder>("recorder", {store, into})}), quiet(sim)};
    app.start();
    make(store, 3);
    sim.run();
    app.stop();
    make(store, 2);  // nobody is there: this thread writes
  }
  check_whole(first->seen, 1, 3);
  check_whole(second->seen, 1, 8);
  CHECK(store.head().sequence == 10);
}

TEST_CASE("a follower of an idle topic gets bookmarks, so that its offset stays young") {
  struct reader : herald::process<reader, ticket_event, herald::bookmark> {
    struct args {
      herald::store store;
      std::shared_ptr<std::vector<std::uint64_t>> marks;
      std::shared_ptr<int> events;
    };
    reader(context& self, args with) : with_{std::move(with)} {
      herald::subscribe<ticket_event>(self, with_.store, "ticket:created", herald::earliest).value();
    }
    void on(const ticket_event&) { ++*with_.events; }
    void on(const herald::bookmark& mark) {
      CHECK(mark.topic == "ticket:created");
      with_.marks->push_back(mark.at.sequence);
    }
    args with_;
  };
  herald::simulation sim{8};
  const auto store = open();
  auto marks = std::make_shared<std::vector<std::uint64_t>>();
  auto events = std::make_shared<int>(0);
  herald::application app{tree({store.writer(), store.notifier(), herald::child<reader>("reader", {store, marks, events})}), quiet(sim)};
  app.start();
  const auto ticket = store.run<tickets, "open">(field<&Ticket::subject> = "a").value();
  for (int i = 0; i < 350; ++i) {
    REQUIRE(store.run<tickets, "rename">(ticket.id, field<&Ticket::subject> = std::to_string(i)).has_value());
    if (i % 10 == 0) sim.run();
  }
  sim.run();
  CHECK(*events == 1);
  REQUIRE(marks->size() == 3);
  CHECK(marks->front() >= 101);
  CHECK(marks->back() >= 301);
  CHECK(std::is_sorted(marks->begin(), marks->end()));
}
