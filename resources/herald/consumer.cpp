#include <herald/consumer.hpp>

#include <herald/detail/consumer_state.hpp>
#include <herald/detail/notifier_process.hpp>

#include <algorithm>

namespace herald {

consumer_status consumer::status() const { return state_->status(); }
void consumer::pause() const { state_->pause(true); }
void consumer::resume() const { state_->pause(false); }
void consumer::fail(error why) const { state_->fail(std::move(why)); }

void consumer::perform(action_request request) const {
  state_->add([request = std::move(request)](transaction& tx) -> result<void> {
    result<action_outcome> outcome{error{resource_errc::unavailable, "the action did not run"}};
    if (auto done = run_nested(tx, request, outcome); !done) return done;
    if (!outcome) return outcome.error();
    return {};
  });
}

void consumer::transact(std::function<result<void>(transaction&)> function) const { state_->add(std::move(function)); }

namespace detail {

namespace {

result<std::shared_ptr<consumer_state>> state_of(const std::shared_ptr<store_state>& store, const durable& as,
                                                 const consumer_options& options) {
  if (auto known = store->consumer_named(as.name)) return known;
  if (as.name.empty()) return error{resource_errc::invalid, "a durable consumer needs a name, and it was given none"};
  auto kept = store->data().cursors();
  if (!kept) return kept.error();
  const auto found = std::find_if(kept->begin(), kept->end(), [&](const named_cursor& one) { return one.name == as.name; });
  if (found != kept->end()) return store->add_consumer(std::make_shared<consumer_state>(store, as, found->cursor));
  // Its first life; the cursor is kept as soon as it begins.
  auto made = std::make_shared<consumer_state>(store, as, consumer_cursor{});
  auto begins = position_of(store->data(), options.from);
  if (!begins) return begins.error();
  made->reset(*begins);
  return store->add_consumer(std::move(made));
}

}  // namespace

result<consumer> consume(context& self, const std::shared_ptr<store_state>& store, const resource_table* resource,
                         std::optional<std::string> topic, const durable& as, const consumer_options& options,
                         follower::maker make) {
  auto state = state_of(store, as, options);
  if (!state) return state.error();
  if (options.reset) (*state)->reset(*options.reset);
  const offset from = (*state)->position();
  // The log itself says whether it can be continued from there.
  if (auto page = store->data().read(from, 1, std::nullopt); !page) return page.error();
  auto one = make_follower(self, store, resource, std::move(topic), from, make);
  one->serve_durable(*state, as.once ? 1 : follower::window);
  (*state)->begin(one, as, options);
  store->add_follower(one);
  tell_notifier(store->notifier(), follower_begun{std::move(one)});
  return consumer{*std::move(state)};
}

}  // namespace detail

result<std::vector<consumer_status>> consumers_of(const store& of) {
  auto kept = of.state()->data().cursors();
  if (!kept) return kept.error();
  std::vector<consumer_status> all;
  for (const auto& one : of.state()->consumers()) all.push_back(one->status());
  const offset head = of.head();
  for (const named_cursor& one : *kept) {
    if (std::any_of(all.begin(), all.end(), [&](const consumer_status& known) { return known.name == one.name; })) continue;
    consumer_status absent;
    absent.name = one.name;
    absent.paused = one.cursor.paused;
    absent.at = one.cursor.at;
    absent.tries = one.cursor.tries;
    if (absent.at.epoch == head.epoch && absent.at.sequence < head.sequence) absent.lag = head.sequence - absent.at.sequence;
    all.push_back(std::move(absent));
  }
  std::sort(all.begin(), all.end(), [](const auto& left, const auto& right) { return left.name < right.name; });
  return all;
}

result<void> forget_consumer(const store& of, std::string_view name) {
  const auto known = of.state()->consumer_named(name);
  if (known && known->attached()) {
    return error{resource_errc::taken, "consumer '" + std::string{name} +
                                           "' has a process that subscribes under this name; stop that first"};
  }
  of.state()->remove_consumer(name);
  return of.transact([&](transaction& tx) -> result<void> { return tx.drop_cursor(name); });
}

}  // namespace herald
