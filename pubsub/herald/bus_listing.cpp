// What a bus tells about itself: it asks each host, whose tables nobody else may read.

#include <algorithm>
#include <mutex>

#include <herald/bus.hpp>
#include <herald/engine/backlog.hpp>
#include <herald/engine/bus_core.hpp>
#include <herald/engine/event_entry.hpp>
#include <herald/engine/operation.hpp>
#include <herald/engine/retention.hpp>
#include <herald/engine/topic_table.hpp>
#include <herald/topic.hpp>

namespace herald {

using namespace engine;

namespace {

/// Messages in the subscriber's mailbox, and the values of latest_by for which only one token stands there.
std::uint32_t waiting_for(const cell& who, const subscription& through) noexcept {
  auto waiting = who.depth.load(std::memory_order_relaxed);
  const auto* log = through.more ? through.more->waiting.get() : nullptr;
  if (log == nullptr || log->token == nullptr) return waiting;
  const bool in_mailbox = log->token->in_hand == nullptr && log->token->message == nullptr;
  waiting += static_cast<std::uint32_t>(log->values.count());
  return in_mailbox ? waiting - 1 : waiting;
}

/// What the hosts answer comes together here; the last one to let go wakes the asker.
class roll_call {
 public:
  explicit roll_call(waiter_for<bool>& asker) noexcept : asker_{&asker} { asker_->retain(); }
  ~roll_call() {
    asker_->set(true);
    asker_->release();
  }
  roll_call(const roll_call&) = delete;
  roll_call& operator=(const roll_call&) = delete;

  void take_down(seat& s, topic_table& table) {
    const std::lock_guard lock{mutex_};
    for (std::uint32_t i = 0; i < s.size; ++i) {
      const auto& entry = s.entries[i];
      if (entry.who == nullptr) continue;
      subscriber_info info;
      info.topic = s.topic->name();
      info.group = s.topic->group_name();
      const auto& subscribed = table.at(entry.id);
      info.waiting = waiting_for(*entry.who, subscribed);
      info.who = any_ref{entry.who->self()};
      info.path = core::path_of(*entry.who);
      info.delivered = subscribed.delivered();
      if (const auto& more = subscribed.more) {
        info.key = more->given->key;
        info.metadata = more->given->metadata;
        if (more->lost) info.lost = *more->lost;
      }
      all_->infos.push_back(std::move(info));
      // Which one it is, among all that there are while the topic is: '\x1e' is in no topic.
      all_->names.push_back(std::string{s.topic->full_name()} + '\x1e' + std::to_string(reinterpret_cast<std::uintptr_t>(s.home)) + ':' +
                            std::to_string(entry.id) + ':' + std::to_string(subscribed.generation));
    }
  }
  struct found {
    std::vector<subscriber_info> infos;
    std::vector<std::string> names;  ///< of the subscriptions, for their rates
  };
  [[nodiscard]] std::shared_ptr<found> all() const { return all_; }

 private:
  waiter_for<bool>* asker_;
  std::mutex mutex_;
  std::shared_ptr<found> all_ = std::make_shared<found>();
};

/// Statistics of some records, in their order.
class count_call {
 public:
  count_call(waiter_for<bool>& asker, const std::vector<held_topic>& records) : asker_{&asker} {
    asker_->retain();
    for (const auto& r : records) {
      topic_statistics t;
      t.name = r->name();
      t.group = r->group_name();
      t.pattern = r->pattern();
      t.published = r->published();
      if (auto* keeper = r->keeper()) {
        const auto lock = keeper->lock();
        t.retained = keeper->events().size();
      }
      all_->push_back(std::move(t));
    }
  }
  ~count_call() {
    asker_->set(true);
    asker_->release();
  }
  count_call(const count_call&) = delete;
  count_call& operator=(const count_call&) = delete;

  void add(std::size_t number, const seat& s, const topic_table* table) {
    const std::lock_guard lock{mutex_};
    auto& t = (*all_)[number];
    t.delivered += s.handed;
    t.subscribers += s.live;
    if (s.lost)
      for (std::size_t i = 0; i < loss_kinds; ++i) t.lost[i] += (*s.lost)[i];
    for (std::uint32_t i = 0; i < s.size; ++i) {
      const auto& entry = s.entries[i];
      if (entry.who == nullptr || table == nullptr) continue;
      const auto waiting = waiting_for(*entry.who, table->at(entry.id));
      if (t.slowest.who && waiting <= t.slowest.waiting) continue;
      t.slowest = {any_ref{entry.who->self()}, core::path_of(*entry.who), waiting};
    }
  }
  [[nodiscard]] std::shared_ptr<std::vector<topic_statistics>> all() const { return all_; }

