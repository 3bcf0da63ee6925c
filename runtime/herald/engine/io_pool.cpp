#include <herald/engine/io_pool.hpp>

#include <algorithm>

#include <pthread.h>

#include <herald/application.hpp>
#include <herald/child_spec.hpp>
#include <herald/engine/crash_text.hpp>

namespace herald::engine {

namespace {
constexpr char pool_key = 0;
}

std::string offload_job::owner() const {
  std::string path = parent_path ? *parent_path : std::string{};
  if (!path.empty()) path.push_back('/');
  return spec ? path + spec->id : path;
}

error failed_error() noexcept {
  const auto why = crash_of_current_exception();
  return {errc::failed, "the function threw: " + std::string{why.text()}};
}

void submit_offload(cell& c, std::unique_ptr<offload_job> job) {
  const runtime_entry entry;
  // A handler that was left behind does not own its cell any more; its job goes without a name.
  if (entry.owned() != nullptr) {
    job->spec = c.spec;
    job->parent_path = c.parent_path;
  }
  io_pool::of(c.home->system()).submit(std::move(job));
}

io_pool& io_pool::of(core& system) {
  return static_cast<io_pool&>(system.slot(&pool_key, [&] { return std::make_unique<io_pool>(system); }));
}

io_pool::io_pool(core& system)
    : system_{system},
      max_threads_{system.options().offload_threads},
      max_waiting_{system.options().offload_queue},
      simulated_{system.options().simulation != nullptr} {}

void io_pool::submit(std::unique_ptr<offload_job> job) {
  std::unique_lock lock{mutex_};
  if (ending_) {
    lock.unlock();
    return job->refuse(error{errc::closed, "the function was not run: the application is stopped"});
  }
  if (queue_.size() >= max_waiting_) {
    ++refused_;
    lock.unlock();
    return job->refuse(error{errc::overload, "the function was not run: " + std::to_string(max_waiting_) +
                                                 " wait for the application's offload threads already"});
  }
  queue_.push_back(std::move(job));
  if (simulated_) {
    if (steps_ == max_threads_) return;
    ++steps_;
    lock.unlock();
    return system_.runs().post_step([this] { step(); });
  }
  if (idle_ < queue_.size() && workers_.size() < max_threads_) start_worker();
  lock.unlock();
  changed_.notify_one();
}

void io_pool::start_worker() {
  workers_.push_back(std::make_unique<worker>());
  auto& me = *workers_.back();
  const auto name = "herald-io-" + std::to_string(workers_.size());
  me.thread = std::thread{[this, &me] { serve(me); }};
  ::pthread_setname_np(me.thread.native_handle(), name.c_str());
}

/// With the lock held. What nobody waits for any more is not begun.
bool io_pool::take(std::unique_ptr<offload_job>& job) {
  while (!queue_.empty()) {
    job = std::move(queue_.front());
    queue_.pop_front();
    if (job->stop.stop_requested()) continue;
    running_.push_back(job.get());
    return true;
  }
  job.reset();
  return false;
}

/// With the lock held.
void io_pool::finished(const offload_job& job) {
  running_.erase(std::find(running_.begin(), running_.end(), &job));
  ++done_;
  if (quiet_ != nullptr && running_.empty()) quiet_->set(true);
}

void io_pool::serve(worker& me) {
  std::unique_lock lock{mutex_};
  std::unique_ptr<offload_job> job;
  while (!ending_) {
    if (!take(job)) {
      ++idle_;
      changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
      --idle_;
      continue;
    }
    me.current = job.get();
    lock.unlock();
    {
      const trace_scope within{job->trace};
      job->run();
      job->answer();
    }
    lock.lock();
    me.current = nullptr;
    finished(*job);
    lock.unlock();
    job.reset();  // whatever its captures do when they end, they do it outside
    lock.lock();
  }
  me.over = true;
}

void io_pool::step() {
  std::unique_lock lock{mutex_};
  std::unique_ptr<offload_job> job;
  if (!take(job)) {
    --steps_;
    return;
  }
  lock.unlock();
  {
    const trace_scope within{job->trace};
    job->run();
  }
  lock.lock();
  finished(*job);
  const bool more = !queue_.empty();
  if (!more) --steps_;
  lock.unlock();
  system_.runs().post_step([job = std::shared_ptr<offload_job>{std::move(job)}] {
    const trace_scope within{job->trace};
    job->answer();
  });
  if (more) system_.runs().post_step([this] { step(); });
}

offload_counts io_pool::counts() const {
  const std::lock_guard lock{mutex_};
  return {static_cast<unsigned>(workers_.size()), running_.size(), queue_.size(), done_, refused_};
}

std::vector<std::string> io_pool::ending() {
  auto* quiet = new waiter_for<bool>;
  const waiter_guard guard{*quiet};
  jobs dropped;
  std::vector<std::stop_source> asked;
  {
    const std::lock_guard lock{mutex_};
    ending_ = true;
    dropped.swap(queue_);
    for (const auto* job : running_) asked.push_back(job->stop);
    quiet_ = quiet;
    if (running_.empty()) quiet->set(true);
  }
  changed_.notify_all();
  for (auto& s : asked) s.request_stop();
  dropped.clear();
  static_cast<void>(system_.runs().wait(*quiet, system_.options().offload_stop_limit));
  std::vector<std::string> stuck;
  std::unique_lock lock{mutex_};
  quiet_ = nullptr;
  for (const auto* job : running_) stuck.push_back(job->owner() + " (offloaded)");
  for (auto& w : workers_) {
    if (w->current != nullptr) {
      w->thread.detach();
      continue;
    }
    lock.unlock();
    w->thread.join();
    lock.lock();
  }
  return stuck;
}

}  // namespace herald::engine

namespace herald {

offload_counts count_offloads(const application& app) { return engine::io_pool::of(app.inside()).counts(); }

}  // namespace herald
