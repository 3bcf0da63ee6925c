// Transactions as objects: the writer waits for the next step, within a limit.

#include "library.hpp"

#include <herald/application.hpp>
#include <herald/leased_transaction.hpp>
#include <herald/offload.hpp>
#include <herald/process.hpp>

#include <future>

using namespace library_test;
using namespace std::chrono_literals;

namespace {

constexpr auto long_enough = 30s;

/// Begins a lease in its handler, which it may not, and then on the pool.
struct go {};
struct lessee : herald::process<lessee, go> {
  struct args {
    herald::store store;
    std::promise<herald::result<int>>* refused;
    std::promise<herald::result<std::int64_t>>* kept;
    friend bool operator==(const args&, const args&) = default;
  };
  lessee(herald::context& self, args with) : with_{std::move(with)} { self.self().cast(go{}); }
  void on(herald::context& self, const go&) {
    const auto here = herald::lease(with_.store);
    with_.refused->set_value(here ? herald::result<int>{1} : herald::result<int>{here.error()});
    self.offload([store = with_.store]() -> herald::result<std::int64_t> {
      auto tx = herald::lease(store, long_enough);
      if (!tx) return tx.error();
      auto shelf = tx->run<shelves, "build">(field<&Shelf::id> = 1);
      if (!shelf) return shelf.error();
      auto book = tx->run<books, "add">(field<&Book::id> = 7, field<&Book::shelf> = std::optional{shelf->id});
      if (!book) return book.error();
      if (auto done = tx->commit(); !done) return done.error();
      return book->id;
    }, long_enough, [this](herald::result<std::int64_t> outcome) { with_.kept->set_value(std::move(outcome)); });
  }

 private:
  args with_;
};

herald::result<Book> add(herald::leased_transaction& tx, std::int64_t id) {
  return tx.run<books, "add">(field<&Book::id> = id, field<&Book::isbn> = std::to_string(id));
}

}  // namespace

TEST_CASE_TEMPLATE("R30: a leased transaction over several resources is kept by its commit, and seen by nobody before", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  auto tx = herald::lease(s, long_enough);
  REQUIRE(tx);
  REQUIRE(tx->run<shelves, "build">(field<&Shelf::id> = 1));
  REQUIRE(add(*tx, 1));
  CHECK(add(*tx, 1).is(resource_errc::taken));  // undone alone
  const auto inside = tx->with([](herald::transaction& t) { return herald::select<books>(t); });
  CHECK(inside->size() == 1);
  const auto piece = tx->with([](herald::transaction& t) {
    return herald::transact(t, [](herald::transaction& deeper) -> herald::result<int> {
      auto made = herald::run<books, "add">(deeper, field<&Book::id> = 2, field<&Book::isbn> = "2");
      if (!made) return made.error();
      return herald::error{resource_errc::invalid, "not this"};
    });
  });
  CHECK(piece.error().message() == "not this");
  CHECK(s.head().sequence == 0);
  REQUIRE(tx->commit());
  CHECK(s.count<books>().value() == 1);
  CHECK(s.head().sequence == 2);
  CHECK(add(*tx, 3).is(resource_errc::tx_expired));
}

TEST_CASE_TEMPLATE("R31: what is rolled back, or let go of, never happened, and the next one finds the writer free", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  {
    auto tx = herald::lease(s, long_enough).value();
    REQUIRE(add(tx, 1));
    tx.rollback();
    CHECK(tx.commit().is(resource_errc::tx_expired));
  }
  {
    auto tx = herald::lease(s, long_enough).value();
    REQUIRE(add(tx, 1));
  }
  CHECK(s.count<books>().value() == 0);
  CHECK(s.head().sequence == 0);
  CHECK(s.run<books, "add">(field<&Book::id> = 1));
}

TEST_CASE_TEMPLATE("R32: a lease that ran out is undone, and each step says so", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  auto tx = herald::lease(s, 0ms);
  const auto refused = tx ? add(*tx, 1) : herald::result<Book>{tx.error()};
  REQUIRE(refused.is(resource_errc::tx_expired));
  CHECK(refused.error().message() == "a leased transaction was open for more than 0 ms and was undone; do less in it, or use store::transact");
  CHECK(s.count<books>().value() == 0);
}

TEST_CASE_TEMPLATE("R33: with a writer process, others wait for the lease and then go on", Store, in_memory, on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  herald::application app{herald::supervisor{.name = "library", .children = {s.writer()}}, {.sinks = {[](const herald::report&) {}}}};
  app.start();
  {
    auto tx = herald::lease(s, long_enough).value();
    REQUIRE(add(tx, 1));
    std::thread other{[&] { CHECK(s.run<books, "add">(field<&Book::id> = 2)); }};
    REQUIRE(add(tx, 3));
    REQUIRE(tx.commit());
    other.join();
  }
  CHECK(s.count<books>().value() == 3);
  app.stop();
}

