// What publications can be told to do beyond a topic: ephemeral, public, on another bus, counted; notifications that hooks
// add; and what else the language promises beside them: manual actions, reads for somebody, bulks as streams.

#include "temporary_directory.hpp"

#include <herald/application.hpp>
#include <herald/authorise.hpp>
#include <herald/bulk_stream.hpp>
#include <herald/process.hpp>
#include <herald/publication_statistics.hpp>
#include <herald/reference.hpp>
#include <herald/resource.hpp>
#include <herald/simulation.hpp>
#include <herald/store.hpp>
#include <herald/store_statistics.hpp>
#include <herald/subscribe.hpp>
#include <herald/subscription.hpp>
#include <herald/transform.hpp>

#include <doctest/doctest.h>

using namespace herald::dsl;
using namespace std::chrono_literals;
using herald::action_options;
using herald::actor;
using herald::context;
using herald::resource_errc;
using herald::result;

namespace {

using words = std::vector<std::string>;

struct Note {
  std::int64_t id = 0;
  std::string text, owner;
  std::optional<std::string> folder;
  std::int64_t cursor = 0;
};
struct Copying {
  std::string suffix = "'";
};

inline constexpr auto notes = herald::resource<Note>("notes",
  attribute<&Note::id>(primary_key, generated), attribute<&Note::text>(), attribute<&Note::owner>(), attribute<&Note::folder>(),
  attribute<&Note::cursor>(),
  authorise_reads{[](const actor& who) -> herald::condition {
    if (who.name() == "root") return {};
    return field<&Note::owner> == who.name();
  }},
  authorise_subscription{[](const actor& who, std::string_view of) {
    if (who.name() == "odd") throw std::runtime_error{"who are you"};
    return who.name() == "root" || of == "note:edited";
  }},
  create("write", accepts<&Note::text, &Note::owner, &Note::folder>),
  update("edit", accepts<&Note::text>,
    before_action{[](auto& note) {
      if (note.row().text == "urgent") note.tell("alarm:" + note.row().owner, "woken");
      if (note.row().text == "wrong") note.tell("a::b");
    }},
    after_action{[](auto& note) {
      if (note.row().text == "late") note.tell("alarm:late");
    }}),
  update("point", accepts<&Note::cursor>),
  update("noisy", accepts<&Note::text>, after_commit{[](const Note&) { throw std::runtime_error{"no mail today"}; }}),
  create("copy", accepts<&Note::text>, argument<&Copying::suffix>(), manual{[](auto& note) -> result<Note> {
    if (note.row().text == "not me") return herald::error{resource_errc::unavailable, "not this one"};
    Note made;
    made.text = note.row().text + note.argument(field<&Copying::suffix>);
    made.owner = "copier";
    return made;
  }}),
  destroy("drop"),
  pub_sub("note",
    publish("write", topic("in", field<&Note::folder>), is_public),
    publish("edit", topic("edited"), filter{[](const Note& n) { return n.text != "secretly"; }}),
    publish("point", topic("cursor", pkey), ephemeral),
    publish("point", topic("metric"), on_bus{"metrics"}, named{"pointed"}),
    publish("drop", topic("dropped", pkey)),
    publish_all(herald::op::destroy, topic("gone"))));

const herald::resource_table& table = herald::table_of<notes>;

struct in_memory {
  herald::store store = herald::store::open({&table}, herald::memory_options{}).value();
};
struct on_sqlite {
  herald::test::temporary_directory directory;
  herald::store store = herald::store::open({&table}, herald::sqlite_options{.file = directory.file("notes.db")}).value();
};

// What a pub_sub says for all its publications.
struct Quote {
  std::int64_t id = 0, price = 0;
};
struct told {
  std::string topic_of;
  std::int64_t price = 0;
};
inline constexpr auto quotes = herald::resource<Quote>("quotes",
  attribute<&Quote::id>(primary_key, generated), attribute<&Quote::price>(),
  create("list", accepts<&Quote::price>), update("move", accepts<&Quote::price>),
  pub_sub("quote", delimiter{"."}, on_bus{"metrics"}, filter{[](const Quote& q) { return q.price > 0; }},
    transform{[](const herald::change_event<Quote>& e) { return told{"all", e.after->price}; }},
    publish("list", topic("listed")),
    publish("move", topic("moved"), filter{[](const Quote& q) { return q.price < 100; }}, named{"nudged"}),
    publish("move", topic("special"), on_bus{"wire"},
      transform{[](const herald::change_event<Quote>& e) { return told{"own", e.after->price}; }}),
    publish_all(herald::op::update, topic("band", computed{[](const Quote& q) { return q.price < 10 ? "cheap" : "dear"; }}), previous_values)));

struct quote_listener : herald::process<quote_listener, told> {
  struct args {
    std::shared_ptr<words> into;
    friend bool operator==(const args&, const args&) = default;
  };
  quote_listener(context& self, args with) : with_{std::move(with)} {
    for (const char* bus : {"metrics", "wire"}) {
      for (const char* topic : {"quote.listed", "quote.moved", "quote.special"}) herald::subscribe<told>(self, herald::bus{self, bus}, topic);
    }
  }
  void on(const told& message) { with_.into->push_back(message.topic_of + " " + std::to_string(message.price)); }

