#include <cstdio>
#include <latch>
#include <string>

#include <herald/pubsub.hpp>
#include <herald/runtime.hpp>

struct price {
  std::string symbol;
  double value = 0;
};

/// Wants two topics; the key says which subscription an event came through.
struct board : herald::process<board, price> {
  struct args { std::latch* done; };
  board(herald::context& self, args a) : done_{a.done} {
    herald::subscribe<price>(self, "prices:eu", {.key = "europe"});
    herald::subscribe<price>(self, "prices:us", {.key = "america"});
  }
  void on(herald::context& self, const price& p) {
    std::printf("%s: %s is %.2f\n", std::string{herald::topic_of(self).key}.c_str(), p.symbol.c_str(), p.value);
    done_->count_down();
  }
 private:
  std::latch* done_;
};

int main() {
  std::latch done{3};
  herald::application app{{.name = "market", .children = {herald::child<board>("board", {&done})}}};
  app.start();
  const herald::bus bus{app};
  const auto europe = bus.topic("prices:eu").value();     // found once: publishing through it costs no hashing
  europe.broadcast(price{"ACME", 7.5});
  europe.broadcast(price{"INIT", 1.25});
  bus.broadcast("prices:us", price{"EMCA", 5.7}).value();
  done.wait();
  if (auto r = bus.broadcast("prices::us", price{}); !r) std::printf("%s\n", r.error().to_string().c_str());
  std::printf("subscriptions to prices:eu: %zu\n", bus.subscribers("prices:eu").value().size());
}