TEST_CASE_TEMPLATE("R35: a transaction that the writer has not begun at its limit is withdrawn, and never looks into what its caller has left",
                   Store, in_memory, on_sqlite) {
  for (const bool supervised : {false, true}) {
    Store at;
    const herald::store& s = at.store;
    herald::application app{herald::supervisor{.name = "library", .children = {s.writer()}}, {.sinks = {[](const herald::report&) {}}}};
    if (supervised) app.start();
    bool ran = false;
    {
      auto tx = herald::lease(s, long_enough).value();
      REQUIRE(add(tx, 1));
      const auto late = s.transact([&](herald::transaction& t) -> herald::result<Book> {
        ran = true;
        return herald::run<books, "add">(t, field<&Book::id> = 2, field<&Book::isbn> = "2");
      }, 0ms);
      REQUIRE(late.is(resource_errc::timeout));
      CHECK(late.error().message() == "the store's writer did not answer within 0 ms; the action was not begun, and will not be");
      CHECK(s.run<books, "add">(field<&Book::id> = 3, action_options{.limit = 0ms}).is(resource_errc::timeout));
      REQUIRE(tx.commit());
    }
    CHECK(s.run<books, "add">(field<&Book::id> = 4));
    CHECK_FALSE(ran);
    CHECK(s.count<books>().value() == 2);
    if (supervised) app.stop();
  }
}

TEST_CASE_TEMPLATE("R36: a lease that the writer does not come to is given up, and is not begun later", Store, in_memory, on_sqlite) {
  for (const bool supervised : {false, true}) {
    Store at;
    const herald::store& s = at.store;
    herald::application app{herald::supervisor{.name = "library", .children = {s.writer()}}, {.sinks = {[](const herald::report&) {}}}};
    if (supervised) app.start();
    {
      auto tx = herald::lease(s, long_enough).value();
      const auto second = herald::lease(s, long_enough, 0ms);
      REQUIRE(second.is(resource_errc::timeout));
      CHECK(second.error().message() == "the store's writer did not begin a leased transaction within 0 ms; it will not be begun");
      REQUIRE(add(tx, 1));
      REQUIRE(tx.commit());
    }
    CHECK(s.run<books, "add">(field<&Book::id> = 2));
    CHECK(s.count<books>().value() == 2);
    if (supervised) app.stop();
  }
}

TEST_CASE("R34: a step that throws is an error of that step, and the transaction goes on") {
  in_memory at;
  auto tx = herald::lease(at.store, long_enough).value();
  const auto thrown = tx.with([](herald::transaction&) -> herald::result<int> { throw std::runtime_error{"oops"}; });
  REQUIRE(thrown.is(resource_errc::hook_failed));
  CHECK(thrown.error().message() == "a step of a leased transaction threw: oops");
  REQUIRE(add(tx, 1));
  CHECK(tx.commit());
}

TEST_CASE_TEMPLATE("R34: a step that fails or throws is undone as a whole, and the steps before it stay", Store, in_memory, on_sqlite) {
  Store at;
  auto tx = herald::lease(at.store, long_enough).value();
  REQUIRE(add(tx, 1));
  const auto add_inside = [](herald::transaction& inside, std::int64_t id) {
    return herald::run<books, "add">(inside, field<&Book::id> = id, field<&Book::isbn> = std::to_string(id));
  };
  const auto thrown = tx.with([&](herald::transaction& inside) -> herald::result<int> {
    REQUIRE(add_inside(inside, 2));
    throw std::runtime_error{"oops"};
  });
  CHECK(thrown.is(resource_errc::hook_failed));
  const auto failed = tx.with([&](herald::transaction& inside) -> herald::result<int> {
    REQUIRE(add_inside(inside, 3));
    return herald::error{resource_errc::invalid, "not this"};
  });
  CHECK(failed.error().message() == "not this");
  REQUIRE(tx.commit());
  CHECK(at.store.template count<books>().value() == 1);
  CHECK(at.store.head().sequence == 1);
}

TEST_CASE_TEMPLATE("a store that is asked to write inside its own transaction says so, whoever writes, and waits for nothing", Store, in_memory,
                   on_sqlite) {
  Store at;
  const herald::store& s = at.store;
  const auto ask = [&] {
    return s.transact([&](herald::transaction&) -> herald::result<Book> {
      CHECK(herald::lease(s).is(resource_errc::would_block));
      CHECK(s.transact([](herald::transaction&) -> herald::result<int> { return 1; }).is(resource_errc::would_block));
      return s.run<books, "add">(field<&Book::id> = 1);
    });
  };
  CHECK(ask().is(resource_errc::would_block));
  herald::application app{herald::supervisor{.name = "library", .children = {s.writer()}}, {.sinks = {[](const herald::report&) {}}}};
  app.start();
  const auto refused = ask();
  REQUIRE(refused.is(resource_errc::would_block));
  CHECK(refused.error().message().find("herald::run(tx, ...)") != std::string::npos);
  CHECK(s.run<books, "add">(field<&Book::id> = 1));
}

TEST_CASE_TEMPLATE("R35: a process is refused a lease in its handler with what to do instead, and has one on the pool without waiting itself", Store,
                   in_memory, on_sqlite) {
  Store at;
  std::promise<herald::result<int>> refused;
  std::promise<herald::result<std::int64_t>> kept;
  herald::application app{herald::supervisor{.name = "library", .children = {at.store.writer(), herald::child<lessee>("lessee", {at.store, &refused, &kept})}},
                          {.sinks = {[](const herald::report&) {}}}};
  app.start();
  const auto no = refused.get_future().get();
  REQUIRE(no.is(resource_errc::would_block));
  CHECK(no.error().message().find("use store.transact(self, ...) with a continuation, or lease inside self.offload") != std::string::npos);
  const auto yes = kept.get_future().get();
  REQUIRE_MESSAGE(yes.has_value(), (yes ? "" : yes.error().to_string()));
  CHECK(yes.value() == 7);
  CHECK(at.store.template count<books>().value() == 1);
  CHECK(at.store.template count<shelves>().value() == 1);
  app.stop();
}
