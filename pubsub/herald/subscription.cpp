#include <herald/subscription.hpp>

#include <stdexcept>

#include <herald/context.hpp>
#include <herald/child_spec.hpp>
#include <herald/engine/bus_core.hpp>
#include <herald/engine/core.hpp>
#include <herald/engine/fan_out.hpp>
#include <herald/engine/group_members.hpp>
#include <herald/engine/operation.hpp>
#include <herald/engine/retention.hpp>
#include <herald/topic.hpp>

namespace herald {

using namespace engine;

namespace {

/// Whether this thread stands in a handler of exactly this incarnation (its own host may have been taken meanwhile).
bool own_handler(const runtime_entry& entry, const context& self) noexcept {
  const auto* f = entry.any();
  if (f == nullptr || f->current != &self.cell()) return false;
  return entry.owned() != nullptr ? self.cell().incarnation == self.incarnation()
                                  : f->away != nullptr && f->away->incarnation == self.incarnation();
}

/// Null when nothing is asked for that a bare subscription does not have.
extra_ptr extra_of(subscription_options&& options) {
  const bool bare = options.key.empty() && !options.metadata.has_value() && !options.filter &&
                    options.when_slow.kind() == policy::kind_t::mailbox && options.retained && options.history == all_history && !options.once &&
                    !options.group;
  if (bare) return nullptr;
  return std::make_shared<const subscription_options>(std::move(options));
}

error key_taken(std::string_view topic, const extra_ptr& more, const type_tag& type, const type_tag& holder) {
  return {pubsub_errc::bad_option, "the subscription to \"" + std::string{topic} + "\" has the key \"" + (more ? more->key : std::string{}) +
                                       "\" for events of type " + std::string{type.name} + "; wanted: " + std::string{holder.name} +
                                       ", as the process's subscription of this key has, or another key"};
}

/// How many events of each topic it wants first.
std::size_t history_of(const extra_ptr& more) noexcept {
  if (!more) return all_history;
  return more->retained ? more->history : 0;
}

/// From a handler that was left behind: the record goes into the host's inbox, then the host joins the topic, so that
/// every later publish queues behind it.
void subscribe_from_afar(context& self, bus_core& where, topic_record* owned, const handler_entry& handler, extra_ptr more) {
  auto& c = self.cell();
  const auto topic = hold_topic(owned);
  auto& s = where.join(*topic, *c.home, true);
  const auto seat_ref = hold_topic(&*topic);  // the one that join took for the pending subscription
  // Nothing is kept between the copy of what is kept and the record's place in the inbox.
  std::unique_lock<std::mutex> lock;
  kept_shares kept;
  if (auto* keeper = topic->keeper(); keeper != nullptr && history_of(more) != 0) {
    lock = keeper->lock();
    kept.push_back(collect_locked(*topic, *keeper, history_of(more)));
  } else if (topic->pattern() && history_of(more) != 0) {
    kept = collect_kept(*topic, history_of(more));
  }
  post_operation(*c.home, nullptr, [&where, &s, topic, seat_ref, who = c.self(), life = self.incarnation(), &handler, more,
                                    shares = std::move(kept)](frame& f) mutable {
    if (who.cell->alive(who) && who.cell->incarnation == life) {
      auto& table = topic_table::of(*f.home);
      const auto [id, how] = table.subscribe(*who.cell, *topic, handler, more);
      if (how == declared::other) {
        report r;
        r.kind = report::dead_letter;
        r.path = core::path_of(*who.cell);
        r.process_type = who.cell->ops->name;
        r.text = key_taken(topic->name(), more, *handler.type, *table.handler_of(id).type).message();
        f.home->system().tell(std::move(r));
      } else if (how != declared::known && !shares.empty()) hand_over(table, *who.cell, id, how, std::move(shares), f);
    }
    where.arrived(s);
  });
}

/// The event that comes after the gap in hand is one of those that are flushed, and no message of the mailbox to be found there.
void flush_in_hand(const frame& f, const std::vector<held_topic>& all, const std::string* key) {
  const auto* e = f.in_hand;
  if (e == nullptr || e->to == nullptr || e->ops->run != run_entry || f.delivery == nullptr) return;
  auto& entry = *static_cast<event_entry*>(const_cast<envelope*>(e));
  if (entry.message == nullptr) return;
  if (key != nullptr && topic_table::key_of(*static_cast<const delivery*>(f.delivery)) != *key) return;
  for (const auto& held : all)
    if (entry.share->at->topic == held.get()) entry.flushed = true;
}

result<void> unsubscribe_from(context& self, const bus& where, std::string_view topic, const std::string* key,
                              bool flush_too = false) {
  if (auto fine = check_pattern(topic); !fine) return fine.error();
  const runtime_entry entry;
  if (entry.fenced())
    return error{pubsub_errc::closed, "the subscription to \"" + std::string{topic} + "\" is not ended by this life of the process: it is over"};
  if (!own_handler(entry, self))
    return error{pubsub_errc::wrong_place, "a subscription to \"" + std::string{topic} +
                                               "\" was to be ended with the context of a process outside of its handlers"};
  auto all = where.inside()->groups_of(topic);
  if (auto* record = where.inside()->find(topic)) all.push_back(hold_topic(record));
  if (flush_too) flush_in_hand(*entry.any(), all, key);
  const auto end = [flush_too](cell& c, const std::vector<held_topic>& topics, const std::string* of, frame& f) {
    auto* table = topic_table::if_any(*f.home);
    if (table == nullptr) return;
    std::vector<ended_subscription> ended;
    for (const auto& held : topics) table->unsubscribe(c, *held, of, flush_too ? &ended : nullptr);
    if (!ended.empty()) drop_all_waiting(c, std::move(ended), f);
  };
  auto& c = self.cell();
  if (auto* f = entry.owned()) {
    end(c, all, key, *f);
    return {};
  }
  post_operation(*c.home, nullptr,
                 [all, end, who = c.self(), life = self.incarnation(), any_key = key == nullptr,
                  wanted = key != nullptr ? *key : std::string{}](frame& f) {
                   if (!who.cell->alive(who) || who.cell->incarnation != life) return;
                   end(*who.cell, all, any_key ? nullptr : &wanted, f);
                 });
  return {};
}

const delivery* in_hand(const context& self) noexcept {
  const auto* f = current_frame;
  return f != nullptr && f->current == &self.cell() ? static_cast<const delivery*>(f->delivery) : nullptr;
}

}  // namespace

namespace detail {

result<void> subscribe(context& self, const bus& where, std::string_view topic, const type_tag& type,
                       subscription_options options) {
  if (auto fine = check_pattern(topic); !fine) return fine.error();
  auto& c = self.cell();
  const auto* handler = c.ops->find(type);
  if (handler == nullptr)
    return error{pubsub_errc::not_accepted, "the process " + self.path() + " subscribes to \"" + std::string{topic} +
                                                "\" for events of type " + std::string{type.name} +
                                                ", which it does not accept; wanted: that type in process<...>"};
  const runtime_entry entry;
  if (entry.fenced() || where.inside()->closed())
    return error{pubsub_errc::closed, "no subscription to \"" + std::string{topic} + "\": the application is stopping or stopped"};
  if (!own_handler(entry, self))
    return error{pubsub_errc::wrong_place, "a subscription to \"" + std::string{topic} +
                                               "\" was asked for with the context of a process outside of its handlers"};
  if (auto fine = check_options(options, topic, type); !fine) return fine.error();
  auto& core = *where.inside();
  auto* record = options.group ? core.open_group(topic, options.group.name()) : core.open(topic);
  if (auto* group = record->group()) {
    if (const auto why = group->refuses(options.group, type)) {
      record->release();
      return error{pubsub_errc::bad_option, "the subscription to \"" + std::string{topic} + "\" " + *why};
    }
  }
  auto more = extra_of(std::move(options));
  if (auto* f = entry.owned()) {
    const auto held = hold_topic(record);
    const auto history = history_of(more);
    auto& table = topic_table::of(*f->home);
    const auto [id, how] = table.subscribe(c, *record, *handler, more);
    if (how == declared::other) return key_taken(topic, more, type, *table.handler_of(id).type);
    if (how == declared::known || history == 0) return {};
    if (auto kept = collect_kept(*record, history); !kept.empty()) hand_over(table, c, id, how, std::move(kept), *f);
  } else {
    subscribe_from_afar(self, *where.inside(), record, *handler, std::move(more));
  }
  return {};
}

bool or_throw(const result<void>& outcome) {
  if (outcome) return true;
  if (outcome.error() == pubsub_errc::closed) return false;
  throw std::logic_error{outcome.error().message()};
}

}  // namespace detail

result<void> try_unsubscribe(context& self, std::string_view topic) { return try_unsubscribe(self, bus{self}, topic); }
result<void> try_unsubscribe(context& self, const bus& where, std::string_view topic) {
  return unsubscribe_from(self, where, topic, nullptr);
}
result<void> try_unsubscribe(context& self, const topic& from) { return try_unsubscribe(self, from.bus(), from.name()); }
result<void> try_unsubscribe_key(context& self, std::string_view topic, std::string_view key) {
  return try_unsubscribe_key(self, bus{self}, topic, key);
}
result<void> try_unsubscribe_key(context& self, const bus& where, std::string_view topic, std::string_view key) {
  const std::string wanted{key};
  return unsubscribe_from(self, where, topic, &wanted);
}

void unsubscribe(context& self, std::string_view topic) { static_cast<void>(try_unsubscribe(self, topic)); }
void unsubscribe(context& self, const bus& where, std::string_view topic) {
  static_cast<void>(try_unsubscribe(self, where, topic));
}
void unsubscribe(context& self, const topic& from) { static_cast<void>(try_unsubscribe(self, from)); }
void unsubscribe_key(context& self, std::string_view topic, std::string_view key) {
  static_cast<void>(try_unsubscribe_key(self, topic, key));
}
void unsubscribe_key(context& self, const bus& where, std::string_view topic, std::string_view key) {
  static_cast<void>(try_unsubscribe_key(self, where, topic, key));
}

void unsubscribe(context& self, std::string_view topic, flush_t) { unsubscribe(self, bus{self}, topic, flush); }
void unsubscribe(context& self, const bus& where, std::string_view topic, flush_t) {
  static_cast<void>(unsubscribe_from(self, where, topic, nullptr, true));
}
void unsubscribe(context& self, const topic& from, flush_t) { unsubscribe(self, from.bus(), from.name(), flush); }
void unsubscribe_key(context& self, std::string_view topic, std::string_view key, flush_t) {
  unsubscribe_key(self, bus{self}, topic, key, flush);
}
void unsubscribe_key(context& self, const bus& where, std::string_view topic, std::string_view key, flush_t) {
  const std::string wanted{key};
  static_cast<void>(unsubscribe_from(self, where, topic, &wanted, true));
}

message_source topic_of(const context& self) noexcept {
  const runtime_entry entry;
  const auto* now = in_hand(self);
  if (now == nullptr) return {};
  message_source source;
  source.topic = now->event->topic->name();
  source.subscription = now->at->topic->name();
  source.publisher = any_ref{now->event->from};
  const auto* options = entry.owned() != nullptr || now->id == delivery::no_id ? topic_table::options_of(*now) : nullptr;
  if (options != nullptr) {
    source.key = options->key;
    if (options->metadata.has_value()) source.metadata = &options->metadata;
  }
  return source;
}

std::uint64_t missed_of(const context& self) noexcept {
  const auto* now = in_hand(self);
  return now != nullptr ? now->missed : 0;
}

}  // namespace herald
