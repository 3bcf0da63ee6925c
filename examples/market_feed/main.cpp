#include <chrono>
#include <cstdio>
#include <string>

#include <herald/pubsub.hpp>
#include <herald/runtime.hpp>

using namespace std::chrono_literals;

struct price {
  std::string symbol;
  double value = 0;
};

/// Draws what it gets, which takes its time: meanwhile its mailbox waits.
struct view : herald::process<view, price, herald::gap> {
  struct args { std::string name; herald::policy when_slow; };
  view(herald::context& self, args a) : self_{self}, name_{a.name} {
    herald::subscribe<price>(self, "prices", {.when_slow = a.when_slow});
  }
  herald::coroutine<> on(const price& p) {
    std::printf("%s: %s %.0f\n", name_.c_str(), p.symbol.c_str(), p.value);
    co_await self_.sleep(50ms);
  }
  void on(const herald::gap& g) { std::printf("%s: %llu not seen\n", name_.c_str(), static_cast<unsigned long long>(g.missed)); }
 private:
  herald::context& self_;
  std::string name_;
};

/// A feed that is much faster than a view that handles prices like this.
void show(const std::string& name, herald::policy when_slow) {
  herald::simulation sim{1};                               // virtual time: the same on any machine
  herald::application_options options;
  options.simulation = &sim;
  herald::application app{{.name = "market", .children = {herald::child<view>("view", {name, when_slow})}}, options};
  app.start();
  const auto prices = herald::bus{app}.topic("prices").value();
  for (int i = 1; i <= 1000; ++i) {
    prices.broadcast(price{"ACME", 1.0 * i});
    prices.broadcast(price{"INIT", 2.0 * i});
  }
  sim.advance(1s);
  const auto seen = herald::bus{app}.statistics("prices").value();
  std::printf("%s: %llu of %llu lost\n\n", name.c_str(), static_cast<unsigned long long>(seen.lost_in_all()),
              static_cast<unsigned long long>(seen.published));
}

int main() {
  show("latest of each", herald::policy::latest_by(&price::symbol, 100));
  show("the last two", herald::policy::drop_oldest(2));
  show("the first two", herald::policy::drop_newest(2));
}
