// A CAF program whose group has become a topic. The actors are as they were; what is new is marked.

#include <cstdint>
#include <semaphore>
#include <string>
#include <thread>

#include <caf/all.hpp>
#include <fmt/core.h>

#include <herald/caf_subscriber.hpp>  // new
#include <herald/runtime.hpp>         // new

using shown = std::counting_semaphore<>;

caf::behavior display(caf::event_based_actor* self, shown* done) {
  return {[=](std::int32_t cents) {
            fmt::print("display: {}\n", cents);
            done->release();
          },
          [=](const std::string& word) {
            fmt::print("display: {}\n", word);
            self->quit();
          }};
}

caf::behavior feed(caf::event_based_actor* self, const herald::bus& bus) {
  return {[=](std::int32_t first) {
    for (auto cents = first; cents < first + 3; ++cents) bus.broadcast("prices:ACME", cents).value();  // was: send(group, cents)
    self->quit();
  }};
}

int main() {
  shown done{0};
  herald::application app{{.name = "market"}, {.sinks = {[](const herald::report&) {}}}};              // new
  app.start();                                                                                         // new
  const herald::bus bus{app};                                                                          // new
  caf::scoped_actor self{herald::caf_system(app)};
  auto screen = self->spawn(display, &done);
  const auto joined = herald::subscribe_actor<std::int32_t>(                                           // was: join(group)
      bus, "prices:*", screen, {.filter = [](const std::int32_t& cents) { return cents % 2 == 0; }}).value();

  self->send(self->spawn(feed, bus), 100);
  for (int i = 0; i < 2; ++i) done.acquire();
  bus.broadcast("prices:INIT", std::int32_t{1'250}).value();
  done.acquire();
  joined.end();                                                                                        // was: leave(group)
  bus.broadcast("prices:ACME", std::int32_t{104}).value();                                             // nobody's any more

  const auto again = herald::subscribe_actor<std::int32_t>(bus, "prices:*", screen).value();
  self->send(screen, std::string{"good night"});
  while (bus.patterns() != 0) std::this_thread::yield();                                               // it ended: so did that
  fmt::print("main: nobody is subscribed\n");
}
