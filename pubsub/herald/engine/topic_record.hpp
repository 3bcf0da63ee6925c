#pragma once
// A topic as publishers see it: its name and the hosts that have subscribers, read without a lock. It exists while
// somebody holds a reference: a handle, a host with subscribers, an event on its way. Names do not leak.
//
// Each host that ever joined has a `seat` in the chain; seats are appended under the bus's edge lock and freed with the
// record, so publishers walk the chain freely. In a seat only `home`, `topic`, `next` (fixed once linked), `joined` and
// `missed` are shared; the rest is its host's, touched by the host's owner alone.

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <herald/engine/fwd.hpp>

namespace herald::engine {

class bus_core;
class topic_record;

/// One subscription in a topic's dense list, as the fan-out reads it: 16 bytes, and the cell behind them.
struct subscriber {
  cell* who = nullptr;        ///< null: removed while a fan-out was under way
  std::uint32_t handler = 0;  ///< index into the host's handlers; the top bit: look at the subscription before calling
  std::uint32_t id = 0;       ///< of the subscription in the host's table
};

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
  std::atomic<std::uint32_t> missed{0};   ///< events that found the host's inbox full since the last fan-out
  std::uint32_t pending = 0;              ///< subscriptions on their way through the inbox; under the edge lock

  std::uint32_t live = 0;      ///< subscribers
  std::uint32_t size = 0;      ///< entries in use, removed ones too while a fan-out is under way
  std::uint32_t capacity = 1;
  subscriber first;            ///< topics of one subscriber need no array
  subscriber* entries = &first;
};

class topic_record {
 public:
  [[nodiscard]] static topic_record* make(bus_core& bus, std::string_view name, std::size_t hash);
  static void destroy(topic_record* record) noexcept;
  topic_record(const topic_record&) = delete;
  topic_record& operator=(const topic_record&) = delete;

  [[nodiscard]] std::string_view name() const noexcept { return {text(), length_}; }
  [[nodiscard]] std::size_t hash() const noexcept { return hash_; }
  [[nodiscard]] bus_core& bus() const noexcept { return *bus_; }
  /// The first seat, or null.
  [[nodiscard]] seat* seats() const noexcept { return seats_.load(std::memory_order_acquire); }

  /// One more reference for somebody who holds or is given one.
  void retain(std::uint32_t count = 1) noexcept { refs_.fetch_add(count, std::memory_order_relaxed); }
  void release() noexcept;

 private:
  friend class bus_core;
  topic_record(bus_core& bus, std::uint32_t length, std::size_t hash) noexcept
      : bus_{&bus}, hash_{hash}, length_{length} {}
  ~topic_record();
  [[nodiscard]] const char* text() const noexcept { return reinterpret_cast<const char*>(this + 1); }

  bus_core* bus_;
  std::size_t hash_;
  topic_record* bucket_next_ = nullptr;
  std::atomic<seat*> seats_{nullptr};
  std::atomic<std::uint32_t> refs_{1};
  std::uint32_t length_;
};

}  // namespace herald::engine
