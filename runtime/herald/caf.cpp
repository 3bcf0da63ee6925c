#include <herald/caf.hpp>

#include <condition_variable>
#include <map>
#include <mutex>
#include <stdexcept>
#include <vector>

#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>

#include <herald/engine/caf_seam.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/executor.hpp>

namespace herald {

namespace engine {

namespace {

caf_seam& seam_of(core& system) {
  auto* seam = system.runs().seam();
  if (seam == nullptr) throw std::logic_error{"herald: there is no CAF in a simulation"};
  return *seam;
}

/// Runs `f` with the system on a thread that may spawn: a runner's, or the seam's own.
template <class F>
void with_system(caf_seam& seam, F&& f) {
  if (current_frame != nullptr) return f(seam.system());
  std::exception_ptr thrown;
  seam.with([&](caf::actor_system& system) {
    try {
      f(system);
    } catch (...) {
      thrown = std::current_exception();
    }
  });
  if (thrown) std::rethrow_exception(thrown);
}

/// Actors that must be gone before the system may go, by number, with their paths. Shared with them, because they may
/// outlive the application when they are stuck.
class roll {
 public:
  [[nodiscard]] std::uint64_t enter(std::string path) {
    const std::lock_guard lock{mutex_};
    there_.emplace(++last_, std::move(path));
    return last_;
  }
  /// Leaves, and tells it unless the application is gone.
  template <class F>
  void leave(std::uint64_t number, F&& tell) {
    {
      const std::lock_guard lock{mutex_};
      there_.erase(number);
      if (!closed_) tell();
    }
    changed_.notify_all();
  }
  /// Waits until all have left; who has not within the limit. Nobody is told any more.
  [[nodiscard]] std::vector<std::string> close(std::chrono::milliseconds limit) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, limit, [&] { return there_.empty(); });
    closed_ = true;
    std::vector<std::string> left;
    for (const auto& [number, path] : there_) left.push_back(path);
    return left;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, std::string> there_;
  std::uint64_t last_ = 0;
  bool closed_ = false;
};

/// An application's doings with CAF: its doors, and the guests that run.
class door_slot final : public core_slot {
 public:
  explicit door_slot(core& system) : seam_{seam_of(system)} {}

  [[nodiscard]] const std::shared_ptr<roll>& guests() const noexcept { return roll_; }
  void add(const caf::actor& door, shared_agenda agenda) {
    const auto number = roll_->enter("a door for CAF actors");
    caf::actor_cast<caf::abstract_actor*>(door)->attach_functor([all = roll_, number] { all->leave(number, [] {}); });
    const std::lock_guard lock{mutex_};
    agenda->open(door);
    doors_.emplace_back(door, std::move(agenda));
  }
  void ask(core& system, caf_agenda::item request) {
    std::call_once(asked_, [&] {
      asking_ = std::make_shared<caf_agenda>();
      static_cast<void>(spawn_door(system, asking_, [](caf::event_based_actor*) { return caf::message_handler{}; }));
    });
    asking_->post(std::move(request));
  }
  std::vector<std::string> ending() override {
    const std::lock_guard lock{mutex_};
    for (const auto& [door, agenda] : doors_) caf::anon_send_exit(door, caf::exit_reason::kill);
    auto stuck = roll_->close(patience);
    seam_.with([&](caf::actor_system&) {
      for (const auto& [door, agenda] : doors_) agenda->close();
      doors_.clear();
    });
    if (!stuck.empty()) seam_.leave_system();
    return stuck;
  }