 private:
  args with_;
};

std::int64_t written(const herald::store& store, std::string text = "x", std::string owner = "ada") {
  return store.run<notes, "write">(field<&Note::text> = text, field<&Note::owner> = owner).value().id;
}

using note_event = herald::event<notes>;

/// Keeps what it hears on the default bus and on another one, beyond its own life.
struct listener : herald::process<listener, note_event> {
  struct args {
    std::shared_ptr<words> into;
    friend bool operator==(const args&, const args&) = default;
  };
  listener(context& self, args with) : with_{std::move(with)} {
    herald::subscribe<note_event>(self, "note:**");
    herald::subscribe<note_event>(self, "alarm:*");
    herald::subscribe<note_event>(self, herald::bus{self, "metrics"}, "note:metric");
  }
  void on(const note_event& event) { with_.into->push_back(std::string{event.topic()} + " " + std::string{event.name()}); }

 private:
  args with_;
};

/// Subscribes for somebody in one of the five forms, and keeps what it hears, or why not.
enum class form { live, log, durable, whole_log, whole_durable };
struct guest : herald::process<guest, note_event> {
  struct args {
    herald::store store;
    std::string who;
    form as;
    std::shared_ptr<words> into;
    friend bool operator==(const args&, const args&) = default;
  };
  guest(context& self, args with) : with_{std::move(with)} {
    const auto keep = [this](const auto& done) {
      if (!done) with_.into->push_back(done.error().to_string());
    };
    const actor who{with_.who};
    switch (with_.as) {
      case form::live: keep(herald::subscribe_as<note_event>(self, who, "note:edited")); break;
      case form::log: keep(herald::subscribe_as<note_event>(self, with_.store, who, "note:edited", herald::earliest)); break;
      case form::durable: keep(herald::subscribe_as<note_event>(self, with_.store, who, "note:edited", herald::at_least_once(with_.who))); break;
      case form::whole_log: keep(herald::subscribe_as<note_event>(self, with_.store, who, herald::earliest)); break;
      case form::whole_durable: keep(herald::subscribe_as<note_event>(self, with_.store, who, herald::at_least_once(with_.who))); break;
    }
  }
  void on(const note_event& event) { with_.into->push_back(std::string{event.action()}); }

 private:
  args with_;
};

struct live {
  explicit live(const herald::store& store, std::uint64_t seed = 1)
      : sim{seed},
        app{herald::supervisor{.name = "notes", .children = {store.writer(), store.notifier(), herald::child<listener>("listener", {heard})}},
            {.sinks = {[this](const herald::report& r) {
               if (r.kind == herald::report::note) reported.push_back(r.text);
             }},
             .simulation = &sim}} {
    app.start();
  }
  std::shared_ptr<words> heard = std::make_shared<words>();
  words reported;
  herald::simulation sim;
  herald::application app;
};

}  // namespace

