#include <cstdio>
#include <herald/herald.hpp>
#include <herald/leased_transaction.hpp>
#include <latch>

struct Account {
  std::int64_t id = 0;
  std::string owner;
  std::int64_t cents = 0;
};
struct Amount {  // the argument of what moves money
  std::int64_t moved = 0;
};
struct Transfer {
  std::int64_t id = 0;
  std::int64_t source = 0, target = 0, cents = 0;
};

using namespace herald::dsl;
inline constexpr auto accounts = herald::resource<Account>("accounts",
    attribute<&Account::id>(primary_key, generated),
    attribute<&Account::owner>(required),
    attribute<&Account::cents>(min{0}),
    create("open", accepts<&Account::owner, &Account::cents>),
    update("pay_in", argument<&Amount::moved>(required, min{1}), change{[](auto& account) {
             account.increment(field<&Account::cents>, account.argument(field<&Amount::moved>));
           }}),
    update("pay_out", argument<&Amount::moved>(required, min{1}), change{[](auto& account) {
             account.increment(field<&Account::cents>, -account.argument(field<&Amount::moved>));
           }}));
inline constexpr auto transfers = herald::resource<Transfer>("transfers",
    attribute<&Transfer::id>(primary_key, generated),
    attribute<&Transfer::source>(belongs_to<accounts>),
    attribute<&Transfer::target>(belongs_to<accounts>),
    attribute<&Transfer::cents>(),
    create("record", accepts<&Transfer::source, &Transfer::target, &Transfer::cents>));

/// Three actions that happen together or not at all, in whatever transaction it is called.
herald::result<std::int64_t> move_money(herald::transaction& tx, std::int64_t source, std::int64_t target, std::int64_t cents) {
  auto out = herald::run<accounts, "pay_out">(tx, source, field<&Amount::moved> = cents);
  if (!out) return out.error();
  auto in = herald::run<accounts, "pay_in">(tx, target, field<&Amount::moved> = cents);
  if (!in) return in.error();
  auto made = herald::run<transfers, "record">(tx, field<&Transfer::source> = source, field<&Transfer::target> = target,
                                               field<&Transfer::cents> = cents);
  if (!made) return made.error();
  return made->id;
}

template <class T>
void tell(const char* what, const herald::result<T>& outcome) {
  std::printf("%s: %s\n", what, outcome ? "done" : outcome.error().to_string().c_str());
}

/// A process waits for nothing: the context comes first, and a continuation last.
struct teller : herald::process<teller> {
  struct args { herald::store store; std::int64_t source, target; std::latch* done; };
  teller(herald::context& self, args a) : a_{a} {
    tell("waiting in a process", a_.store.transact([](herald::transaction&) -> herald::result<void> { return {}; }));
    a_.store.transact(
        self, [a](herald::transaction& tx) { return move_money(tx, a.source, a.target, 100); },  // runs on the writer
        [this](herald::result<std::int64_t> moved) {                                             // runs here, after the commit
          tell("the teller's transfer", moved);
          a_.done->count_down();
        });
  }
 private:
  args a_;
};

int main() {
  auto store = herald::store::open({&herald::table_of<accounts>, &herald::table_of<transfers>}, herald::memory_options{}).value();
  const auto open = [&](const char* owner, std::int64_t cents) {
    return store.run<accounts, "open">(field<&Account::owner> = owner, field<&Account::cents> = cents).value().id;
  };
  const auto ada = open("Ada", 1000), bob = open("Bob", 0), eve = open("Eve", 0);
  const auto before = store.head();

  // From a plain thread: what the function gives is what transact gives, once it is committed.
  const auto first = store.transact([&](herald::transaction& tx) { return move_money(tx, ada, bob, 300); });
  std::printf("transfer %d\n", static_cast<int>(first.value()));

  // The second action is refused when the first one is done already: then nothing of it has happened.
  tell("to nobody", store.transact([&](herald::transaction& tx) { return move_money(tx, ada, eve + 1, 100); }));

  // Pieces are undone alone: a payday goes on without those that fail.
  const auto paid = store.transact([&](herald::transaction& tx) -> herald::result<int> {
    int count = 0;
    for (const std::int64_t cents : {200, 5000, 50}) {
      const auto piece = herald::transact(tx, [&](herald::transaction& inner) { return move_money(inner, ada, eve, cents); });
      tell("  a piece", piece);
      count += piece ? 1 : 0;
    }
    return count;
  });
  std::printf("%d of 3 pieces\n", paid.value());

  std::latch done{1};
  herald::application app{{.name = "bank", .children = {store.writer(), store.notifier(),
      herald::child<teller>("teller", {store, bob, eve, &done})}}};
  app.start();
  done.wait();

  // A lease: what comes next is decided out here, while the writer waits and nobody else writes.
  {
    auto tx = herald::lease(store).value();
    const auto all = tx.with([](herald::transaction& inside) {
      return herald::select<accounts>(inside, desc(field<&Account::cents>));
    });
    const Account richest = all.value().front(), poorest = all.value().back();
    tell("shared", tx.with([&](herald::transaction& inside) {
      return herald::transact(inside, [&](herald::transaction& piece) {  // all three of its actions, or none
        return move_money(piece, richest.id, poorest.id, (richest.cents - poorest.cents) / 2);
      });
    }));
    tell("commit", tx.commit());
  }
  {
    auto tx = herald::lease(store).value();
    tell("a gift", tx.run<accounts, "pay_in">(bob, field<&Amount::moved> = 1'000'000));
  }  // let go of without a commit: rolled back
  {
    auto tx = herald::lease(store, std::chrono::milliseconds{0});  // no time at all
    tell("too late", tx ? tx->run<accounts, "pay_in">(bob, field<&Amount::moved> = 1) : herald::result<Account>{tx.error()});
  }
  app.stop();

  for (const auto& one : store.select<accounts>().value())
    std::printf("%s has %d\n", one.owner.c_str(), static_cast<int>(one.cents));
  // The events of what was kept, in the order of the writes; of the rest there is no trace.
  const auto log = store.read(before, 100).value();
  for (const auto& event : log.events)
    std::printf("%d %s.%s %s\n", static_cast<int>(event->at.sequence), std::string{event->resource->name}.c_str(),
                std::string{event->action_info().name}.c_str(), event->key.to_string().c_str());
}
