#include <herald/subscription_options.hpp>

#include <string>

namespace herald::engine {

namespace {

std::string_view word(policy::kind_t kind) {
  switch (kind) {
    case policy::kind_t::mailbox: return "mailbox";
    case policy::kind_t::keep_all: return "keep_all";
    case policy::kind_t::drop_oldest: return "drop_oldest";
    case policy::kind_t::drop_newest: return "drop_newest";
    case policy::kind_t::latest_by: return "latest_by";
    case policy::kind_t::disconnect: return "disconnect";
  }
  return "unknown";
}

error refuse(std::string_view topic, const std::string& what) {
  return {pubsub_errc::bad_option, "the subscription to \"" + std::string{topic} + "\" " + what};
}

}  // namespace

result<void> check_options(const subscription_options& options, std::string_view topic, const type_tag& type) {
  const auto other_type = [&](std::string_view option, const type_tag& got) {
    return refuse(topic, "has a " + std::string{option} + " for events of type " + std::string{got.name} +
                             "; wanted: " + std::string{type.name} + ", the type it subscribes to");
  };
  const auto& wanted = options.when_slow;
  if (wanted.kind() != policy::kind_t::mailbox && (wanted.bound() == 0 || wanted.bound() > policy::max_bound))
    return refuse(topic, "has the policy " + std::string{word(wanted.kind())} + " with a bound of " +
                             std::to_string(wanted.bound()) + "; wanted: 1 to " + std::to_string(policy::max_bound));
  if (wanted.key() && wanted.key()->type != &type) return other_type("key of latest_by", *wanted.key()->type);
  if (options.filter && options.filter.inside()->type != &type) return other_type("filter", *options.filter.inside()->type);
  if (options.history == 0)
    return refuse(topic, "wants a history of 0 events; wanted: 1 up, or retained = false for none");
  if (!options.retained && options.history != all_history)
    return refuse(topic, "wants a history of " + std::to_string(options.history) +
                             " events, and none (retained = false); wanted: one of both");
  return {};
}

}  // namespace herald::engine
