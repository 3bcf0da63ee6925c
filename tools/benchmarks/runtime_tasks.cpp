// Herald: tasks and offloaded functions, one at a time. Each mirrors its counterpart in caf_tasks.cpp.
#include <utility>

#include "runtime.hpp"
#include "runtime_environment.hpp"

namespace bench::runtime {

namespace {

using namespace std::chrono_literals;

struct begin {
  herald::supervisor_ref jobs;
};

struct owner_args {
  std::int64_t rounds;
  countdown* done;
};

/// Starts a task, awaits it, starts the next.
struct task_owner : herald::process<task_owner, begin> {
  using args = owner_args;
  task_owner(herald::context& self, args a) : self_{self}, a_{a} {}
  void on(const begin& m) {
    jobs_ = m.jobs;
    next();
  }

 private:
  void next() {
    auto job = herald::async(self_, jobs_, [n = sum_] { return n + 1; });
    job.await(self_, 5s, [this](const herald::result<std::int64_t>& r) {
      sum_ = r.value();
      if (--a_.rounds == 0)
        a_.done->hit();
      else
        next();
    });
  }
  herald::context& self_;
  args a_;
  herald::supervisor_ref jobs_;
  std::int64_t sum_ = 0;
};

/// Hands a function to the pool, waits for its answer, hands over the next.
struct offloader : herald::process<offloader, begin> {
  using args = owner_args;
  offloader(herald::context& self, args a) : self_{self}, a_{a} {}
  void on(const begin&) { next(); }

 private:
  void next() {
    self_.offload([n = sum_] { return n + 1; }, 5s, [this](const herald::result<std::int64_t>& r) {
      sum_ = r.value();
      if (--a_.rounds == 0)
        a_.done->hit();
      else
        next();
    });
  }
  herald::context& self_;
  args a_;
  std::int64_t sum_ = 0;
};

template <class Owner>
sample one_at_a_time(std::int64_t rounds) {
  countdown done{1};
  herald::application app{{.name = "tasks", .children = {herald::task_supervisor("jobs", {.placement = herald::together}),
                                                         herald::child<Owner>("owner", {rounds, &done})}},
                          size_of_application()};
  app.start();
  const auto owner = app.find<Owner>("owner");
  const stopwatch watch;
  owner.cast(begin{app.find_supervisor("jobs")});
  done.wait();
  return ns_per(watch, static_cast<double>(rounds));
}

}  // namespace

sample task_async_await(std::int64_t rounds) { return one_at_a_time<task_owner>(rounds); }
sample offload_round_trip(std::int64_t rounds) { return one_at_a_time<offloader>(rounds); }

}  // namespace bench::runtime
