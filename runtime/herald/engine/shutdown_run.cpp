#include <herald/engine/shutdown_run.hpp>

#include <algorithm>
#include <set>
#include <thread>

#include <pthread.h>

#include <herald/engine/crash_text.hpp>

namespace herald::engine {

namespace {

/// A task that asks its own application to stop would wait for itself.
thread_local bool in_task = false;

}  // namespace

struct shutdown_run::batch {
  ~batch() { all_done->release(); }
  struct one {
    std::string name;
    bool done = false;
    result<void> how{};
  };
  std::mutex mutex;
  std::vector<one> tasks;
  std::size_t open = 0;
  std::stop_source hurry;
  waiter_for<bool>* all_done = new waiter_for<bool>;
};

shutdown_run::shutdown_run(std::vector<shutdown_phase> phases) : phases_{std::move(phases)} {
  const auto is_tree = [](const shutdown_phase& p) { return p.name == stop_tree; };
  if (std::none_of(phases_.begin(), phases_.end(), is_tree)) {
    // After all that do not come after it, directly or over others.
    std::set<std::string, std::less<>> later{std::string{stop_tree}};
    for (bool grows = true; grows;) {
      grows = false;
      for (const auto& p : phases_)
        if (std::any_of(p.after.begin(), p.after.end(), [&](const auto& a) { return later.contains(a); }))
          grows = later.insert(p.name).second || grows;
    }
    shutdown_phase tree{.name = std::string{stop_tree}};
    for (const auto& p : phases_)
      if (!later.contains(p.name)) tree.after.push_back(p.name);
    phases_.push_back(std::move(tree));
  }
  for (const auto& p : phases_) states_[p.name].what = &p;
}

result<void> shutdown_run::check() const {
  std::vector<field_error> faults;
  std::set<std::string, std::less<>> seen;
  for (const auto& p : phases_) {
    if (p.name.empty()) faults.push_back({"phases", "has a phase without a name"});
    if (!seen.insert(p.name).second) faults.push_back({p.name, "is there twice"});
    if (p.limit.count() < 1) faults.push_back({p.name, "has a limit of " + std::to_string(p.limit.count()) + " ms; wanted: 1 up"});
    for (const auto& a : p.after)
      if (find(a) == nullptr) faults.push_back({p.name, "comes after \"" + a + "\", which is no phase"});
  }
  if (faults.empty() && sorted().size() != phases_.size()) {
    std::string names;
    const auto placed = sorted();
    for (const auto& p : phases_)
      if (std::find(placed.begin(), placed.end(), &p) == placed.end()) names += (names.empty() ? "" : ", ") + p.name;
    faults.push_back({"phases", "wait for each other in a circle: " + names});
  }
  if (faults.empty()) return {};
  return error{errc::bad_option, "the phases of the shutdown are wrong", std::move(faults)};
}

/// Those that can be placed, each behind what it comes after, else as listed.
std::vector<const shutdown_phase*> shutdown_run::sorted() const {
  std::vector<const shutdown_phase*> order;
  std::set<std::string_view> placed;
  for (bool grows = true; grows;) {
    grows = false;
    for (const auto& p : phases_) {
      if (placed.contains(p.name)) continue;
      if (!std::all_of(p.after.begin(), p.after.end(), [&](const auto& a) { return placed.contains(a); })) continue;
      placed.insert(p.name);
      order.push_back(&p);
      grows = true;
      break;
    }
  }
  return order;
}

std::vector<std::string> shutdown_run::order() const {
  std::vector<std::string> names;
  if (!check()) return names;
  for (const auto* p : sorted()) names.push_back(p->name);
  return names;
}

const shutdown_phase* shutdown_run::find(std::string_view phase) const noexcept {
  const auto found = std::find_if(phases_.begin(), phases_.end(), [&](const auto& p) { return p.name == phase; });
  return found != phases_.end() ? &*found : nullptr;
}

result<coordinated_shutdown::task_id> shutdown_run::add(std::string_view phase, std::string name,
                                                        coordinated_shutdown::task_function what) {
  const std::lock_guard lock{mutex_};
  const auto found = states_.find(phase);
  const auto task_text = "the shutdown task " + name + " was not added: ";
  if (found == states_.end()) return error{errc::not_found, task_text + "there is no phase \"" + std::string{phase} + "\""};
  auto& p = found->second;
  if (p.begun || over_) return error{errc::closed, task_text + "the phase \"" + std::string{phase} + "\" has begun or is over"};
  if (p.tasks.size() >= max_tasks)
    return error{errc::overload, task_text + "the phase \"" + std::string{phase} + "\" has " + std::to_string(max_tasks) + " tasks"};
  p.tasks.push_back({++last_number_, std::move(name), std::move(what)});
  return coordinated_shutdown::task_id{last_number_};
}

bool shutdown_run::cancel(coordinated_shutdown::task_id which) {
  const std::lock_guard lock{mutex_};
  for (auto& [name, p] : states_)
    if (std::erase_if(p.tasks, [&](const task& t) { return t.number == which.number; }) != 0) return true;
  return false;
}

void shutdown_run::rename(coordinated_shutdown::task_id which, std::string name) {
  const std::lock_guard lock{mutex_};
  for (auto& [phase, p] : states_)
    for (auto& t : p.tasks)
      if (t.number == which.number) t.name = std::move(name);
}

std::string shutdown_run::current() const {
  const std::lock_guard lock{mutex_};
  return current_;
}

std::optional<shutdown_report> shutdown_run::outcome() const {
  const std::lock_guard lock{mutex_};
  return over_ ? std::optional{report_} : std::nullopt;
}

void shutdown_run::run(core& system, std::string_view from, const std::function<void()>& stop) {
  if (in_task) return;
  shutdown_report report;
  auto order = check() ? sorted() : std::vector<const shutdown_phase*>{find(stop_tree)};
  bool begun = from.empty();
  if (!begun && find(from) == nullptr) {
    fail(system, report, std::string{from}, "", "there is no such phase; all were run");
    begun = true;
  }
  for (const auto* p : order) {
    begun = begun || p->name == from;
    const bool tree = p->name == stop_tree;
    auto& state = states_.find(p->name)->second;
    if (!begun || !p->enabled || report.aborted) {
      const std::lock_guard lock{mutex_};
      state.begun = true;
      state.tasks.clear();
    }
    if ((begun && p->enabled && !report.aborted) || tree) run_phase(system, state, report, tree ? &stop : nullptr);
  }
  const std::lock_guard lock{mutex_};
  current_.clear();
  over_ = true;
  report_ = std::move(report);
}

void shutdown_run::run_phase(core& system, phase_state& p, shutdown_report& report, const std::function<void()>* stop) {
  const auto start = system.time().now();
  const auto running = std::make_shared<batch>();
  std::vector<task> tasks, not_run;
  {
    const std::lock_guard lock{mutex_};
    p.begun = true;
    std::exchange(p.tasks, {}).swap(hurried_ ? not_run : tasks);
    current_ = p.what->name;
    now_ = running;
    if (!tasks.empty()) batches_.push_back(running);
  }
  for (const auto& t : not_run) fail(system, report, p.what->name, t.name, "it was not run: nobody wanted to wait any longer");
  const auto count = tasks.size();
  begin(system, running, std::move(tasks));
  if (stop != nullptr) (*stop)();
  bool in_time = true;
  if (count != 0) in_time = wait(system, *running->all_done, p.what->limit) && running->all_done->peek();
  running->hurry.request_stop();
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(system.time().now() - start);
  bool failed = false;
  {
    const std::lock_guard lock{running->mutex};
    for (const auto& t : running->tasks) {
      if (t.done && t.how) continue;
      failed = true;
      fail(system, report, p.what->name, t.name,
           t.done ? t.how.error().message() : "it did not end within " + std::to_string(took.count()) + " ms and is left behind");
    }
  }
  report.phases.push_back({p.what->name, took, count, !in_time});
  report.aborted = report.aborted || (failed && !p.what->recover);
}

void shutdown_run::begin(core& system, const std::shared_ptr<batch>& running, std::vector<task> tasks) {
  running->open = tasks.size();
  for (const auto& t : tasks) running->tasks.push_back({t.name});
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    // The task's captures end with it, before it counts as done.
    auto work = [running, i, what = std::move(tasks[i].what)]() mutable {
      in_task = true;
      result<void> how;
      try {
        how = what(running->hurry.get_token());
      } catch (...) {
        how = error{errc::failed, "it threw: " + std::string{crash_of_current_exception().text()}};
      }
      what = nullptr;
      in_task = false;
      const std::lock_guard lock{running->mutex};
      running->tasks[i].how = std::move(how);
      running->tasks[i].done = true;
      if (--running->open == 0) running->all_done->set(true);
    };
    if (system.options().simulation != nullptr) {
      system.runs().post_step(std::move(work));
    } else {
      std::thread t{std::move(work)};
      ::pthread_setname_np(t.native_handle(), "herald-ending");
      t.detach();
    }
  }
}

void shutdown_run::fail(core& system, shutdown_report& report, const std::string& phase, const std::string& name, std::string why) {
  herald::report r;
  r.kind = herald::report::shutdown_failed;
  r.text = "the task " + name + " of the phase " + phase + ": " + why;
  if (name.empty()) r.text = "the phase " + phase + ": " + why;
  system.tell(std::move(r));
  report.failures.push_back({phase, name, std::move(why)});
}

void shutdown_run::hurry() {
  const std::lock_guard lock{mutex_};
  hurried_ = true;
  if (now_ != nullptr) now_->all_done->set(false);
}

std::vector<std::string> shutdown_run::left_behind() const {
  std::vector<std::string> names;
  const std::lock_guard lock{mutex_};
  for (const auto& b : batches_) {
    const std::lock_guard batch_lock{b->mutex};
    for (const auto& t : b->tasks)
      if (!t.done) names.push_back("shutdown task " + t.name);
  }
  return names;
}

}  // namespace herald::engine
