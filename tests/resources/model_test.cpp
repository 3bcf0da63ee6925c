// A store is compared with a map and a list. Random actions and transactions of three callers run through writer and notifier
// while both, and whoever follows the log, are killed, slowed down or join; the model predicts each action's outcome, the
// rows that must be there, and the events, in their order. HERALD_SEEDS=10000 by hand.

#include "store_fixture.hpp"
#include "ticket_office.hpp"

#include <herald/consumer.hpp>
#include <herald/detail/store_state.hpp>
#include <herald/operate.hpp>
#include <herald/pubsub.hpp>
#include <herald/testing.hpp>

#include <map>
#include <random>
#include <set>

using namespace herald::test;
using namespace herald::test::described;
using herald::any_event;
using herald::context;
using herald::event_kind;
using herald::resource_errc;
using herald::transaction;
using herald::uuid;
using herald::dsl::field;
using ticket_test::quiet;
using ticket_test::tree;

namespace {

using failures = herald::resource_errc;

std::string text_of(const item& row) {
  return row.name + " " + std::to_string(row.count) + " " + row.note.value_or("-") + " v" + std::to_string(row.version);
}
std::string text_of(const counted& row) { return std::to_string(row.id) + " " + row.label; }
std::string text_of(const cell& row) { return row.sheet + std::to_string(row.row) + "=" + std::to_string(row.content); }

/// "items.make created lamp 3 - v1": what the model says of an event, and what the store does.
std::string text_of(const herald::event_record& event) {
  const herald::record& row = event.kind == event_kind::destroyed ? event.before : event.after;
  std::string what = std::string{event.resource->name} + "." + std::string{event.action_info().name} + " " +
                     std::string{to_string(event.kind)} + " ";
  if (event.resource == &herald::table_of<items>) return what + text_of(*row.as<item>());
  if (event.resource == &herald::table_of<counters>) return what + text_of(*row.as<counted>());
  return what + text_of(*row.as<cell>());
}

class model {
 public:
  struct happened {
    std::string what;
    std::string topic;  // one of its topics; empty: it has none
  };

  explicit model(std::uint64_t seed) : random_{seed} {}

  std::uint64_t dice(std::uint64_t sides) { return random_() % sides; }

  /// One action, in a transaction: predicted, run and compared. True when it succeeded.
  bool act(transaction& tx) {
    switch (dice(10)) {
      case 0:
      case 1: return make_item(tx);
      case 2: return count_item(tx);
      case 3: return rename_item(tx);
      case 4: return annotate_item(tx);
      case 5: return drop_item(tx);
      case 6: return make_counter(tx, "c" + std::to_string(dice(100)));
      case 7: return drop_counter(tx);
      case 8: return make_cell(tx);
      default: return dice(3) == 0 ? drop_cell(tx) : fill_cell(tx);
    }
  }

  /// Several, some of them in a piece that is undone; the whole may be undone as well.
  herald::result<void> transact(transaction& tx) {
    const auto before = state_;
    for (auto left = dice(5); left != 0; --left) {
      static_cast<void>(act(tx));
      if (dice(3) != 0) continue;
      const auto piece = state_;
      const bool kept = dice(2) == 0;
      auto done = herald::transact(tx, [&](transaction& inside) -> herald::result<void> {
        static_cast<void>(act(inside));
        static_cast<void>(act(inside));
        if (kept) return {};
        return herald::error{resource_errc::invalid, "a piece is undone"};
      });
      CHECK(done.has_value() == kept);
      if (!kept) go_back_to(piece);
    }
    if (dice(4) == 0) {
      go_back_to(before);
      return herald::error{resource_errc::invalid, "all of it is undone"};
    }
    return {};
  }

  bool make_counter(transaction& tx, const std::string& label) {
    const auto made = herald::run<counters, "make">(tx, field<&counted::label> = label);
    REQUIRE(made.has_value());
    CHECK(made->id > last_counter_);  // given once, also when what it was given to is undone
    last_counter_ = made->id;
    state_.counters[made->id] = *made;
    return tell("counters.make created ", *made, "counter:made");
  }

