// Durable consumers: what they are promised when their process, the notifier, the writer or the program dies, and what becomes
// of an event that they cannot handle.

#include "store_fixture.hpp"
#include "ticket_office.hpp"

#include <herald/consumer.hpp>
#include <herald/dead_letters.hpp>
#include <herald/detail/store_state.hpp>

#include <map>
#include <stdexcept>

using namespace ticket_test;
using namespace std::chrono_literals;
using herald::any_event;
using herald::at_least_once;
using herald::consumer_options;
using herald::context;
using herald::dead_letter_row;
using herald::dead_letters;
using herald::effectively_once;
using herald::resource_errc;
using herald::test::counted;
using herald::test::described::counters;
using ticket_event = herald::event<tickets>;

namespace {

herald::store open(std::size_t keep_events = 1'000'000) {
  herald::memory_options options;
  options.keep_events = keep_events;
  return herald::store::open({&herald::table_of<tickets>, &herald::table_of<counters>, &herald::table_of<dead_letters>}, options)
      .value();
}

/// What a clerk keeps outside of its process, as another system would.
struct tape {
  std::vector<std::uint64_t> handled;
  std::map<std::uint64_t, int> begun;  // tries by sequence
  std::optional<herald::consumer> handle;
  std::string refused;
  std::vector<std::string> failing;  // subjects that cannot be handled
  bool throws = true;
};

struct clerk : herald::process<clerk, ticket_event> {
  struct args {
    herald::store store;
    std::shared_ptr<tape> into;
    consumer_options options{};
    std::string topic{};
    std::string name = "clerk";
  };
  clerk(context& self, args with) : with_{std::move(with)} {
    auto& into = *with_.into;
    auto made = with_.topic.empty()
                    ? herald::subscribe<ticket_event>(self, with_.store, at_least_once(with_.name), with_.options)
                    : herald::subscribe<ticket_event>(self, with_.store, with_.topic, at_least_once(with_.name), with_.options);
    if (!made) {
      into.refused = made.error().to_string();
      return;
    }
    into.handle = *made;
  }
  void on(const ticket_event& event) {
    auto& into = *with_.into;
    ++into.begun[event.offset().sequence];
    for (const auto& subject : into.failing) {
      if (event.row().subject != subject) continue;
      if (into.throws) throw std::runtime_error{"cannot read " + subject};
      return into.handle->fail({resource_errc::invalid, "cannot read " + subject});
    }
    into.handled.push_back(event.offset().sequence);
  }

 private:
  args with_;
};

/// Counts each ticket once, by an action of its own.
struct bookkeeper : herald::process<bookkeeper, ticket_event> {
  struct args {
    herald::store store;
  };
  bookkeeper(context& self, args with)
      : with_{std::move(with)}, work_{herald::subscribe<ticket_event>(self, with_.store, effectively_once("books")).value()} {}
  void on(const ticket_event& event) {
    work_.run<counters, "make">(field<&counted::label> = std::to_string(event.offset().sequence));
    work_.transact([](herald::transaction& tx) -> herald::result<void> {
      auto second = herald::run<counters, "make">(tx, field<&counted::label> = "and");
      if (!second) return second.error();
      return {};
    });
  }

 private:
  args with_;
  herald::consumer work_;
};

std::vector<std::uint64_t> sequences(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> all;
  for (auto i = first; i <= last; ++i) all.push_back(i);
  return all;
}

}  // namespace

TEST_CASE("a durable consumer begins at the oldest event, goes on live, and its cursor is kept") {
  herald::simulation sim{1};
  const auto store = open();
  make(store, 5);
  auto into = std::make_shared<tape>();
  herald::application app{tree({store.writer(), store.notifier(), herald::child<clerk>("clerk", {store, into})}), quiet(sim)};
  app.start();
  sim.run();
  CHECK(into->handled == sequences(1, 5));
  make(store, 3);
  sim.run();
  CHECK(into->handled == sequences(1, 8));
  const auto kept = store.state()->data().cursors().value();
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].name == "clerk");
  CHECK(kept[0].cursor == herald::consumer_cursor{store.head(), 0, false});
  const auto is = into->handle->status();
  CHECK(is.attached);
  CHECK(is.lag == 0);
  CHECK(is.handled == 8);
}

TEST_CASE("after the program's end a consumer goes on behind its cursor") {
  herald::test::temporary_directory directory;
  auto into = std::make_shared<tape>();
  for (int life = 0; life < 3; ++life) {
    herald::simulation sim{static_cast<std::uint64_t>(life) + 1};
    herald::sqlite_options options;
    options.file = directory.file("store.db");
    auto store = herald::store::open({&herald::table_of<tickets>}, options).value();
    herald::application app{
        tree({store.writer(), store.notifier(), herald::child<clerk>("clerk", {store, into})}),
        quiet(sim)};
    app.start();
    make(store, 4);
    sim.run();
    app.stop();
  }
  CHECK(into->handled == sequences(1, 12));
}