TEST_CASE_TEMPLATE("R50: an ephemeral publication is told once and is not in the log; its event is", Store, in_memory, on_sqlite) {
  Store at;
  live desk{at.store};
  const auto id = written(at.store);
  REQUIRE(at.store.template run<notes, "point">(id, field<&Note::cursor> = 5));
  desk.sim.run();
  CHECK(*desk.heard == words{"note:metric pointed", "note:cursor:1 point"});
  CHECK(at.store.read(at.store.beginning(), 10, "note:cursor:1").value().events.empty());
  const auto all = at.store.read(at.store.beginning(), 10).value();
  REQUIRE(all.events.size() == 2);
  REQUIRE(all.events[1]->routes.size() == 1);
  CHECK(all.events[1]->routes[0].topic == "note:metric");
  CHECK(all.events[1]->after.template as<Note>()->cursor == 5);
}

TEST_CASE_TEMPLATE("R51: a notifier that was away tells what is in the log, and nothing ephemeral", Store, in_memory, on_sqlite) {
  Store at;
  const auto id = written(at.store);
  live desk{at.store};
  desk.sim.run();
  // Its notifier ends while actions go on.
  REQUIRE(desk.app.root().terminate_child("notifier"));
  REQUIRE(at.store.template run<notes, "point">(id, field<&Note::cursor> = 5));
  desk.sim.run();
  REQUIRE(desk.app.root().restart_child("notifier"));
  desk.sim.run();
  CHECK(*desk.heard == words{"note:metric pointed"});
}

TEST_CASE_TEMPLATE("N4: a hook adds a notification of its own, which reaches its topic live and from the log, under its name", Store,
                   in_memory, on_sqlite) {
  Store at;
  live desk{at.store};
  const auto id = written(at.store);
  REQUIRE(at.store.template run<notes, "edit">(id, field<&Note::text> = "urgent", action_options{.metadata = {{"why", herald::value{"fire"}}}}));
  REQUIRE(at.store.template run<notes, "edit">(id, field<&Note::text> = "calm"));
  desk.sim.run();
  CHECK(*desk.heard == words{"note:edited edit", "alarm:ada woken", "note:edited edit"});
  const auto kept = at.store.read(at.store.beginning(), 10, "alarm:ada").value();
  REQUIRE(kept.events.size() == 1);
  CHECK(kept.events[0]->name_on(kept.events[0]->routes.at(1)) == "woken");
  CHECK(kept.events[0]->metadata.at(0).name == "why");
  CHECK(at.store.template run<notes, "edit">(id, field<&Note::text> = "wrong").is(resource_errc::hook_failed));
  CHECK(at.store.template run<notes, "edit">(id, field<&Note::text> = "late").is(resource_errc::hook_failed));
}

TEST_CASE("N3: an action's own publication and the resource's for all destroys both tell of it") {
  in_memory at;
  live desk{at.store};
  const auto id = written(at.store);
  REQUIRE(at.store.run<notes, "drop">(id));
  desk.sim.run();
  CHECK(*desk.heard == words{"note:dropped:1 drop", "note:gone drop"});
}

TEST_CASE("N20: a publication is not public unless it says so, and the table and the reference page show it") {
  CHECK(table.publications[0].is_public);
  CHECK_FALSE(table.publications[1].is_public);
  const std::string page = herald::reference_of(table);
  CHECK(page.find("| `note:in:<folder>` | write | the action's name | public |") != std::string::npos);
  CHECK(page.find("| `note:cursor:<id>` | point | the action's name | ephemeral |") != std::string::npos);
  CHECK(page.find("| `note:metric` | point | pointed | on the bus metrics |") != std::string::npos);
}

