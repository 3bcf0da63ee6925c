// The notifier: from the commit to the bus. Everything runs in a simulation.

#include "ticket.hpp"

#include <herald/application.hpp>
#include <herald/process.hpp>
#include <herald/simulation.hpp>
#include <herald/store.hpp>
#include <herald/subscription.hpp>
#include <herald/transform.hpp>

#include <algorithm>

using namespace ticket_test;
using namespace std::chrono_literals;
using herald::context;
using herald::event_kind;

namespace {

herald::application_options quiet(herald::simulation& sim) { return {.sinks = {[](const herald::report&) {}}, .simulation = &sim}; }

using ticket_event = herald::event<tickets>;

struct heard {
  std::vector<ticket_event> events;
  std::vector<std::string> topics;  // as the bus says
};

/// Keeps what it hears, beyond its own life.
struct listener : herald::process<listener, ticket_event> {
  struct args {
    std::vector<std::string> topics;
    std::shared_ptr<heard> into;
    friend bool operator==(const args&, const args&) = default;
  };
  listener(context& self, args with) : with_{std::move(with)} {
    for (const auto& topic : with_.topics) herald::subscribe<ticket_event>(self, topic);
  }
  void on(context& self, const ticket_event& event) {
    with_.into->events.push_back(event);
    with_.into->topics.emplace_back(herald::topic_of(self).topic);
  }

 private:
  args with_;
};

herald::store open() { return herald::store::open({&herald::table_of<tickets>}, herald::memory_options{}).value(); }

herald::supervisor tree(const herald::store& store, std::vector<herald::child_spec> more) {
  herald::supervisor root{.name = "desk", .intensity = {10'000, 60s}, .children = {store.writer(), store.notifier()}};
  for (auto& one : more) root.children.push_back(std::move(one));
  return root;
}

std::string make_ticket(const herald::store& store, const char* subject = "x") {
  const auto made = store.run<tickets, "open">(field<&Ticket::subject> = subject);
  REQUIRE_MESSAGE(made.has_value(), made.error().to_string());
  return made->id.to_string();
}

}  // namespace

TEST_CASE("N1, N2, N11: a subscriber hears what actions did, as its own struct, under topic and name") {
  herald::simulation sim{1};
  const auto store = open();
  auto all = std::make_shared<heard>();
  const uuid someone{{1}};
  const std::string assigned_to = "ticket:assigned:" + someone.to_string();
  herald::application app{tree(store, {herald::child<listener>("listener", {{"ticket:created", assigned_to}, all})}),
                          quiet(sim)};
  app.start();
  const auto opened = store.run<tickets, "open">(field<&Ticket::subject> = "printer on fire");
  REQUIRE(opened.has_value());
  const auto assigned = store.run<tickets, "assign">(opened->id, field<&Ticket::representative_id> = someone);
  REQUIRE(assigned.has_value());
  sim.run();
  REQUIRE(all->events.size() == 2);
  const auto& created = all->events[0];
  CHECK(created.kind() == event_kind::created);
  CHECK(created.action() == "open");
  CHECK(created.name() == "open");
  CHECK(created.topic() == "ticket:created");
  CHECK(created.before == nullptr);
  CHECK(created.after->subject == "printer on fire");
  CHECK(created.offset() == herald::offset{store.head().epoch, 1});
  const auto& changed = all->events[1];
  CHECK(changed.kind() == event_kind::updated);
  CHECK(changed.name() == "reassigned");
  CHECK(changed.topic() == assigned_to);
  CHECK(changed.before->status == "open");
  CHECK(changed.after->status == "assigned");
  CHECK(changed.changed(field<&Ticket::status>));
  CHECK_FALSE(changed.changed(field<&Ticket::subject>));
  CHECK(all->topics == std::vector<std::string>{"ticket:created", assigned_to});
}

TEST_CASE("N23, N24, H1: nothing is heard before the commit, nothing at all of what was rolled back, the rest in order") {
  herald::simulation sim{2};
  const auto store = open();
  auto all = std::make_shared<heard>();
  herald::application app{tree(store, {herald::child<listener>("listener", {{"ticket:created"}, all})}), quiet(sim)};
  app.start();
  const auto failed = store.transact([](herald::transaction& tx) -> herald::result<void> {
    static_cast<void>(herald::run<tickets, "open">(tx, field<&Ticket::subject> = "gone"));
    return herald::error{herald::resource_errc::invalid, "no"};
  });
  CHECK_FALSE(failed.has_value());
  const auto kept = store.transact([&](herald::transaction& tx) -> herald::result<void> {
    for (const char* subject : {"one", "two", "three"}) static_cast<void>(herald::run<tickets, "open">(tx, field<&Ticket::subject> = subject));
    CHECK(all->events.empty());
    return {};
  });
  CHECK(kept.has_value());
  sim.run();
  REQUIRE(all->events.size() == 3);
  CHECK(all->events[0].after->subject == "one");
  CHECK(all->events[1].after->subject == "two");
  CHECK(all->events[2].after->subject == "three");
}

namespace {

void everything_is_heard_while_killing(const char* who) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    herald::simulation sim{seed};
    const auto store = open();
    auto all = std::make_shared<heard>();
    herald::application app{tree(store, {herald::child<listener>("listener", {{"ticket:created"}, all})}), quiet(sim)};
    app.start();
    for (int i = 0; i < 30; ++i) {
      make_ticket(store);
      if (sim.random() % 3 == 0) CHECK(app.kill(who).has_value());
      sim.step(sim.random() % 20);
    }
    sim.run();
    REQUIRE(all->events.size() == 30);
    for (std::size_t i = 0; i < all->events.size(); ++i) CHECK(all->events[i].offset().sequence == i + 1);
  }
}

}  // namespace

