#pragma once
// The inside of a bus: the map from names to topic records, in shards. Looking up takes one shard's lock for reading and
// is only for those who have no handle; publishing through a handle takes no lock at all.
//
// A record's last reference is let go under its shard's write lock, so a look-up under the read lock always finds a live
// record. Whether a host is joined to a topic changes under the edge lock, on the first and last subscription only.
//
// Patterns that have subscribers are linked in a trie. Each change of it makes a new version, before subscribe returns: a
// publish that begins afterwards sees the version, and asks the trie what matches its topic now.

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <herald/engine/core.hpp>
#include <herald/engine/interest_registry.hpp>
#include <herald/engine/pattern_trie.hpp>
#include <herald/engine/topic_record.hpp>
#include <herald/pubsub_error.hpp>

namespace herald {
class adapter;
class dispatcher;
}

namespace herald::engine {

class bus_core {
 public:
  bus_core(core& system, std::string name);
  ~bus_core();
  bus_core(const bus_core&) = delete;
  bus_core& operator=(const bus_core&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// Only while not closed: afterwards the application may be gone.
  [[nodiscard]] core& system() const noexcept { return *system_; }
  /// What a publisher must know, in one word: whether the bus is closed, and the version of its patterns.
  [[nodiscard]] std::uint64_t routing() const noexcept { return routing_.load(std::memory_order_acquire); }
  static constexpr std::uint64_t closed_bit = 1;
  static constexpr std::uint64_t remote_bit = 2;   ///< an adapter reaches other nodes
  static constexpr std::uint64_t watched_bit = 4;  ///< somebody wants to know when topics become wanted
  static constexpr std::uint64_t dispatched_bit = 8;  ///< events go by way of the bus's own dispatcher
  static constexpr int version_shift = 8;
  /// Of a routing word; 0: there never was a pattern.
  [[nodiscard]] static std::uint64_t version_of(std::uint64_t routing) noexcept { return routing >> version_shift; }
  [[nodiscard]] bool closed() const noexcept { return (routing() & closed_bit) != 0; }
  /// Also drops what topics keep.
  void close() noexcept;
  /// Topics that keep, or once kept, something.
  [[nodiscard]] std::vector<held_topic> keeping();

  /// The record of this name with one more reference; made when there is none.
  [[nodiscard]] topic_record* open(std::string_view name);
  /// The same, null when there is none.
  [[nodiscard]] topic_record* find(std::string_view name);
  /// The record that a publish to this name needs: as find, null when nobody wants its events, and made when patterns match
  /// a name that nobody holds.
  [[nodiscard]] topic_record* find_wanted(std::string_view name);
  /// The record of a group of competing consumers, as open.
  [[nodiscard]] topic_record* open_group(std::string_view topic, std::string_view group);
  /// The groups of exactly this topic or pattern that have members.
  [[nodiscard]] std::vector<held_topic> groups_of(std::string_view topic) const;
  /// Without patterns and groups.
  [[nodiscard]] std::size_t topics() const;
  /// Patterns and groups that have subscribers.
  [[nodiscard]] std::size_t patterns() const;
  /// The patterns that match the name now, with a reference, null when there are none; and of which version that is.
  struct matched {
    pattern_routes* routes;
    std::uint64_t version;
  };
  [[nodiscard]] matched match(std::string_view name) const;

  /// The host's seat in the topic, null when it never had one.
  [[nodiscard]] static seat* seat_of(const topic_record& topic, const host& h) noexcept;
  /// Makes the host one that publishers send to. `pending`: the subscription is on its way through its inbox. Takes a
  /// reference of the topic for the seat, or for the pending subscription.
  seat& join(topic_record& topic, host& h, bool pending);
  /// A pending subscription has arrived (it lets its reference go itself); `live` says whether it is in the list.
  void arrived(seat& s) noexcept;
  /// The list is empty; publishers stop sending unless a subscription is on its way. Lets the seat's reference go.
  void leave(seat& s) noexcept;

  /// The way to other nodes, while the bus's keeper runs. Error: it has a keeper already.
  [[nodiscard]] result<void> attach(std::shared_ptr<adapter> way, std::string node_name);
  /// What the topic keeps goes, on this node.
  void clear(std::string_view topic);
  void detach() noexcept;
  [[nodiscard]] std::shared_ptr<adapter> remote() const;
  /// What decides about the bus's events where their publishers name no dispatcher, while its keeper runs; null: the bus itself.
  void set_dispatcher(std::shared_ptr<const dispatcher> by);
  [[nodiscard]] std::shared_ptr<const dispatcher> own_dispatcher() const;
  [[nodiscard]] std::string node_name() const;

  [[nodiscard]] interest_registry& interests() noexcept { return interests_; }
  /// Between writing for the other side and reading what it wrote, on both sides: one of two that meet sees the other.
  /// (A read-modify-write of one variable, because ThreadSanitizer knows no fences.)
  void meet() noexcept { meetings_.fetch_add(1, std::memory_order_acq_rel); }
  void set_watched() noexcept { routing_.fetch_or(watched_bit, std::memory_order_seq_cst); }
  /// f(record) for each that has subscribers. f takes no lock of the bus.
  template <class F>
  void each_joined(F&& f) const {
    for (const auto& s : shards_) {
      const std::shared_lock lock{s.mutex};
      for (auto* head : s.buckets)
        for (auto* r = head; r != nullptr; r = r->bucket_next_)
          if (r->has_hosts()) f(*r);
    }
  }

  /// Every record there is, with a reference.
  [[nodiscard]] std::vector<held_topic> all();
  /// How many a second since this was last asked for the name.
  [[nodiscard]] double rate_of(const std::string& name, std::uint64_t count, time_point now);

  std::atomic<std::uint64_t> mismatched{0};  ///< deliveries not made because the types differ
  std::atomic<std::uint64_t> missed{0};      ///< events not taken by a full inbox, a host each
  /// True the first time for this topic.
  [[nodiscard]] bool tell_mismatch(const topic_record& topic);

 private:
  friend class topic_record;
  struct alignas(64) shard {
    mutable std::shared_mutex mutex;
    std::mutex edges;
    std::vector<topic_record*> buckets;
    std::size_t count = 0;
    std::size_t patterns = 0;  ///< of these
    std::vector<std::string> told;  ///< topics whose mismatch was reported; at most max_told
  };
  static constexpr std::size_t shards = 64;
  static constexpr std::size_t max_told = 64;
  [[nodiscard]] shard& shard_of(std::size_t hash) noexcept { return shards_[hash >> (64 - 6)]; }
  [[nodiscard]] static topic_record* search(const shard& in, std::string_view name, std::size_t hash) noexcept;
  static void grow(shard& s);
  void forget(topic_record* record) noexcept;
  // One more host will be joined, or is to be no more; under the edge lock.
  void host_came(topic_record& topic);
  void host_went(seat& s) noexcept;
  void new_version() noexcept { routing_.fetch_add(std::uint64_t{1} << version_shift, std::memory_order_acq_rel); }

  /// The record has its first host, or has lost the last one; under the edge lock.
  void edge(topic_record& topic, bool wanted);

  core* system_;
  std::string name_;
  std::atomic<std::uint32_t> meetings_{0};
  alignas(64) std::atomic<std::uint64_t> routing_{0};
  interest_registry interests_;
  struct sample {
    std::uint64_t count;
    time_point when;
  };
  static constexpr std::size_t max_samples = 100'000;
  std::mutex samples_mutex_;
  std::unordered_map<std::string, sample> samples_;  ///< as last asked; begins anew when it is full
  mutable std::mutex remote_mutex_;
  bool kept_ = false;
  std::shared_ptr<adapter> remote_;
  std::shared_ptr<const dispatcher> dispatcher_;
  std::string node_name_{"local"};
  std::atomic<std::size_t> keepers_{0};
  mutable std::shared_mutex patterns_mutex_;  ///< taken inside an edge lock, never around one
  pattern_trie patterns_;
  std::array<shard, shards> shards_;
};

/// All buses of an application, by name; the default one has none.
class bus_hub final : public core_slot {
 public:
  explicit bus_hub(core& system) : system_{&system}, default_{std::make_shared<bus_core>(system, std::string{})} {}
  [[nodiscard]] static bus_hub& of(core& system);
  [[nodiscard]] const std::shared_ptr<bus_core>& default_bus() const noexcept { return default_; }
  [[nodiscard]] std::shared_ptr<bus_core> bus(std::string_view name);
  void closing() noexcept override;

 private:
  core* system_;
  const std::shared_ptr<bus_core> default_;
  std::mutex mutex_;
  bool closed_ = false;
  std::map<std::string, std::shared_ptr<bus_core>, std::less<>> buses_;
};

}  // namespace herald::engine
