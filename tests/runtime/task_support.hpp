#pragma once
// What the tests of tasks and requests share: processes that run what the test hands them, and answers as words.

#include <functional>
#include <optional>
#include <string>

#include <herald/coroutine.hpp>

#include "support.hpp"

namespace herald::test {

struct script {
  std::function<void(context&)> code;
};

struct owner : process<owner, script> {
  explicit owner(context& self) : self_{self} {}
  void on(const script& s) { s.code(self_); }

 private:
  context& self_;
};

struct waiting_script {
  std::function<coroutine<>(context&)> code;
};
struct which_life {
  using reply = int;
};
/// The same for handlers that wait inside.
struct inside : process<inside, waiting_script, which_life> {
  coroutine<> on(context& self, const waiting_script& s) { return s.code(self); }
  int on(context& self, const which_life&) { return static_cast<int>(self.incarnation()); }
};

inline constexpr auto none = "none";

template <class T>
std::string text_of(const result<T>& r) {
  if (!r) return std::string{r.error().name()};
  if constexpr (std::is_void_v<T>) {
    return "done";
  } else {
    return std::to_string(*r);
  }
}
template <class T>
std::string text_of(const std::optional<result<T>>& r) {
  return r ? text_of(*r) : none;
}

/// Two owners of tasks, and the supervisor under which these run.
struct office : world {
  explicit office(std::uint64_t seed, task_supervisor_options o = {}) : world{seed} {
    start({.name = "top",
           .intensity = {100, 1s},
           .children = {task_supervisor("jobs", o), child<owner>("a", {.placement = spread}), child<owner>("b", {.placement = spread})}});
    jobs = app->find_supervisor("jobs");
  }
  ~office() {
    // Whatever happened, nobody found a message it did not expect.
    CHECK(app->dead_letters() == 0);
    app.reset();
  }
  void in(const std::string& who, std::function<void(context&)> code) { app->find<owner>(who).cast(script{std::move(code)}); }
  void play(const std::string& who, std::function<void(context&)> code) {
    in(who, std::move(code));
    sim.run();
  }
  [[nodiscard]] auto into(std::string& where) {
    return [&where](const auto& r) { where = text_of(r); };
  }
  supervisor_ref jobs;
};

inline auto after(std::chrono::nanoseconds time, int value) {
  return [time, value] {
    simulation::stall(time);
    return value;
  };
}

template <class F>
void seeds(int n, F&& f, task_supervisor_options o = {}) {
  for (int seed = 1; seed <= n; ++seed) {
    CAPTURE(seed);
    office w{static_cast<std::uint64_t>(seed), o};
    f(w);
  }
}

}  // namespace herald::test
