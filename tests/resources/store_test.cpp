#include "ticket.hpp"

#include <herald/store.hpp>

using namespace ticket_test;
using herald::named_value;
using herald::resource_errc;
using herald::value;

namespace {

herald::store open() {
  herald::memory_options options;
  options.uuid_seed = 3;
  return herald::store::open({&herald::table_of<tickets>}, options).value();
}

}  // namespace

TEST_CASE("a plain thread runs actions, typed, and gets the row; without a writer process it is the writer itself") {
  const herald::store store = open();
  const auto opened = store.run<tickets, "open">(field<&Ticket::subject> = "printer on fire", field<&Ticket::team_id> = 7);
  REQUIRE_MESSAGE(opened.has_value(), opened.error().to_string());
  CHECK(opened->subject == "printer on fire");
  CHECK(opened->team_id == 7);
  CHECK(opened->status == "open");
  const auto closed = store.run<tickets, "close">(opened->id);
  CHECK(closed->status == "closed");
  CHECK(store.get<tickets>(opened->id)->status == "closed");
  CHECK(store.run<tickets, "destroy">(*opened).is(resource_errc::stale));
  CHECK(store.run<tickets, "destroy">(*closed)->status == "closed");
  CHECK(store.get<tickets>(opened->id).is(resource_errc::not_found));
}

TEST_CASE("a call by name does what the typed one does, and refuses what it would not compile") {
  const herald::store store = open();
  const auto opened = store.run("tickets", "open", {{"subject", value{"by name"}}, {"team_id", value{7}}});
  REQUIRE_MESSAGE(opened.has_value(), opened.error().to_string());
  CHECK(opened->as<Ticket>()->subject == "by name");
  const uuid id = opened->as<Ticket>()->id;
  CHECK(store.run("tickets", "close", id, {})->as<Ticket>()->status == "closed");
  CHECK(store.run("tickets", "close", id.to_string(), {}).has_value());  // as a gateway has it

  CHECK(store.run("tikets", "open", {}).error().message() == "the store has no resource \"tikets\"");
  CHECK(store.run("tickets", "opn", {}).is(resource_errc::no_such_action));
  CHECK(store.run("tickets", "open", {{"subjct", value{"x"}}}).is(resource_errc::no_such_input));
  CHECK(store.run("tickets", "open", {{"status", value{"x"}}}).is(resource_errc::invalid));
  CHECK(store.run("tickets", "open", {{"subject", value{1}}}).is(resource_errc::invalid));
  CHECK(store.run("tickets", "close", {}).error().message() == "tickets.close is an update, which needs the row's key");
  CHECK(store.run("tickets", "open", id, {}).error().message() == "tickets.open is a create, which takes no key");
  CHECK(store.run("tickets", "close", 7, {}).is(resource_errc::invalid));
}

TEST_CASE("C13: an action of another kind is refused with both names") {
  const herald::store store = open();
  const auto refused = store.run("tickets", "destroy", {});
  REQUIRE(refused.is(resource_errc::wrong_action_kind));
  CHECK(refused.error().message() == "tickets.destroy is a destroy, which needs the row's key");
}

TEST_CASE("N23, N26, C62: transact gives its function's value, commits all or nothing, and keeps the order") {
  const herald::store store = open();
  const auto both = store.transact([](herald::transaction& tx) -> herald::result<int> {
    for (const char* subject : {"one", "two"}) {
      if (auto made = herald::run<tickets, "open">(tx, field<&Ticket::subject> = subject); !made) return made.error();
    }
    return 42;
  });
  REQUIRE(both.has_value());
  CHECK(*both == 42);
  const auto failed = store.transact([](herald::transaction& tx) -> herald::result<void> {
    static_cast<void>(herald::run<tickets, "open">(tx, field<&Ticket::subject> = "three"));
    return herald::error{resource_errc::invalid, "on second thoughts, no"};
  });
  CHECK(failed.is(resource_errc::invalid));
  const auto rows = store.all<tickets>();
  REQUIRE(rows.has_value());
  CHECK(rows->rows.size() == 2);
  CHECK(rows->at == store.head());
  const auto log = store.read(store.beginning(), 10);
  REQUIRE(log.has_value());
  REQUIRE(log->events.size() == 2);
  CHECK(log->events[0]->after.as<Ticket>()->subject == "one");
  CHECK(log->events[1]->after.as<Ticket>()->subject == "two");
  CHECK(log->head == store.head());
}

TEST_CASE("a function that throws in transact undoes everything and is an error") {
  const herald::store store = open();
  const auto failed = store.transact([](herald::transaction& tx) -> herald::result<void> {
    static_cast<void>(herald::run<tickets, "open">(tx, field<&Ticket::subject> = "x"));
    throw std::runtime_error{"boom"};
  });
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.is(resource_errc::hook_failed));
  CHECK((*store.all<tickets>()).rows.empty());
}

TEST_CASE("H8: the log gives exactly the events after an offset, of one topic or of all") {
  const herald::store store = open();
  std::vector<uuid> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(store.run<tickets, "open">(field<&Ticket::subject> = "t")->id);
  REQUIRE(store.run<tickets, "destroy">(ids[2]).has_value());
  const auto suffix = store.read({store.head().epoch, 3}, 100);
  REQUIRE(suffix.has_value());
  REQUIRE(suffix->events.size() == 3);
  CHECK(suffix->events.front()->at.sequence == 4);
  const auto destroyed = store.read(store.beginning(), 100, "ticket:destroyed:" + ids[2].to_string());
  REQUIRE(destroyed->events.size() == 1);
  CHECK(destroyed->events[0]->kind == herald::event_kind::destroyed);
  CHECK(store.read({store.head().epoch + 1, 0}, 1).is(resource_errc::gone));
}

TEST_CASE("a closed store answers closed") {
  const herald::store store = open();
  store.close();
  CHECK(store.run<tickets, "open">(field<&Ticket::subject> = "x").is(resource_errc::closed));
}