TEST_CASE_TEMPLATE("R52: every publication counts what became of its events, once they are committed", Store, in_memory, on_sqlite) {
  Store at;
  const auto id = written(at.store);
  REQUIRE(at.store.template run<notes, "write">(field<&Note::text> = "y", field<&Note::folder> = std::optional<std::string>{"mail"}));
  REQUIRE(at.store.template run<notes, "edit">(id, field<&Note::text> = "secretly"));
  REQUIRE(at.store.template run<notes, "edit">(id, field<&Note::text> = "openly"));
  REQUIRE(at.store.template run<notes, "point">(id, field<&Note::cursor> = 1));
  CHECK_FALSE(at.store.template run<notes, "edit">(id, field<&Note::text> = "wrong"));
  const auto counted = herald::publication_statistics_of(at.store, table);
  REQUIRE(counted.size() == table.publications.size());
  CHECK(counted[0].topic == "note:in:<folder>");
  CHECK(counted[0].matched == 2);
  CHECK(counted[0].skipped == 1);
  CHECK(counted[0].topics == 1);
  CHECK(counted[0].topic_bytes == std::string_view{"note:in:mail"}.size());
  CHECK(counted[1].matched == 2);
  CHECK(counted[1].filtered == 1);
  CHECK(counted[1].skipped == 0);
  CHECK(counted[1].topics == 1);
  CHECK(counted[2].topics == 1);  // ephemeral ones count as well
  CHECK(counted[3].event == "pointed");
  CHECK(counted[4].matched == 0);
}

TEST_CASE("R53: resources, attributes, actions and publications of a store are listable at run time") {
  in_memory at;
  words all;
  for (const herald::resource_table* one : at.store.tables()) {
    all.emplace_back(one->name);
    for (const auto& attribute : one->attributes) all.push_back("." + std::string{attribute.name});
    for (const auto& action : one->actions) all.push_back(std::string{to_string(action.kind)} + " " + std::string{action.name});
    for (const auto& publication : one->publications) all.push_back(herald::topic_template(*one, publication));
  }
  CHECK(all == words{"notes", ".id", ".text", ".owner", ".folder", ".cursor", "create write", "update edit", "update point",
                     "update noisy", "create copy", "destroy drop", "note:in:<folder>", "note:edited", "note:cursor:<id>",
                     "note:metric", "note:dropped:<id>", "note:gone"});
}

TEST_CASE_TEMPLATE("C19: a manual action's own row is its result; it has no event, and its failure is the action's", Store, in_memory,
                   on_sqlite) {
  Store at;
  const auto made = at.store.template run<notes, "copy">(field<&Note::text> = "x", field<&Copying::suffix> = "!");
  REQUIRE(made);
  CHECK(made->text == "x!");
  CHECK(made->owner == "copier");
  CHECK(at.store.template count<notes>().value() == 0);
  CHECK(at.store.head().sequence == 0);
  CHECK(at.store.template run<notes, "copy">(field<&Note::text> = "not me").is(resource_errc::unavailable));
}

TEST_CASE_TEMPLATE("R54: a query for somebody sees the rows that authorise_reads lets this one see, in every form of reading", Store,
                   in_memory, on_sqlite) {
  Store at;
  const auto mine = written(at.store, "a", "ada");
  const auto other = written(at.store, "b", "bob");
  written(at.store, "c", "ada");
  const actor ada{"ada"}, root{"root"};
  CHECK(at.store.template select<notes>()->size() == 3);  // the application's own
  CHECK(at.store.template select<notes>(as{ada})->size() == 2);
  CHECK(at.store.template select<notes>(as{root})->size() == 3);
  CHECK(at.store.template select<notes>(as{ada}, field<&Note::text> == "b")->empty());
  CHECK(at.store.template count<notes>(as{ada}).value() == 2);
  CHECK(at.store.template get<notes>(mine, as{ada}));
  CHECK(at.store.template get<notes>(other, as{ada}).is(resource_errc::not_found));
  const auto page = at.store.template page<notes>(as{ada}, limit{1}, with_count);
  REQUIRE(page);
  CHECK(page->count == 2);
  CHECK((*at.store.template page<notes>(as{ada}, limit{1}, page_after{page->next})).rows.at(0).text == "c");
}

