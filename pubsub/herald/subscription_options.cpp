#include <herald/subscription_options.hpp>

#include <string>

#include <herald/tapped.hpp>

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

result<void> check_group(const subscription_options& options, std::string_view topic, const type_tag& type) {
  const auto& group = options.group;
  if (!group) return {};
  if (group.name().empty() || group.name().size() > 255)
    return refuse(topic, "is in a group whose name has " + std::to_string(group.name().size()) + " bytes; wanted: 1 to 255");
  for (const char c : group.name())
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return refuse(topic, "is in a group whose name has a control character; wanted: none");
  if (group.key() && group.key()->type != &type)
    return refuse(topic, "has a key of its group for events of type " + std::string{group.key()->type->name} + "; wanted: " +
                             std::string{type.name} + ", the type it subscribes to");
  const auto* odd = &type == &tag_of<tapped>                                   ? "is a tap"
                    : options.filter                                           ? "has a filter"
                    : options.when_slow.kind() != policy::kind_t::mailbox ? "has a policy for when it is slow"
                    : options.once                                             ? "says once"
                                                                               : nullptr;
  if (odd != nullptr)
    return refuse(topic, "is in the group \"" + group.name() + "\" and " + odd + "; wanted: one of both, a member takes whatever is given to it");
  return {};
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
  if (&type == &tag_of<tapped> && (options.filter || wanted.key()))
    return refuse(topic, "is a tap and has a " + std::string{options.filter ? "filter" : "key of latest_by"} +
                             "; wanted: none, a tap sees events of all types");
  if (auto fine = check_group(options, topic, type); !fine) return fine;
  if (options.history == 0)
    return refuse(topic, "wants a history of 0 events; wanted: 1 up, or retained = false for none");
  if (!options.retained && options.history != all_history)
    return refuse(topic, "wants a history of " + std::to_string(options.history) +
                             " events, and none (retained = false); wanted: one of both");
  return {};
}

}  // namespace herald::engine
