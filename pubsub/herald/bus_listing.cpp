// What a bus tells about itself: it asks each host, whose tables nobody else may read.

#include <mutex>

#include <herald/bus.hpp>
#include <herald/engine/bus_core.hpp>
#include <herald/engine/operation.hpp>
#include <herald/engine/topic_table.hpp>
#include <herald/topic.hpp>

namespace herald {

using namespace engine;

namespace {

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
      info.who = any_ref{entry.who->self()};
      info.path = core::path_of(*entry.who);
      if (const auto& more = table.at(entry.id).more) {
        info.key = more->given->key;
        info.metadata = more->given->metadata;
      }
      all_->push_back(std::move(info));
    }
  }
  [[nodiscard]] std::shared_ptr<std::vector<subscriber_info>> all() const { return all_; }

 private:
  waiter_for<bool>* asker_;
  std::mutex mutex_;
  std::shared_ptr<std::vector<subscriber_info>> all_ = std::make_shared<std::vector<subscriber_info>>();
};

}  // namespace

result<std::vector<subscriber_info>> bus::subscribers(std::string_view topic, std::chrono::milliseconds limit) const {
  if (on_runner())
    return error{pubsub_errc::would_block, "subscribers() blocks and was asked inside a handler; wanted: a plain thread"};
  if (auto fine = check_pattern(topic); !fine) return fine.error();
  if (core_->closed())
    return error{pubsub_errc::closed,
                 "the subscribers of \"" + std::string{topic} + "\" are not known: the application is stopping or stopped"};
  std::vector<held_topic> records;
  if (auto* own = core_->find(topic)) records.push_back(hold_topic(own));
  if (!is_pattern(topic)) {
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
  return std::move(*all);
}

}  // namespace herald