TEST_CASE_TEMPLATE("C47: a bulk as a stream runs a batch when it is asked for one, and no further", Store, in_memory, on_sqlite) {
  Store at;
  std::vector<std::string> texts(10, "t");
  herald::bulk_stream made{at.store, texts,
                           [](const std::string& text) { return herald::request_for<notes, "write">(field<&Note::text> = text); },
                           herald::bulk_options{.batch_size = 4, .return_records = true, .return_events = true}};
  CHECK(at.store.template count<notes>().value() == 0);
  const auto first = made.next();
  REQUIRE(first);
  CHECK(first->created == 4);
  CHECK(first->records.size() == 4);
  CHECK(at.store.template count<notes>().value() == 4);
  CHECK(made.next()->events.size() == 4);
  CHECK(made.next()->created == 2);
  CHECK_FALSE(made.next());
}

TEST_CASE("R55: what a hook after the commit throws is in the outcome, counted, and a report of the writer; the action is a success") {
  in_memory at;
  live desk{at.store};
  const auto id = written(at.store);
  CHECK(at.store.run<notes, "noisy">(id, field<&Note::text> = "a"));
  const auto told = at.store.perform<notes, "noisy">(id, field<&Note::text> = "b");
  REQUIRE(told);
  CHECK(told->row.text == "b");
  CHECK(told->kind == herald::event_kind::updated);
  CHECK(told->event->at.sequence == 3);
  CHECK(told->hook_trouble == "no mail today");
  // An action inside another one, too.
  REQUIRE(at.store.transact([&](herald::transaction& tx) { return herald::run<notes, "noisy">(tx, id, field<&Note::text> = "c"); }));
  desk.sim.run();
  const std::string sentence = "notes.noisy is committed, but a hook of it that ran after the commit threw: no mail today";
  CHECK(desk.reported == words{sentence, sentence, sentence});
  CHECK(herald::statistics_of(at.store)->hook_troubles == 3);
}

TEST_CASE("R56: what a pub_sub says for all goes for each publication: its own bus and message win, and both filters must say true") {
  const herald::resource_table& of = herald::table_of<quotes>;
  auto store = herald::store::open({&of}, herald::memory_options{}).value();
  auto heard = std::make_shared<words>();
  herald::simulation sim{1};
  herald::application app{herald::supervisor{.name = "quotes", .children = {store.writer(), store.notifier(),
                                                                             herald::child<quote_listener>("listener", {heard})}},
                          {.sinks = {[](const herald::report&) {}}, .simulation = &sim}};
  app.start();
  const auto id = store.run<quotes, "list">(field<&Quote::price> = 5).value().id;
  REQUIRE(store.run<quotes, "list">(field<&Quote::price> = 0));     // the filter for all
  REQUIRE(store.run<quotes, "move">(id, field<&Quote::price> = 6));
  REQUIRE(store.run<quotes, "move">(id, field<&Quote::price> = 200));  // moved's own filter
  REQUIRE(store.run<quotes, "move">(id, field<&Quote::price> = -1));   // the filter for all, behind its own
  sim.run();
  CHECK(*heard == words{"all 5", "all 6", "own 6", "own 200"});
  const auto counted = herald::publication_statistics_of(store, of);
  CHECK(counted[1].matched == 3);
  CHECK(counted[1].filtered == 2);
  CHECK(of.publications[0].bus == "metrics");
  CHECK(of.publications[2].bus == "wire");
  CHECK(herald::reference_of(of).find("| `quote.moved` | move | nudged | filtered, a message of its own, on the bus metrics |") !=
        std::string::npos);
}

TEST_CASE_TEMPLATE("N6, N7, N34: an event has the whole row, whatever its action was given and its caller asked for", Store, in_memory, on_sqlite) {
  Store at;
  const auto id = at.store.template run<notes, "write">(field<&Note::text> = "x", field<&Note::owner> = "ada",
                                                        field<&Note::folder> = std::optional<std::string>{"mail"}).value().id;
  REQUIRE(at.store.template run<notes, "point">(id, field<&Note::cursor> = 5));
  const auto done = at.store.template bulk_update<notes, "edit">(field<&Note::id> == id, field<&Note::text> = "y",
                                                                 herald::bulk_options{.return_records = false});
  REQUIRE(done);
  CHECK(done->updated == 1);
  CHECK(done->records.empty());
  const auto log = at.store.read(at.store.beginning(), 10).value();
  REQUIRE(log.events.size() == 3);
  for (const auto& event : {log.events[1], log.events[2]}) {
    const auto* const before = event->before.template as<Note>();
    const auto* const after = event->after.template as<Note>();
    REQUIRE(before != nullptr);
    REQUIRE(after != nullptr);
    CHECK(before->owner == "ada");
    CHECK(before->folder == "mail");
    CHECK(after->owner == "ada");
    CHECK(after->folder == "mail");
    CHECK(after->cursor == 5);
  }
}

