#include <cstdio>
#include <latch>
#include <string>

#include <herald/pubsub.hpp>
#include <herald/runtime.hpp>

struct price {
  std::string symbol;
  double value = 0;
};

/// A topic with its type: the compiler checks what is published to it, and its name.
inline constexpr herald::typed_topic<price> prices{"prices"};

/// Subscribes to a name and to patterns; the key says which subscription an event came through.
struct board : herald::process<board, price> {
  struct args { std::latch* done; };
  board(herald::context& self, args a) : done_{a.done} {
    herald::subscribe<price>(self, "prices:eu:ACME", {.key = "ACME"});
    herald::subscribe<price>(self, "prices:us:*", {.key = "america"});        // one segment, whatever it is
    herald::subscribe(self, prices / herald::any_rest, {.key = "dear",        // prices:**, and all of them are prices
                                                        .filter = [](const price& p) { return p.value > 100; }});
  }
  void on(herald::context& self, const price& p) {
    const auto from = herald::topic_of(self);
    std::printf("%s: %s is %.2f\n", std::string{from.key}.c_str(), std::string{from.topic}.c_str(), p.value);
    done_->count_down();
  }
 private:
  std::latch* done_;
};

int main() {
  std::latch done{6};
  herald::application app{{.name = "market", .children = {herald::child<board>("board", {&done})}}};
  app.start();
  const herald::bus bus{app};
  const auto acme = bus.topic("prices:eu:ACME").value();             // found once: publishing through it costs no hashing
  acme.broadcast(price{"ACME", 7.5});
  herald::broadcast(bus, prices / "us" / "EMCA", {"EMCA", 5.7}).value();
  acme.broadcast(price{"ACME", 130});                                // a copy for each subscription that matches
  const auto init = (prices / "eu" / "INIT").on(bus);                // a handle that takes prices only
  init.broadcast({"INIT", 120});
  herald::broadcast(bus, prices / std::string{"us"} / std::string{"A:B*"}, {"A:B*", 1}).value();  // any text is one segment
  done.wait();
  if (!bus.topic("orders").value().wanted()) std::printf("nobody wants orders\n");
  if (auto r = bus.broadcast("prices::us", price{}); !r) std::printf("%s\n", r.error().to_string().c_str());
  for (const auto& s : bus.subscribers("prices:us:EMCA").value()) std::printf("%s gets prices:us:EMCA\n", s.topic.c_str());
}
