#include <cstdio>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>

#include <herald/pubsub.hpp>
#include <herald/runtime.hpp>

using namespace std::chrono_literals;

struct order { int cents = 0; };
struct takings { int cents = 0; };
struct account {                                              // one customer's, from its first order until it is quiet
  explicit account(std::string customer) : name{std::move(customer)} {}
  std::string name;
  int cents = 0;
};

int main() {
  std::counting_semaphore<> seen{0}, booked{0};
  herald::application shop{{.name = "shop", .intensity = {5, 5s}, .children = {
      herald::subscriber("orders:*", [&](takings& all, const order& o) {
        std::printf("the till has %d\n", all.cents += o.cents);
        seen.release();
      })}}, {.sinks = {[](const herald::report&) {}}}};
  shop.start();
  auto accounts = shop.spawn(herald::subscriber_per<std::string>("orders:*", [&](account& a, const order& o) {
    seen.acquire();                                           // after the till, only to print in this order
    if (o.cents > 0) std::printf("%s has bought for %d\n", a.name.c_str(), a.cents += o.cents);
    booked.release();
    if (o.cents < 0) throw std::runtime_error{"a negative order"};
  }, {.name = "accounts", .idle = 1s})).value();

  const auto number_of_accounts = [&] {
    return shop.find_supervisor("accounts/each").count_children().value().active;
  };
  const auto sell = [&](const char* topic, int cents) {
    herald::bus{shop}.broadcast(topic, order{cents}).value();
    booked.acquire();
  };
  sell("orders:ann", 5);
  sell("orders:bob", 7);
  sell("orders:ann", 3);
  sell("orders:bob", -1);                                     // bob's account crashes and begins anew; ann's does not
  sell("orders:bob", 2);
  sell("orders:ann", 1);
  while (number_of_accounts() != 0) std::this_thread::sleep_for(5ms);
  std::printf("everybody is quiet\n");
  sell("orders:ann", 4);
  accounts.stop().value();
  std::printf("the accounts are closed\n");
}
