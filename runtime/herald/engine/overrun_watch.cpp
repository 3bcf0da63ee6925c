// The watchdog: who overruns, whose next host waits; handlers that were left behind are reported while they run.

#include <algorithm>

#include <herald/engine/core.hpp>
#include <herald/engine/stuck_stack.hpp>

namespace herald::engine {

namespace {

/// Between two reports of one stuck handler: as long as it has been running, within these.
constexpr std::chrono::seconds shortest_pause{1};
constexpr std::chrono::seconds longest_pause{60};
/// How long the clock thread waits for one stack. The thread that owes it was computing a microsecond before.
constexpr std::chrono::milliseconds stack_limit{5};

std::string time_text(std::chrono::milliseconds time) { return std::to_string(time.count()) + " ms"; }

}  // namespace

std::shared_ptr<const overrun_details> core::look_at(const away_record& stuck) {
  auto d = std::make_shared<overrun_details>();
  if (stuck.type != nullptr) d->message_type = stuck.type->name;
  d->running = std::chrono::duration_cast<std::chrono::milliseconds>(clock_->now() - stuck.since);
  d->thread = stuck.thread;
  if (options_.stuck_stacks && stuck.thread != 0) {
    auto seen = look_at_thread(stuck.thread, stack_limit);
    // It may have returned while we looked: then it was something else that we saw.
    if (!stuck.back.load(std::memory_order_acquire)) {
      d->doing = std::move(seen.doing);
      d->stack = std::move(seen.stack);
    }
  }
  return d;
}

void core::note_stuck(host& h, const host::overrun& taken, std::chrono::milliseconds time, time_point now) {
  auto r = report_on(report::overran, *taken.who, taken.incarnation, {},
                     "its handler has been running for " + time_text(time) + "; its host goes on without it");
  stuck_.push_back({taken.record, r, h.dedicated, now + std::max<std::chrono::nanoseconds>(shortest_pause, time)});
  if (h.dedicated) return;
  r.overrun = look_at(*taken.record);
  tell(std::move(r));
}

void core::tell_stuck(time_point now) {
  std::erase_if(stuck_, [](const stuck_t& s) { return s.record->back.load(std::memory_order_acquire); });
  for (auto& s : stuck_) {
    if (now < s.next) continue;
    const auto time = now - s.record->since;
    s.next = now + std::clamp<std::chrono::nanoseconds>(time, shortest_pause, longest_pause);
    // A thread of its own may be blocked for as long as it likes, until somebody wants it to end.
    const bool fenced = s.record->fenced.load(std::memory_order_acquire);
    if (s.dedicated && !fenced) continue;
    auto r = s.first;
    r.text = "its handler is still running after " + time_text(std::chrono::duration_cast<std::chrono::milliseconds>(time));
    if (fenced) r.text += ", fenced off";
    r.overrun = look_at(*s.record);
    tell(std::move(r));
  }
}

void core::watch_over(time_point now) {
  tick();
  reports_->nudge();
  struct found {
    host* where;
    std::chrono::milliseconds time;
    time_point since;
  };
  std::vector<found> overrunning;
  {
    const std::lock_guard lock{hosts_mutex_};
    for (std::size_t i = 0; i < all_.size(); ++i) {
      auto& h = *all_[i];
      auto& last = watched_[i];
      const std::lock_guard seize_lock{h.seize_mutex()};
      auto& f = h.runner_frame();
      const auto handler = f.handler.load(std::memory_order_acquire);
      if ((handler & 1) == 0 || handler != last.handler) {
        // A runner that went on but may never have paused: others shall have their turn.
        if (handler != last.handler) h.ask_yield();
        last = {handler, now};
        h.note_busy(std::nullopt);
        continue;
      }
      h.note_busy(last.since);
      // The same handler as at the last look. Nobody else would run what it has woken.
      if (auto* next = f.next.exchange(nullptr, std::memory_order_acq_rel)) executor_->schedule(*next, nullptr);
      const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(now - last.since);
      // A thread of its own is there to be blocked; it is left behind only when somebody waits to stop its process.
      if (time >= options_.overrun_limit && (!h.dedicated || h.control_waiting())) overrunning.push_back({&h, time, last.since});
    }
  }
  for (const auto& o : overrunning) {
    const auto taken = o.where->seize(o.since);
    if (!taken) continue;
    note_stuck(*o.where, *taken, o.time, now);
    executor_->run_seized(*o.where);
  }
  tell_stuck(now);
}

}  // namespace herald::engine
