#pragma once
// Hosts under a seed. The loop that picks the next host is carried by a thread of its own; when a handler stalls, its
// thread keeps the handler and another one carries the loop on, so that stuck handlers, seizure and fencing happen here
// exactly as they do in earnest, only in virtual time.

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include <herald/engine/alarms.hpp>
#include <herald/engine/baton.hpp>
#include <herald/engine/executor.hpp>
#include <herald/simulation.hpp>

namespace herald::engine {

class virtual_clock final : public herald::clock {
 public:
  [[nodiscard]] std::chrono::steady_clock::time_point now() const noexcept override { return now_; }
  [[nodiscard]] std::chrono::system_clock::time_point wall() const noexcept override {
    // A fixed day, so that runs of one seed are alike: 2024-01-01 00:00 UTC.
    return std::chrono::system_clock::time_point{std::chrono::seconds{1'704'067'200}} +
           std::chrono::duration_cast<std::chrono::system_clock::duration>(now_.time_since_epoch());
  }
  void set(time_point t) noexcept { now_ = t; }

 private:
  time_point now_{std::chrono::seconds{1}};
};

class seeded_entropy final : public herald::entropy {
 public:
  explicit seeded_entropy(std::uint64_t seed) : generator_{seed} {}
  [[nodiscard]] std::uint64_t next() noexcept override { return generator_(); }

 private:
  std::mt19937_64 generator_;
};

class simulation_executor;

}  // namespace herald::engine

namespace herald {

struct simulation::impl {
  explicit impl(std::uint64_t given) : seed{given}, schedule{given ^ 0x5bd1e995U}, dice{given}, users{given + 1} {}
  std::uint64_t seed;
  std::mt19937_64 schedule;
  engine::virtual_clock time;
  engine::seeded_entropy dice;
  engine::seeded_entropy users;
  engine::simulation_executor* runs = nullptr;
};

}  // namespace herald

namespace herald::engine {

class simulation_executor final : public executor {
 public:
  explicit simulation_executor(herald::simulation& sim);
  ~simulation_executor() override;

  void add(host& h, bool own_thread) override;
  void schedule(host& h, frame* by) override;
  void run_seized(host& h) override;
  void returned(host&) noexcept override {}
  void alarm(host& h, time_point when) override;
  bool wait(waiter& w, std::optional<std::chrono::steady_clock::duration> limit) override;
  void post_step(std::function<void()> work) override;
  void add_source(std::function<bool()> poll) override { sources_.push_back(std::move(poll)); }
  bool shut_down() override;

  /// On the driving thread: lets a carrier call `job` until it says true.
  void drive(std::function<bool()> job);
  // Units of work, on a carrier.
  /// Somebody has something to do; the world outside is asked when nobody has.
  [[nodiscard]] bool busy() { return !runnable_.empty() || (!sources_.empty() && look_outside()); }
  void step_one();
  [[nodiscard]] std::optional<time_point> next_event() const;
  void set_time(time_point t);
  void stall(std::chrono::nanoseconds time);

 private:
  struct job_host {
    host* h;
    bool claimed;
    std::function<void()> work{};  ///< instead of a host
  };
  struct carrier {
    unsigned id = 0;
    bool idle = true;
    bool stalled = false;
    unsigned resumed_by = 0;
    unsigned in_place = 0;          ///< so many predicates and sinks on its stack drive on
    bool stalled_in_place = false;  ///< ... and a handler that one of them runs cannot wait there
    time_point until{};
    std::thread thread;
  };
  bool look_outside();
  void run_host(const job_host& job);
  void carry(carrier& me);
  [[nodiscard]] carrier& idle_carrier();
  void resume_due(carrier& me);
  void drive_in_place(const std::function<bool()>& job);
  [[nodiscard]] carrier* current() noexcept;

  herald::simulation::impl& sim_;
  std::exception_ptr thrown_;  ///< by a job: a predicate's or a sink's
  core* system_ = nullptr;
  std::vector<job_host> runnable_;
  std::vector<std::function<bool()>> sources_;
  alarms alarms_;
  baton baton_;
  std::vector<std::unique_ptr<carrier>> carriers_;
  std::shared_ptr<const std::function<bool()>> job_;
  bool quitting_ = false;
  bool release_all_ = false;
  time_point last_watch_{};
  bool ended_ = false;
};

}  // namespace herald::engine
