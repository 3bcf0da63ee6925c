#include <herald/engine/host.hpp>

#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <herald/child_spec.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/crash_text.hpp>
#include <herald/engine/extras.hpp>
#include <herald/simulation.hpp>

namespace herald::engine {

namespace {
constexpr int operations_in_a_row = 16;
}

thread_local frame* current_frame = nullptr;

bool frame::still_owner() noexcept {
  const std::lock_guard lock{home->seize_mutex()};
  return !lost;
}

host::host(core& system, std::uint32_t number)
    : system_{system}, number_{number}, frame_{std::make_unique<frame>()}, nodes_{system.nodes()} {
  frame_->home = this;
}

host::~host() = default;

// --- any thread -----------------------------------------------------------------------------------------------------

bool host::push(envelope* e, frame* by) {
  if (!mail_.push(e, system_.options().inbox_limit)) return false;
  wake(by);
  return true;
}

void host::push_notice(envelope* e, frame* by) {
  // The count in the head saturates far above any inbox limit; notices then wait for the owner to take some.
  while (!mail_.push(e)) ::sched_yield();
  wake(by);
}

void host::push_control(envelope* e, frame* by) {
  while (!control_.push(e)) ::sched_yield();
  wake(by);
}

void host::wake(frame* by) {
  // Sleep protocol: the owner sets `idle` and then looks at the inboxes; we pushed and now look at the state. Both are
  // sequentially consistent, so at least one of us sees the other.
  auto expected = idle_state;
  if (state_.load(std::memory_order_seq_cst) != idle_state ||
      !state_.compare_exchange_strong(expected, scheduled_state, std::memory_order_seq_cst))
    return;
  if (by != nullptr && by->next.load(std::memory_order_relaxed) == nullptr && !dedicated) {
    by->next.store(this, std::memory_order_release);
  } else {
    system_.runs().schedule(*this, by);
  }
}

bool host::claim() noexcept {
  auto expected = scheduled_state;
  if (!state_.compare_exchange_strong(expected, running_state, std::memory_order_seq_cst)) return false;
  yield_.store(false, std::memory_order_relaxed);
  return true;
}

// --- the clock thread -----------------------------------------------------------------------------------------------

bool host::stop_at_door() {
  auto& f = *frame_;
  const auto word = f.word.load(std::memory_order_acquire);
  if ((word & 1) == 0) return false;
  f.seized.store(true, std::memory_order_seq_cst);
  if (::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0 &&
      f.word.load(std::memory_order_acquire) == word)
    return true;
  f.seized.store(false, std::memory_order_seq_cst);
  return false;
}

std::optional<host::overrun> host::seize(time_point since) {
  const std::lock_guard lock{seize_mutex_};
  if (!stop_at_door()) return std::nullopt;
  auto& f = *frame_;
  f.lost = true;
  auto& c = *f.current;
  f.away = std::make_shared<away_record>();
  f.away->of = &c;
  f.away->thread = f.thread.load(std::memory_order_relaxed);
  f.away->incarnation = c.incarnation;
  f.away->in_hand.store(const_cast<envelope*>(f.in_hand), std::memory_order_relaxed);
  f.away->type = f.in_hand != nullptr ? f.in_hand->ops->type : nullptr;
  f.away->since = since;
  // No entry here: a simulation's thread may be in a handler left behind before, whose entry waits for this lock.
  f.away->path = place_of(c);
  if (!f.aside) {
    c.busy |= busy_away;
    c.away = f.away;
  }
  for (auto& s : slots_)
    if (s) s->taken(f);
  const auto gone = f.away;
  static_cast<void>(frame_.release());  // its runner deletes it when it comes back
  frame_ = std::make_unique<frame>();
  frame_->home = this;
  return overrun{&c, c.incarnation, gone};
}

// --- the owner ------------------------------------------------------------------------------------------------------

run_result host::run(frame& f, const run_budget& budget) {
  std::uint32_t handled = 0;
  for (;;) {
    if (!drain_control(f) || !drain_mail(f)) return run_result::lost;
    if (yield_.load(std::memory_order_relaxed)) return run_result::again;
    if (control_waiting() || !local_control_.empty()) continue;
    if (ready_head_ == nullptr) {
      if (draining_) continue;
      state_.store(idle_state, std::memory_order_seq_cst);
      if (mail_.empty() && control_.empty()) return run_result::idle;
      auto expected = idle_state;
      if (!state_.compare_exchange_strong(expected, running_state, std::memory_order_seq_cst)) return run_result::idle;
      continue;
    }
    // One round: every cell that is ready now gets a quantum; those with more go to the end.
    auto* last = ready_tail_;
    for (;;) {
      auto& c = *ready_head_;
      ready_head_ = c.ready_next;
      if (ready_head_ == nullptr) ready_tail_ = nullptr;
      c.ready_next = nullptr;
      c.ready = false;
      if (c.status == cell_status::free && !c.room_taken) cells_.give_back(c);  // freed while it stood here
      const bool was_last = &c == last;
      if (!run_cell(c, f, budget.quantum, handled)) return run_result::lost;
      if (was_last || control_waiting() || !local_control_.empty()) break;
    }
    if (handled >= budget.messages || yield_.load(std::memory_order_relaxed)) return run_result::again;
  }
}

bool host::run_cell(cell& c, frame& f, std::uint32_t quantum, std::uint32_t& handled) {
  if (unsampled_ >= time_samples::every) [[unlikely]]
    return run_sampled(c, f, handled);
  constexpr std::uint32_t stops = busy_idle | busy_away | busy_ending | busy_held;
  envelope* e = nullptr;
  std::uint32_t n = 0;
  before_change(c);
  try {
    while (n < quantum && c.mail.head != nullptr && ((c.busy & stops) == 0 || resumable(c))) {
      if (control_waiting() || !local_control_.empty()) break;
      e = c.mail.pop();
      c.depth.store(c.depth.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
      if (c.mail.head == nullptr) c.busy &= ~std::uint32_t{busy_mail};
      if (e->incarnation != 0 && e->incarnation != c.incarnation) {
        e->ops->discard(e, discard_reason::stale, nullptr);
        continue;
      }
      ++n;
      std::chrono::nanoseconds stall{0};
      if ((c.busy & (busy_watched | busy_awaiting)) == busy_watched && !looked_at(c, f, e, stall)) {
        if (f.lost) return false;
        continue;
      }
      f.in_hand = e;
      f.state = c.state;
      auto marks = e->size;
      if ((c.busy & busy_awaiting) != 0) [[unlikely]] {
        take_up(c, f);
        if (f.in_hand != nullptr) marks |= f.in_hand->size;
      }
      enter_user(f, c);
      if (stall.count() != 0) [[unlikely]]
        simulation::stall(stall);
      if ((marks & traced_bit) != 0) [[unlikely]] {
        run_traced(*e, c, f);
      } else {
        e->ops->run(e, &c, f);
      }
      if (!leave_user(f)) {
        f.uncounted = n;
        rejoin(f, user_phase::handler, e, false, {}, e->ops->type);
        return false;
      }
      if ((c.busy & busy_awaiting) != 0) [[unlikely]] {
        e = part_over(c, f, e);
        if (e == nullptr) continue;
      }
      if ((c.busy & (busy_suspect | busy_watched | busy_after)) != 0 && look_after(c, f, e)) [[unlikely]]
        continue;
      if (e->ops->finish == nullptr) {
        free_node_memory(e, e->size, &f);
      } else {
        e->ops->finish(e, f, nullptr);
      }
    }
  } catch (const std::exception& thrown) {
    return crash_in_hand(c, f, e, n, crash_of(thrown));
  } catch (...) {
    return crash_in_hand(c, f, e, n, crash_of_current_exception());
  }
  f.in_hand = nullptr;
  handled += n;
  c.handled += n;
  unsampled_ += n;
  count_from_mail(n);
  if ((c.busy & busy_ending) != 0 && (c.busy & (busy_idle | busy_away)) == 0) {
    end_life(c, f, c.ending, true);
    return !f.lost;
  }
  if ((c.busy & stops) != 0 && !resumable(c)) return true;
  if (c.mail.head != nullptr) {
    make_ready(c);
  } else if ((c.busy & (busy_watched | busy_idles)) != 0 && n != 0) {
    return ran_empty(c, f);
  }
  return true;
}

/// After a handler that left something to do, or whose process is looked at. True: the message is not over.
bool host::look_after(cell& c, frame& f, envelope* e) {
  if ((c.busy & busy_suspect) != 0 && e->ops->type == c.crashed_on) {
    c.crashed_on = nullptr;
    c.busy &= ~std::uint32_t{busy_suspect};
  }
  if ((c.busy & busy_watched) != 0) c.extras->after(c, f, *e);
  return (c.busy & busy_after) != 0 && after_handler(c, f, e);
}

bool host::looked_at(cell& c, frame& f, envelope* e, std::chrono::nanoseconds& stall) {
  const auto v = c.extras->judge(c, f, *e);
  stall = v.stall;
  if (v.kind == verdict::kind_t::taken) return false;
  c.extras->before(c, f, *e);
  if (v.kind == verdict::kind_t::run) return true;
  const auto* type = e->ops->type;
  const exit_reason why{exit_reason::crash, "an injected crash on " + std::string{type->name}};
  e->ops->discard(e, discard_reason::down, &why);
  f.in_hand = nullptr;
  crashed(c, f, type, why);
  return false;
}

bool host::crash_in_hand(cell& c, frame& f, envelope* e, std::uint32_t n, const exit_reason& why) {
  // What a resumed part throws is a crash on the message that its handler has in hand, not on the answer.
  const auto* type = f.kept != nullptr ? f.kept->ops->type : e->ops->type;
  if (!leave_user(f)) {
    f.uncounted = n;
    rejoin(f, user_phase::handler, e, true, why, type);
    return false;
  }
  if (f.kept != nullptr) park(c, f);
  f.traced = nullptr;
  c.handled += n;
  count_from_mail(n);
  end_in_hand(e, f, &f, &why);
  f.in_hand = nullptr;
  crashed(c, f, type, why);
  return !f.lost;
}

bool host::drain_control(frame& f) {
  for (;;) {
    local_control_.append(control_.take());
    if (local_control_.empty()) return true;
    while (!local_control_.empty()) {
      auto* e = local_control_.pop();
      if (e->to != nullptr && !e->to->alive({e->to, e->generation})) {
        e->ops->discard(e, discard_reason::noproc, nullptr);
        continue;
      }
      if (e->to != nullptr) before_change(*e->to);
      e->ops->run(e, e->to, f);
      if (f.lost) return false;
    }
  }
}

bool host::drain_mail(frame& f) {
  draining_ = true;
  int operations = 0;
  // What was taken before comes first. Taken on top of it, an inbox would empty as fast as it fills, and bound nothing.
  if (taken_to_ == nullptr) take_mail();
  while (operation_ != nullptr || !local_.empty()) {
    if (operation_ == nullptr) {
      auto* e = local_.pop();
      if (e == taken_to_) taken_to_ = nullptr;
      if (e->to != nullptr) {
        deliver(e);
        continue;
      }
      operation_ = e;
    }
    // A host operation may call user code; its progress is in the node, so that the next runner can go on with it. It
    // clears operation_ (finish_operation) before it ends the node.
    operation_->ops->run(operation_, nullptr, f);
    if (f.lost) return false;
    // One that pauses, or many in a row: whoever has messages waiting gets a turn in between.
    if (operation_ != nullptr || ++operations == operations_in_a_row) break;
    if (control_waiting() || !local_control_.empty() || yield_.load(std::memory_order_relaxed)) break;
  }
  draining_ = operation_ != nullptr || !local_.empty();
  return true;
}

void host::deliver(envelope* e, bool bounded) {
  auto& c = *e->to;
  if (!c.alive({&c, e->generation}) || c.status == cell_status::resting || c.status == cell_status::free)
    return e->ops->discard(e, discard_reason::noproc, nullptr);
  const auto depth = c.depth.load(std::memory_order_relaxed);
  if (e->ops->kind > envelope_kind::notice) [[unlikely]]
    return put_in_front(c, e);
  if (e->ops->kind < envelope_kind::notice) {
    count_one(delivered_);
    if (c.status == cell_status::ended &&
        (c.drops_while_ended || (c.refuses_calls_while_ended && e->ops->kind == envelope_kind::call))) {
      e->ops->discard(e, discard_reason::restarting, nullptr);
      return;
    }
    if (e->ops->type == c.poison && c.poison != nullptr && c.status != cell_status::running) {
      e->ops->discard(e, discard_reason::poison, nullptr);
      return;
    }
    if (depth >= c.limit.load(std::memory_order_relaxed) && !bounded) return overflow(c, e);
  }
  c.mail.push(e);
  c.depth.store(depth + 1, std::memory_order_relaxed);
  c.busy |= busy_mail;
  if ((c.busy & busy_watched) != 0) [[unlikely]]
    c.extras->arrived(c, *e);
  make_ready(c);
}

void host::take_mail() noexcept {
  const auto all = mail_.take();
  if (all.empty()) return;
  local_.append(all);
  taken_to_ = all.tail;
  draining_ = true;  // what is sent from now on goes behind it
}

void host::make_ready(cell& c) noexcept {
  if (c.ready) return;
  // One that is to end need not be resumed by its operator for that.
  const bool ends = (c.busy & (busy_ending | busy_idle | busy_away | busy_awaiting)) == busy_ending;
  if ((c.busy & (busy_idle | busy_away | busy_held)) != 0 && !ends && !resumable(c)) return;
  c.ready = true;
  c.ready_next = nullptr;
  if (ready_tail_ != nullptr) {
    ready_tail_->ready_next = &c;
  } else {
    ready_head_ = &c;
  }
  ready_tail_ = &c;
}

// --- sending --------------------------------------------------------------------------------------------------------

void host::post(envelope* e, frame* owned) {
  auto& home = *e->to->home;
  if (owned != nullptr && owned->home == &home) {
    if (e->ops->kind == envelope_kind::control) {
      home.local_control_.push(e);
    } else if (home.draining_) {
      home.local_.push(e);
    } else {
      home.deliver(e);
    }
    return;
  }
  if (home.system_.ended()) return e->ops->discard(e, discard_reason::noproc, nullptr);
  switch (e->ops->kind) {
    case envelope_kind::control: return home.push_control(e, owned);
    case envelope_kind::notice:
    case envelope_kind::awaited:
    case envelope_kind::continued: return home.push_notice(e, owned);
    default:
      if (!home.push(e, owned)) refuse(e, owned);
  }
}

void host::post_operation(envelope* e, frame* owned) {
  if (owned != nullptr && owned->home == this) {
    local_.push(e);
    draining_ = true;  // what is sent from now on goes behind it
  } else {
    push_notice(e, owned);
  }
}

}  // namespace herald::engine
