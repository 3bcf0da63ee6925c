#include <herald/context.hpp>

#include <stdexcept>

#include <herald/child_spec.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/find.hpp>
#include <herald/engine/start_error.hpp>
#include <herald/engine/watch.hpp>

namespace herald {

using namespace engine;

namespace {

/// The frame of a handler of exactly this incarnation, null when the caller stands anywhere else.
frame* own_frame(const runtime_entry& entry, const engine::cell& c, std::uint32_t incarnation) {
  auto* f = entry.owned();
  return f != nullptr && f->current == &c && c.incarnation == incarnation ? f : nullptr;
}

struct message_timer final : attachment, timer {
  std::uint64_t id = 0;
  std::chrono::nanoseconds period{0};
  std::function<envelope*(address)> make;

  void fire(host& home) override {
    auto& c = *owner;
    auto* e = make(c.self());
    e->incarnation = c.incarnation;
    if (period.count() > 0) {
      when += period;
      if (const auto time = home.now(); when <= time) when = time + period;
      home.arm(*this);
    } else {
      home.forget(id);
      home.detach(*this);
      delete this;
    }
    home.deliver(e);
  }
  void wipe(host& home) noexcept override {
    home.forget(id);
    home.disarm(*this);
    delete this;
  }
};

struct monitor_record final : expectation {
  address watched;
  std::uint64_t number = 0;
  bool once = false;
  std::function<void(const down&)> then;

  void resume(context& self, void* answer, const error*) override {
    const auto& notice = *static_cast<const down*>(answer);
    const auto tell = std::move(then);
    {
      const runtime_entry entry;
      if (auto* f = entry.owned()) {
        f->home->forget(id);
        f->home->detach(*this);
        delete this;
      }
    }
    if (tell) {
      tell(notice);
    } else if (const auto* handler = self.cell().ops->find(tag_of<down>)) {
      handler->invoke(self.cell().state, self, &notice);
    }
  }
  void forget(host& home) noexcept override {
    home.forget(id);
    end_watch(watched, number, current_frame);
  }
};

}  // namespace

any_ref context::self() const noexcept { return any_ref{cell_->self()}; }

std::string context::path() const { return core::path_of(*cell_); }

address context::find_cell(std::string_view path, const process_ops* type) const {
  return find_in_tree(cell_->home->system(), path, type);
}

void context::stop(exit_reason why) {
  const runtime_entry entry;
  if (own_frame(entry, *cell_, incarnation_) == nullptr) return;
  if ((cell_->busy & busy_ending) != 0) return;
  cell_->ending = std::move(why);
  cell_->busy |= busy_ending;
}

void context::ignore() { throw start_ignored{}; }
void context::fail(std::string why) { throw start_refused{std::move(why)}; }

bool context::begin(pending_call* record, address callee, std::chrono::milliseconds limit) {
  return begin_call(*cell_, incarnation_, record, callee, limit);
}

std::optional<error> context::refuse(address callee) const {
  if (callee.cell == nullptr) return noproc_error();
  if (callee == cell_->self())
    return error{errc::calling_self, "the process " + path() + " called itself; call the function directly"};
  return std::nullopt;
}

void context::fail_call(std::uint64_t id, error why) { engine::fail_call(*cell_, incarnation_, id, std::move(why)); }

timer_id context::arm_timer(std::chrono::nanoseconds delay, std::chrono::nanoseconds period, const type_tag& type,
                            make_message make) {
  if (cell_->ops->find(type) == nullptr)
    throw std::logic_error{"a timer of " + path() + " would send a message of type " + std::string{type.name} +
                           ", which the process does not accept"};
  if (delay.count() < 0) throw std::logic_error{"a timer of " + path() + " has a negative delay"};
  const runtime_entry entry;
  auto* f = own_frame(entry, *cell_, incarnation_);
  if (f == nullptr) return {};
  auto* t = new message_timer;
  t->period = period;
  t->make = std::move(make);
  t->when = f->home->now() + delay;
  t->id = f->home->expect(*t);
  f->home->attach(*cell_, *t);
  f->home->arm(*t);
  return {t->id};
}

bool context::cancel(timer_id which) {
  const runtime_entry entry;
  auto* f = own_frame(entry, *cell_, incarnation_);
  if (f == nullptr) return false;
  auto* found = f->home->expected(which.number);
  if (found == nullptr || found->owner != cell_) return false;
  f->home->detach(*found);
  found->wipe(*f->home);
  return true;
}

monitor_id context::watch(address who, std::uint32_t incarnation, std::function<void(const down&)> then) {
  if (!then && cell_->ops->find(tag_of<down>) == nullptr)
    throw std::logic_error{"the process " + path() + " monitors, but does not accept herald::down"};
  const runtime_entry entry;
  auto* f = own_frame(entry, *cell_, incarnation_);
  if (f == nullptr) return {};
  auto* record = new monitor_record;
  record->then = std::move(then);
  record->watched = who;
  record->id = f->home->expect(*record);
  record->number = record->id;
  f->home->attach(*cell_, *record);
  engine::watch w;
  w.id = record->number;
  w.expectation = record->id;
  w.watcher = cell_->self();
  w.watcher_incarnation = incarnation_;
  w.incarnation = incarnation;
  begin_watch(who, w, f);
  return {record->id};
}

void context::demonitor(monitor_id which) {
  const runtime_entry entry;
  auto* f = own_frame(entry, *cell_, incarnation_);
  if (f == nullptr) return;
  auto* found = f->home->expected(which.number);
  if (found == nullptr || found->owner != cell_) return;
  f->home->detach(*found);
  found->wipe(*f->home);
}

any_ref context::sender() const noexcept {
  const auto* f = current_frame;
  if (f == nullptr || f->current != cell_ || f->in_hand == nullptr || f->in_hand->from == nullptr) return {};
  return any_ref{{f->in_hand->from, f->in_hand->from_generation}};
}

std::chrono::steady_clock::time_point context::now() const noexcept { return cell_->home->system().time().now(); }
std::chrono::system_clock::time_point context::wall() const noexcept { return cell_->home->system().time().wall(); }
std::uint64_t context::random() const noexcept { return cell_->home->system().dice().next(); }

}  // namespace herald
