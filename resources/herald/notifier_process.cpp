#include <herald/detail/notifier_process.hpp>

#include <herald/bus.hpp>
#include <herald/engine/core.hpp>
#include <herald/subscribe.hpp>

#include <stdexcept>

namespace herald::detail {

namespace {

constexpr std::size_t page_events = 256;
constexpr std::uint64_t bookmark_every = 100;

/// A message that nobody gets because user code of the resource threw: a dead letter, in the reports.
void tell_lost(context& self, const event_record& event, std::string_view what, std::string_view why) {
  engine::system_of(self.cell())
      .tell(report::dead_letter, self.cell(), self.incarnation(), exit_reason::normal,
            std::string{event.resource->name}
                .append(".")
                .append(event.action_info().name)
                .append(", event ")
                .append(std::to_string(event.at.sequence))
                .append(": nothing was published to ")
                .append(what)
                .append(": ")
                .append(why));
}

}  // namespace

void tell_notifier_of_commits(const std::shared_ptr<store_state>& state) {
  state->core().on_commit([weak = std::weak_ptr{state}](std::span<const event_ptr> events) {
    const auto strong = weak.lock();
    if (!strong || events.empty()) return;
    for (const event_ptr& event : events) strong->publications().count(*event);
    const any_ref notifier = strong->notifier();
    if (!notifier) return;
    // A notifier that cannot take it now (its mailbox is full) has handlers to run yet, and reads it from the log then.
    const auto taken = engine::try_send(engine::make_node<engine::any_node<committed>>(
        notifier.where(), committed{std::make_shared<const std::vector<event_ptr>>(events.begin(), events.end())}));
    if (!taken) strong->note_untold();
  });
}

notifier_process::notifier_process(context& self, const args& with) : state_{with.state} {
  state_->attach_notifier(self.self());
  // Followers outlive a notifier; those of a former one are taken over where they are.
  for (const auto& one : state_->followers()) {
    if (one->orphaned()) {
      state_->remove_follower(one);
      continue;
    }
    one->monitored = false;
    if (one->durable()) one->durable()->end_wait();  // its timer was the former one's
    tell_notifier(self.self(), follower_begun{one});
  }
  tell_notifier(self.self(), more_to_hand_over{});
}

notifier_process::~notifier_process() { state_->detach_notifier(); }  // its address may be used up with its application

void notifier_process::on(context& self, const committed& batch) {
  const auto& events = *batch.events;
  // Batches that were lost on the way here are read from the log, and this one with them when they are many.
  if (events.front()->at.sequence > state_->told() + 1) catch_up(self);
  for (const event_ptr& event : events) {
    if (event->at.sequence == state_->told() + 1) hand_over(self, event, event->route_count());
  }
  for (const auto& one : state_->followers()) {
    watch(self, one);
    if (!may_send(*one)) continue;
    const std::uint64_t at = one->position.sequence;
    if (at + 1 < events.front()->at.sequence || one->room() < events.size()) {
      serve(self, one);
      continue;
    }
    for (const event_ptr& event : events) {
      if (event->at.sequence <= at) continue;
      follower::send(one, event);
      one->has_read(event->at);
    }
    has_sent(*one);
  }
  if (state_->take_untold()) tell_notifier(self.self(), more_to_hand_over{});
}

void notifier_process::on(context& self, const more_to_hand_over&) {
  catch_up(self);
  for (const auto& one : state_->followers()) serve(self, one);
}

void notifier_process::hand_over(context& self, const event_ptr& event, std::size_t routes) {
  const resource_table& resource = *event->resource;
  const bus everyone{self};
  for (std::size_t i = 0; i < routes; ++i) {
    const event_record::route& route = event->route_at(i);
    const bool known = route.publication < resource.publications.size();
    const auto transform = known ? resource.publications[route.publication].transform : nullptr;
    const std::string_view named = known ? resource.publications[route.publication].bus : std::string_view{};
    try {
      // An application that is stopping takes no events any more; they are in the log.
      static_cast<void>((named.empty() ? everyone : bus{self, named}).broadcast_made(route.topic, [&]() -> engine::published* {
        return transform != nullptr ? transform(event) : resource.message(event, i);
      }));
    } catch (const std::exception& why) {
      tell_lost(self, *event, route.topic, why.what());
    } catch (...) {
      tell_lost(self, *event, route.topic, "something that is no std::exception");
    }
  }
  for (const auto& failed : event->failed) tell_lost(self, *event, "its topics", failed.why);
  state_->set_told(event->at.sequence);
}

void notifier_process::catch_up(context& self) {
  const std::uint64_t floor = state_->data().floor();
  if (state_->told() + 1 < floor) {  // the log was trimmed while there was no notifier
    engine::system_of(self.cell())
        .tell(report::dead_letter, self.cell(), self.incarnation(), exit_reason::normal,
              "events " + std::to_string(state_->told() + 1) + " to " + std::to_string(floor - 1) +
                  " were trimmed from the log before they were handed to the bus");
    state_->set_told(floor - 1);
  }
  const auto page = state_->data().read({state_->data().head().epoch, state_->told()}, page_events, std::nullopt);
  if (!page) throw std::runtime_error{page.error().to_string()};
  // What is ephemeral is told once at most, so only to those who were there.
  for (const event_ptr& event : page->events) hand_over(self, event, event->routes.size());
  state_->set_told(page->last.sequence);
  if (page->last.sequence < page->head.sequence) tell_notifier(self.self(), more_to_hand_over{});
}

void notifier_process::on(context& self, const follower_begun& begun) {
  watch(self, begun.who);
  serve(self, begun.who);
}

void notifier_process::on(context& self, const follower_ready& ready) { serve(self, ready.who); }

void notifier_process::watch(context& self, const std::shared_ptr<follower>& one) {
  if (std::exchange(one->monitored, true)) return;
  self.monitor(one->subscriber(), [state = state_, one](const down&) { state->remove_follower(one); });
}

void notifier_process::on(context& self, const consumer_waits& waits) {
  for (const std::string& trouble : waits.who->take_troubles()) {
    engine::system_of(self.cell())
        .tell(report::dead_letter, self.cell(), self.incarnation(), exit_reason::normal, trouble);
  }
  if (waits.delay.count() > 0) self.send_after(waits.delay, consumer_retries{waits.who});
}

void notifier_process::on(const consumer_retries& retries) { retries.who->end_wait(); }

bool notifier_process::may_send(follower& to) {
  if (!to.durable()) return true;
  const auto course = to.durable()->ask(to);
  if (course.open && course.round != to.round) to.begin_round(course.round, course.from);
  return course.open;
}

void notifier_process::has_sent(follower& to) const {
  if (to.durable()) {
    if (to.idle()) to.durable()->caught_up(to, to.round, to.position.sequence);
  } else if (to.wants_bookmarks && to.position.sequence >= to.told + bookmark_every) {
    to.told = to.position.sequence;
    to.subscriber().cast(bookmark{to.topic().value_or(""), to.position});
  }
}

void notifier_process::serve(context& self, const std::shared_ptr<follower>& to) {
  if (!may_send(*to)) return;
  const std::uint32_t room = to->room();
  if (room == 0) {
    if (!to->wait_for_room()) tell_notifier(self.self(), follower_ready{to});
    return;
  }
  const std::optional<std::string_view> topic = to->topic() ? std::optional<std::string_view>{*to->topic()} : std::nullopt;
  const auto page = state_->data().read(to->position, std::min<std::size_t>(room, page_events), topic);
  if (!page) {
    // Whatever else fails may pass (a lock, a disk, memory): this notifier ends, and the next one takes its followers over.
    if (!page.error().is(resource_errc::gone)) throw std::runtime_error{page.error().to_string()};
    state_->remove_follower(to);
    to->subscriber().cast(log_gone{to->topic().value_or(""), to->position, state_->data().floor()});
    return;
  }
  for (const event_ptr& event : page->events) {
    follower::send(to, event);
    to->has_read(event->at);
  }
  to->has_read(page->last);
  has_sent(*to);
  if (page->last.sequence < page->head.sequence) tell_notifier(self.self(), follower_ready{to});
}

}  // namespace herald::detail
