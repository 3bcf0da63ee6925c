#pragma once
// The problem: a test of processes that runs on real threads is slow, and fails on Tuesdays. A world is an application in
// a simulation, with its faults and its reports at hand: it runs when the test says so, in virtual time, in an order that
// a seed picks.
//
//   TEST_CASE("the cache comes back after a crash") {
//     herald::testing::world w{{.name = "root", .children = {child<cache>("cache")}}};
//     w.faults().crash_on<quote>("cache", nth(1));
//     ...
//     w.find<cache>("cache").cast(quote{...});
//     w.run();
//     CHECK(w.count(report::restarted, "cache") == 1);
//   }
//
// Thread safety: one thread. Lifetime: stops its application at its end, and throws nothing there. Errors: failure.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <herald/application.hpp>
#include <herald/simulation.hpp>
#include <herald/testing/failure.hpp>
#include <herald/testing/faults.hpp>
#include <herald/testing/seeds.hpp>

namespace herald::testing {

struct world_options {
  std::uint64_t seed = seed_from_environment();
  /// Clock, entropy, simulation and faults are the world's own; sinks are added to its own.
  application_options application{};
};

class world {
 public:
  /// Not started yet, so that faults may be set and tables be filled.
  explicit world(supervisor root, world_options options = {});
  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  /// Starts the tree; throws start_error as application::start does.
  world& start();
  /// Ends it; what it says is what application::stop says.
  stop_report stop();

  [[nodiscard]] application& app() noexcept;
  [[nodiscard]] simulation& sim() noexcept;
  [[nodiscard]] testing::faults& faults() noexcept;
  [[nodiscard]] std::uint64_t seed() const noexcept;

  /// Until nobody has anything to do now. A failure when that does not come.
  void run();
  /// Lets virtual time pass.
  void advance(std::chrono::nanoseconds time);
  /// Lets things happen until `done`, at most for `limit` of virtual time; then a failure that says `what` was awaited.
  void run_until(std::string_view what, const std::function<bool()>& done,
                 std::chrono::nanoseconds limit = std::chrono::seconds{10});

  /// A process that must be there. A failure names what is there instead.
  template <class P>
  [[nodiscard]] ref<P> find(std::string_view path) {
    auto found = app().find<P>(path);
    if (!found) missing(path, engine::ops_of<P>.name);
    return found;
  }
  /// Asks it, and lets things happen until the answer; an error is a failure.
  template <class P, class M>
  typename M::reply ask(const ref<P>& whom, M message, std::chrono::milliseconds limit = default_call_limit) {
    auto answer = whom.call(std::move(message), limit);
    if (!answer) throw failure{describe("a call was answered with an error: " + answer.error().to_string())};
    if constexpr (!std::is_void_v<typename M::reply>) return std::move(*answer);
  }

  /// What was reported so far.
  [[nodiscard]] std::vector<report> reports();
  /// How many reports of this kind there are, about this path (empty: any).
  [[nodiscard]] std::size_t count(report::kind_t kind, std::string_view path = {});

  /// The text with seed and virtual time, for failures.
  [[nodiscard]] std::string describe(std::string_view text) const;

 private:
  [[noreturn]] void missing(std::string_view path, std::string_view type);
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace herald::testing