 private:
  static constexpr std::chrono::milliseconds patience{1000};
  caf_seam& seam_;
  std::shared_ptr<roll> roll_ = std::make_shared<roll>();
  std::mutex mutex_;
  std::vector<std::pair<caf::actor, shared_agenda>> doors_;
  std::once_flag asked_;
  shared_agenda asking_;
};
constexpr char door_key = 0;

door_slot& door_of(core& system) {
  return static_cast<door_slot&>(system.slot(&door_key, [&system] { return std::make_unique<door_slot>(system); }));
}

}  // namespace

struct caf_agenda::impl {
  std::mutex mutex;
  caf::actor whose;
  std::map<std::uint64_t, item> items;
  std::map<std::uint64_t, caf::response_promise> promises;
  std::uint64_t last = 0;
  bool closed = false;
};

caf_agenda::caf_agenda() : impl_{std::make_unique<impl>()} {}
caf_agenda::~caf_agenda() = default;

void caf_agenda::open(caf::actor whose) {
  const std::lock_guard lock{impl_->mutex};
  impl_->whose = std::move(whose);
  for (const auto& [number, what] : impl_->items) caf_seam::post(impl_->whose, caf::make_message(number, mark));
}

void caf_agenda::close() {
  const std::lock_guard lock{impl_->mutex};
  impl_->closed = true;
  impl_->whose = nullptr;
  impl_->items.clear();
  impl_->promises.clear();
}

void caf_agenda::post(item what) {
  const std::lock_guard lock{impl_->mutex};
  if (impl_->closed) return;
  const auto number = ++impl_->last;
  impl_->items.emplace(number, std::move(what));
  if (impl_->whose) caf_seam::post(impl_->whose, caf::make_message(number, mark));
}

std::uint64_t caf_agenda::keep(caf::response_promise promise) {
  const std::lock_guard lock{impl_->mutex};
  const auto number = ++impl_->last;
  if (!impl_->closed) impl_->promises.emplace(number, std::move(promise));
  return number;
}

void caf_agenda::deliver(std::uint64_t promise, delivery how) {
  post([this, promise, how = std::move(how)](caf::event_based_actor*) {
    caf::response_promise due;
    {
      const std::lock_guard lock{impl_->mutex};
      const auto found = impl_->promises.find(promise);
      if (found == impl_->promises.end()) return;
      due = std::move(found->second);
      impl_->promises.erase(found);
    }
    how(due);
  });
}

caf_agenda::item caf_agenda::take(std::uint64_t number) {
  const std::lock_guard lock{impl_->mutex};
  const auto found = impl_->items.find(number);
  if (found == impl_->items.end()) return {};
  auto what = std::move(found->second);
  impl_->items.erase(found);
  return what;
}

namespace {
/// Between an actor and who watches it.
struct actor_watch {
  std::mutex mutex;
  std::function<void()> ended;
};
}  // namespace

std::shared_ptr<void> watch_actor(const caf::actor& who, std::function<void()> ended) {
  auto state = std::make_shared<actor_watch>();
  state->ended = std::move(ended);
  caf::actor_cast<caf::abstract_actor*>(who)->attach_functor([state](const caf::error&) {
    const std::lock_guard lock{state->mutex};
    if (state->ended) state->ended();
  });
  return {state.get(), [state](void*) {
            const std::lock_guard lock{state->mutex};
            state->ended = nullptr;
          }};
}

void post_to_actor(const caf::actor& to, const caf::message& content) { caf_seam::post(to, content); }

caf::actor spawn_door(core& system, shared_agenda agenda, make_handlers handlers) {
  caf::actor made;
  with_system(seam_of(system), [&](caf::actor_system& caf_system) {
    made = caf_system.spawn(
        [](caf::event_based_actor* self, const shared_agenda& whose, const make_handlers& make) -> caf::behavior {
          const caf::message_handler own{[self, whose](std::uint64_t number, std::uint16_t mark) {
            if (mark != caf_agenda::mark) return;
            if (const auto what = whose->take(number)) what(self);
          }};
          return make(self).or_else(own);
        },
        agenda, std::move(handlers));
  });
  door_of(system).add(made, std::move(agenda));
  return made;
}

void ask_caf(const cell& asking, caf_agenda::item request) {
  auto& system = asking.home->system();
  door_of(system).ask(system, std::move(request));
}

}  // namespace engine

using namespace engine;

caf::actor_system& caf_system(const application& app) { return seam_of(app.inside()).system(); }

exit_reason exit_reason_of(const caf::error& why) {
  if (!why || why == caf::make_error(caf::exit_reason::normal)) return exit_reason::normal;
  if (why == caf::make_error(caf::exit_reason::user_shutdown)) return exit_reason::shutdown;
  if (why == caf::make_error(caf::exit_reason::kill)) return exit_reason::killed;
  return {exit_reason::crash, to_string(why)};
}

caf::error caf_error_of(const error& why) { return caf::make_error(caf::sec::runtime_error, why.to_string()); }

child_spec caf_child(std::string id, std::function<caf::actor(caf::actor_system&)> spawn, child_options options) {
  return child<caf_guest>(std::move(id), {std::move(spawn)}, options);
}

caf_guest::caf_guest(context& self, const args& a) {
  auto* seam = self.cell().home->system().runs().seam();
  if (seam == nullptr) self.fail("a CAF actor cannot run in a simulation: there is no CAF in one");
  if (!a.spawn) self.fail("caf_child wants a function that spawns an actor, got an empty one");
  with_system(*seam, [&](caf::actor_system& system) { actor_ = a.spawn(system); });
  if (!actor_) self.fail("the function given to caf_child returned no actor");
  const auto& guests = door_of(self.cell().home->system()).guests();
  number_ = guests->enter(self.path());
  caf::actor_cast<caf::abstract_actor*>(actor_)->attach_functor(
      [guests, number = number_, me = self.life()](const caf::error& why) {
        guests->leave(number, [&] { me.cast(detail::caf_ended{number, exit_reason_of(why)}); });
      });
}

caf_guest::~caf_guest() {
  if (actor_) caf::anon_send_exit(actor_, caf::exit_reason::kill);
}

void caf_guest::on(const caf_mail& m) {
  if (actor_) caf_seam::post(actor_, m.content);
}

void caf_guest::on(context& self, const detail::caf_ended& m) {
  if (m.guest != number_) return;
  actor_ = nullptr;
  self.stop(m.why);
}

void caf_guest::on_stop(context& self, const exit_reason& why) {
  if (!actor_) return self.stop(why);
  caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown);
}

}  // namespace herald
