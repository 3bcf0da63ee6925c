#pragma once
// A host's topics: which of its processes want which events. Everything here belongs to the host's owner; adding,
// removing and a subscriber's death cost the same at any size.
//
// A subscription is two small records: an entry in its topic's dense list (what the fan-out walks) and 40 bytes here, found
// by number. A process's subscriptions are chained through their numbers; from 16 on they are found through an index.
// While a fan-out walks a list, a removal only empties its entry; the holes are closed when the fan-out is through.

#include <any>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <herald/engine/event_entry.hpp>
#include <herald/engine/host.hpp>
#include <herald/engine/subscription_index.hpp>
#include <herald/engine/subscription_record.hpp>

namespace herald::engine {

struct fan_out;

/// What a subscribe was.
enum class declared : std::uint8_t {
  fresh,  ///< a new subscription
  again,  ///< one that the incarnation before had
  known,  ///< one that this incarnation has already, by its key
  other,  ///< none: this incarnation has one of this key for events of another type
};
struct declaration {
  std::uint32_t id;
  declared how;
};

/// Where in a mailbox events were lost.
enum class gap_place : std::uint8_t { front, back };

class topic_table final : public host_slot {
 public:
  static constexpr std::size_t slot_index = 0;
  [[nodiscard]] static topic_table& of(host& h);
  [[nodiscard]] static topic_table* if_any(host& h) noexcept {
    return static_cast<topic_table*>(h.slot(slot_index));
  }
  ~topic_table() override;

  /// Adds or takes over a subscription of `c`; says which (`other`: which one is in the way). The handler is one of the cell's process type.
  declaration subscribe(cell& c, topic_record& topic, const handler_entry& handler, extra_ptr more);
  /// Removes the process's subscriptions to the topic; only the one of this key when there is one. Adds which to `ended`,
  /// when that is given.
  void unsubscribe(cell& c, const topic_record& topic, const std::string* key, std::vector<ended_subscription>* ended) noexcept;

  void incarnation_ended(cell& c) noexcept override;
  void incarnation_started(cell& c) noexcept override;
  void incarnation_failed(cell& c) noexcept override;
  void cell_gone(cell& c) noexcept override;
  [[nodiscard]] std::uint32_t subscriptions(const cell& c) const noexcept override;
  void taken(frame& lost) noexcept override;

  [[nodiscard]] subscription& at(std::uint32_t id) noexcept { return chunks_[id >> chunk_bits][id & (chunk_size - 1)]; }
  [[nodiscard]] const subscription& at(std::uint32_t id) const noexcept {
    return chunks_[id >> chunk_bits][id & (chunk_size - 1)];
  }
  [[nodiscard]] const handler_entry* const* handlers() const noexcept { return handlers_.data(); }
  [[nodiscard]] const handler_entry& handler_of(std::uint32_t id) const noexcept {
    const auto& s = at(id);
    return *handlers_[s.at->entries[s.place].handler & ~look_first];
  }
  /// It is still the same subscription.
  [[nodiscard]] bool current(std::uint32_t id, std::uint32_t generation) noexcept {
    const auto& s = at(id);
    return s.state != hold::free && s.generation == generation;
  }
  /// A subscription that cannot go on ends.
  void end(cell& c, std::uint32_t id) noexcept { remove(c, id); }

  // What its topics keep (retention.hpp).
  /// Live events that the mark covers are passed over; gives the subscription's generation.
  std::uint32_t pass_over(std::uint32_t id, std::unique_ptr<replay_mark> mark);
  void replay_over(std::uint32_t id) noexcept;
  /// The position of the last kept event that the subscription was handed live.
  [[nodiscard]] std::uint64_t served(std::uint32_t id) noexcept;

