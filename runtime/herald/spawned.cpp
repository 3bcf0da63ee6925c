#include <herald/spawned.hpp>

#include <condition_variable>
#include <mutex>
#include <string>

#include <herald/engine/child_record.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/request.hpp>

namespace herald {

using namespace engine;

namespace {

/// Whether the application is still there for its handles. They may outlive it.
class gate {
 public:
  [[nodiscard]] bool enter() {
    const std::lock_guard lock{mutex_};
    if (!open_) return false;
    ++inside_;
    return true;
  }
  void leave() {
    const std::lock_guard lock{mutex_};
    if (--inside_ == 0) empty_.notify_all();
  }
  void close() {
    std::unique_lock lock{mutex_};
    open_ = false;
    empty_.wait(lock, [this] { return inside_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable empty_;
  bool open_ = true;
  std::size_t inside_ = 0;
};

/// While it says true the application is not freed.
class visit_of {
 public:
  explicit visit_of(gate& g) : gate_{g}, in_{g.enter()} {}
  ~visit_of() {
    if (in_) gate_.leave();
  }
  visit_of(const visit_of&) = delete;
  visit_of& operator=(const visit_of&) = delete;
  explicit operator bool() const noexcept { return in_; }

 private:
  gate& gate_;
  bool in_;
};

class gate_slot final : public core_slot {
 public:
  [[nodiscard]] const std::shared_ptr<gate>& way() const noexcept { return gate_; }
  // Nothing runs any more, so whoever is inside is answered already.
  std::vector<std::string> ending() override {
    gate_->close();
    return {};
  }

 private:
  std::shared_ptr<gate> gate_ = std::make_shared<gate>();
};
constexpr char gate_key = 0;

std::shared_ptr<gate> gate_of(core& system) {
  return static_cast<gate_slot&>(system.slot(&gate_key, [] { return std::make_unique<gate_slot>(); })).way();
}

/// The answer goes to a function instead of a thread.
template <class R, class F>
reply_once<R> told(F then) {
  auto* w = new waiter_for<result<R>>;
  w->tell = std::move(then);
  return reply_once<R>{engine::reply_to{{}, 0, 0, w}};
}

}  // namespace

struct spawned::place {
  std::shared_ptr<gate> way;
  core* system;
  address under;
  std::string id;
  any_ref who;
  const process_ops* type;  ///< null: a supervisor
};

void spawned::forget_place::operator()(place* p) const noexcept { delete p; }

any_ref spawned::who() const noexcept { return place_ ? place_->who : any_ref{}; }
const process_ops* spawned::type() const noexcept { return place_ ? place_->type : nullptr; }
supervisor_ref spawned::supervisor() const noexcept {
  return place_ && place_->type == nullptr ? supervisor_ref{place_->who.where()} : supervisor_ref{};
}
void spawned::release() noexcept { place_.reset(); }

void spawned::start(core& system, child_spec tree, engine::reply_to back) {
  reply_once<spawned> reply{back};
  if (const auto ok = check_child(tree); !ok) return reply.answer(ok.error());
  auto* root = system.root.load(std::memory_order_acquire);
  if (root == nullptr || system.closing())
    return reply.answer(error{errc::noproc, "\"" + tree.id + "\" was not started: the application does not run"});
  std::unique_ptr<place, forget_place> at{
      new place{gate_of(system), &system, root->self(), tree.id, {}, tree.is_supervisor() ? nullptr : tree.ops}};
  // Whoever asked may be gone when the answer comes; the handle goes with the answer, and the tree with the handle.
  auto shared = std::make_shared<std::pair<reply_once<spawned>, spawned>>(std::move(reply), spawned{});
  shared->second.place_ = std::move(at);
  auto started = told<any_ref>([shared](result<any_ref> r) {
    if (!r) {
      shared->second.release();
      return shared->first.answer(r.error());
    }
    shared->second.place_->who = *r;
    shared->first.answer(std::move(shared->second));
  });
  const runtime_entry entry;
  engine::order(root->self(), entry.owned(), std::move(started),
                [tree = std::move(tree)](cell& c, frame& f, reply_once<any_ref> r) {
                  if (c.state == nullptr) return;  // noproc, by the reply's end
                  supervisor_of(c).start_child(f, tree, std::move(r));
                });
}

result<spawned> spawned::begin(core& system, child_spec tree, std::chrono::milliseconds limit) {
  if (on_runner()) return would_block_error();
  const auto id = tree.id;
  auto* w = new waiter_for<result<spawned>>;
  const waiter_guard guard{*w};
  w->retain();
  start(system, std::move(tree), {{}, 0, 0, w});
  if (!engine::wait(system, *w, limit))
    return error{errc::timeout, "\"" + id + "\" has not started within " + std::to_string(limit.count()) + " ms, and is ended again"};
  return w->take();
}

void spawned::order(engine::reply_to back) {
  reply_once<void> reply{back};
  const auto at = std::move(place_);
  if (!at) return reply.answer({});
  const visit_of inside{*at->way};
  if (!inside) return reply.answer({});
  const runtime_entry entry;
  const auto of = *at;
  auto ended = std::make_shared<reply_once<void>>(std::move(reply));
  engine::order(of.under, entry.owned(), told<void>([ended](const result<void>&) { ended->answer({}); }),
                [of](cell& c, frame& f, reply_once<void> r) {
                  if (c.state == nullptr) return;
                  auto& s = supervisor_of(c);
                  const auto named = [of](supervisor_state& where) {
                    auto* child = where.find(child_key{of.id});
                    return child != nullptr && (!of.who || child->where == of.who.where());
                  };
                  if (!named(s)) return r.answer({});
                  // When it has ended its spec goes as well, so that the name is free.
                  auto rest = std::make_shared<reply_once<void>>(std::move(r));
                  s.terminate_child(f, child_key{of.id}, told<void>([of, named, rest](const result<void>&) {
                    const runtime_entry again;
                    engine::order(of.under, again.owned(), std::move(*rest),
                                  [of, named](cell& sup, frame& by, reply_once<void> last) {
                                    if (sup.state == nullptr || !named(supervisor_of(sup))) return last.answer({});
                                    supervisor_of(sup).delete_child(by, child_key{of.id}, std::move(last));
                                  });
                  }));
                });
}

result<void> spawned::stop(std::chrono::milliseconds limit) {
  if (!place_) return {};
  if (on_runner()) return would_block_error();
  const auto way = place_->way;
  const visit_of inside{*way};
  if (!inside) return release(), result<void>{};
  auto& system = *place_->system;
  const auto id = place_->id;
  auto* w = new waiter_for<result<void>>;
  const waiter_guard guard{*w};
  w->retain();
  order({{}, 0, 0, w});
  if (!engine::wait(system, *w, limit))
    return error{errc::timeout, "\"" + id + "\" has not ended within " + std::to_string(limit.count()) + " ms; it still will"};
  return {};
}

void spawned::end() noexcept {
  if (!place_) return;
  if (on_runner()) return order({});
  static_cast<void>(stop());
}

}  // namespace herald
