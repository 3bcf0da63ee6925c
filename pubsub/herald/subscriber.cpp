#include <herald/subscriber.hpp>

#include <herald/topic.hpp>

namespace herald::detail {

namespace {

std::string name_of(const std::vector<std::string>& topics) {
  std::string name;
  for (const auto& topic : topics) {
    if (!name.empty()) name += '+';
    for (const char c : topic) {
      if (c == '/') {
        name += "%2F";
      } else {
        name += c;
      }
    }
  }
  return name;
}

std::string fault_of(const subscriber_plan& plan, const engine::type_tag& event) {
  if (plan.topics.empty()) return "subscribes to no topic; wanted: 1 up";
  for (std::size_t i = 0; i < plan.topics.size(); ++i) {
    if (const auto fine = check_pattern(plan.topics[i]); !fine) return "cannot subscribe: " + fine.error().message();
    if (const auto fine = engine::check_options(plan.options, plan.topics[i], event); !fine)
      return "cannot subscribe: " + fine.error().message();
    for (std::size_t other = 0; other < i; ++other)
      if (plan.topics[other] == plan.topics[i]) return "subscribes to \"" + plan.topics[i] + "\" twice; wanted: once";
  }
  return {};
}

}  // namespace

subscriber_parts take_apart(topic_names topics, subscriber_options o, const engine::type_tag& event) {
  subscriber_parts parts;
  const bool once = o.once && topics.all().size() > 1 && !o.group;
  parts.plan = {topics.all(), std::move(o.bus),
                {std::move(o.key), std::move(o.metadata), std::move(o.filter), std::move(o.when_slow), o.retained, o.history,
                 once, std::move(o.group)}};
  auto& spec = parts.spec;
  spec.id = o.name.empty() ? name_of(parts.plan.topics) : std::move(o.name);
  spec.options = {o.restart, o.shutdown, o.mailbox, o.on_restart, o.backoff, o.placement, o.start_timeout, o.significant, {}, {}};
  spec.fault = fault_of(parts.plan, event);
  return parts;
}

void open_subscriptions(context& self, const subscriber_plan& plan, const engine::type_tag& event) {
  const auto where = plan.bus.empty() ? bus{self} : bus{self, plan.bus};
  for (const auto& topic : plan.topics) static_cast<void>(or_throw(subscribe(self, where, topic, event, plan.options)));
}

}  // namespace herald::detail