TEST_CASE("H7: consumer, notifier and writer are killed at random: at_least_once misses nothing and repeats nothing it handled") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    herald::simulation sim{seed};
    const auto store = open();
    make(store, static_cast<int>(seed % 9));
    auto into = std::make_shared<tape>();
    auto made = std::make_shared<int>(0);
    consumer_options options{.keep_every = static_cast<std::uint32_t>(1 + seed % 20)};
    herald::application app{tree({store.writer(), store.notifier(), herald::child<clerk>("clerk", {store, into, options}),
                                  herald::child<opener>("opener", {store, 40, made})}),
                            quiet(sim)};
    app.start();
    for (int i = 0; i < 40; ++i) {
      sim.step(1 + sim.random() % 15);
      switch (sim.random() % 5) {
        case 0: CHECK(app.kill("notifier").has_value()); break;
        case 1: CHECK(app.kill("clerk").has_value()); break;
        case 2: CHECK(app.kill("writer").has_value()); break;
        case 3:
          if (into->handle) sim.random() % 2 == 0 ? into->handle->pause() : into->handle->resume();
          break;
        default: break;
      }
    }
    if (into->handle) into->handle->resume();
    REQUIRE(sim.run_until([&] { return *made >= 40; }));
    sim.run();
    CHECK(into->handled == sequences(1, store.head().sequence));
    CHECK(into->refused.empty());
    CHECK(store.state()->data().cursors().value().at(0).cursor.at == store.head());
  }
}

TEST_CASE("effectively_once: each event's actions commit once, whoever is killed when") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    herald::simulation sim{seed};
    const auto store = open();
    make(store, static_cast<int>(seed % 5));
    auto made = std::make_shared<int>(0);
    herald::application app{tree({store.writer(), store.notifier(), herald::child<bookkeeper>("books", {store}),
                                  herald::child<opener>("opener", {store, 25, made})}),
                            quiet(sim)};
    app.start();
    for (int i = 0; i < 50; ++i) {
      sim.step(1 + sim.random() % 15);
      switch (sim.random() % 4) {
        case 0: CHECK(app.kill("notifier").has_value()); break;
        case 1: CHECK(app.kill("books").has_value()); break;
        case 2: CHECK(app.kill("writer").has_value()); break;
        default: break;
      }
    }
    REQUIRE(sim.run_until([&] { return *made >= 25; }));
    sim.run();
    std::vector<std::string> expected, found;
    for (const auto& event : store.read(store.beginning(), 10'000).value().events) {
      if (event->resource == &herald::table_of<tickets>) {
        expected.push_back(std::to_string(event->at.sequence));
        expected.push_back("and");
      } else {
        found.push_back(event->after.as<counted>()->label);
      }
    }
    // In the order of the log, each once.
    CHECK(found == expected);
    CHECK(expected.size() >= 50);
  }
}

TEST_CASE("an event that crashes its consumer is buried after the tries, and the rest goes on") {
  herald::simulation sim{4};
  const auto store = open();
  auto into = std::make_shared<tape>();
  into->failing = {"poison"};
  herald::application app{
      tree({store.writer(), store.notifier(), herald::child<clerk>("clerk", {store, into, {.tries = 3}})}), quiet(sim)};
  app.start();
  make(store, 2);
  REQUIRE(store.run<tickets, "open">(field<&Ticket::subject> = "poison").has_value());
  make(store, 1);
  sim.run();
  make(store, 1);
  sim.run();
  CHECK(into->begun[3] == 3);
  CHECK(into->handled == std::vector<std::uint64_t>{1, 2, 4, 6});  // 5 is the burial
  const auto buried = store.all<dead_letters>().value();
  REQUIRE(buried.rows.size() == 1);
  CHECK(buried.rows[0].consumer == "clerk");
  CHECK(buried.rows[0].at == herald::offset{store.head().epoch, 3}.to_string());
  CHECK(buried.rows[0].resource == "tickets");
  CHECK(buried.rows[0].action == "open");
  CHECK(buried.rows[0].tries == 3);
  CHECK(buried.rows[0].reason.find("cannot read poison") != std::string::npos);
  CHECK(buried.rows[0].event.find("\"poison\"") != std::string::npos);
  const auto topic = store.read(store.beginning(), 10, "dead_letters:clerk").value();
  REQUIRE(topic.events.size() == 1);
  CHECK(topic.events[0]->at.sequence == 5);
  CHECK(into->handle->status().buried == 1);
}