  [[nodiscard]] const std::vector<happened>& log() const { return state_.log; }
  [[nodiscard]] std::uint64_t head() const { return state_.log.size(); }

  void compare_with(const herald::store& store) const {
    std::set<std::string> expected, found;
    for (const auto& [id, row] : state_.items) expected.insert(text_of(row));
    for (const auto& [id, row] : state_.counters) expected.insert(text_of(row));
    for (const auto& [id, row] : state_.cells) expected.insert(text_of(row));
    for (const auto& row : store.select<items>().value()) found.insert(text_of(row));
    for (const auto& row : store.select<counters>().value()) found.insert(text_of(row));
    for (const auto& row : store.select<cells>().value()) found.insert(text_of(row));
    CHECK(found == expected);
    const auto log = store.read(store.beginning(), 1'000'000).value().events;
    REQUIRE(log.size() == head());
    for (std::size_t i = 0; i < log.size(); ++i) {
      CHECK(log[i]->at.sequence == i + 1);
      CHECK(text_of(*log[i]) == state_.log[i].what);
    }
  }

 private:
  struct rows_and_log {
    std::map<uuid, item> items;
    std::map<std::int64_t, counted> counters;
    std::map<std::pair<std::string, std::int64_t>, cell> cells;
    std::vector<happened> log;
  };

  void go_back_to(const rows_and_log& then) {
    const auto length = then.log.size();
    state_.items = then.items;
    state_.counters = then.counters;
    state_.cells = then.cells;
    state_.log.resize(length);
  }

  template <class Row>
  bool tell(std::string what, const Row& row, std::string topic) {
    state_.log.push_back({std::move(what) + text_of(row), std::move(topic)});
    return true;
  }
  /// What should have failed has, and as it should.
  template <class Row>
  bool fails(const herald::result<Row>& outcome, failures how) {
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.is(how));
    return false;
  }

  /// A key that is there, was there, or never was.
  uuid some_item() {
    if (known_.empty() || dice(8) == 0) return {};
    return known_[dice(known_.size())];
  }
  std::string some_name() { return "n" + std::to_string(dice(12)); }
  [[nodiscard]] bool taken(const std::string& name, uuid by_other_than) const {
    for (const auto& [id, row] : state_.items) {
      if (row.name == name && id != by_other_than) return true;
    }
    return false;
  }

  bool make_item(transaction& tx) {
    item wanted{.id = {}, .name = some_name(), .count = static_cast<std::int64_t>(dice(5)) - 1, .note = {}, .tags = {}};
    const auto made = herald::run<items, "make">(tx, field<&item::name> = wanted.name, field<&item::count> = wanted.count);
    if (wanted.count < 0) return fails(made, failures::invalid);
    if (taken(wanted.name, {})) return fails(made, failures::taken);
    REQUIRE(made.has_value());
    CHECK_FALSE(state_.items.contains(made->id));
    wanted.version = made->version;
    CHECK(text_of(*made) == text_of(wanted));
    known_.push_back(made->id);
    state_.items[made->id] = *made;
    return tell("items.make created ", *made, "item:made");
  }

  /// An update whose new values the model has put into `wanted`.
  bool updated(const herald::result<item>& outcome, const uuid& key, item wanted, std::string_view action) {
    REQUIRE(outcome.has_value());
    const item& before = state_.items[key];
    if (text_of(wanted) != text_of(before)) {
      ++wanted.version;
      tell("items." + std::string{action} + " updated ", wanted, "item:changed:" + key.to_string());
    }
    CHECK(text_of(*outcome) == text_of(wanted));
    state_.items[key] = *outcome;
    return true;
  }

