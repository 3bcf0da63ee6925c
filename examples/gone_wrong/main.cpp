#include <cstdio>
#include <string>
#include <thread>

#include <herald/runtime.hpp>

using namespace std::chrono_literals;

struct job { int number = 0; };

/// Crashes on job 13, hangs on job 99.
struct clerk : herald::process<clerk, job> {
  void on(const job& m) {
    if (m.number == 13) throw std::runtime_error{"cannot do 13"};
    if (m.number == 99) std::this_thread::sleep_for(400ms);    // the mistake: blocking in a handler
  }
};

int main() {
  herald::application app{{.name = "office", .children = {herald::child<clerk>("clerk", {.mailbox = {.limit = 2}})}},
      {.sinks = {[](const herald::report& r) {
        using enum herald::report::kind_t;
        if (r.kind == crashed || r.kind == restarted || r.kind == overran || r.kind == came_back || r.kind == dead_letter)
          std::printf("%s\n", std::string{herald::name_of(r.kind)}.c_str());
      }}}};
  app.start();
  const auto clerk_ref = app.find<clerk>("clerk");
  clerk_ref.cast(job{13});
  while (app.root().which_children().value()[0].incarnation < 2) std::this_thread::yield();
  app.flush_reports();
  clerk_ref.cast(job{99});
  std::this_thread::sleep_for(200ms);                          // beyond the overrun limit of 100 ms
  for (int i = 1; i <= 3; ++i) clerk_ref.cast(job{i});         // two fit into its mailbox
  std::this_thread::sleep_for(400ms);
  app.flush_reports();
  app.stop();
}
