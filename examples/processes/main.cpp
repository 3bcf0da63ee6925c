#include <cstdio>
#include <map>
#include <string>

#include <herald/runtime.hpp>

using namespace std::chrono_literals;

struct deposit { std::string account; int cents = 0; };            // a cast: nobody waits for it
struct balance { std::string account; using reply = int; };        // a call: it names its answer
struct close_day {};

/// All state lives in one object, one message at a time touches it.
struct ledger : herald::process<ledger, deposit, balance, close_day> {
  struct args { int fee = 0; };                                    // kept by the supervisor, for every incarnation
  ledger(herald::context& self, args a) : self_{self}, a_{a} { self.send_after(50ms, close_day{}); }
  void on(const deposit& m) {
    if (m.cents < 0) throw std::invalid_argument{"negative deposit"};   // a crash of this process only
    accounts_[m.account] += m.cents;
  }
  int on(const balance& m) { return accounts_[m.account]; }
  void on(const close_day&) {
    for (auto& [name, cents] : accounts_) cents -= a_.fee;
    self_.stop();                                                  // content: transient, so not started again
  }
  void terminate(const herald::exit_reason& why) { std::printf("ledger ends: %s\n", why.to_string().c_str()); }
 private:
  herald::context& self_;
  args a_;
  std::map<std::string, int> accounts_;
};

int main() {
  herald::application app{{.name = "bank", .children = {
      herald::child<ledger>("ledger", {.fee = 1}, {.restart = herald::transient})}},
      {.sinks = {[](const herald::report&) {}}}};
  app.start();
  const auto book = app.find<ledger>("ledger");                    // an address: valid over restarts
  book.cast(deposit{"ann", 100});
  book.cast(deposit{"ann", 20});
  std::printf("ann has %d\n", book.call(balance{"ann"}).value());  // blocking, on a plain thread
  book.cast(deposit{"ann", -5});                                   // crashes it; the deposits above are gone with the state
  std::printf("after the crash ann has %d\n", book.call(balance{"ann"}).value());
  while (app.root().count_children().value().active != 0) std::this_thread::sleep_for(1ms);
  std::printf("now: %s\n", book.call(balance{"ann"}).error().to_string().c_str());
}