TEST_CASE("a handler that says that it failed is called again after pauses that double, without a crash") {
  herald::simulation sim{5};
  const auto store = open();
  auto into = std::make_shared<tape>();
  into->failing = {"later"};
  into->throws = false;
  herald::application app{
      tree({store.writer(), store.notifier(), herald::child<clerk>("clerk", {store, into, {.tries = 10, .retry_delay = 100ms}})}),
      quiet(sim)};
  app.start();
  REQUIRE(store.run<tickets, "open">(field<&Ticket::subject> = "later").has_value());
  make(store, 2);
  sim.advance(50ms);
  CHECK(into->begun[1] == 1);
  CHECK(into->begun.size() == 1);  // those behind it wait
  sim.advance(100ms);
  CHECK(into->begun[1] == 2);
  sim.advance(100ms);
  CHECK(into->begun[1] == 2);
  sim.advance(100ms);
  CHECK(into->begun[1] == 3);
  CHECK(into->handle->status().tries == 3);
  CHECK(into->handle->status().last_error.find("cannot read later") != std::string::npos);
  into->failing.clear();
  sim.advance(1s);
  CHECK(into->handled == sequences(1, 3));
  CHECK(into->handle->status().tries == 0);
}

TEST_CASE("a consumer whose actions are refused buries the event; what it asked for is undone") {
  struct grumbler : herald::process<grumbler, ticket_event> {
    struct args {
      herald::store store;
    };
    grumbler(context& self, args with)
        : work_{herald::subscribe<ticket_event>(self, with.store, effectively_once("grumbler"), {.tries = 2, .retry_delay = 1ms})
                    .value()} {}
    void on(const ticket_event& event) {
      work_.run<counters, "make">(field<&counted::label> = "undone");
      work_.run<tickets, "rename">(event.row().id, field<&Ticket::subject> = std::string(100, 'x'));
    }
    herald::consumer work_;
  };
  herald::simulation sim{6};
  const auto store = open();
  make(store, 1);
  herald::application app{tree({store.writer(), store.notifier(), herald::child<grumbler>("grumbler", {store})}), quiet(sim)};
  app.start();
  sim.advance(1s);
  CHECK(store.all<counters>().value().rows.empty());
  const auto buried = store.all<dead_letters>().value();
  REQUIRE(buried.rows.size() == 1);
  CHECK(buried.rows[0].reason.find("subject") != std::string::npos);
}

TEST_CASE("without dead_letters in the store a consumer pauses at an event it cannot handle, says so, and can be resumed") {
  herald::simulation sim{7};
  const auto store = herald::store::open({&herald::table_of<tickets>}, herald::memory_options{}).value();
  auto into = std::make_shared<tape>();
  into->failing = {"poison"};
  std::vector<std::string> told;
  herald::application app{
      tree({store.writer(), store.notifier(), herald::child<clerk>("clerk", {store, into, {.tries = 2}})}),
      {.sinks = {[&](const herald::report& r) { if (r.kind == herald::report::dead_letter) told.push_back(r.text); }}, .simulation = &sim}};
  app.start();
  make(store, 1);
  REQUIRE(store.run<tickets, "open">(field<&Ticket::subject> = "poison").has_value());
  make(store, 2);
  sim.run();
  CHECK(into->handled == sequences(1, 1));
  auto is = into->handle->status();
  CHECK(is.paused);
  CHECK(is.lag == 3);
  REQUIRE(told.size() == 1);
  CHECK(told[0].find("consumer 'clerk'") == 0);
  CHECK(told[0].find("pauses") != std::string::npos);
  into->failing.clear();
  into->handle->resume();
  sim.run();
  CHECK(into->handled == sequences(1, 4));
}

TEST_CASE("a paused consumer gets nothing, over restarts too, and misses nothing") {
  herald::simulation sim{8};
  const auto store = open();
  auto into = std::make_shared<tape>();
  herald::application app{tree({store.writer(), store.notifier(), herald::child<clerk>("clerk", {store, into})}), quiet(sim)};
  app.start();
  make(store, 2);
  sim.run();
  into->handle->pause();
  make(store, 3);
  sim.run();
  CHECK(app.kill("clerk").has_value());
  sim.run();
  CHECK(into->handled == sequences(1, 2));
  auto all = herald::consumers_of(store).value();
  REQUIRE(all.size() == 1);
  CHECK(all[0].paused);
  CHECK(all[0].attached);
  CHECK(all[0].lag == 3);
  CHECK(store.state()->data().cursors().value().at(0).cursor.paused);
  into->handle->resume();
  sim.run();
  CHECK(into->handled == sequences(1, 5));
}