TEST_CASE_TEMPLATE("N25, N29: an outcome has its event, which is told as well; one that must not be told is not written, singly or in bulk", Store,
                   in_memory, on_sqlite) {
  Store at;
  live desk{at.store};
  const auto id = written(at.store), silent = written(at.store), third = written(at.store), fourth = written(at.store);
  const auto told = at.store.template perform<notes, "drop">(id);
  REQUIRE(told);
  REQUIRE(told->event);
  CHECK(told->event->action_info().name == "drop");
  const auto untold = at.store.template perform<notes, "drop">(silent, action_options{.notify = false});
  REQUIRE(untold);
  CHECK_FALSE(untold->event);
  CHECK(untold->kind == herald::event_kind::destroyed);
  desk.sim.run();
  CHECK(*desk.heard == words{"note:dropped:1 drop", "note:gone drop"});
  const auto head = at.store.head().sequence;
  CHECK(at.store.template bulk_destroy<notes, "drop">(field<&Note::id> == third, action_options{.notify = false})->destroyed == 1);
  CHECK(at.store.head().sequence == head);
  CHECK(at.store.template bulk_destroy<notes, "drop">(field<&Note::id> == fourth)->destroyed == 1);
  CHECK(at.store.head().sequence == head + 1);
  desk.sim.run();
  CHECK(desk.heard->back() == "note:gone drop");
  CHECK(desk.heard->size() == 4);
}

TEST_CASE("N21: a segment of a topic is computed from the row, and with previous_values from the row as it was too") {
  auto store = herald::store::open({&herald::table_of<quotes>}, herald::memory_options{}).value();
  const auto id = store.run<quotes, "list">(field<&Quote::price> = 5).value().id;
  REQUIRE(store.run<quotes, "move">(id, field<&Quote::price> = 7));
  REQUIRE(store.run<quotes, "move">(id, field<&Quote::price> = 70));
  CHECK(store.read(store.beginning(), 10, "quote.band.cheap").value().events.size() == 2);
  CHECK(store.read(store.beginning(), 10, "quote.band.dear").value().events.size() == 1);
}

TEST_CASE_TEMPLATE("R57: a subscription for somebody asks the resource first, in each of its forms: live, from the log, durable, of a topic and of all",
                   Store, in_memory, on_sqlite) {
  const auto heard_by = [](const std::string& who, form as) {
    Store at;
    live desk{at.store};
    const auto id = written(at.store);
    REQUIRE(at.store.template run<notes, "edit">(id, field<&Note::text> = "before"));
    desk.sim.run();
    auto heard = std::make_shared<words>();
    REQUIRE(desk.app.root().start_child(herald::child<guest>("guest", {at.store, who, as, heard})));
    desk.sim.run();
    REQUIRE(at.store.template run<notes, "edit">(id, field<&Note::text> = "after"));
    desk.sim.run();
    return *heard;
  };
  for (const std::string who : {"ada", "root"}) {
    CHECK(heard_by(who, form::live) == words{"edit"});
    CHECK(heard_by(who, form::log) == words{"edit", "edit"});
    CHECK(heard_by(who, form::durable) == words{"edit", "edit"});
  }
  for (const form whole : {form::whole_log, form::whole_durable}) {
    CHECK(heard_by("ada", whole) == words{"resources.forbidden: resource notes: the topic ** is not for ada"});
    CHECK(heard_by("root", whole) == words{"write", "edit", "edit"});
    CHECK(heard_by("odd", whole) == words{"resources.hook_failed: resource notes: authorise_subscription threw: who are you"});
  }
}