TEST_CASE("H3: a notifier that is killed again and again loses, doubles and reorders nothing, and no action notices") {
  everything_is_heard_while_killing("notifier");
}

TEST_CASE("a writer that is killed between commit and hand-over is replaced by one that hands over the rest") {
  everything_is_heard_while_killing("writer");
}

namespace {

/// Assigns each new ticket to itself, as a continuation.
struct desk : herald::process<desk, ticket_event> {
  struct args {
    herald::store store;
    uuid me;
    std::shared_ptr<std::vector<Ticket>> assigned;
    friend bool operator==(const args&, const args&) = default;
  };
  desk(context& self, args with) : with_{std::move(with)} { herald::subscribe<ticket_event>(self, "ticket:created"); }
  void on(context& self, const ticket_event& e) {
    with_.store.run<tickets, "assign">(self, e.after->id, field<&Ticket::representative_id> = with_.me,
                                       [this](herald::result<Ticket> r) {
                                         if (r) with_.assigned->push_back(*r);
                                       });
    // The form that waits would hold up everybody who lives here.
    CHECK(with_.store.run<tickets, "close">(e.after->id).is(herald::resource_errc::would_block));
  }

 private:
  args with_;
};

}  // namespace

TEST_CASE("a process that hears of a row runs an action on it, and gets the result as a continuation") {
  herald::simulation sim{4};
  const auto store = open();
  auto assigned = std::make_shared<std::vector<Ticket>>();
  herald::application app{tree(store, {herald::child<desk>("desk", {store, uuid{{9}}, assigned})}), quiet(sim)};
  app.start();
  make_ticket(store, "a");
  make_ticket(store, "b");
  sim.run();
  REQUIRE(assigned->size() == 2);
  CHECK((*assigned)[0].subject == "a");
  CHECK((*assigned)[1].status == "assigned");
  CHECK((*assigned)[1].representative_id == uuid{{9}});
  CHECK(store.head().sequence == 4);
}

TEST_CASE("a notifier whose mailbox overflows reads from the log what it was not told") {
  herald::simulation sim{5};
  const auto store = open();
  auto all = std::make_shared<heard>();
  herald::supervisor root{.name = "desk", .intensity = {10'000, 60s}, .children = {store.writer()}};
  root.children.push_back(store.notifier("notifier", {.mailbox = {.limit = 1}, .backoff = {100ms, 100ms, 0}}));
  root.children.push_back(herald::child<listener>("listener", {{"ticket:created"}, all}));
  herald::application app{std::move(root), quiet(sim)};
  app.start();
  make_ticket(store);
  REQUIRE(app.kill("notifier").has_value());
  for (int i = 1; i < 1000; ++i) make_ticket(store);  // several pages of the log; its mailbox takes one batch
  CHECK(all->events.size() < 10);
  sim.advance(1s);
  sim.run();
  REQUIRE(all->events.size() == 1000);
  for (std::size_t i = 0; i < all->events.size(); ++i) CHECK(all->events[i].offset().sequence == i + 1);
  make_ticket(store);
  sim.run();
  CHECK(all->events.size() == 1001);
}

namespace {

struct Quote {
  std::int64_t id = 0;
  std::string symbol;
  double price = 0;
};
struct price_changed {
  std::string symbol;
  double price;
};

inline constexpr auto quotes = herald::resource<Quote>("quotes",
  attribute<&Quote::id>(primary_key, generated), attribute<&Quote::symbol>(), attribute<&Quote::price>(),
  create("list", accepts<&Quote::symbol, &Quote::price>),
  update("move", accepts<&Quote::price>),
  pub_sub("quotes",
    publish("move", topic("price", field<&Quote::symbol>),
      filter{[](const herald::change_event<Quote>& e) { return e.after->price != 13; }},
      transform{[](const herald::change_event<Quote>& e) {
        if (e.after->price < 0) throw std::runtime_error{"a negative price"};
        return price_changed{e.after->symbol, e.after->price};
      }})));

struct ticker : herald::process<ticker, price_changed> {
  struct args {
    std::shared_ptr<std::vector<double>> into;
    friend bool operator==(const args&, const args&) = default;
  };
  ticker(context& self, args with) : into_{with.into} { herald::subscribe<price_changed>(self, "quotes:price:ACME"); }
  void on(const price_changed& m) { into_->push_back(m.price); }

 private:
  std::shared_ptr<std::vector<double>> into_;
};

}  // namespace

TEST_CASE("N14, N22: filter and transform: the topic carries what the publication makes of the event") {
  herald::simulation sim{3};
  const auto store = herald::store::open({&herald::table_of<quotes>}, herald::memory_options{}).value();
  auto prices = std::make_shared<std::vector<double>>();
  std::vector<herald::report> lost;
  herald::application app{tree(store, {herald::child<ticker>("ticker", {prices})}),
                          {.sinks = {[&](const herald::report& r) { if (r.kind == herald::report::dead_letter) lost.push_back(r); }},
                           .simulation = &sim}};
  app.start();
  const auto listed = store.run<quotes, "list">(field<&Quote::symbol> = "ACME", field<&Quote::price> = 1.0);
  REQUIRE(listed.has_value());
  for (const double price : {2.0, 13.0, -1.0, 3.0}) CHECK(store.run<quotes, "move">(listed->id, field<&Quote::price> = price).has_value());
  sim.run();
  CHECK(*prices == std::vector<double>{2.0, 3.0});
  // A transform that throws costs its message, is told, and nothing else: the action has its result, the log its event.
  REQUIRE(lost.size() == 1);
  CHECK(lost[0].text == "quotes.move, event 4: nothing was published to quotes:price:ACME: a negative price");
  CHECK(store.head().sequence == 5);
}