  bool count_item(transaction& tx) {
    const uuid key = some_item();
    const auto count = static_cast<std::int64_t>(dice(5)) - 1;
    const auto done = herald::run<items, "count">(tx, key, field<&item::count> = count);
    if (!state_.items.contains(key)) return fails(done, failures::not_found);
    if (count < 0) return fails(done, failures::invalid);
    item wanted = state_.items[key];
    wanted.count = count;
    return updated(done, key, wanted, "count");
  }
  bool rename_item(transaction& tx) {
    const uuid key = some_item();
    const auto name = some_name();
    const auto done = herald::run<items, "rename">(tx, key, field<&item::name> = name);
    if (!state_.items.contains(key)) return fails(done, failures::not_found);
    if (taken(name, key)) return fails(done, failures::taken);
    item wanted = state_.items[key];
    wanted.name = name;
    return updated(done, key, wanted, "rename");
  }
  bool annotate_item(transaction& tx) {
    const uuid key = some_item();
    const std::optional<std::string> note = dice(3) == 0 ? std::nullopt : std::optional{"m" + std::to_string(dice(3))};
    const auto done = herald::run<items, "annotate">(tx, key, field<&item::note> = note);
    if (!state_.items.contains(key)) return fails(done, failures::not_found);
    item wanted = state_.items[key];
    wanted.note = note;
    return updated(done, key, wanted, "annotate");
  }
  bool drop_item(transaction& tx) {
    const uuid key = some_item();
    const auto done = herald::run<items, "drop">(tx, key);
    const auto found = state_.items.find(key);
    if (found == state_.items.end()) return fails(done, failures::not_found);
    REQUIRE(done.has_value());
    tell("items.drop destroyed ", found->second, "item:dropped");
    state_.items.erase(found);
    return true;
  }
  bool drop_counter(transaction& tx) {
    const auto key = static_cast<std::int64_t>(dice(static_cast<std::uint64_t>(last_counter_) + 2));
    const auto done = herald::run<counters, "drop">(tx, key);
    const auto found = state_.counters.find(key);
    if (found == state_.counters.end()) return fails(done, failures::not_found);
    REQUIRE(done.has_value());
    tell("counters.drop destroyed ", found->second, "");
    state_.counters.erase(found);
    return true;
  }
  std::pair<std::string, std::int64_t> some_cell() {
    const auto sheet = dice(2) == 0 ? "a" : "b";
    return {sheet, static_cast<std::int64_t>(dice(4))};
  }
  bool make_cell(transaction& tx) {
    const auto key = some_cell();
    const auto made = herald::run<cells, "make">(tx, field<&cell::sheet> = key.first, field<&cell::row> = key.second,
                                                 field<&cell::content> = 0.5);
    if (state_.cells.contains(key)) return fails(made, failures::taken);
    REQUIRE(made.has_value());
    state_.cells[key] = *made;
    return tell("cells.make created ", *made, "");
  }
  bool fill_cell(transaction& tx) {
    const auto key = some_cell();
    const auto content = static_cast<double>(dice(3));
    const auto done = herald::run<cells, "fill">(tx, herald::key(key.first, key.second), field<&cell::content> = content);
    const auto found = state_.cells.find(key);
    if (found == state_.cells.end()) return fails(done, failures::not_found);
    REQUIRE(done.has_value());
    if (std::exchange(found->second.content, content) == content) return true;
    return tell("cells.fill updated ", found->second, "");
  }
  bool drop_cell(transaction& tx) {
    const auto key = some_cell();
    const auto done = herald::run<cells, "drop">(tx, herald::key(key.first, key.second));
    const auto found = state_.cells.find(key);
    if (found == state_.cells.end()) return fails(done, failures::not_found);
    REQUIRE(done.has_value());
    tell("cells.drop destroyed ", found->second, "");
    state_.cells.erase(found);
    return true;
  }

  std::mt19937_64 random_;
  rows_and_log state_;
  std::vector<uuid> known_;
  std::int64_t last_counter_ = 0;
};

using shared_model = std::shared_ptr<model>;

/// Runs transactions, one after the other's answer; each is compared with the model while it runs.
struct caller : herald::process<caller, ticket_test::go> {
  struct args {
    herald::store store;
    shared_model expected;
    int count;
    std::shared_ptr<int> finished;
  };
  caller(context& self, args with) : with_{std::move(with)}, left_{with_.count} { self.self().cast(ticket_test::go{}); }
  void on(context& self, const ticket_test::go&) {
    if (left_-- == 0) {
      ++*with_.finished;
      return;
    }
    const auto next = [](context& here, const herald::result<void>&) { here.self().cast(ticket_test::go{}); };
    with_.store.transact(self, [expected = with_.expected](transaction& tx) { return expected->transact(tx); }, next);
  }

