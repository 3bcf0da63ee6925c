#include <herald/detail/consumer_state.hpp>

#include <herald/dead_letters.hpp>
#include <herald/detail/notifier_process.hpp>
#include <herald/json.hpp>

#include <algorithm>

namespace herald::detail {

namespace {

/// True for what is the store's trouble and not the event's: it passes, and is no failed try.
bool passes_by_itself(const error& why) {
  for (const auto code : {resource_errc::unavailable, resource_errc::overload, resource_errc::closed, resource_errc::timeout,
                          resource_errc::locked, resource_errc::disk_full, resource_errc::io_error,
                          resource_errc::out_of_memory, resource_errc::read_only}) {
    if (why.is(code)) return true;
  }
  return false;
}

bool has_dead_letters(const store_state& store) {
  const auto& tables = store.tables();
  return std::find(tables.begin(), tables.end(), &table_of<dead_letters>) != tables.end();
}

}  // namespace

std::shared_ptr<consumer_state> store_state::add_consumer(std::shared_ptr<consumer_state> one) {
  const std::lock_guard lock{mutex_};
  const auto& name = one->name();
  return consumers_.try_emplace(name, std::move(one)).first->second;
}

std::vector<std::shared_ptr<consumer_state>> store_state::consumers() const {
  const std::lock_guard lock{mutex_};
  std::vector<std::shared_ptr<consumer_state>> all;
  for (const auto& [name, one] : consumers_) all.push_back(one);
  return all;
}

consumer_state::consumer_state(std::shared_ptr<store_state> of, const durable& as, const consumer_cursor& from)
    : name_{as.name},
      store_{of},
      once_{as.once},
      position_{from.at},
      kept_{from},
      tries_{from.tries},
      paused_{from.paused} {}

void consumer_state::begin(const std::shared_ptr<follower>& by, const durable& as, const consumer_options& options) {
  const std::lock_guard lock{mutex_};
  once_ = as.once;
  options_ = options;
  options_.tries = std::max<std::uint32_t>(options_.tries, 1);
  options_.keep_every = std::max<std::uint32_t>(options_.keep_every, 1);
  holder_ = by;
  held_by_ = by.get();
  if (hold_ != hold::buries) hold_ = hold::none;
  start_over();
  keep(true);
}

void consumer_state::reset(offset to) {
  const std::lock_guard lock{mutex_};
  position_ = to;
  tries_ = 0;
  start_over();
}

offset consumer_state::position() const {
  const std::lock_guard lock{mutex_};
  return position_;
}

bool consumer_state::attached() const {
  const std::lock_guard lock{mutex_};
  return is_held();
}

bool consumer_state::is_held() const {
  const auto holder = holder_.lock();
  return holder && !holder->orphaned();
}

void consumer_state::fail(error why) {
  const std::lock_guard lock{mutex_};
  in_hand_failed_ = std::move(why);
}

void consumer_state::add(step what) {
  const std::lock_guard lock{mutex_};
  if (!once_) {
    in_hand_failed_ = error{resource_errc::invalid, "consumer '" + name_ +
                                                        "' is at_least_once, and only effectively_once commits actions with "
                                                        "its cursor; run them on the store"};
    return;
  }
  steps_.push_back(std::move(what));
}

void consumer_state::pause(bool paused) {
  const std::lock_guard lock{mutex_};
  if (paused_ == paused) return;
  paused_ = paused;
  if (!paused) {
    tries_ = 0;
    // What was passed over meanwhile is read again.
    start_over();
    kick();
  }
  keep(true);
}

consumer_status consumer_state::status() const {
  const std::lock_guard lock{mutex_};
  consumer_status is{.name = name_,
                     .once = once_,
                     .attached = is_held(),
                     .paused = paused_,
                     .at = position_,
                     .tries = tries_,
                     .handled = handled_,
                     .buried = buried_,
                     .last_error = last_error_};
  if (const auto store = store_.lock()) {
    const offset head = store->data().head();
    if (head.epoch == position_.epoch && head.sequence > position_.sequence) is.lag = head.sequence - position_.sequence;
  }
  return is;
}

bool consumer_state::starts(const follower& by, std::uint64_t round) {
  const std::lock_guard lock{mutex_};
  if (held_by_ != &by || round != round_ || paused_ || hold_ != hold::none) return false;
  in_hand_failed_.reset();
  steps_.clear();
  return true;
}

bool consumer_state::ended(const std::shared_ptr<follower>& by, std::uint64_t round, const event_ptr& event, passing how,
                           std::string_view why) {
  const std::lock_guard lock{mutex_};
  if (held_by_ != by.get() || round != round_) return true;
  if (how == passing::dropped) {
    // Its life is over, or it is paused: what is behind this event must not be taken for handled.
    start_over();
    if (!paused_) hold_ = hold::ended;
    return true;
  }
  if (how == passing::failed) {
    failed(event, {resource_errc::hook_failed, std::string{why}}, true);
    return true;
  }
  if (in_hand_failed_) {
    failed(event, *std::exchange(in_hand_failed_, std::nullopt), false);
    return true;
  }
  if (once_ && !steps_.empty()) {
    commit(by, event);
    return hold_ != hold::none;
  }
  position_ = event->at;
  tries_ = 0;
  ++handled_;
  keep(false);
  return true;
}

consumer_state::course consumer_state::ask(const follower& by) const {
  const std::lock_guard lock{mutex_};
  return {held_by_ == &by && !paused_ && hold_ == hold::none, round_, position_};
}

void consumer_state::caught_up(const follower& by, std::uint64_t round, std::uint64_t sequence) {
  const std::lock_guard lock{mutex_};
  if (held_by_ != &by || round != round_ || paused_ || hold_ != hold::none) return;
  const bool handled_some = kept_.at.sequence < position_.sequence;
  if (sequence > position_.sequence) position_.sequence = sequence;
  // Where nothing of it was handled, a cursor that lags a little costs nothing but reading over the others' events again.
  keep(handled_some);
}

void consumer_state::end_wait() {
  const std::lock_guard lock{mutex_};
  if (hold_ != hold::waits) return;
  hold_ = hold::none;
  kick();
}

std::vector<std::string> consumer_state::take_troubles() {
  const std::lock_guard lock{mutex_};
  return std::exchange(troubles_, {});
}

void consumer_state::start_over() {
  ++round_;
  steps_.clear();
  in_hand_failed_.reset();
}

void consumer_state::kick() {
  const auto store = store_.lock();
  if (auto holder = holder_.lock(); store && holder) tell_notifier(store->notifier(), follower_ready{std::move(holder)});
}

void consumer_state::failed(const event_ptr& event, error why, bool crashed) {
  ++tries_;
  last_error_ = why.to_string();
  start_over();
  keep(true);
  if (tries_ >= options_.tries) return bury(event);
  // After a crash the next life begins it again; its supervisor knows for how long to wait.
  if (crashed) {
    hold_ = hold::ended;
  } else {
    wait_and_retry();
  }
}

void consumer_state::wait_and_retry() {
  hold_ = hold::waits;
  auto delay = options_.retry_delay;
  for (std::uint32_t i = 1; i < tries_ && delay < options_.max_delay; ++i) delay *= 2;
  const auto store = store_.lock();
  if (store) tell_notifier(store->notifier(), consumer_waits{shared_from_this(), std::min(delay, options_.max_delay)});
}

void consumer_state::bury(const event_ptr& event) {
  const auto store = store_.lock();
  if (!store) return;
  const auto about = "consumer '" + name_ + "': event " + event->at.to_string() + " (" + std::string{event->resource->name} +
                     "." + std::string{event->action_info().name} + " " + event->key.to_string() + ") failed " +
                     std::to_string(tries_) + " times, the last time with: " + last_error_;
  if (!has_dead_letters(*store)) {
    paused_ = true;
    hold_ = hold::none;
    troubles_.push_back(about + "; the store has no resource dead_letters to bury it in, so the consumer pauses");
    keep(true);
    tell_notifier(store->notifier(), consumer_waits{shared_from_this()});
    return;
  }
  hold_ = hold::buries;
  auto run = [name = name_, event, tries = tries_, reason = last_error_](transaction& tx) -> result<action_outcome> {
    using row = dead_letter_row;
    auto done = herald::run<dead_letters, "bury">(
        tx, dsl::field<&row::consumer> = name, dsl::field<&row::at> = event->at.to_string(),
        dsl::field<&row::resource> = std::string{event->resource->name},
        dsl::field<&row::action> = std::string{event->action_info().name}, dsl::field<&row::key> = event->key.to_string(),
        dsl::field<&row::tries> = std::int64_t{tries}, dsl::field<&row::reason> = reason,
        dsl::field<&row::event> = to_json(*event));
    if (!done) return done.error();
    if (auto kept = tx.keep_cursor(name, {event->at, 0, false}); !kept) return kept.error();
    return action_outcome{};
  };
  auto taken = store->core().submit(std::move(run), [self = shared_from_this(), event, about](result<action_outcome> outcome) {
    const std::lock_guard lock{self->mutex_};
    if (self->hold_ != hold::buries) return;
    if (!outcome) {
      self->last_error_ = outcome.error().to_string();
      return self->wait_and_retry();
    }
    self->kept_ = {event->at, 0, false};
    self->position_ = event->at;
    self->tries_ = 0;
    ++self->buried_;
    self->hold_ = hold::none;
    self->troubles_.push_back(about + "; it was buried");
    if (const auto here = self->store_.lock()) tell_notifier(here->notifier(), consumer_waits{self});
    self->kick();
  });
  if (!taken) wait_and_retry();
}

void consumer_state::commit(const std::shared_ptr<follower>& by, const event_ptr& event) {
  const auto store = store_.lock();
  if (!store) return;
  auto run = [name = name_, event, steps = std::exchange(steps_, {})](transaction& tx) -> result<action_outcome> {
    const auto there = tx.cursor(name);
    if (!there) return there.error();
    // Another life of the consumer has committed it meanwhile.
    if (*there && (*there)->at.epoch == event->at.epoch && (*there)->at.sequence >= event->at.sequence) return action_outcome{};
    for (const auto& one : steps) {
      if (auto done = one(tx); !done) return done.error();
    }
    if (auto kept = tx.keep_cursor(name, {event->at, 0, false}); !kept) return kept.error();
    return action_outcome{};
  };
  auto taken = store->core().submit(
      std::move(run), [self = shared_from_this(), by, round = round_, event](const result<action_outcome>& outcome) {
        self->committed(by, round, event, outcome);
        follower::handled(by);
      });
  if (!taken) {
    start_over();
    wait_and_retry();
  }
}

void consumer_state::committed(const std::shared_ptr<follower>& by, std::uint64_t round, const event_ptr& event,
                               const result<action_outcome>& outcome) {
  const std::lock_guard lock{mutex_};
  const bool of_now = held_by_ == by.get() && round == round_;
  if (outcome) {
    // Of a former life, too: what is committed is handled.
    if (event->at.epoch == position_.epoch && event->at.sequence > position_.sequence) position_ = event->at;
    if (event->at.sequence > kept_.at.sequence) kept_ = {event->at, 0, false};
    tries_ = 0;
    ++handled_;
    keep(false);
    return;
  }
  if (!of_now) return;
  if (!passes_by_itself(outcome.error())) return failed(event, outcome.error(), false);
  last_error_ = outcome.error().to_string();
  start_over();
  wait_and_retry();
}

void consumer_state::keep(bool now) {
  if (keeping_ || cursor() == kept_) return;
  if (!now && position_.epoch == kept_.at.epoch && position_.sequence - kept_.at.sequence < options_.keep_every) return;
  const auto store = store_.lock();
  if (!store) return;
  auto taken = store->core().submit(
      [name = name_, what = cursor()](transaction& tx) -> result<action_outcome> {
        const auto there = tx.cursor(name);
        if (!there) return there.error();
        // Never behind what a transaction before this one has committed.
        auto put = what;
        if (*there && (*there)->at.epoch == put.at.epoch && (*there)->at.sequence > put.at.sequence) put.at = (*there)->at;
        if (auto kept = tx.keep_cursor(name, put); !kept) return kept.error();
        return action_outcome{};
      },
      [self = shared_from_this(), what = cursor()](const result<action_outcome>& outcome) {
        const std::lock_guard lock{self->mutex_};
        self->keeping_ = false;
        // Not tried again at once: its next event does.
        if (!outcome) return;
        self->kept_ = what;
        self->keep(false);
      });
  keeping_ = taken.has_value();
}

}  // namespace herald::detail
