#include <atomic>
#include <cstdio>
#include <latch>
#include <set>
#include <string>
#include <thread>

#include <herald/runtime.hpp>

using namespace std::chrono_literals;

struct job { int number = 0; };

/// Crashes on job 13, hangs on job 99.
struct clerk : herald::process<clerk, job> {
  struct args { std::latch* help; };
  explicit clerk(args a) : help_{a.help} {}
  void on(const job& m) {
    if (m.number == 13) throw std::runtime_error{"cannot do 13"};
    if (m.number == 99) help_->wait();                     // the mistake: blocking in a handler
  }
 private:
  std::latch* help_;
};

int main() {
  std::latch help{1};
  std::atomic<bool> stuck{false};
  std::set<std::string> told;                              // a sink is called by one thread at a time
  herald::application app{{.name = "office", .children = {herald::child<clerk>("clerk", {&help}, {.mailbox = {.limit = 2}})}},
      {.sinks = {[&](const herald::report& r) {
        told.insert(std::string{herald::name_of(r.kind)});
        if (r.kind == herald::report::overran) stuck = true;
      }}}};
  app.start();
  const auto who = app.find<clerk>("clerk");
  who.cast(job{13});
  while (app.root().which_children().value()[0].incarnation < 2) std::this_thread::yield();
  who.cast(job{99});
  while (!stuck) std::this_thread::sleep_for(1ms);         // told while it is stuck, not afterwards
  for (int i = 1; i <= 3; ++i) who.cast(job{i});           // two fit into its mailbox
  help.count_down();
  app.stop();
  for (const auto& line : told) std::printf("%s\n", line.c_str());
}
