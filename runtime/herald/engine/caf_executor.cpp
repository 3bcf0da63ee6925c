// Hosts on CAF's workers. Each shared host has one CAF actor as its runner, woken by a token; a host of its own has a
// thread. When handlers get stuck, spare threads stand in: for the host that was taken away, and, once every worker is
// stuck, for all hosts.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <herald/engine/alarms.hpp>
#include <herald/engine/caf_seam.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/executors.hpp>
#include <herald/engine/signals.hpp>
#include <herald/engine/spare_threads.hpp>

namespace herald::engine {

namespace {

constexpr run_budget budget{};
constexpr int max_hops = 256;                          // next hosts in a row before other tokens get their turn
constexpr int starved_exit_code = 70;                  // EX_SOFTWARE
constexpr auto watch_period = std::chrono::milliseconds{10};

constexpr std::size_t nobody = ~std::size_t{0};
/// The CAF runner whose token this thread is serving; a runner may serve other hosts on the way (next hosts).
thread_local std::size_t carrier = nobody;

[[nodiscard]] int this_thread() noexcept {
  thread_local const int id = static_cast<int>(::syscall(SYS_gettid));
  return id;
}

/// Of one shared host and its CAF runner.
struct runner_place {
  std::atomic<std::size_t> served_by{nobody};  ///< the CAF runner that has the host now; nobody: a spare thread
  std::atomic<unsigned> stuck{0};              ///< handlers it was left behind in: its tokens find nobody
};

/// A thread with one host to run; waits for wake-ups in between.
struct own_runner {
  std::mutex mutex;
  std::condition_variable changed;
  bool woken = false;
  bool ending = false;
  bool stuck = false;  ///< its handler overran; another thread has the host
  std::thread thread;
};

class caf_executor final : public executor {
 public:
  explicit caf_executor(const application_options& options)
      : options_{options},
        workers_{options.workers},
        seam_{std::make_unique<caf_seam>(options.actor_system, options.workers, this, on_token, on_lost_runner)} {
    static_cast<void>(::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
  }
  ~caf_executor() override { static_cast<void>(shut_down()); }

  void add(host& h, bool own_thread) override {
    if (own_thread) {
      h.dedicated = true;
      const std::lock_guard lock{own_mutex_};
      start_own(h, false);
    } else {
      h.token = seam_->add_runner();
      shared_.push_back(&h);
      places_.emplace_back();
      made_.store(shared_.size(), std::memory_order_release);
    }
    std::call_once(clock_started_, [&] {
      system_ = &h.system();
      clock_thread_ = std::thread{[this] { serve_clock(); }};
      ::pthread_setname_np(clock_thread_.native_handle(), "herald-clock");
    });
  }

  void schedule(host& h, frame* by) override {
    if (h.dedicated) return wake_own(h);
    if (unserved(h)) return spares_.stand_in(h, false);
    seam_->wake(h.token, by != nullptr ? by->execution : nullptr);
  }

  void run_seized(host& h) override {
    if (h.dedicated) {
      const std::lock_guard lock{own_mutex_};
      start_own(h, true);
      return;
    }
    // Whether its handler will ever return, nobody knows: what waits for that CAF runner's token is run by a spare thread.
    const auto stuck_runner = places_[h.token].served_by.load(std::memory_order_acquire);
    if (stuck_runner != nobody) places_[stuck_runner].stuck.fetch_add(1, std::memory_order_seq_cst);
    const auto stuck = stuck_workers_.fetch_add(1, std::memory_order_seq_cst) + 1;
    spares_.stand_in(h, true);
    if (stuck_runner != nobody && shared_[stuck_runner]->scheduled()) spares_.stand_in(*shared_[stuck_runner], false);
    if (stuck < workers_) return;
    // Nobody is left to take CAF's tokens: whoever waits for one is run by a spare thread. A token that is taken later
    // finds its host claimed, and is void.
    for (auto* other : shared_)
      if (other->scheduled()) spares_.stand_in(*other, false);
  }

  void returned(host& h) noexcept override {
    if (h.dedicated) return;
    stuck_workers_.fetch_sub(1, std::memory_order_acq_rel);
    if (carrier != nobody) places_[carrier].stuck.fetch_sub(1, std::memory_order_acq_rel);
    spares_.nudge();
  }

  void alarm(host& h, time_point when) override {
    if (!alarms_.set(h, when)) return;
    {
      const std::lock_guard lock{clock_mutex_};
      clock_rung_ = true;
    }
    clock_changed_.notify_all();
  }

  bool wait(waiter& w, std::optional<std::chrono::steady_clock::duration> limit) override { return w.block(limit); }

  unsigned threads() noexcept override {
    const auto count = workers_ + 1 + static_cast<unsigned>(spares_.live());  // and the clock
    const std::lock_guard lock{own_mutex_};
    return count + static_cast<unsigned>(own_.size());
  }

  bool shut_down() override {
    if (ended_) return clean_;
    ended_ = true;
    {
      const std::lock_guard lock{clock_mutex_};
      clock_ending_ = true;
    }
    clock_changed_.notify_all();
    if (clock_thread_.joinable()) clock_thread_.join();
    clean_ = spares_.end();
    clean_ = end_own() && clean_;
    const bool workers_stuck = stuck_workers_.load(std::memory_order_acquire) > 0;
    clean_ = seam_->shut_down(workers_stuck) && clean_ && !workers_stuck;
    return clean_;
  }

  [[nodiscard]] caf_seam* seam() noexcept override { return seam_.get(); }

 private:
  static void on_token(void* self, std::size_t runner, void* execution) {
    auto& e = *static_cast<caf_executor*>(self);
    // CAF hands tokens over in order, but inside its library, where ThreadSanitizer sees none.
    static_cast<void>(e.made_.load(std::memory_order_acquire));
    carrier = runner;
    e.run(*e.shared_[runner], execution);
    carrier = nobody;
  }
  static void on_lost_runner(void* self, std::size_t runner) {
    auto& e = *static_cast<caf_executor*>(self);
    report r;
    r.kind = report::runner_lost;
    r.text = "the CAF actor that ran host " + std::to_string(runner) + " died; another has taken over";
    e.system_->tell(std::move(r));
    if (e.shared_[runner]->scheduled()) e.schedule(*e.shared_[runner], nullptr);
  }

  void run(host& first, void* execution) {
    if (first.claim()) run_claimed(first, execution);
  }

  void run_claimed(host& first, void* execution) {
    auto* h = &first;
    for (int hops = 0;;) {
      auto& f = h->runner_frame();
      f.execution = execution;
      f.thread.store(this_thread(), std::memory_order_relaxed);
      if (!h->dedicated) places_[h->token].served_by.store(carrier, std::memory_order_relaxed);
      current_frame = &f;
      const auto how = h->run(f, budget);
      current_frame = nullptr;
      auto* next = f.next.exchange(nullptr, std::memory_order_acq_rel);
      if (how == run_result::lost) {
        delete &f;
        if (next != nullptr) schedule(*next, nullptr);
        spares_.serve_waiting();
        return;
      }
      if (how == run_result::again) {
        h->release_claim();
        reschedule(*h, execution);
        if (next != nullptr) reschedule(*next, execution);
        return;
      }
      if (next == nullptr) return;
      if (++hops > max_hops) return reschedule(*next, execution);
      if (!next->claim()) return;
      h = next;
    }
  }
  void reschedule(host& h, void* execution) {
    if (h.dedicated || unserved(h)) return schedule(h, nullptr);
    seam_->wake(h.token, execution);
  }

  /// Nobody would take this host's token: its CAF runner, or every worker, is stuck in a handler.
  [[nodiscard]] bool unserved(const host& h) const noexcept {
    return stuck_workers_.load(std::memory_order_seq_cst) != 0 &&
           (places_[h.token].stuck.load(std::memory_order_seq_cst) != 0 ||
            stuck_workers_.load(std::memory_order_seq_cst) >= workers_);
  }

  /// All threads are stuck and hosts wait for one: said once each time, and the end of the program where that is wanted.
  void look_for_starvation() {
    const auto waiting = spares_.starving();
    // Between two looks a thread may just be about to take what waits.
    if (waiting == 0) starved_looks_ = 0;
    if (waiting == 0 || ++starved_looks_ != 3) return;
    report r;
    r.kind = report::starved;
    r.text = "stuck handlers have eaten all " + std::to_string(workers_) + " workers and " +
             std::to_string(options_.spare_threads) + " spare threads; " + std::to_string(waiting) + " hosts wait for one";
    const bool ends = options_.when_starved == when_starved_t::end_program;
    if (ends) r.text += "; the program ends";
    system_->tell(std::move(r));
    if (!ends) return;
    system_->reports().flush();
    leave_program(starved_exit_code);
  }

  // --- threads of their own -------------------------------------------------------------------------------------------
  void start_own(host& h, bool claimed) {
    auto& slot = own_[&h];
    if (slot != nullptr) {
      const std::lock_guard lock{slot->mutex};
      slot->stuck = true;
      slot->ending = true;
      retired_.push_back(std::move(slot));
    }
    slot = std::make_shared<own_runner>();
    slot->woken = claimed;
    slot->thread = std::thread{[this, &h, runner = slot, claimed] { serve_own(h, *runner, claimed); }};
    ::pthread_setname_np(slot->thread.native_handle(), ("herald-own-" + std::to_string(h.number())).substr(0, 15).c_str());
  }

  void serve_own(host& h, own_runner& me, bool claimed) {
    if (claimed) run_claimed(h, nullptr);
    std::unique_lock lock{me.mutex};
    for (;;) {
      me.changed.wait(lock, [&] { return me.woken || me.ending; });
      if (me.ending) break;
      me.woken = false;
      lock.unlock();
      run(h, nullptr);
      lock.lock();
    }
    me.stuck = false;
    me.changed.notify_all();
  }

  void wake_own(host& h) {
    std::shared_ptr<own_runner> runner;
    {
      const std::lock_guard lock{own_mutex_};
      runner = own_[&h];
    }
    {
      const std::lock_guard lock{runner->mutex};
      runner->woken = true;
    }
    runner->changed.notify_all();
  }

  [[nodiscard]] bool end_own() {
    bool all = true;
    // Joined without the lock: a runner on its last round may still wake another.
    decltype(retired_) retired;
    decltype(own_) own;
    {
      const std::lock_guard lock{own_mutex_};
      retired = retired_;
      own = own_;
    }
    const auto end = [&](own_runner& r, bool was_stuck) {
      {
        std::unique_lock runner_lock{r.mutex};
        r.ending = true;
        r.changed.notify_all();
        if (was_stuck &&
            !r.changed.wait_for(runner_lock, std::chrono::milliseconds{200}, [&] { return !r.stuck; })) {
          all = false;
          runner_lock.unlock();
          r.thread.detach();
          return;
        }
      }
      r.thread.join();
    };
    for (auto& r : retired) end(*r, true);
    for (auto& [h, r] : own) end(*r, false);
    return all;
  }

  // --- the clock --------------------------------------------------------------------------------------------------------
  void serve_clock() {
    std::unique_lock lock{clock_mutex_};
    while (!clock_ending_) {
      const auto now = system_->time().now();
      auto until = now + watch_period;
      if (const auto first = alarms_.earliest(); first && *first < until) until = *first;
      clock_changed_.wait_for(lock, until - now, [&] { return clock_ending_ || clock_rung_; });
      clock_rung_ = false;
      lock.unlock();
      const auto time = system_->time().now();
      for (auto* h : alarms_.due(time)) h->ring();
      if (time - last_watch_ >= watch_period) {
        last_watch_ = time;
        system_->watch_over(time);
        look_for_starvation();
      }
      lock.lock();
    }
  }

  const application_options options_;
  const unsigned workers_;
  core* system_ = nullptr;
  std::unique_ptr<caf_seam> seam_;
  std::vector<host*> shared_;
  std::deque<runner_place> places_;  ///< by token; fixed once the hosts are made
  std::atomic<std::size_t> made_{0};  ///< how many there are of both
  std::atomic<unsigned> stuck_workers_{0};

  spare_threads spares_{options_.spare_threads, [this](host& h, bool claimed) {
                          if (claimed || h.claim()) run_claimed(h, nullptr);
                        }};
  int starved_looks_ = 0;  ///< the clock thread's

  std::mutex own_mutex_;
  std::unordered_map<host*, std::shared_ptr<own_runner>> own_;
  std::vector<std::shared_ptr<own_runner>> retired_;

  alarms alarms_;
  std::once_flag clock_started_;
  std::thread clock_thread_;
  std::mutex clock_mutex_;
  std::condition_variable clock_changed_;
  bool clock_rung_ = false;
  bool clock_ending_ = false;
  time_point last_watch_{};
  bool ended_ = false;
  bool clean_ = true;
};

}  // namespace

std::unique_ptr<executor> make_executor(const application_options& options) {
  if (options.simulation != nullptr) return make_simulation_executor(*options.simulation);
  return std::make_unique<caf_executor>(options);
}

}  // namespace herald::engine
