#include <cstdio>

#include <herald/runtime.hpp>
#include <herald/testing.hpp>

using namespace std::chrono_literals;
namespace testing = herald::testing;

struct reading { double celsius = 0; };
struct too_hot { double celsius = 0; };

/// What is tested: tells an alarm after three hot readings in a row, at most once a minute.
struct thermostat : herald::process<thermostat, reading> {
  struct args { herald::any_ref tells; };
  thermostat(herald::context& self, args a) : self_{self}, a_{a} {}
  void on(const reading& m) {
    hot_ = m.celsius > 80 ? hot_ + 1 : 0;
    if (hot_ < 3 || (told_ && self_.now() - *told_ < 1min)) return;
    told_ = self_.now();
    a_.tells.cast(too_hot{m.celsius});
  }
 private:
  herald::context& self_;
  args a_;
  int hot_ = 0;
  std::optional<std::chrono::steady_clock::time_point> told_;
};

void tells_once_a_minute(std::uint64_t seed) {
  testing::world w{{.name = "house"}, {.seed = seed}};       // a simulation: one thread, an order that the seed picks
  w.faults().crash_on<reading>("thermostat", testing::nth(9));
  w.start();
  testing::probe<too_hot> p{w};                              // stands for whoever is told
  static_cast<void>(w.app().root().start_child(herald::child<thermostat>("thermostat", {p})).value());
  const auto it = w.find<thermostat>("thermostat");
  for (int i = 0; i < 5; ++i) it.cast(reading{90});
  p.expect<too_hot>();
  p.expect_nothing(59s);                                     // virtual time: takes no time at all
  w.advance(1s);
  it.cast(reading{95});
  if (p.expect<too_hot>().celsius != 95) throw testing::failure{"told the wrong reading"};
  for (int i = 0; i < 6; ++i) it.cast(reading{99});          // the ninth reading is a crash; a new life knows nothing
  p.expect<too_hot>();
  if (w.count(herald::report::restarted, "thermostat") != 1) throw testing::failure{"it was not restarted"};
}

int main() {
  testing::for_seeds(200, tells_once_a_minute);              // a failure would name its seed: HERALD_SEED=n runs it alone
  std::printf("200 schedules, nothing found\n");
}