 private:
  args with_;
  int left_;
};

/// What whoever follows the log keeps outside of its process.
struct tape {
  std::vector<std::uint64_t> sequences;
  std::vector<std::string> seen;
  std::uint64_t began_after = 0;
  bool begun = false;
  std::string topic{};  // empty: all

  void take(const herald::event_record& event) {
    sequences.push_back(event.at.sequence);
    seen.push_back(text_of(event));
  }
  void compare_with(const model& expected) const {
    std::vector<std::string> wanted;
    for (std::size_t i = began_after; i < expected.log().size(); ++i) {
      if (topic.empty() || expected.log()[i].topic == topic) wanted.push_back(expected.log()[i].what);
    }
    CHECK(seen == wanted);
  }
};
using shared_tape = std::shared_ptr<tape>;

struct recorder : herald::process<recorder, any_event> {
  struct args {
    herald::store store;
    shared_tape into;
    herald::log_start start = herald::earliest;
  };
  recorder(context& self, args with) : with_{std::move(with)} {
    auto& into = *with_.into;
    auto start = into.sequences.empty() ? with_.start : herald::after({with_.store.head().epoch, into.sequences.back()});
    if (!std::exchange(into.begun, true)) {
      if (start.kind() == herald::log_start::kind_t::now) into.began_after = with_.store.head().sequence;
      if (start.kind() == herald::log_start::kind_t::after) into.began_after = start.at().sequence;
    } else if (into.sequences.empty()) {
      start = herald::after({with_.store.head().epoch, into.began_after});
    }
    if (into.topic.empty()) {
      herald::subscribe<any_event>(self, with_.store, start).value();
    } else {
      herald::subscribe<any_event>(self, with_.store, into.topic, start).value();
    }
  }
  void on(const any_event& event) { with_.into->take(*event); }

 private:
  args with_;
};

/// A notifier of one's own: told of everything, with a cursor.
struct teller : herald::process<teller, any_event> {
  struct args {
    herald::store store;
    shared_tape into;
    std::uint32_t keep_every;
  };
  teller(context& self, const args& with) : into_{with.into} {
    if (!herald::subscribe<any_event>(self, with.store, herald::at_least_once("teller"), {.keep_every = with.keep_every})) {
      self.fail("cannot subscribe");
    }
  }
  void on(const any_event& event) { into_->take(*event); }

 private:
  shared_tape into_;
};

/// Writes a counter for every item made, once.
struct bookkeeper : herald::process<bookkeeper, herald::event<items>> {
  struct args {
    herald::store store;
    shared_model expected;
  };
  bookkeeper(context& self, const args& with)
      : expected_{with.expected},
        work_{herald::subscribe<herald::event<items>>(self, with.store, "item:made", herald::effectively_once("books")).value()} {}
  void on(const herald::event<items>& event) {
    work_.transact([expected = expected_, label = "of " + std::to_string(event.offset().sequence)](transaction& tx) -> herald::result<void> {
      static_cast<void>(expected->make_counter(tx, label));
      return {};
    });
  }

 private:
  shared_model expected_;
  herald::consumer work_;
};

/// Lives on the bus, without the log.
struct listener : herald::process<listener, herald::event<items>> {
  struct args {
    shared_tape into;
  };
  listener(context& self, const args& with) : into_{with.into} {
    herald::subscribe<herald::event<items>>(self, "item:made");
  }
  void on(const herald::event<items>& event) { into_->take(*event.erased()); }

 private:
  shared_tape into_;
};

