#include <herald/detail/follower.hpp>

#include <herald/dead_letters.hpp>
#include <herald/detail/consumer_state.hpp>
#include <herald/detail/notifier_process.hpp>
#include <herald/engine/core.hpp>
#include <herald/subscribe.hpp>

namespace herald::detail {

void follower::send(const std::shared_ptr<follower>& to, const event_ptr& event) {
  const auto post = [&](std::size_t route) {
    to->told = event->at.sequence;
    to->ahead_.fetch_add(1, std::memory_order_relaxed);
    engine::send(to->make_(to, event, route));
  };
  if (to->resource_ != nullptr && event->resource != to->resource_) return;
  if (!to->topic_) return to->buries(*event) ? void() : post(no_route);
  for (std::size_t i = 0; i < event->routes.size(); ++i) {
    if (event->routes[i].topic != *to->topic_) continue;
    post(i);
    // any_event does not tell routes apart, and a cursor moves once an event.
    if (to->resource_ == nullptr || to->durable_) return;
  }
}

bool follower::buries(const event_record& event) const {
  if (!durable_ || event.resource != &table_of<dead_letters>) return false;
  const auto* row = event.after.as<dead_letter_row>();
  return row != nullptr && row->consumer == durable_->name();
}

bool follower::wait_for_room() noexcept {
  waiting_.store(true, std::memory_order_seq_cst);
  if (ahead_.load(std::memory_order_seq_cst) > limit_ / 2) return true;
  // What was ahead has been handled between the two: whoever takes the mark back goes on.
  return !waiting_.exchange(false, std::memory_order_seq_cst);
}

void follower::handled(const std::shared_ptr<follower>& by) noexcept {
  // In this order: what was read up to before the last of the events went off the window is all through.
  const std::uint64_t round = by->durable_ ? by->reading_.load(std::memory_order_seq_cst) : 0;
  const std::uint64_t read_to = by->read_to_.load(std::memory_order_seq_cst);
  const std::uint32_t ahead = by->ahead_.fetch_sub(1, std::memory_order_seq_cst) - 1;
  if (by->durable_ && ahead == 0) by->durable_->caught_up(*by, round, read_to);
  if (ahead > by->limit_ / 2 || !by->waiting_.exchange(false, std::memory_order_seq_cst)) return;
  if (const auto store = by->store_.lock()) tell_notifier(store->notifier(), follower_ready{by});
}

bool follower::wants(std::uint64_t of_round) const { return durable_->starts(*this, of_round); }

void follower::through(const std::shared_ptr<follower>& by, std::uint64_t of_round, const event_ptr& event, passing how,
                       std::string_view why) noexcept {
  if (by->durable_ && !by->durable_->ended(by, of_round, event, how, why)) return;
  handled(by);
}

namespace {

/// Ends with the application, and with it the addresses of its processes.
class application_life final : public engine::core_slot {
 public:
  [[nodiscard]] static std::weak_ptr<const void> of(const context& self) {
    static constexpr char key = 0;
    auto& slot = engine::system_of(self.cell()).slot(&key, [] { return std::make_unique<application_life>(); });
    return static_cast<application_life&>(slot).life_;
  }

 private:
  std::shared_ptr<const void> life_ = std::make_shared<int>(0);
};

}  // namespace

result<offset> position_of(storage& data, log_start from) {
  const offset head = data.head();
  if (from.kind() == log_start::kind_t::now) return head;
  if (from.kind() == log_start::kind_t::earliest) {
    const std::uint64_t floor = data.floor();
    return offset{head.epoch, floor == 0 ? 0 : floor - 1};
  }
  // The log itself says whether it can be continued from there.
  auto page = data.read(from.at(), 1, std::nullopt);
  if (!page) return page.error();
  return from.at();
}

std::shared_ptr<follower> make_follower(context& self, const std::shared_ptr<store_state>& store,
                                        const resource_table* resource, std::optional<std::string> topic, offset from,
                                        follower::maker make) {
  auto made = std::make_shared<follower>(store, self.life(), application_life::of(self), resource, std::move(topic), from, make);
  made->wants_bookmarks = self.cell().ops->find(engine::tag_of<bookmark>) != nullptr;
  made->told = from.sequence;
  return made;
}

result<void> follow(context& self, const std::shared_ptr<store_state>& store, const resource_table* resource,
                    std::optional<std::string> topic, log_start from, follower::maker make) {
  auto position = position_of(store->data(), from);
  if (!position) return position.error();
  auto one = make_follower(self, store, resource, std::move(topic), *position, make);
  store->add_follower(one);
  tell_notifier(store->notifier(), follower_begun{std::move(one)});
  return {};
}

}  // namespace herald::detail
