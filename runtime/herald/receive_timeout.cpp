// context::receive_timeout: a hook that notes when the mailbox ran empty, and one timer of the host that is moved only when
// it fires too early. So a message costs one virtual call and no clock; the clock is read once for each time the mailbox
// runs empty.

#include <stdexcept>

#include <herald/context.hpp>
#include <herald/engine/at_home.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/extras.hpp>

namespace herald {

namespace engine {

namespace {

struct timeout_node final : envelope {
  explicit timeout_node(cell& c) : envelope{node_ops, c.self(), c.incarnation} {}
  static void run(envelope*, cell* c, frame& by) {
    const timeout message;
    c->ops->find(tag_of<timeout>)->invoke(by.state, context_at(by.state), &message);
  }
  static void discard(envelope* e, discard_reason, const exit_reason*) noexcept {
    free_node(static_cast<timeout_node*>(e));
  }
  static constexpr envelope_ops node_ops{run, nullptr, discard, nullptr, &tag_of<timeout>, envelope_kind::notice};
};

}  // namespace

class quiet_watch final : public cell_hook, private timer {
 public:
  quiet_watch(cell& c, std::chrono::nanoseconds quiet, time_point until, bool once)
      : cell_hook{true}, cell_{&c}, quiet_{quiet}, deadline_{until}, once_{once} {
    when = until;
    c.home->arm(*this);
  }
  ~quiet_watch() override {
    cell_->home->disarm(*this);
    if (cell_->extras != nullptr) cell_->extras->quiet = nullptr;
  }

  void before(cell&, frame&, const envelope&) noexcept override {
    if (once_) off_ = true;  // the message whose handler set it has passed here already
  }
  void idle(cell& c, frame&) noexcept override {
    if (off_ || quiet_.count() == 0) return;
    deadline_ = c.home->now() + quiet_;
    if (place == npos) set(deadline_);
  }

 private:
  static constexpr auto npos = timer::npos;
  void set(time_point at) {
    when = at;
    cell_->home->arm(*this);
  }
  void fire(host& home) override {
    if (off_) return;
    if (deadline_ > home.now()) return set(deadline_);
    constexpr std::uint32_t harmless = busy_suspect | busy_watched | busy_idles;
    if ((cell_->busy & ~harmless) != 0) {
      // Something waits, runs or is held: the quiet begins after it. A time given as such is only asked for again.
      constexpr std::chrono::nanoseconds soon = std::chrono::milliseconds{10};
      return set(deadline_ = home.now() + (quiet_.count() != 0 ? quiet_ : soon));
    }
    if (once_) off_ = true;
    home.deliver(make_node<timeout_node>(*cell_));
  }

  cell* cell_;
  std::chrono::nanoseconds quiet_;  ///< 0: a point in time was given
  time_point deadline_;
  bool once_;
  bool off_ = false;
};

}  // namespace engine

using namespace engine;

void context::quiet_timeout(std::chrono::nanoseconds quiet, std::chrono::steady_clock::time_point when, bool once) {
  if (cell_->ops->find(tag_of<timeout>) == nullptr)
    throw std::logic_error{"the process " + path() + " sets a receive timeout, but does not accept herald::timeout"};
  const runtime_entry entry;
  at_home(entry, *cell_, incarnation_, [quiet, when, once](engine::cell& c) {
    auto& extras = extras_of(c);
    if (extras.quiet != nullptr) remove_hook(c, extras.quiet);
    auto hook = std::make_unique<quiet_watch>(c, quiet, when, once);
    extras.quiet = hook.get();
    add_hook(c, std::move(hook));
  });
}

void context::receive_timeout(std::chrono::nanoseconds quiet) { quiet_timeout(check_period(quiet), now() + quiet, false); }
void context::receive_timeout_once(std::chrono::nanoseconds quiet) {
  quiet_timeout(check_period(quiet), now() + quiet, true);
}
void context::receive_timeout_at(std::chrono::steady_clock::time_point when) {
  quiet_timeout(std::chrono::nanoseconds{0}, when, true);
}

void context::no_receive_timeout() {
  const runtime_entry entry;
  at_home(entry, *cell_, incarnation_, [](engine::cell& c) {
    if (c.extras != nullptr && c.extras->quiet != nullptr) remove_hook(c, c.extras->quiet);
  });
}

}  // namespace herald
