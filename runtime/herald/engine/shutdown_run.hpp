#pragma once
// The inside of a coordinated shutdown: its phases, the tasks that wait, and the one run.

#include <map>
#include <mutex>

#include <herald/engine/core.hpp>
#include <herald/shutdown.hpp>

namespace herald::engine {

class shutdown_run {
 public:
  explicit shutdown_run(std::vector<shutdown_phase> phases);

  [[nodiscard]] result<void> check() const;
  [[nodiscard]] std::vector<std::string> order() const;
  result<coordinated_shutdown::task_id> add(std::string_view phase, std::string name, coordinated_shutdown::task_function what);
  bool cancel(coordinated_shutdown::task_id which);
  /// Of one that has not begun.
  void rename(coordinated_shutdown::task_id which, std::string name);
  [[nodiscard]] const shutdown_phase* find(std::string_view phase) const noexcept;
  [[nodiscard]] std::string current() const;
  [[nodiscard]] std::optional<shutdown_report> outcome() const;

  /// Runs the phases, once; blocks. `from`: the first phase to run, empty: all. `stop` stops the tree and returns when it
  /// has ended; it is called in every case. Not from inside a task.
  void run(core& system, std::string_view from, const std::function<void()>& stop);
  /// Nobody wants to wait: what runs is left behind, and what was not begun is not run. Any thread.
  void hurry();
  /// "shutdown task http" for each that still runs.
  [[nodiscard]] std::vector<std::string> left_behind() const;

 private:
  static constexpr std::size_t max_tasks = 256;
  struct task {
    std::uint64_t number;
    std::string name;
    coordinated_shutdown::task_function what;
  };
  struct phase_state {
    const shutdown_phase* what = nullptr;
    std::vector<task> tasks;
    bool begun = false;
  };
  /// The tasks of a phase that runs; shared with their threads, which may outlast it.
  struct batch;

  void run_phase(core& system, phase_state& p, shutdown_report& report, const std::function<void()>* stop);
  void begin(core& system, const std::shared_ptr<batch>& running, std::vector<task> tasks);
  void fail(core& system, shutdown_report& report, const std::string& phase, const std::string& name, std::string why);
  [[nodiscard]] std::vector<const shutdown_phase*> sorted() const;

  std::vector<shutdown_phase> phases_;
  mutable std::mutex mutex_;
  std::map<std::string, phase_state, std::less<>> states_;
  std::uint64_t last_number_ = 0;
  std::shared_ptr<batch> now_;  ///< of the phase that runs
  std::string current_;
  std::vector<std::shared_ptr<batch>> batches_;
  bool hurried_ = false;
  bool over_ = false;
  shutdown_report report_;
};

}  // namespace herald::engine