  // What was lost, and how the process is told (gap.hpp).
  void count_loss(std::uint32_t id, loss why, std::uint64_t count);
  /// So many events were lost here, and are to be told before the next one.
  void owe(cell& c, std::uint32_t id, std::uint64_t count, gap_place where);
  /// What is owed and told in no other way.
  [[nodiscard]] std::uint64_t take_missed(std::uint32_t id) noexcept;
  /// The same count, more: below 0 it is of what came before the subscription.
  void add_missed(std::uint32_t id, std::uint64_t count, bool before = false);
  /// Its gaps are in front of what waits, and told with the next event that is handled; else with the next one taken.
  [[nodiscard]] bool tells_late(const cell& c, std::uint32_t id) noexcept;
  [[nodiscard]] static const handler_entry* names_gap(const cell& c) noexcept { return c.ops->find(tag_of<gap>); }
  [[nodiscard]] static std::string key_of(const delivery& now);
  /// Options of the subscription whose event is in hand; null for bare ones. By the owner.
  [[nodiscard]] static const subscription_options* options_of(const delivery& now) noexcept;
  /// Set by entries that a mailbox did not take.
  bool refused = false;

  // Entries that were dropped and still lie in a mailbox; how many of this one now.
  std::uint32_t note_dropped(const cell& c) { return ++dropped_[&c]; }
  void forget_dropped(const cell& c) noexcept {
    const auto found = dropped_.find(&c);
    if (found != dropped_.end() && --found->second == 0) dropped_.erase(found);
  }

  /// A fan-out over this seat's list begins; there is one at a time.
  void begin_walk(seat& s, const fan_out& n) noexcept {
    walked_ = &s;
    walking_ = &n;
  }
  void end_walk() noexcept;

 private:
  static constexpr std::uint32_t chunk_bits = 10;
  static constexpr std::uint32_t chunk_size = 1u << chunk_bits;
  static constexpr std::uint32_t chain_limit = 16;  ///< subscriptions of one process before it gets an index

  struct many {
    subscription_index index;
  };
  // cell.topics: null; the first subscription's number + 1, shifted, with the low bit set; or a `many`.
  [[nodiscard]] static std::uint32_t chain_of(const cell& c) noexcept;
  static void set_chain(cell& c, std::uint32_t first) noexcept;
  [[nodiscard]] static many* many_of(const cell& c) noexcept;
  [[nodiscard]] auto seat_of() noexcept {
    return [this](std::uint32_t id) -> const seat& { return *at(id).at; };
  }
  /// f(id) for each of the process's subscriptions to this seat, until it says true.
  template <class F>
  bool any_at(cell& c, const seat& s, F&& f);
  /// f(id) for each of the process's subscriptions; f may remove the one it is given.
  template <class F>
  void each(cell& c, F&& f);
  void link(cell& c, std::uint32_t id);
  void unlink(cell& c, std::uint32_t id) noexcept;

  [[nodiscard]] std::uint32_t take_record();
  void give_record(std::uint32_t id) noexcept;
  [[nodiscard]] std::uint32_t number_of(const handler_entry& handler);
  void set_extra(std::uint32_t id, extra_ptr more);
  /// The side record, made without options when there is none.
  side_record& side_of(std::uint32_t id);
  void set_look(std::uint32_t id) noexcept;
  /// The options are about to change or go: a handler that is told of them keeps them.
  void pin(std::uint32_t id) noexcept;
  std::uint32_t add(cell& c, seat& s, std::uint32_t handler, extra_ptr more);
  void append(seat& s, subscriber entry);
  static void close_hole(topic_table& t, seat& s, std::uint32_t place) noexcept;
  static void shrink(seat& s) noexcept;
  void remove(cell& c, std::uint32_t id) noexcept;
  /// A member of a group takes events from now on, or none while another can.
  void set_up(cell& c, std::uint32_t id, bool up) noexcept;

  std::vector<std::unique_ptr<subscription[]>> chunks_;
  std::uint32_t used_ = 0;
  std::uint32_t free_ = 0;  ///< number + 1 of the first free record; the next one is in its `next`
  std::vector<const handler_entry*> handlers_;
  std::unordered_map<const handler_entry*, std::uint32_t> handler_numbers_;
  seat* walked_ = nullptr;
  const fan_out* walking_ = nullptr;
  std::vector<std::uint32_t> holes_;
  std::unordered_map<const cell*, std::uint32_t> dropped_;
};

}  // namespace herald::engine
