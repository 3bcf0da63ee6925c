// What a host keeps for its processes besides their mailboxes: attachments, timers, expected answers.

#include <algorithm>

#include <herald/engine/core.hpp>
#include <herald/engine/host.hpp>
#include <herald/engine/operation.hpp>
#include <herald/engine/watch.hpp>

namespace herald::engine {

void host::attach(cell& c, attachment& a) noexcept {
  a.owner = &c;
  a.previous = nullptr;
  a.following = c.attachments;
  if (c.attachments != nullptr) c.attachments->previous = &a;
  c.attachments = &a;
}

void host::detach(attachment& a) noexcept {
  (a.previous != nullptr ? a.previous->following : a.owner->attachments) = a.following;
  if (a.following != nullptr) a.following->previous = a.previous;
  a.previous = a.following = nullptr;
}

void host::wipe_attachments(cell& c) noexcept {
  while (c.attachments != nullptr) {
    auto* a = c.attachments;
    detach(*a);
    a->wipe(*this);
  }
}

time_point host::now() const { return system_.time().now(); }

void host::arm(timer& t) {
  timers_.add(t);
  count_to(timers_armed_, timers_.size());
  if (t.when < noted_alarm_) {
    noted_alarm_ = t.when;
    system_.runs().alarm(*this, t.when);
  }
}

void host::ringing::operator()(frame& by) const { by.home->fire_timers(); }

void host::ring() {
  auto* e = make_node<operation_node<ringing>>(ringing{});
  push_notice(e, nullptr);
}

void host::fire_timers() {
  noted_alarm_ = time_point::max();
  const auto time = now();
  while (!timers_.empty() && timers_.top().when <= time) {
    auto& t = timers_.top();
    timers_.remove(t);
    t.fire(*this);
  }
  count_to(timers_armed_, timers_.size());
  if (!timers_.empty() && timers_.top().when < noted_alarm_) {
    noted_alarm_ = timers_.top().when;
    system_.runs().alarm(*this, noted_alarm_);
  }
}

attachment* host::expected(std::uint64_t id) noexcept {
  const auto found = expected_.find(id);
  return found != expected_.end() ? found->second : nullptr;
}

void host::drop_everything() noexcept {
  const auto drop = [](envelope* e) { e->ops->discard(e, discard_reason::noproc, nullptr); };
  for (auto list : {control_.take(), mail_.take()})
    while (!list.empty()) drop(list.pop());
  while (!local_control_.empty()) drop(local_control_.pop());
  if (operation_ != nullptr) drop(std::exchange(operation_, nullptr));
  while (!local_.empty()) drop(local_.pop());
  // What waits in mailboxes of processes that have ended, and who still watches them.
  cells_.each([&](cell& c) {
    while (!c.mail.empty()) drop(c.mail.pop());
    c.depth.store(0, std::memory_order_relaxed);
    while (c.watchers != nullptr) delete std::exchange(c.watchers, c.watchers->following);
  });
  watches.clear();
}

host::tally host::counted() const noexcept {
  const auto read = [](const auto& counter) { return counter.load(std::memory_order_relaxed); };
  const auto handled = read(handled_);
  const auto from_mail = std::min(read(from_mail_), handled);
  return {handled, read(delivered_) + (handled - from_mail), read(restarts_), read(crashes_), read(timers_armed_)};
}

bool host::run_sampled(cell& c, frame& f, std::uint32_t& handled) {
  unsampled_ = 0;
  const auto* ops = c.ops;
  const auto before = handled;
  const auto begin = now();
  if (!run_cell(c, f, 1, handled)) return false;
  if (handled == before) return true;
  if (!times_) times_ = std::make_unique<time_samples>();
  times_->add(ops, now() - begin);
  return true;
}

}  // namespace herald::engine
