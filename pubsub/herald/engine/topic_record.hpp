#pragma once
// A topic as publishers see it: its name and the hosts that have subscribers, read without a lock. It exists while
// somebody holds a reference: a handle, a host with subscribers, an event on its way. Names do not leak.
//
// A pattern is a record too, with seats of its own; nobody publishes to it. A topic remembers which patterns match it, and
// of which version of the bus's patterns that is; a publisher that finds another version asks anew. So a publish pays for
// patterns only where some match, and for one comparison where there are any.
//
// Each host that ever joined has a `seat` in the chain; seats are appended under the bus's edge lock and freed with the
// record, so publishers walk the chain freely. In a seat only `home`, `topic`, `next` (fixed once linked), `joined` and
// `missed` are shared; the rest is its host's, touched by the host's owner alone.

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include <herald/engine/fwd.hpp>
#include <herald/gap.hpp>

namespace herald::engine {

class bus_core;
class group_members;
class pattern_routes;
class retention;
class topic_record;

/// One subscription in a topic's dense list, as the fan-out reads it: 16 bytes, and the cell behind them.
struct subscriber {
  cell* who = nullptr;        ///< null: removed while a fan-out was under way
  std::uint32_t handler = 0;  ///< index into the host's handlers; the top bit: look at the subscription before calling
  std::uint32_t id = 0;       ///< of the subscription in the host's table
};

using loss_counts = std::array<std::uint64_t, loss_kinds>;

struct seat {
  seat(host& h, topic_record& t) noexcept : home{&h}, topic{&t} {}
  seat(const seat&) = delete;
  seat& operator=(const seat&) = delete;
  ~seat() {
    if (entries != &first) std::free(entries);
  }

  host* home;
  topic_record* topic;
  std::atomic<seat*> next{nullptr};
  std::atomic<bool> joined{false};        ///< has subscribers, or will have: publishers send
  std::uint32_t pending = 0;              ///< subscriptions on their way through the inbox; under the edge lock
  std::atomic<std::uint64_t> missed{0};   ///< events that found the host's inbox full since the last fan-out
  std::uint64_t served = 0;               ///< position of the last kept event that was handed to all of them

  std::uint64_t events = 0;    ///< that came to this host
  std::uint64_t handed = 0;    ///< handler calls and entries in mailboxes made of them
  std::uint32_t live = 0;      ///< subscribers
  std::uint32_t size = 0;      ///< entries in use, removed ones too while a fan-out is under way
  std::uint32_t capacity = 1;
  subscriber first;            ///< topics of one subscriber need no array
  subscriber* entries = &first;
  std::unique_ptr<loss_counts> lost;  ///< of all its subscriptions, by reason; null: none
};

class topic_record {
 public:
  [[nodiscard]] static topic_record* make(bus_core& bus, std::string_view name, std::size_t hash);
  static void destroy(topic_record* record) noexcept;
  topic_record(const topic_record&) = delete;
  topic_record& operator=(const topic_record&) = delete;

  /// As it is subscribed to; of a group: without its own name.
  [[nodiscard]] std::string_view name() const noexcept { return {text(), name_length_}; }
  /// The name in the bus's map. A group has the topic's or pattern's, then group_mark, then its own.
  [[nodiscard]] std::string_view full_name() const noexcept { return {text(), length_}; }
  static constexpr char group_mark = '\x1f';
  [[nodiscard]] std::string_view group_name() const noexcept {
    return group_ ? full_name().substr(name_length_ + 1u) : std::string_view{};
  }
  /// The members when this is a group of competing consumers, else null.
  [[nodiscard]] group_members* group() const noexcept { return group_.get(); }
  [[nodiscard]] std::size_t hash() const noexcept { return hash_; }
  [[nodiscard]] bus_core& bus() const noexcept { return *bus_; }
  [[nodiscard]] bool pattern() const noexcept { return pattern_; }
  /// Nobody publishes to it; topics find it through the trie.
  [[nodiscard]] bool routed() const noexcept { return pattern_ || group_; }
  void count_published() noexcept { published_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t published() const noexcept { return published_.load(std::memory_order_relaxed); }
  /// Some host has subscribers. A hint, from anywhere.
  [[nodiscard]] bool has_hosts() const noexcept { return hosts_.load(std::memory_order_relaxed) != 0; }
  /// The first seat, or null.
  [[nodiscard]] seat* seats() const noexcept { return seats_.load(std::memory_order_acquire); }

  /// The patterns that match this topic, with a reference for the caller, null when there are none. `version`: of the
  /// bus's patterns, as the caller has just read it.
  [[nodiscard]] pattern_routes* routes(std::uint64_t version) {
    if (seen_.load(std::memory_order_acquire) == version << 1) return nullptr;
    return find_routes(version);
  }

  /// What is kept for those who come late; null: nothing ever was.
  [[nodiscard]] retention* keeper() const noexcept { return keeper_.load(std::memory_order_acquire); }
  /// The same, made when there is none.
  [[nodiscard]] retention& make_keeper();

  /// One more reference for somebody who holds or is given one.
  void retain(std::uint32_t count = 1) noexcept { refs_.fetch_add(count, std::memory_order_relaxed); }
  void release() noexcept;

 private:
  friend class bus_core;
  topic_record(bus_core& bus, std::string_view name, std::size_t hash) noexcept;
  ~topic_record();
  [[nodiscard]] pattern_routes* find_routes(std::uint64_t version);
  [[nodiscard]] const char* text() const noexcept { return reinterpret_cast<const char*>(this + 1); }

  bus_core* bus_;
  std::size_t hash_;
  topic_record* bucket_next_ = nullptr;
  std::atomic<seat*> seats_{nullptr};
  std::atomic<std::uint64_t> seen_{0};  ///< the version of routes_, twice; one more when there are any
  pattern_routes* routes_ = nullptr;    ///< guarded by routes_busy_
  std::unique_ptr<group_members> group_;
  std::atomic<std::uint64_t> published_{0};  ///< events that had somebody to go to; of routed ones: of the topics they match
  std::atomic<retention*> keeper_{nullptr};
  std::atomic<std::uint32_t> refs_{1};
  std::uint16_t length_;
  std::uint16_t name_length_;
  const bool pattern_;
  std::atomic_flag routes_busy_;
  std::atomic<std::uint32_t> hosts_{0};  ///< seats that are joined; written under the edge lock
};

/// A reference of a topic that travels.
using held_topic = std::shared_ptr<topic_record>;
[[nodiscard]] inline held_topic hold_topic(topic_record* owned) {
  return {owned, [](topic_record* t) {
            if (t != nullptr) t->release();
          }};
}

}  // namespace herald::engine
