#include <herald/context.hpp>

#include <stdexcept>

#include <herald/child_spec.hpp>
#include <herald/engine/at_home.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/extras.hpp>
#include <herald/engine/find.hpp>
#include <herald/engine/start_error.hpp>
#include <herald/engine/stash.hpp>
#include <herald/engine/take_out.hpp>
#include <herald/engine/watch.hpp>

namespace herald {

using namespace engine;

namespace {

struct monitor_record final : expectation {
  [[nodiscard]] attachment_kind kind() const noexcept override { return attachment_kind::monitor; }
  address watched;
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
      handler->invoke(reinterpret_cast<std::byte*>(&self) + sizeof(context), self, &notice);
    }
  }
  void forget(host& home) noexcept override {
    home.forget(id);
    end_watch(watched, id, current_frame);
  }
};

}  // namespace

any_ref context::self() const noexcept { return any_ref{cell_->self()}; }

std::string context::path() const {
  return core::path_of(*cell_);
}

address context::find_cell(std::string_view path, const process_ops* type) const {
  return find_in_tree(cell_->home->system(), path, type);
}

void context::stop(exit_reason why) {
  const runtime_entry entry;
  at_home(entry, *cell_, incarnation_, [why = std::move(why)](engine::cell& c) mutable {
    if ((c.busy & busy_ending) != 0) return;
    c.ending = std::move(why);
    c.busy |= busy_ending;
  });
}

void context::go_on(const type_tag& type, envelope* first) {
  if (cell_->ops->find(type) == nullptr) {
    first->ops->discard(first, discard_reason::stale, nullptr);
    throw std::logic_error{"the process " + path() + " would go on with a message of type " + std::string{type.name} +
                           ", which it does not accept"};
  }
  struct owned {
    envelope* e;
    explicit owned(envelope* of) noexcept : e{of} {}
    owned(owned&& other) noexcept : e{std::exchange(other.e, nullptr)} {}
    ~owned() {
      if (e != nullptr) e->ops->discard(e, discard_reason::stale, nullptr);
    }
  };
  first->incarnation = incarnation_;
  const runtime_entry entry;
  at_home(entry, *cell_, incarnation_,
          [o = owned{first}](engine::cell& c) mutable { c.home->put_in_front(c, std::exchange(o.e, nullptr)); });
}

void context::ignore() { throw start_ignored{}; }
void context::fail(std::string why) { throw start_refused{std::move(why)}; }

bool context::begin(pending_call* record, const time_limit& limit) {
  return begin_call(*cell_, incarnation_, record, limit);
}

std::optional<error> context::refuse(address callee, const time_limit& limit) const {
  if (callee.cell == nullptr) return noproc_error();
  if (callee == cell_->self())
    return error{errc::calling_self, "the process " + path() + " called itself; call the function directly"};
  if (limit.passed(now())) return passed_error();
  return std::nullopt;
}

void context::fail_call(std::uint64_t id, error why) { engine::fail_call(*cell_, incarnation_, id, std::move(why)); }

monitor_id context::watch(address who, std::uint32_t incarnation, std::function<void(const down&)> then) {
  if (!then && cell_->ops->find(tag_of<down>) == nullptr)
    throw std::logic_error{"the process " + path() + " monitors, but does not accept herald::down"};
  auto record = owned_expectation<monitor_record>{new monitor_record};
  const auto id = cell_->home->system().next_number();
  record->id = id;
  record->then = std::move(then);
  record->watched = who;
  record->keep_trace();
  engine::watch w;
  w.id = w.expectation = id;
  w.watcher = cell_->self();
  w.watcher_incarnation = incarnation_;
  w.incarnation = incarnation;
  const runtime_entry entry;
  const bool begun = at_home(entry, *cell_, incarnation_, [record = std::move(record), w](engine::cell& c) mutable {
    auto& kept = *record.release();
    c.home->expect(kept.id, kept);
    c.home->attach(c, kept);
    begin_watch(kept.watched, w, current_frame);
  });
  return begun ? monitor_id{id} : monitor_id{};
}

void context::demonitor(monitor_id which) {
  const runtime_entry entry;
  at_home(entry, *cell_, incarnation_, [number = which.number](engine::cell& c) { take_out(c, number); });
}

bool context::stash() { return stash_in_hand(*cell_, incarnation_); }
void context::unstash_all() { engine::unstash_all(*cell_, incarnation_); }

void context::set_label(std::string text) {
  const runtime_entry entry;
  at_home(entry, *cell_, incarnation_,
          [text = std::move(text)](engine::cell& c) mutable { extras_of(c).label = std::move(text); });
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