TEST_CASE("a consumer of one topic is not held back by the others' events, and its cursor passes over them") {
  herald::simulation sim{9};
  const auto store = open();
  auto into = std::make_shared<tape>();
  consumer_options options{.keep_every = 10};
  herald::application app{
      tree({store.writer(), store.notifier(), herald::child<clerk>("clerk", {store, into, options, "ticket:created"})}), quiet(sim)};
  app.start();
  const auto first = store.run<tickets, "open">(field<&Ticket::subject> = "a").value();
  for (int i = 0; i < 30; ++i) REQUIRE(store.run<tickets, "rename">(first.id, field<&Ticket::subject> = std::to_string(i)).has_value());
  sim.run();
  CHECK(into->handled == sequences(1, 1));
  CHECK(into->handle->status().lag == 0);
  CHECK(store.state()->data().cursors().value().at(0).cursor.at.sequence > 20);
}

TEST_CASE("H11: a consumer below the floor is gone; after a snapshot it is set anew") {
  herald::simulation sim{10};
  const auto store = open(5);
  auto into = std::make_shared<tape>();
  {
    herald::application app{tree({store.writer(), store.notifier(), herald::child<clerk>("clerk", {store, into})}), quiet(sim)};
    app.start();
    make(store, 2);
    sim.run();
    app.stop();
  }
  make(store, 50);
  herald::application app{tree({store.writer(), store.notifier(), herald::child<clerk>("clerk", {store, into})}), quiet(sim)};
  app.start();
  sim.run();
  CHECK(into->refused.find("resources.gone") == 0);
  into->refused.clear();
  const auto snapshot = store.all<tickets>().value();
  CHECK(app.root().terminate_child("clerk").has_value());
  REQUIRE(app.root().start_child(herald::child<clerk>("again", {store, into, {.reset = snapshot.at}})).has_value());
  make(store, 2);
  sim.run();
  CHECK(into->refused.empty());
  CHECK(into->handled == std::vector<std::uint64_t>{1, 2, 53, 54});
}

TEST_CASE("a second process of the same name takes the consumer over; forgetting waits until nobody has it") {
  herald::simulation sim{11};
  const auto store = open();
  auto first = std::make_shared<tape>();
  auto second = std::make_shared<tape>();
  {
    herald::application app{tree({store.writer(), store.notifier(), herald::child<clerk>("first", {store, first})}), quiet(sim)};
    app.start();
    make(store, 3);
    sim.run();
    REQUIRE(app.root().start_child(herald::child<clerk>("second", {store, second})).has_value());
    make(store, 3);
    sim.run();
    CHECK(first->handled == sequences(1, 3));
    CHECK(second->handled == sequences(4, 6));
    CHECK(herald::forget_consumer(store, "clerk").error().is(resource_errc::taken));
    app.stop();
  }
  REQUIRE(herald::forget_consumer(store, "clerk").has_value());
  CHECK(herald::consumers_of(store).value().empty());
}

TEST_CASE("N3: every notifier of a store is told of every event in order, each with a cursor of its own") {
  struct notifier : herald::process<notifier, any_event> {
    struct args {
      herald::store store;
      std::string name;
      std::shared_ptr<std::vector<std::string>> heard;
    };
    notifier(context& self, args with) : with_{with} {
      const auto begun = herald::subscribe<any_event>(self, with.store, at_least_once(with.name));
      if (!begun) self.fail(begun.error().message());
    }
    void on(const any_event& event) { with_.heard->push_back(std::string{event->action_info().name}); }
    args with_;
  };
  herald::simulation sim{12};
  const auto store = open();
  auto one = std::make_shared<std::vector<std::string>>();
  auto other = std::make_shared<std::vector<std::string>>();
  herald::application app{tree({store.writer(), store.notifier(), herald::child<notifier>("one", {store, "one", one}),
                                herald::child<notifier>("other", {store, "other", other})}),
                          quiet(sim)};
  app.start();
  const auto ticket = store.run<tickets, "open">(field<&Ticket::subject> = "x").value();
  REQUIRE(store.run<tickets, "close">(ticket.id).has_value());
  CHECK(app.kill("other").has_value());
  REQUIRE(store.run<tickets, "destroy">(ticket.id).has_value());
  sim.run();
  CHECK(*one == std::vector<std::string>{"open", "close", "destroy"});
  CHECK(*other == *one);
  CHECK(herald::consumers_of(store).value().size() == 2);
}
