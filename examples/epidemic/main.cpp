// 100 000 people, one process each, and the SIR model of an epidemic (Kermack and McKendrick, 1927) in days: every day an
// infectious person meets a few others at random, a meeting infects the susceptible with a fixed chance, and the
// infectious recover with a fixed chance. The share z of people who are ever ill is known from theory: it solves
// z = 1 - exp(-R0 z). The program prints both. Its dice are seeded and rolled by each person for itself, so the course
// depends on the seed only, however the processes were scheduled.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <herald/runtime.hpp>

using namespace std::chrono_literals;

namespace {

constexpr std::size_t meetings_a_day = 4;
constexpr double infection = 0.1;
constexpr double recovery = 0.2;
constexpr double r0 = meetings_a_day * infection / recovery;

struct live_a_day {};                    // to an infectious person
struct lived {                           // its answer: whom it would have infected
  std::size_t who = 0;
  bool recovered = false;
  std::array<std::size_t, meetings_a_day> met{};
  std::size_t meetings = 0;
};
struct exposed {};                       // to a person that was met
struct examined {                        // its answer
  std::size_t who = 0;
  bool fell_ill = false;
};

/// Splitmix64: small, seeded, the same everywhere.
class dice {
 public:
  explicit dice(std::uint64_t seed) : state_{seed} {}
  std::uint64_t roll() {
    auto z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  bool chance(double p) { return static_cast<double>(roll() >> 11) * 0x1p-53 < p; }

 private:
  std::uint64_t state_;
};

struct person : herald::process<person, live_a_day, exposed> {
  struct args {
    std::size_t number = 0, people = 0;
    std::uint64_t seed = 0;
    herald::any_ref office;
  };
  explicit person(args a) : a_{a}, dice_{a.seed * 0x2545f4914f6cdd1du + a.number} {}
  void on(const live_a_day&) {
    lived day{.who = a_.number};
    for (std::size_t i = 0; i < meetings_a_day; ++i)
      if (dice_.chance(infection)) day.met[day.meetings++] = dice_.roll() % a_.people;
    day.recovered = dice_.chance(recovery);
    a_.office.cast(day);
  }
  void on(const exposed&) {
    a_.office.cast(examined{a_.number, !ever_ill_});
    ever_ill_ = true;
  }

 private:
  args a_;
  dice dice_;
  bool ever_ill_ = false;
};

/// Counts, and lets a day begin when the one before is over: every infectious person has lived it, everybody who was met
/// has been examined.
struct office : herald::process<office, lived, examined, live_a_day> {
  struct args {
    std::size_t people = 0;
    std::uint64_t seed = 0;
    herald::supervisor_ref town;
  };
  office(herald::context& self, args a) : self_{self}, a_{a}, inhabitants_(a.people) {
    for (std::size_t i = 0; i < a_.people; ++i)
      a_.town.start_child<person>(self, {i, a_.people, a_.seed, self.self()}, 1min, [this, i](const herald::result<herald::ref<person>>& r) {
        inhabitants_[i] = r.value();
        if (++settled_ == a_.people) begin();
      });
  }
  void on(const live_a_day&) {
    if (++day_ % 20 == 1) std::printf("day %3zu: %6zu infectious, %6zu ever ill\n", day_, infectious_.size(), ever_ill_);
    if (infectious_.empty()) return finish();
    awaited_ = infectious_.size();
    for (const auto who : infectious_) inhabitants_[who].cast(live_a_day{});
    infectious_.clear();
  }
  void on(const lived& m) {
    if (!m.recovered) infectious_.push_back(m.who);
    met_.insert(met_.end(), m.met.begin(), m.met.begin() + static_cast<std::ptrdiff_t>(m.meetings));
    if (--awaited_ != 0) return;
    std::sort(met_.begin(), met_.end());
    met_.erase(std::unique(met_.begin(), met_.end()), met_.end());
    awaited_ = met_.size();
    for (const auto who : met_) inhabitants_[who].cast(exposed{});
    if (met_.empty()) self_.self().cast(live_a_day{});
    met_.clear();
  }
  void on(const examined& m) {
    if (m.fell_ill) {
      infectious_.push_back(m.who);
      ++ever_ill_;
    }
    if (--awaited_ == 0) self_.self().cast(live_a_day{});
  }

 private:
  void begin() {
    std::printf("%zu people live here, one process each\n", settled_);
    const auto first = std::min<std::size_t>(10, a_.people);
    awaited_ = first;
    for (std::size_t i = 0; i < first; ++i) inhabitants_[i].cast(exposed{});
  }
  void finish() {
    double z = 0.5;
    for (int i = 0; i < 200; ++i) z = 1 - std::exp(-r0 * z);
    std::printf("after %zu days it is over: %.1f %% were ill, theory says %.1f %%\n", day_,
                100 * static_cast<double>(ever_ill_) / static_cast<double>(a_.people), 100 * z);
    self_.stop();
  }

  herald::context& self_;
  args a_;
  std::vector<herald::ref<person>> inhabitants_;
  std::vector<std::size_t> infectious_, met_;
  std::size_t settled_ = 0, awaited_ = 0, ever_ill_ = 0, day_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const auto people = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100'000u;
  const auto seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1u;
  if (people < 100 || people > 5'000'000) {
    std::fprintf(stderr, "usage: epidemic [people, 100 to 5000000] [seed]\n");
    return 2;
  }
  // The town's people are spread over the hosts; the office is significant: when it has finished, everything ends.
  herald::application app{{.name = "country", .auto_shutdown = herald::any_significant, .children = {
      herald::dynamic<person>("town", {.restart = herald::temporary, .mailbox = {.limit = 10}, .placement = herald::spread})}},
      {.sinks = {[](const herald::report&) {}}}};
  app.start();
  const auto town = app.find_supervisor("town");
  herald::child_options options{.restart = herald::transient, .mailbox = {.when_full = herald::unbounded}, .significant = true};
  const auto started = app.root().start_child(herald::child<office>("office", {people, seed, town}, options), 1min);
  if (!started) {
    std::fprintf(stderr, "%s\n", started.error().to_string().c_str());
    return 1;
  }
  app.wait_for_end(10min);
  app.stop();
}
