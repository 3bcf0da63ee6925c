#include <herald/engine/simulation_executor.hpp>

#include <stdexcept>

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <herald/engine/core.hpp>
#include <herald/engine/executors.hpp>

namespace herald::engine {

namespace {

constexpr auto watch_period = std::chrono::milliseconds{10};
/// The carrier that this thread is; a stalling handler finds its simulation through it.
thread_local simulation_executor* carried = nullptr;
thread_local unsigned carrier_id = 0;

}  // namespace

simulation_executor::simulation_executor(herald::simulation& sim) : sim_{sim.inside()} {
  sim_.runs = this;
  static_cast<void>(::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
}

simulation_executor::~simulation_executor() {
  static_cast<void>(shut_down());
  sim_.runs = nullptr;
}

void simulation_executor::add(host& h, bool own_thread) {
  system_ = &h.system();
  h.dedicated = own_thread;
}

void simulation_executor::schedule(host& h, frame*) { runnable_.push_back({&h, false}); }
void simulation_executor::run_seized(host& h) { runnable_.push_back({&h, true}); }
void simulation_executor::post_step(std::function<void()> work) { runnable_.push_back({nullptr, false, std::move(work)}); }
void simulation_executor::alarm(host& h, time_point when) { static_cast<void>(alarms_.set(h, when)); }

bool simulation_executor::look_outside() {
  for (const auto& poll : sources_) static_cast<void>(poll());
  return !runnable_.empty();
}

void simulation_executor::step_one() {
  if (!sources_.empty() && sim_.schedule() % 4 == 0) static_cast<void>(look_outside());
  const auto pick = sim_.schedule() % runnable_.size();
  const auto job = std::move(runnable_[pick]);
  if (pick + 1 != runnable_.size()) runnable_[pick] = std::move(runnable_.back());
  runnable_.pop_back();
  run_host(job);
}

void simulation_executor::run_host(const job_host& job) {
  if (job.work) return job.work();
  auto& h = *job.h;
  if (!job.claimed && !h.claim()) return;
  // Small and uneven portions: every order of messages between hosts can happen.
  const run_budget budget{1 + static_cast<std::uint32_t>(sim_.schedule() % 6),
                          1 + static_cast<std::uint32_t>(sim_.schedule() % 3)};
  auto& f = h.runner_frame();
  current_frame = &f;
  const auto how = h.run(f, budget);
  current_frame = nullptr;
  if (auto* next = f.next.exchange(nullptr)) runnable_.push_back({next, false});
  if (how == run_result::lost) {
    delete &f;
  } else if (how == run_result::again) {
    h.release_claim();
    runnable_.push_back({&h, false});
  }
}

std::optional<time_point> simulation_executor::next_event() const {
  auto first = alarms_.earliest();
  const auto consider = [&](time_point t) {
    if (!first || t < *first) first = t;
  };
  for (const auto& c : carriers_) {
    if (!c->stalled) continue;
    consider(c->until);
    consider(last_watch_ + watch_period);
  }
  if (first && *first < sim_.time.now()) first = sim_.time.now();
  return first;
}

void simulation_executor::set_time(time_point t) {
  sim_.time.set(t);
  for (auto* h : alarms_.due(t)) h->ring();
  bool stalled = false;
  for (const auto& c : carriers_) stalled = stalled || c->stalled;
  if (stalled && t - last_watch_ >= watch_period) {
    last_watch_ = t;
    system_->watch_over(t);
  }
}

// --- carriers -----------------------------------------------------------------------------------------------------------

simulation_executor::carrier& simulation_executor::idle_carrier() {
  for (auto& c : carriers_)
    if (c->idle) return *c;
  carriers_.push_back(std::make_unique<carrier>());
  auto& fresh = *carriers_.back();
  fresh.id = static_cast<unsigned>(carriers_.size());
  fresh.thread = std::thread{[this, &fresh] { carry(fresh); }};
  return fresh;
}

void simulation_executor::drive(std::function<bool()> job) {
  if (quitting_) return;
  if (carried == this) {
    drive_in_place(job);
    return;
  }
  job_ = std::make_shared<const std::function<bool()>>(std::move(job));
  auto& c = idle_carrier();
  baton_.pass(c.id, 0);
  if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
}

/// Already on a carrier: a sink or a predicate that makes a blocking call. What stalled before may come back meanwhile; a
/// handler that stalls now would have to wait below the call that waits for it.
void simulation_executor::drive_in_place(const std::function<bool()>& job) {
  auto& me = *current();
  ++me.in_place;
  try {
    while (!me.stalled_in_place && !job()) resume_due(me);
  } catch (...) {
    --me.in_place;
    throw;
  }
  --me.in_place;
  if (std::exchange(me.stalled_in_place, false))
    throw std::logic_error{"a handler stalls while a predicate of simulation::run_until (or a report sink) waits in a "
                           "blocking call; wanted: a predicate that only looks, and calls between two runs"};
}

void simulation_executor::carry(carrier& me) {
  carried = this;
  carrier_id = me.id;
  for (;;) {
    baton_.await(me.id);
    if (quitting_) {
      baton_.give(0);
      return;
    }
    me.idle = false;
    bool finished = false;
    while (!finished && me.resumed_by == 0) {
      resume_due(me);
      // A handler that stalls in here comes back when another drive, with another job, is under way.
      const auto job = job_;
      try {
        finished = (*job)();
      } catch (...) {
        thrown_ = std::current_exception();
        finished = true;
      }
    }
    me.idle = true;
    const auto to = std::exchange(me.resumed_by, 0u);
    baton_.give(finished && to == 0 ? 0 : to);
  }
}

void simulation_executor::resume_due(carrier& me) {
  for (std::size_t i = 0; i < carriers_.size(); ++i) {
    auto& c = *carriers_[i];
    if (!c.stalled || (c.until > sim_.time.now() && !release_all_)) continue;
    c.stalled = false;
    c.resumed_by = me.id;
    baton_.pass(c.id, me.id);
  }
}

simulation_executor::carrier* simulation_executor::current() noexcept {
  return carrier_id != 0 ? carriers_[carrier_id - 1].get() : nullptr;
}

void simulation_executor::stall(std::chrono::nanoseconds time) {
  auto& me = *current();
  if (me.in_place != 0) {
    me.stalled_in_place = true;
    return;
  }
  bool watching = false;
  for (const auto& c : carriers_) watching = watching || c->stalled;
  if (!watching) {
    last_watch_ = sim_.time.now();
    system_->watch_over(last_watch_);
  }
  me.until = sim_.time.now() + time;
  me.stalled = true;
  const auto back = std::exchange(me.resumed_by, 0u);
  // Whoever resumed us waits for the baton; otherwise another carrier takes the loop on.
  const auto to = back != 0 ? back : idle_carrier().id;
  baton_.pass(to, me.id);
}

bool simulation_executor::wait(waiter& w, std::optional<std::chrono::steady_clock::duration> limit) {
  if (ended_ || w.done()) return w.done();
  const auto end = sim_.time.now() + limit.value_or(std::chrono::hours{24});
  bool answered = false;
  drive([&] {
    if (w.done()) return answered = true;
    if (busy()) {
      step_one();
      return false;
    }
    const auto next = next_event();
    if (!next || *next > end) {
      if (limit) set_time(end);
      return true;
    }
    set_time(*next);
    return false;
  });
  return answered || w.done();
}

bool simulation_executor::shut_down() {
  if (ended_) return true;
  ended_ = true;
  // Stalled handlers come back first, so that nothing is left on any stack.
  release_all_ = true;
  drive([&] {
    for (const auto& c : carriers_)
      if (c->stalled) return false;
    return true;
  });
  drive([&] {
    if (!busy()) return true;
    step_one();
    return false;
  });
  quitting_ = true;
  for (auto& c : carriers_) {
    baton_.pass(c->id, 0);
    c->thread.join();
  }
  carriers_.clear();
  return true;
}

std::unique_ptr<executor> make_simulation_executor(herald::simulation& sim) {
  return std::make_unique<simulation_executor>(sim);
}

}  // namespace herald::engine

namespace herald {

simulation::simulation(std::uint64_t seed) : impl_{std::make_unique<impl>(seed)} {}
simulation::~simulation() = default;

std::uint64_t simulation::seed() const noexcept { return impl_->seed; }
std::chrono::steady_clock::time_point simulation::now() const noexcept { return impl_->time.now(); }
std::uint64_t simulation::random() noexcept { return impl_->users.next(); }
herald::clock& simulation::clock() noexcept { return impl_->time; }
herald::entropy& simulation::entropy() noexcept { return impl_->dice; }

std::uint64_t simulation::step(std::uint64_t steps) {
  std::uint64_t done = 0;
  if (impl_->runs == nullptr) return done;
  auto& e = *impl_->runs;
  e.drive([&] {
    if (done == steps || !e.busy()) return true;
    ++done;  // before the step: a handler that stalls in it returns when this function has long ended
    e.step_one();
    return false;
  });
  return done;
}

bool simulation::run(std::uint64_t max_steps) {
  step(max_steps);
  return impl_->runs == nullptr || !impl_->runs->busy();
}

void simulation::advance(std::chrono::nanoseconds time) {
  if (impl_->runs == nullptr) return;
  auto& e = *impl_->runs;
  const auto end = impl_->time.now() + time;
  e.drive([&] {
    if (e.busy()) {
      e.step_one();
      return false;
    }
    const auto next = e.next_event();
    if (next && *next <= end) {
      e.set_time(*next);
      return false;
    }
    if (impl_->time.now() == end) return true;
    e.set_time(end);
    return false;
  });
}

bool simulation::run_until(const std::function<bool()>& done, std::chrono::nanoseconds limit) {
  if (impl_->runs == nullptr) return done();
  auto& e = *impl_->runs;
  const auto end = impl_->time.now() + limit;
  bool reached = false;
  e.drive([&] {
    if (done()) return reached = true;
    if (e.busy()) {
      e.step_one();
      return false;
    }
    const auto next = e.next_event();
    if (!next || *next > end) return true;
    e.set_time(*next);
    return false;
  });
  return reached;
}

void simulation::stall(std::chrono::nanoseconds time) {
  if (engine::carried != nullptr) engine::carried->stall(time);
}

}  // namespace herald
