#include <herald/pubsub_error.hpp>

namespace herald {

namespace {

std::string_view word(int code) {
  switch (static_cast<pubsub_errc>(code)) {
    case pubsub_errc::bad_topic: return "bad_topic";
    case pubsub_errc::closed: return "closed";
    case pubsub_errc::not_accepted: return "not_accepted";
    case pubsub_errc::wrong_place: return "wrong_place";
    case pubsub_errc::would_block: return "would_block";
    case pubsub_errc::timeout: return "timeout";
    case pubsub_errc::bad_option: return "bad_option";
    case pubsub_errc::unknown_node: return "unknown_node";
    case pubsub_errc::no_presence: return "no_presence";
    case pubsub_errc::already_tracked: return "already_tracked";
    case pubsub_errc::not_tracked: return "not_tracked";
    case pubsub_errc::full: return "full";
    case pubsub_errc::unknown_dispatcher: return "unknown_dispatcher";
    case pubsub_errc::adapter_failed: return "adapter_failed";
    case pubsub_errc::not_started: return "not_started";
  }
  return "unknown";
}

constexpr error_domain pubsub_domain{"pubsub", word};

}  // namespace

const error_domain& domain_of(pubsub_errc) noexcept { return pubsub_domain; }

}  // namespace herald
