// Bulks and transactions from processes: nothing blocks, the answer is a continuation.

#include "library.hpp"

#include <herald/application.hpp>
#include <herald/process.hpp>
#include <herald/simulation.hpp>

using namespace library_test;
using namespace std::chrono_literals;
using herald::bulk_options;
using herald::bulk_result;

namespace {

struct seen {
  std::optional<bulk_result> bulk;
  std::optional<herald::result<std::int64_t>> good, bad;
  bool returned = false;
};

struct go {};
struct asker : herald::process<asker, go> {
  struct args {
    herald::store store;
    std::shared_ptr<seen> into;
    friend bool operator==(const args&, const args&) = default;
  };
  asker(herald::context& self, args with) : with_{std::move(with)} { self.self().cast(go{}); }
  void on(herald::context& self, const go&) {
    with_.store.bulk(self, std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7}, [](std::int64_t id) {
          return request_for<books, "add">(field<&Book::id> = id, field<&Book::isbn> = std::to_string(id)); },
        bulk_options{.batch_size = 3}, [this](herald::context& here, bulk_result done) {
          with_.into->bulk = std::move(done);
          move(here);
        });
    with_.into->returned = !with_.into->bulk;
  }

 private:
  void move(herald::context& self) {
    const auto both = [](bool fail) {
      return [fail](herald::transaction& tx) -> herald::result<std::int64_t> {
        auto gone = herald::run<books, "drop">(tx, 1);
        if (!gone) return gone.error();
        auto made = herald::run<shelves, "build">(tx, field<&Shelf::id> = 1);
        if (!made) return made.error();
        if (fail) return herald::error{resource_errc::invalid, "not today"};
        return made->id;
      };
    };
    with_.store.transact(self, both(true), [this, both](herald::context& here, herald::result<std::int64_t> outcome) {
      with_.into->bad = std::move(outcome);
      with_.store.transact(here, both(false), [this](herald::result<std::int64_t> last) { with_.into->good = std::move(last); });
    });
  }
  args with_;
};

/// Bulks of rows that a filter means, one after the other; the last is one whose words are wrong.
struct tidier : herald::process<tidier, go> {
  using answers = std::vector<herald::result<bulk_result>>;
  struct args {
    herald::store store;
    std::shared_ptr<answers> into;
    friend bool operator==(const args&, const args&) = default;
  };
  tidier(herald::context& self, args with) : with_{std::move(with)} { self.self().cast(go{}); }
  void on(herald::context& self, const go&) {
    with_.store.bulk_update<books, "grow">(self, field<&Book::id> < 6, bulk_options{.batch_size = 2, .return_events = true},
                                           [this](herald::context& here, herald::result<bulk_result> grown) {
      with_.into->push_back(std::move(grown));
      with_.store.bulk_destroy<books, "drop">(here, field<&Book::pages> == 100, action_options{.notify = false},
                                              [this](herald::context& last, herald::result<bulk_result> dropped) {
        with_.into->push_back(std::move(dropped));
        const auto before = with_.into->size();
        with_.store.bulk_destroy<books, "drop">(last, limit{1}, [this](herald::result<bulk_result> refused) {
          with_.into->push_back(std::move(refused));
        });
        CHECK(with_.into->size() == before);  // no continuation runs inside the handler that gives it
      });
    });
  }

 private:
  args with_;
};

}  // namespace

TEST_CASE_TEMPLATE("R23: a process runs an action on every row that a filter means, and goes on meanwhile", Store, in_memory, on_sqlite) {
  herald::simulation sim{5};
  Store at;
  const herald::store& s = at.store;
  for (std::int64_t id = 1; id <= 7; ++id) REQUIRE(s.run<books, "add">(field<&Book::id> = id, field<&Book::isbn> = std::to_string(id)));
  auto into = std::make_shared<tidier::answers>();
  herald::supervisor root{.name = "library", .children = {s.writer(), herald::child<tidier>("tidier", {s, into})}};
  herald::application app{std::move(root), {.sinks = {[](const herald::report&) {}}, .simulation = &sim}};
  app.start();
  sim.run();
  REQUIRE(into->size() == 3);
  REQUIRE((*into)[0]);
  CHECK((*into)[0]->updated == 5);
  CHECK((*into)[0]->events.size() == 5);
  REQUIRE((*into)[1]);
  CHECK((*into)[1]->destroyed == 5);
  CHECK((*into)[2].is(resource_errc::invalid));
  CHECK((*into)[2].error().message().find("no order, limit") != std::string::npos);
  CHECK(s.count<books>().value() == 2);
  CHECK(s.head().sequence == 12);  // seven added, five grown, and drops that told nobody
}

TEST_CASE_TEMPLATE("R22: a process runs a bulk and transactions over several resources, and goes on meanwhile", Store, in_memory, on_sqlite) {
  herald::simulation sim{3};
  Store at;
  const herald::store& s = at.store;
  auto into = std::make_shared<seen>();
  herald::supervisor root{.name = "library", .children = {s.writer(), herald::child<asker>("asker", {s, into})}};
  herald::application app{std::move(root), {.sinks = {[](const herald::report&) {}}, .simulation = &sim}};
  app.start();
  sim.run();
  CHECK(into->returned);
  REQUIRE(into->bulk);
  CHECK(into->bulk->created == 7);
  REQUIRE(into->bad);
  CHECK(into->bad->error().message() == "not today");
  REQUIRE(into->good);
  CHECK(into->good->value() == 1);
  CHECK(s.count<books>().value() == 6);
  CHECK(s.count<shelves>().value() == 1);
  CHECK(s.head().sequence == 9);
}
