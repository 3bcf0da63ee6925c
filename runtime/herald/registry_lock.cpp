#include <herald/registry_lock.hpp>

#include <algorithm>

#include <herald/application.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/registry_table.hpp>

namespace herald {

using namespace engine;

key_lock& key_lock::operator=(key_lock&& other) noexcept {
  if (this != &other) {
    release();
    line_ = std::move(other.line_);
    ticket_ = other.ticket_;
  }
  return *this;
}

void key_lock::release() noexcept {
  if (const auto line = std::move(line_)) line->release(ticket_);
}

namespace engine {

owners& owners_of(const cell& c) noexcept { return c.home->system().owners(); }
void post_to_inbox(envelope* e) { host::post(e, nullptr); }
std::string path_of(address who) {
  if (who.cell == nullptr) return {};
  // The spec it is read from belongs to the holder's host, and may go at any time.
  const runtime_entry entry;
  const bool mine = entry.owned() != nullptr && entry.owned()->home == who.cell->home;
  if (!mine && who.cell->home->system().options().simulation == nullptr) return "another process";
  return core::path_of(*who.cell);
}

void lock_record::owner_ended() noexcept {
  const auto keep = std::move(self);
  line->leave(ticket);
}

void lock_line::ask(std::shared_ptr<lock_record> by, reply_once<key_lock> reply) {
  std::uint64_t ticket = 0;
  bool held = false;
  {
    const std::lock_guard lock{mutex_};
    ticket = ++last_;
    if (by) by->ticket = ticket;
    if (holder_ == 0) {
      holder_ = ticket;
      record_ = by;
      held = true;
    } else if (waiters_.size() < max_waiters) {
      waiters_.push_back({ticket, std::move(by), std::move(reply)});
      return;
    }
  }
  if (held) return reply.answer(key_lock{shared_from_this(), ticket});
  if (by != nullptr && owners_of(*by->owner).take_out(*by)) by->self.reset();
  reply.answer(error{errc::overload, "the lock was not asked for: " + std::to_string(max_waiters) + " wait for it already"});
}

void lock_line::leave(std::uint64_t ticket) noexcept {
  waiter_t next{};
  {
    const std::lock_guard lock{mutex_};
    if (holder_ != ticket) {
      const auto found = std::find_if(waiters_.begin(), waiters_.end(), [&](const auto& w) { return w.ticket == ticket; });
      if (found == waiters_.end()) return;
      next = std::move(*found);
      waiters_.erase(found);
      next.ticket = 0;  // its reply goes unanswered: nobody is there to hear it
    } else if (waiters_.empty()) {
      holder_ = 0;
      record_.reset();
    } else {
      next = std::move(waiters_.front());
      waiters_.pop_front();
      holder_ = next.ticket;
      record_ = next.by;
    }
  }
  // One that has gone meanwhile drops the answer, and with it the lock, which passes on.
  if (next.ticket != 0) next.reply.answer(key_lock{shared_from_this(), next.ticket});
}

void lock_line::release(std::uint64_t ticket) noexcept {
  std::shared_ptr<lock_record> record;
  {
    const std::lock_guard lock{mutex_};
    if (holder_ != ticket) return;  // its owner's end was faster
    record = record_;
  }
  leave(ticket);
  if (record != nullptr && owners_of(*record->owner).take_out(*record)) record->self.reset();
}

void ask_for_lock(context& self, std::shared_ptr<lock_line> line, std::uint64_t call) {
  auto record = std::make_shared<lock_record>();
  record->line = line;
  const bool mine = owners_of(self.cell()).act(self.cell(), self.incarnation(), [&](owners::list& mine_now) {
    record->self = record;
    mine_now.add(*record);
  });
  if (!mine)
    return fail_call(self.cell(), self.incarnation(), call,
                     error{errc::closed, "the lock was not asked for: the caller's incarnation has ended"});
  line->ask(std::move(record), reply_once<key_lock>{{self.self().where(), self.incarnation(), call, nullptr}});
}

result<key_lock> wait_for_lock(const application& app, const std::shared_ptr<lock_line>& line, std::chrono::milliseconds limit) {
  if (on_runner()) return would_block_error();
  auto* w = new waiter_for<result<key_lock>>;
  const waiter_guard guard{*w};
  w->retain();
  line->ask(nullptr, reply_once<key_lock>{{{}, 0, 0, w}});
  if (!wait(app.inside(), *w, limit))
    return error{errc::timeout, "the lock was not free within " + std::to_string(limit.count()) + " ms"};
  return w->take();
}

}  // namespace engine

}  // namespace herald
