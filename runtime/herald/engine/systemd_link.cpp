#include <herald/engine/systemd_link.hpp>

#include <algorithm>

#include <pthread.h>

#include <herald/engine/operation.hpp>

namespace herald::engine {

namespace {

/// How much longer a stop may take, each time it is asked for; and how often it is.
constexpr std::chrono::seconds more_time{20};
constexpr std::chrono::seconds ask_again{5};

}  // namespace

std::shared_ptr<tree_ping> tree_ping::send(core& system, address root) {
  auto ping = std::make_shared<tree_ping>();
  ping->left_.store(system.hosts().size() + (root.cell != nullptr ? 1 : 0), std::memory_order_release);
  for (auto* h : system.hosts())
    post_control(*h, nullptr, [ping](cell*, frame&) { ping->left_.fetch_sub(1, std::memory_order_acq_rel); });
  // A root that is gone never answers.
  if (root.cell != nullptr)
    post_control(root, nullptr, [ping](cell* c, frame&) {
      if (c->status == cell_status::running || c->status == cell_status::starting)
        ping->left_.fetch_sub(1, std::memory_order_acq_rel);
    });
  return ping;
}

systemd_link::systemd_link(core& system, std::string socket, address root)
    : system_{system}, socket_{std::move(socket)}, root_{root}, watchdog_{systemd::watchdog_period()} {
  thread_ = std::thread{[this] { serve(); }};
  ::pthread_setname_np(thread_.native_handle(), "herald-systemd");
}

systemd_link::~systemd_link() {
  {
    const std::lock_guard lock{mutex_};
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void systemd_link::ready() { tell("READY=1\nSTATUS=running"); }

void systemd_link::stopping(std::function<std::string()> phase) {
  tell("STOPPING=1\nSTATUS=stopping");
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    phase_ = std::move(phase);
  }
  changed_.notify_all();
}

void systemd_link::serve() {
  using clock = std::chrono::steady_clock;
  const auto tick = watchdog_ ? std::max(std::chrono::microseconds{1000}, *watchdog_ / 4) : std::chrono::microseconds{250'000};
  std::shared_ptr<tree_ping> ping;
  auto extended = clock::time_point{};
  std::string told_phase;
  std::unique_lock lock{mutex_};
  while (!ending_) {
    if (!watchdog_ && !stopping_) {
      changed_.wait(lock, [this] { return ending_ || stopping_; });
      continue;
    }
    const bool stopping = stopping_;
    const auto phase = phase_;
    lock.unlock();
    // A ping of before the stop may have lost its root.
    if (ping == nullptr) ping = tree_ping::send(system_, stopping ? address{} : root_);
    if (ping->back()) {
      ping.reset();
      if (watchdog_) tell("WATCHDOG=1");
      if (stopping && clock::now() - extended >= ask_again) {
        extended = clock::now();
        tell("EXTEND_TIMEOUT_USEC=" + std::to_string(std::chrono::microseconds{more_time}.count()));
      }
    }
    if (auto name = stopping && phase ? phase() : std::string{}; !name.empty() && name != told_phase) {
      tell("STATUS=stopping: " + name);
      told_phase = std::move(name);
    }
    lock.lock();
    changed_.wait_for(lock, tick, [&] { return ending_ || stopping_ != stopping; });
    if (stopping_ != stopping) ping.reset();
  }
}

void systemd_link::tell(const std::string& assignments) {
  const auto sent = systemd::notify(socket_, assignments);
  if (sent || failed_.exchange(true)) return;
  report r;
  r.kind = report::note;
  r.text = sent.error().message();
  system_.tell(std::move(r));
}

}  // namespace herald::engine
