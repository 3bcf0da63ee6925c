#pragma once
// A share in an event outside of its fan-out: for a process that hands events on to others. Holds the payload, and the
// topic or pattern that it came through, so that topic_of() tells the same at the far end.

#include <memory>
#include <utility>

#include <herald/engine/event_entry.hpp>
#include <herald/engine/topic_record.hpp>

namespace herald::engine {

class event_share {
 public:
  /// Of the event in hand.
  explicit event_share(const delivery& now)
      : event_{const_cast<published*>(now.event)}, at_{now.at}, through_{hold_topic(now.at->topic)} {
    event_->refs.fetch_add(1, std::memory_order_relaxed);
    now.at->topic->retain();
  }
  event_share(event_share&& other) noexcept
      : event_{std::exchange(other.event_, nullptr)}, at_{other.at_}, through_{std::move(other.through_)} {}
  event_share& operator=(event_share&& other) noexcept {
    std::swap(event_, other.event_);
    std::swap(at_, other.at_);
    std::swap(through_, other.through_);
    return *this;
  }
  ~event_share() {
    if (event_ != nullptr) release(event_);
  }

  [[nodiscard]] const published& event() const noexcept { return *event_; }
  [[nodiscard]] delivery told() const {
    delivery now;
    now.event = event_;
    now.at = at_;
    return now;
  }
  /// What keeps the topic it came through.
  [[nodiscard]] const held_topic& through() const noexcept { return through_; }

 private:
  published* event_;
  const seat* at_;
  held_topic through_;
};

}  // namespace herald::engine
