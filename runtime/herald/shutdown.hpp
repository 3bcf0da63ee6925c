#pragma once
// The problem: a program ends in steps that are not all processes: stop listening, let requests finish, stop the tree,
// flush what is left; some in order, some side by side, none for ever. A coordinated shutdown is that order: phases that
// come after each other, tasks in each, a limit for each; and what fails or hangs is told and left behind.
//
//   herald::coordinated_shutdown ending{{{.name = "stop listening"},
//                                        {.name = "finish requests", .after = {"stop listening"}, .limit = 30s},
//                                        {.name = "flush", .after = {"stop tree"}}}};
//   ending.add("stop listening", "http", [&] { listener.close(); });
//   ending.add("finish requests", "http", [&](std::stop_token hurry) { listener.drain(hurry); });
//   herald::application app{tree, {.shutdown = ending}};
//   app.run_until_signal();                     // runs it, as stop() does
//
// The phase "stop tree" is always there: it stops the supervision tree, whose children have limits of their own. Where it
// is not listed it comes after all phases that do not come after it. Processes still work in the phases before.
//
// Tasks run on threads of their own, all of a phase at once (in a simulation: as steps, in virtual time). They may use
// refs, blocking calls too. A task that does not end within its phase's limit is asked by its stop_token and left behind;
// stop_report names it, and nothing it could touch is freed while it runs.
//
// Thread safety: a handle; copies are the same shutdown; all members from any thread, tasks and handlers included.
// Lifetime: for one application and one run; a second stop answers the same. Bounds: 256 tasks a phase.
// Errors: values: not_found (no such phase), closed (the phase has begun), bad_option (see check).
// The idea: Akka's and Pekko's CoordinatedShutdown.

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <herald/ref.hpp>

namespace herald {

inline constexpr std::string_view stop_tree = "stop tree";

struct shutdown_phase {
  std::string name;
  std::vector<std::string> after{};       ///< phases that must be over before this one begins
  std::chrono::milliseconds limit{5000};  ///< for its tasks, 1 up
  bool recover = true;                    ///< false: after a failure or at the limit no further phase's tasks are run
  bool enabled = true;                    ///< false: its tasks are not run
};

/// How the phases went.
struct shutdown_report {
  struct phase_t {
    std::string name;
    std::chrono::milliseconds took{0};
    std::size_t tasks = 0;
    bool timed_out = false;
  };
  struct failure_t {
    std::string phase, task, why;
  };
  std::vector<phase_t> phases;      ///< those that were run, in order
  std::vector<failure_t> failures;  ///< tasks that failed or did not end in time
  bool aborted = false;             ///< a phase without recover failed
};

namespace engine {
class shutdown_run;
}

class coordinated_shutdown {
 public:
  using task_function = std::function<result<void>(std::stop_token)>;
  /// Names a task for cancel. Never reused.
  struct task_id {
    std::uint64_t number = 0;
    friend bool operator==(const task_id&, const task_id&) = default;
  };

  /// Only "stop tree".
  coordinated_shutdown() : coordinated_shutdown{std::vector<shutdown_phase>{}} {}
  explicit coordinated_shutdown(std::vector<shutdown_phase> phases);

  /// What is wrong with the phases: empty or double names, unknown ones, a cycle, a limit below 1 ms. The application
  /// refuses to start with such a shutdown.
  [[nodiscard]] result<void> check() const;
  /// The phases in the order in which they will run; empty when check() complains.
  [[nodiscard]] std::vector<std::string> order() const;

  /// Adds a task: `what` takes nothing or a std::stop_token, and answers nothing or a result<void>. What it throws is a
  /// failure. Also while the shutdown runs, to a phase that has not begun.
  template <class F>
    requires(std::invocable<F&> || std::invocable<F&, std::stop_token>)
  result<task_id> add(std::string_view phase, std::string name, F what) const {
    return add_task(phase, std::move(name), [what = std::move(what)](std::stop_token hurry) mutable -> result<void> {
      const auto call = [&] {
        if constexpr (std::invocable<F&, std::stop_token>) {
          return what(std::move(hurry));
        } else {
          return what();
        }
      };
      if constexpr (std::same_as<decltype(call()), result<void>>) {
        return call();
      } else {
        static_cast<void>(call());
        return {};
      }
    });
  }
  /// A task that stops this process and waits for its end; one that has ended counts as done.
  result<task_id> add_stop(std::string_view phase, any_ref who, exit_reason why = exit_reason::shutdown) const;
  /// True: it was not run and will not be.
  bool cancel(task_id which) const;

  /// The phase that runs now, empty before and after.
  [[nodiscard]] std::string current() const;
  /// How it went; nothing before it is over.
  [[nodiscard]] std::optional<shutdown_report> outcome() const;

  friend bool operator==(const coordinated_shutdown&, const coordinated_shutdown&) = default;
  /// For the application.
  [[nodiscard]] engine::shutdown_run& inside() const noexcept { return *run_; }

 private:
  result<task_id> add_task(std::string_view phase, std::string name, task_function what) const;
  std::shared_ptr<engine::shutdown_run> run_;
};

}  // namespace herald
