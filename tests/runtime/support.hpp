#pragma once
// What the runtime's tests share: a process whose habits the test sets (how its init, handlers and terminate behave) and
// which writes its life into a journal, and an application that runs in a simulation.

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <herald/runtime.hpp>

#include <doctest/doctest.h>

namespace herald::test {

/// How one process behaves; the test changes it between two steps of the simulation.
struct habits {
  int failing_inits = 0;  ///< so many inits throw
  int refusing_inits = 0;  ///< so many inits say fail
  bool ignores = false;
  bool stops_in_init = false;
  bool throws_in_terminate = false;
  std::chrono::nanoseconds init_stall{0}, terminate_stall{0}, destructor_stall{0};
};

/// The lives of all processes of a test: "+a" init done, "!a" init failed, "?a" ignored, "-a shutdown" terminate,
/// "~a" destroyed. Locked, because some tests run on real threads.
class journal {
 public:
  void write(std::string line) {
    const std::lock_guard lock{mutex_};
    lines_.push_back(std::move(line));
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    const std::lock_guard lock{mutex_};
    return lines_;
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock{mutex_};
    return lines_.size();
  }
  std::vector<std::string> take() {
    const std::lock_guard lock{mutex_};
    return std::exchange(lines_, {});
  }
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const auto& line : lines()) all.append(all.empty() ? "" : " ").append(line);
    return all;
  }
  std::string take_text() {
    auto all = text();
    take();
    return all;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

struct boom {
  std::string text = "boom";
};
struct odd_boom {};  ///< throws an int
struct end_with {
  exit_reason why;
};
struct stall_for {
  std::chrono::nanoseconds time;
};
struct note {
  int number = 0;
};
struct life {
  using reply = std::uint32_t;
};
struct slow_life {
  std::chrono::nanoseconds time;
  using reply = std::uint32_t;
};
struct crash_call {
  using reply = int;
};
struct who_are_you {
  using reply = std::string;
};

struct probe : process<probe, boom, odd_boom, end_with, stall_for, note, life, slow_life, crash_call> {
  struct args {
    std::string name;
    journal* log = nullptr;
    std::shared_ptr<habits> how = std::make_shared<habits>();
  };
  probe(context& self, args a) : self_{self}, a_{std::move(a)} {
    auto& how = *a_.how;
    if (how.init_stall.count() > 0) simulation::stall(how.init_stall);
    if (how.ignores) {
      a_.log->write("?" + a_.name);
      self.ignore();
    }
    if (how.refusing_inits > 0) {
      --how.refusing_inits;
      a_.log->write("!" + a_.name);
      self.fail(a_.name + " is not ready");
    }
    if (how.failing_inits > 0) {
      --how.failing_inits;
      a_.log->write("!" + a_.name);
      throw std::runtime_error{a_.name + " cannot start"};
    }
    if (how.stops_in_init) self.stop();
    a_.log->write("+" + a_.name);
  }
  ~probe() {
    if (a_.how->destructor_stall.count() > 0) simulation::stall(a_.how->destructor_stall);
    a_.log->write("~" + a_.name);
  }
  void on(const boom& m) { throw std::runtime_error{m.text}; }
  void on(const odd_boom&) { throw 42; }
  void on(const end_with& m) { self_.stop(m.why); }
  void on(const stall_for& m) { simulation::stall(m.time); }
  void on(const note& m) { a_.log->write(a_.name + ":" + std::to_string(m.number)); }
  std::uint32_t on(const life&) { return self_.incarnation(); }
  std::uint32_t on(const slow_life& m) {
    simulation::stall(m.time);
    return self_.incarnation();
  }
  int on(const crash_call&) { throw std::runtime_error{"in a call"}; }
  void terminate(const exit_reason& why) {
    if (a_.how->terminate_stall.count() > 0) simulation::stall(a_.how->terminate_stall);
    a_.log->write("-" + a_.name + " " + std::string{word(why)});
    if (a_.how->throws_in_terminate) throw std::runtime_error{"terminate of " + a_.name};
  }
  static const char* word(const exit_reason& why) {
    switch (why.kind()) {
      case exit_reason::normal: return "normal";
      case exit_reason::shutdown: return "shutdown";
      case exit_reason::killed: return "killed";
      case exit_reason::crash: return "crash";
      case exit_reason::noproc: return "noproc";
      case exit_reason::custom: return "custom";
    }
    return "?";
  }

 private:
  context& self_;
  args a_;
};

/// A simulation, a journal and the reports of one application.
struct world {
  explicit world(std::uint64_t seed = 1) : sim{seed} {}
  ~world() { app.reset(); }
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  [[nodiscard]] child_spec worker(const std::string& name, child_options options = {}) {
    return child<probe>(name, {.name = name, .log = &log, .how = how(name)}, options);
  }
  [[nodiscard]] std::shared_ptr<habits> how(const std::string& name) {
    auto& h = habits_[name];
    if (!h) h = std::make_shared<habits>();
    return h;
  }
  [[nodiscard]] application_options options() {
    application_options o;
    o.simulation = &sim;
    o.hosts = 3;
    o.sinks = {[this](const report& r) { reports.push_back(r); }};
    return o;
  }
  application& make(supervisor root) {
    app.reset();
    app = std::make_unique<application>(std::move(root), options());
    return *app;
  }
  application& start(supervisor root) {
    make(std::move(root)).start();
    return *app;
  }
  [[nodiscard]] ref<probe> at(const std::string& path) const { return app->find<probe>(path); }
  /// The incarnation that answers at `path`, 0 when nobody does.
  [[nodiscard]] std::uint32_t life_of(const std::string& path) const {
    const auto r = at(path).call(life{}, std::chrono::milliseconds{50});
    return r ? *r : 0;
  }
  template <class M>
  void tell(const std::string& path, M m) {
    at(path).cast(std::move(m));
    sim.run();
  }
  void crash(const std::string& path) { tell(path, boom{}); }
  [[nodiscard]] child_counts counts(const std::string& path = {}) const {
    return app->find_supervisor(path).count_children().value();
  }
  [[nodiscard]] std::string list(const std::string& path = {}) const {
    std::string out;
    const auto children = app->find_supervisor(path).which_children().value();
    for (const auto& c : children) {
      out.append(out.empty() ? "" : " ").append(c.id);
      switch (c.state) {
        case child_state_t::running: break;
        case child_state_t::starting: out.append("(starting)"); break;
        case child_state_t::restarting: out.append("(restarting)"); break;
        case child_state_t::stopped: out.append("(stopped)"); break;
      }
    }
    return out;
  }
  [[nodiscard]] std::size_t told(report::kind_t kind, const std::string& path = {}) const {
    return static_cast<std::size_t>(std::count_if(reports.begin(), reports.end(), [&](const report& r) {
      return r.kind == kind && (path.empty() || r.path == path);
    }));
  }

  simulation sim;
  journal log;
  std::vector<report> reports;
  std::unique_ptr<application> app;

 private:
  std::unordered_map<std::string, std::shared_ptr<habits>> habits_;
};

}  // namespace herald::test

namespace herald {

inline doctest::String toString(const child_counts& c) {
  return ("(" + std::to_string(c.specs) + "," + std::to_string(c.active) + "," + std::to_string(c.supervisors) + "," +
          std::to_string(c.workers) + ")")
      .c_str();
}

}  // namespace herald
