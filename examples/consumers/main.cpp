#include <cstdio>
#include <herald/herald.hpp>
#include <latch>
#include <stdexcept>

struct Order {
  std::int64_t id = 0;
  std::string item;
};
struct Invoice {
  std::int64_t id = 0;
  std::int64_t order = 0;
};

using namespace herald::dsl;
inline constexpr auto orders = herald::resource<Order>("orders",
    attribute<&Order::id>(primary_key, generated),
    attribute<&Order::item>(),
    create("place", accepts<&Order::item>),
    pub_sub("orders", publish("place", topic("placed"))));
inline constexpr auto invoices = herald::resource<Invoice>("invoices",
    attribute<&Invoice::id>(primary_key, generated),
    attribute<&Invoice::order>(),
    create("write", accepts<&Invoice::order>));

using order_event = herald::event<orders>;

/// Tells the warehouse of every order, over restarts. It cannot pack a piano.
struct packer : herald::process<packer, order_event> {
  struct args { herald::store store; std::latch* done; };
  packer(herald::context& self, args a)
      : a_{a}, work_{herald::subscribe<order_event>(self, a_.store, herald::at_least_once("packer"),
                                                    {.tries = 3, .retry_delay = std::chrono::milliseconds{1}}).value()} {}
  void on(const order_event& e) {
    if (e.after->item == "piano") return work_.fail({herald::resource_errc::invalid, "too heavy"});
    std::printf("packed %s\n", e.after->item.c_str());
    a_.done->count_down();
  }
 private:
  args a_;
  herald::consumer work_;
};

/// Writes one invoice for each order, whatever happens.
struct billing : herald::process<billing, order_event> {
  struct args { herald::store store; };
  billing(herald::context& self, args a)
      : work_{herald::subscribe<order_event>(self, a.store, herald::effectively_once("billing")).value()} {}
  void on(const order_event& e) { work_.run<invoices, "write">(field<&Invoice::order> = e.after->id); }
 private:
  herald::consumer work_;
};

/// Waits for three invoices and one burial.
struct auditor : herald::process<auditor, herald::any_event> {
  struct args { herald::store store; std::latch* done; };
  auditor(herald::context& self, args a) : a_{a} {
    herald::subscribe<herald::any_event>(self, a_.store, herald::earliest).value();
  }
  void on(const herald::any_event& e) {
    if (e->resource == &herald::table_of<invoices> || e->resource == &herald::table_of<herald::dead_letters>) a_.done->count_down();
  }
 private:
  args a_;
};

int main() {
  auto store = herald::store::open({&herald::table_of<orders>, &herald::table_of<invoices>,
                                    &herald::table_of<herald::dead_letters>}, herald::memory_options{}).value();
  std::latch packed{2}, written{4};
  // Placed before anybody is there: nothing is missed.
  for (const char* item : {"lamp", "piano", "chair"}) {
    if (!store.run<orders, "place">(field<&Order::item> = item)) return 1;
  }
  herald::application app{{.name = "shop", .children = {store.writer(), store.notifier(),
      herald::child<packer>("packer", {store, &packed}), herald::child<billing>("billing", {store}),
      herald::child<auditor>("auditor", {store, &written})}}};
  app.start();
  packed.wait();
  written.wait();
  app.stop();
  std::printf("%zu invoices\n", store.all<invoices>().value().rows.size());
  for (const auto& letter : store.all<herald::dead_letters>().value().rows)
    std::printf("buried: order %s of %s, after %lld tries: %s\n", letter.key.c_str(), letter.consumer.c_str(),
                static_cast<long long>(letter.tries), letter.reason.c_str());
}
