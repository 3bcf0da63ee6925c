// A process's timers: context::send_after and its siblings, and what becomes of their messages.

#include <algorithm>
#include <stdexcept>

#include <herald/context.hpp>
#include <herald/engine/at_home.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/extras.hpp>
#include <herald/engine/take_out.hpp>
#include <herald/trace.hpp>

namespace herald {

namespace engine {

struct message_timer final : attachment, timer {
  [[nodiscard]] attachment_kind kind() const noexcept override { return attachment_kind::timer; }
  std::uint64_t id = 0;
  std::chrono::nanoseconds period{0};
  std::chrono::system_clock::time_point wall{};  ///< when it is due by the system clock; zero: it is not
  bool under_way = false;                        ///< its message waits to be handled
  timer_options options;
  std::function<envelope*(address, std::uint64_t)> make;

  /// How far it is followed before the system clock is looked at again.
  static constexpr auto wall_step = std::chrono::minutes{1};

  void set(host& home) {
    if (wall != std::chrono::system_clock::time_point{}) {
      const std::chrono::nanoseconds rest = wall - home.system().time().wall();
      when = home.now() + std::clamp<std::chrono::nanoseconds>(rest, std::chrono::nanoseconds{0}, wall_step);
    }
    // What is due at once goes behind what waits already, and before what has not come yet.
    if (period.count() == 0 && when <= home.now()) return fire(home);
    home.arm(*this);
  }
  void fire(host& home) override {
    if (wall != std::chrono::system_clock::time_point{} && home.system().time().wall() < wall) return set(home);
    if (period.count() > 0 && options.pace == fixed_rate) {
      when += period;
      if (const auto time = home.now(); when <= time) when = time + period;
      home.arm(*this);
      if (under_way) return;
    }
    auto& c = *owner;
    auto* e = make(c.self(), id);
    e->incarnation = c.incarnation;
    under_way = true;
    // A single one stays known until its message is handled, so that cancel reaches the message too.
    home.deliver(e);
  }
  void wipe(host& home) noexcept override {
    home.forget(id);
    home.disarm(*this);
    if (!options.name.empty()) owner->extras->named_timers.erase(options.name);
    delete this;
  }
};

static message_timer* timer_of(cell& c, std::uint64_t id) {
  return dynamic_cast<message_timer*>(c.home->expected(id));
}

bool timer_due(cell& c, std::uint64_t id) {
  const runtime_entry entry;
  if (entry.owned() == nullptr) {
    // The host was taken before it was looked at: it is handled, and the timer hears of it at home.
    if (const auto* away = entry.any()->away.get(); away != nullptr && !entry.fenced())
      at_home(entry, c, away->incarnation, [id](cell& home) { static_cast<void>(timer_due(home, id)); });
    return true;
  }
  auto* t = timer_of(c, id);
  if (t == nullptr) return false;
  if (t->period.count() == 0) {
    c.home->detach(*t);
    t->wipe(*c.home);
  } else if (t->options.pace == fixed_rate) {
    t->under_way = false;
  }
  return true;
}

void timer_done(cell& c, std::uint64_t id, frame& by) noexcept {
  auto* t = by.lost ? nullptr : timer_of(c, id);
  if (t == nullptr || t->options.pace != fixed_delay || !t->under_way) return;
  t->under_way = false;
  t->when = c.home->now() + t->period;
  c.home->arm(*t);
}

static std::optional<std::chrono::nanoseconds> rest_of(const message_timer* t) {
  if (t == nullptr) return std::nullopt;
  if (t->under_way && (t->period.count() == 0 || t->options.pace == fixed_delay)) return std::chrono::nanoseconds{0};
  const auto& home = *t->owner->home;
  const std::chrono::nanoseconds rest = t->wall != std::chrono::system_clock::time_point{}
                                            ? std::chrono::nanoseconds{t->wall - home.system().time().wall()}
                                            : t->when - home.now();
  return std::max(rest, std::chrono::nanoseconds{0});
}

static message_timer* timer_named(const cell& c, std::string_view name) {
  if (c.extras == nullptr) return nullptr;
  const auto found = c.extras->named_timers.find(name);
  return found != c.extras->named_timers.end() ? found->second : nullptr;
}

}  // namespace engine

using namespace engine;

std::chrono::nanoseconds context::check_period(std::chrono::nanoseconds period) const {
  if (period.count() <= 0)
    throw std::logic_error{"a timer of " + path() + " has a period of " + std::to_string(period.count()) +
                           " ns; wanted: above 0"};
  return period;
}

std::chrono::nanoseconds context::check_delay(std::chrono::nanoseconds delay) const {
  if (delay.count() < 0)
    throw std::logic_error{"a timer of " + path() + " has a delay of " + std::to_string(delay.count()) +
                           " ns; wanted: 0 up"};
  return delay;
}

timer_id context::arm_timer(std::chrono::steady_clock::time_point when, std::chrono::nanoseconds period,
                            std::chrono::system_clock::time_point wall, const type_tag& type, make_message make,
                            timer_options options) {
  if (cell_->ops->find(type) == nullptr)
    throw std::logic_error{"a timer of " + path() + " would send a message of type " + std::string{type.name} +
                           ", which the process does not accept"};
  if (const auto trace = trace_of(*this))
    make = [make = std::move(make), trace](address to, std::uint64_t timer) {
      const trace_scope scope{trace};
      return make(to, timer);
    };
  auto t = std::make_unique<message_timer>();
  const auto id = cell_->home->system().next_number();
  t->id = id;
  t->when = when;
  t->period = period;
  t->wall = wall;
  t->make = std::move(make);
  t->options = std::move(options);
  const runtime_entry entry;
  const bool armed = at_home(entry, *cell_, incarnation_, [t = std::move(t)](engine::cell& c) mutable {
    if (!t->options.name.empty()) {
      if (const auto* old = timer_named(c, t->options.name)) take_out(c, old->id);
      extras_of(c).named_timers[t->options.name] = t.get();
    }
    auto& kept = *t.release();
    c.home->expect(kept.id, kept);
    c.home->attach(c, kept);
    kept.set(*c.home);
  });
  return armed ? timer_id{id} : timer_id{};
}

bool context::cancel(timer_id which) {
  const runtime_entry entry;
  bool found = true;  // a handler whose host was taken cannot know
  const bool sent = at_home(entry, *cell_, incarnation_, [number = which.number, &found, owned = entry.owned()](engine::cell& c) {
    const bool out = timer_of(c, number) != nullptr && take_out(c, number);
    if (owned != nullptr) found = out;
  });
  return sent && found;
}

bool context::cancel(std::string_view name) {
  const runtime_entry entry;
  bool found = true;
  const auto out = [name = std::string{name}, &found, owned = entry.owned()](engine::cell& c) {
    const auto* t = timer_named(c, name);
    const bool gone = t != nullptr && take_out(c, t->id);
    if (owned != nullptr) found = gone;
  };
  return at_home(entry, *cell_, incarnation_, out) && found;
}

void context::cancel_all_timers() {
  const runtime_entry entry;
  at_home(entry, *cell_, incarnation_, [](engine::cell& c) {
    for (auto* a = c.attachments; a != nullptr;) {
      auto* next = a->following;
      if (auto* t = dynamic_cast<message_timer*>(a)) take_out(c, t->id);
      a = next;
    }
  });
}

std::optional<std::chrono::nanoseconds> context::read_timer(timer_id which) const {
  const runtime_entry entry;
  const auto* f = entry.owned();
  if (f == nullptr || f->current != cell_ || cell_->incarnation != incarnation_) return std::nullopt;
  const auto* t = timer_of(*cell_, which.number);
  return t != nullptr && t->owner == cell_ ? rest_of(t) : std::nullopt;
}

std::optional<std::chrono::nanoseconds> context::read_timer(std::string_view name) const {
  const runtime_entry entry;
  const auto* f = entry.owned();
  if (f == nullptr || f->current != cell_ || cell_->incarnation != incarnation_) return std::nullopt;
  return rest_of(timer_named(*cell_, name));
}

}  // namespace herald
