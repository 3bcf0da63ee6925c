// A CAF program that gets supervision. The actor is as it was: it adds what it is sent, and dies of bad input, which so
// far was the end of it. What is new is marked.

#include <caf/all.hpp>
#include <fmt/core.h>

#include <herald/caf.hpp>  // new

using namespace std::chrono_literals;

caf::behavior adder(caf::event_based_actor* self, int start) {
  fmt::print("adder: up\n");
  auto sum = std::make_shared<int>(start);
  return {[=](int n) {
            fmt::print("adder: {}\n", *sum += n);
            return *sum;
          },
          [=](const std::string& bad) {
            fmt::print("adder: cannot add \"{}\"\n", bad);
            self->quit(caf::make_error(caf::sec::invalid_argument));
          }};
}

int main() {
  herald::application app{{.name = "sums", .intensity = {3, 5s}, .children = {                     // new
      herald::caf_child("adder", [](caf::actor_system& sys) { return sys.spawn(adder, 100); })}},  // new
      {.sinks = {[](const herald::report&) {}}}};                                                  // new: quietly
  app.start();                                                                                     // new
  const auto sums = app.find<herald::caf_guest>("adder");                                          // new: valid over restarts

  sums.cast(herald::to_caf(1));
  sums.cast(herald::to_caf(std::string{"two"}));
  while (app.root().which_children().value()[0].incarnation < 2) std::this_thread::yield();
  fmt::print("main: the adder lives its second life\n");
  sums.cast(herald::to_caf(3));

  caf::scoped_actor self{herald::caf_system(app)};
  self->request(sums.call(herald::caf_handle{}).value(), 5s, 4).receive([](int n) { fmt::print("main: {}\n", n); },
                                                                        [](const caf::error&) { fmt::print("main: no answer\n"); });
}
