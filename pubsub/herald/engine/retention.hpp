#pragma once
// What a topic keeps for those who come late, and how they get it first, then the live events: none twice, none left out.
//
// A publish that is kept takes the topic's lock, gets the next position, is appended, and is pushed to all hosts before
// the lock is let go. So inboxes have kept events in the order of their positions. A subscriber joins first, then copies
// what is kept under the same lock: whatever has a position up to that is in the copy (or older than the topic keeps), and
// is passed over when it comes out of the inbox; whatever is later comes out behind it. An operation through the inbox
// tells when nothing earlier can come any more. docs/decisions/fan-out.md has the argument.

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include <herald/engine/bus_core.hpp>
#include <herald/engine/frame.hpp>
#include <herald/engine/host.hpp>
#include <herald/engine/published.hpp>
#include <herald/engine/topic_record.hpp>

namespace herald::engine {

class topic_table;
enum class declared : std::uint8_t;

struct event_release {
  void operator()(published* event) const noexcept { release(event); }
};
/// One reference of an event.
using event_ref = std::unique_ptr<published, event_release>;

class retention {
 public:
  retention() = default;
  retention(const retention&) = delete;
  retention& operator=(const retention&) = delete;

  /// Every broadcast to the topic is kept; else only those that ask for it.
  [[nodiscard]] bool always() const noexcept { return always_.load(std::memory_order_acquire); }
  [[nodiscard]] std::unique_lock<std::mutex> lock() { return std::unique_lock{mutex_}; }
  /// The position of an event that is not kept: behind those kept so far.
  [[nodiscard]] std::uint64_t stamp() const noexcept { return 2 * last_.load(std::memory_order_relaxed) + 1; }

  // Under the lock.
  /// How many events are kept; fixed once set. False: it is another number already.
  [[nodiscard]] bool set_depth(std::size_t depth) noexcept;
  [[nodiscard]] std::size_t depth() const noexcept { return depth_; }
  /// Keeps the event, and gives the one that goes for it.
  [[nodiscard]] event_ref keep(published& event);
  [[nodiscard]] std::deque<event_ref> take_all() noexcept { return std::exchange(events_, {}); }
  [[nodiscard]] const std::deque<event_ref>& events() const noexcept { return events_; }
  [[nodiscard]] std::uint64_t position() const noexcept { return 2 * last_.load(std::memory_order_relaxed); }

 private:
  std::mutex mutex_;
  std::deque<event_ref> events_;
  std::size_t depth_ = 1;
  std::atomic<std::uint64_t> last_{0};
  std::atomic<bool> always_{false};
};

/// Hands the event out as the topic keeps: nothing more where it keeps nothing; else it gets its position, and one that is
/// kept is handed out before anybody else's is kept, so all hosts get what a topic keeps in one order. `keep`: whatever the
/// topic says.
template <class F>
void hand_out_kept(topic_record& topic, published& event, bool keep, frame* owned, F&& hand_out) {
  auto* keeper = keep ? &topic.make_keeper() : topic.keeper();
  if (keeper == nullptr) [[likely]]
    return hand_out();
  if (!keep && !keeper->always()) {
    event.position = keeper->stamp();
    return hand_out();
  }
  event_ref gone;  // its end is user code, and comes after the lock
  const auto lock = keeper->lock();
  if (!topic.bus().closed()) gone = keeper->keep(event);
  if (owned != nullptr) owned->home->take_mail();
  hand_out();
}

/// What one topic has kept, as one subscriber gets it.
struct kept_share {
  held_topic topic;
  std::vector<event_ref> events;
  std::uint64_t upto = 0;
};
using kept_shares = std::vector<kept_share>;

/// Live events that a subscription has had already, or does not get: up to a position of each topic.
struct replay_mark {
  std::unordered_map<const topic_record*, std::uint64_t> upto;
  kept_shares held;  ///< their topics, without events
  [[nodiscard]] bool covers(const published& event) const noexcept {
    const auto found = upto.find(event.topic);
    return found != upto.end() && event.position <= found->second;
  }
};

/// Copies what the topic keeps, or the topics that the pattern matches; `history` of each at most.
[[nodiscard]] kept_shares collect_kept(topic_record& record, std::size_t history);
/// The same of one topic, whose lock the caller holds.
[[nodiscard]] kept_share collect_locked(topic_record& topic, retention& of, std::size_t history);

/// Puts what was kept into the subscriber's mailbox.
void hand_over(topic_table& table, cell& c, std::uint32_t id, declared how, kept_shares shares, frame& f);

}  // namespace herald::engine