void compare_books(const model& expected) {
  std::vector<std::string> wanted, found;
  for (std::size_t i = 0; i < expected.log().size(); ++i) {
    const auto& [what, topic] = expected.log()[i];
    if (topic == "item:made") wanted.push_back("of " + std::to_string(i + 1));
    if (const auto at = what.find("of "); topic == "counter:made" && at != std::string::npos) found.push_back(what.substr(at));
  }
  CHECK(found == wanted);
}

void run_a_model(std::uint64_t seed) {
  CAPTURE(seed);
  herald::simulation sim{seed};
  herald::memory_options options;
  options.uuid_seed = seed;
  options.batch_limit = 1 + seed % 9;
  const auto store = herald::store::open(all_tables, options).value();
  const auto expected = std::make_shared<model>(seed);
  const auto finished = std::make_shared<int>(0);
  const auto everything = std::make_shared<tape>(), of_a_topic = std::make_shared<tape>(), told = std::make_shared<tape>(),
             slow = std::make_shared<tape>(), live = std::make_shared<tape>();
  of_a_topic->topic = "item:made";
  live->topic = "item:made";
  std::vector<shared_tape> all{everything, of_a_topic, told, slow, live};
  std::vector<herald::child_spec> children{store.writer(),
                                           store.notifier(),
                                           herald::child<listener>("listener", {live}),
                                           herald::child<recorder>("everything", {store, everything}),
                                           herald::child<recorder>("topic", {store, of_a_topic}),
                                           herald::child<recorder>("slow", {store, slow}),
                                           herald::child<teller>("teller", {store, told, static_cast<std::uint32_t>(1 + seed % 20)}),
                                           herald::child<bookkeeper>("books", {store, expected})};
  for (const char* name : {"a", "b", "c"}) children.push_back(herald::child<caller>(name, {store, expected, 8, finished}));
  herald::application app{tree(std::move(children)), quiet(sim)};
  app.start();
  const auto slow_one = [&] { return app.find<recorder>("slow"); };
  bool suspended = false;
  for (int i = 0; i < 40; ++i) {
    sim.step(1 + sim.random() % 12);
    switch (sim.random() % 12) {
      case 0:
      case 1: CHECK(app.kill("notifier").has_value()); break;
      case 2: CHECK(app.kill("writer").has_value()); break;
      case 3: CHECK(app.kill("everything").has_value()); break;
      case 4: CHECK(app.kill("topic").has_value()); break;
      case 5: CHECK(app.kill("teller").has_value()); break;
      case 6: CHECK(app.kill("books").has_value()); break;
      case 7:
      case 8:
        suspended = !suspended;
        CHECK((suspended ? herald::suspend(slow_one()) : herald::resume(slow_one())).has_value());
        break;
      case 9: {
        const auto joining = std::make_shared<tape>();
        all.push_back(joining);
        const auto start = sim.random() % 2 == 0 ? herald::now : herald::after({store.head().epoch, sim.random() % (store.head().sequence + 1)});
        REQUIRE(app.root().start_child(herald::child<recorder>("joined " + std::to_string(i), {store, joining, start})).has_value());
        break;
      }
      default: break;
    }
  }
  // More than a window of events while it is suspended: it is left behind, and read for from the log when it goes on.
  if (seed % 4 == 0) {
    if (!suspended) REQUIRE(herald::suspend(slow_one()).has_value());
    suspended = true;
    REQUIRE(store.transact([&](transaction& tx) -> herald::result<void> {
      for (int i = 0; i < 600; ++i) static_cast<void>(expected->make_counter(tx, "burst"));
      return {};
    }).has_value());
    sim.run();
    CHECK(slow->seen.size() < expected->head());
  }
  if (suspended) REQUIRE(herald::resume(slow_one()).has_value());
  REQUIRE(sim.run_until([&] { return *finished == 3; }));
  sim.run();
  expected->compare_with(store);
  compare_books(*expected);
  for (const auto& one : all) one->compare_with(*expected);
  CHECK(herald::detail::verify(store.state()->data()).value().holds());
}

}  // namespace

TEST_CASE("R40: random actions and transactions agree with a map and a list, and so does whoever follows them, killed, slow or late") {
  herald::testing::for_seeds(60, run_a_model);
}