 private:
  waiter_for<bool>* asker_;
  std::mutex mutex_;
  std::shared_ptr<std::vector<topic_statistics>> all_ = std::make_shared<std::vector<topic_statistics>>();
};

result<std::vector<topic_statistics>> count(bus_core& bus, const std::vector<held_topic>& records, std::chrono::milliseconds limit) {
  if (on_runner())
    return error{pubsub_errc::would_block, "statistics block and were asked inside a handler; wanted: a plain thread"};
  if (bus.closed()) return error{pubsub_errc::closed, "there are no statistics: the application is stopping or stopped"};
  auto* w = new waiter_for<bool>;
  const waiter_guard drop{*w};
  auto call = std::make_shared<count_call>(*w, records);
  const auto all = call->all();
  // Every host that ever had a subscriber: what its former ones got counts.
  for (std::size_t i = 0; i < records.size(); ++i)
    for (auto* s = records[i]->seats(); s != nullptr; s = s->next.load(std::memory_order_acquire))
      post_operation(*s->home, nullptr, [call, i, s, held = records[i]](frame& f) { call->add(i, *s, topic_table::if_any(*f.home)); });
  call.reset();
  if (!engine::wait(bus.system(), *w, limit))
    return error{pubsub_errc::timeout, "statistics were not all told within " + std::to_string(limit.count()) + " ms"};
  const auto now = bus.system().time().now();
  for (std::size_t i = 0; i < records.size(); ++i) {
    auto& t = (*all)[i];
    t.rate = bus.rate_of(std::string{records[i]->full_name()}, t.published, now);
  }
  return std::move(*all);
}

}  // namespace

result<topic_statistics> bus::statistics(std::string_view topic, std::chrono::milliseconds limit) const {
  if (auto fine = check_pattern(topic); !fine) return fine.error();
  auto* found = core_->closed() ? nullptr : core_->find(topic);
  if (found == nullptr && !core_->closed()) {
    topic_statistics none;
    none.name = topic;
    none.pattern = is_pattern(topic);
    return none;
  }
  std::vector<held_topic> one;
  if (found != nullptr) one.push_back(hold_topic(found));
  auto counted = count(*core_, one, limit);
  if (!counted) return counted.error();
  return std::move(counted->front());
}

result<std::vector<topic_statistics>> bus::list(std::chrono::milliseconds limit) const {
  auto records = core_->all();
  std::sort(records.begin(), records.end(), [](const auto& a, const auto& b) { return a->full_name() < b->full_name(); });
  return count(*core_, records, limit);
}

result<std::vector<subscriber_info>> bus::subscribers(std::string_view topic, std::chrono::milliseconds limit) const {
  if (on_runner())
    return error{pubsub_errc::would_block, "subscribers() blocks and was asked inside a handler; wanted: a plain thread"};
  if (auto fine = check_pattern(topic); !fine) return fine.error();
  if (core_->closed())
    return error{pubsub_errc::closed,
                 "the subscribers of \"" + std::string{topic} + "\" are not known: the application is stopping or stopped"};
  std::vector<held_topic> records;
  if (auto* own = core_->find(topic)) records.push_back(hold_topic(own));
  if (is_pattern(topic)) {
    for (auto& group : core_->groups_of(topic)) records.push_back(std::move(group));
  } else {
    if (auto* routes = core_->match(topic).routes) {
      for (auto* pattern : *routes) {
        pattern->retain();
        records.push_back(hold_topic(pattern));
      }
      routes->release();
    }
  }
  auto* w = new waiter_for<bool>;
  const waiter_guard drop{*w};
  auto call = std::make_shared<roll_call>(*w);
  const auto all = call->all();
  for (const auto& held : records) {
    for (auto* s = held->seats(); s != nullptr; s = s->next.load(std::memory_order_acquire)) {
      if (!s->joined.load(std::memory_order_acquire)) continue;
      // The seat must outlive the question.
      post_operation(*s->home, nullptr, [call, s, held](frame& f) { call->take_down(*s, topic_table::of(*f.home)); });
    }
  }
  call.reset();
  if (!engine::wait(core_->system(), *w, limit))
    return error{pubsub_errc::timeout, "the subscribers of \"" + std::string{topic} + "\" were not all told within " +
                                           std::to_string(limit.count()) + " ms"};
  const auto now = core_->system().time().now();
  for (std::size_t i = 0; i < all->infos.size(); ++i)
    all->infos[i].rate = core_->rate_of(all->names[i], all->infos[i].delivered, now);
  return std::move(all->infos);
}

}  // namespace herald
