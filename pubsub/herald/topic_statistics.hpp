#pragma once
// The problem: which topics are busy, who is subscribed, who lags, and what is lost. The bus counts where it writes anyway,
// so nobody pays for counters that nobody reads; reading asks each host.
//
//   for (const auto& t : bus.list().value()) print(t.name, t.published, t.subscribers, t.slowest.path);
//
// Counts are of the topic's present record: it goes when nobody holds the topic (topic_record), and the counts with it.
//
// bus::subscribers tells the same of each subscription: delivered, lost by reason, rate, and what waits. A delivery counts
// nothing for it: what a subscription was given is what its host's share of the topic handed out since it came, less what
// it was left out of (filters, broadcast_from, other types), and only that is written down. It costs 8 bytes a subscription.
//
// Thread safety: values, asked for from plain threads.

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

#include <herald/gap.hpp>
#include <herald/ref.hpp>

namespace herald {

struct topic_statistics {
  std::string name;   ///< of the topic or pattern
  std::string group;  ///< of competing consumers; empty: subscribers that get every event
  bool pattern = false;
  /// Events published that had somebody to go to, by name or by handle: a subscriber here, or the topic that keeps them. Of
  /// patterns and groups: those of the topics that match. Each once, however many subscribers and hosts there are.
  std::uint64_t published = 0;
  /// Handler calls, and events put into mailboxes (what is lost there is in `lost`, too).
  std::uint64_t delivered = 0;
  std::array<std::uint64_t, loss_kinds> lost{};  ///< by herald::loss
  std::uint64_t subscribers = 0;
  std::uint64_t retained = 0;  ///< events that the topic keeps for those who come late
  /// Published a second since the topic was last asked about; 0 the first time.
  double rate = 0;
  struct lagging {
    any_ref who;  ///< empty: there is no subscriber
    std::string path;
    std::uint32_t waiting = 0;  ///< messages of all kinds in its mailbox, and the values that latest_by holds for it
  };
  lagging slowest;  ///< the subscriber for whom most is waiting

  [[nodiscard]] std::uint64_t lost_in_all() const noexcept {
    std::uint64_t sum = 0;
    for (const auto n : lost) sum += n;
    return sum;
  }
};

}  // namespace herald
