#pragma once
// A host's timers: a four-ary heap of deadlines, each knowing its place so that it can be taken out again. Owned by the
// host; the clock thread knows only the earliest deadline of each host.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <herald/engine/fwd.hpp>

namespace herald::engine {

using time_point = std::chrono::steady_clock::time_point;

struct timer {
  time_point when{};
  std::uint64_t order = 0;  ///< ties fire in the order they were armed
  std::size_t place = npos;
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

  timer() = default;
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;
  /// Runs on the host's owner, never user code; the timer is out of the heap and may be armed again or deleted.
  virtual void fire(host& home) = 0;

 protected:
  virtual ~timer() = default;
};

class timer_heap {
 public:
  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  [[nodiscard]] timer& top() const noexcept { return *heap_.front(); }
  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

  void add(timer& t) {
    t.order = next_order_++;
    heap_.push_back(&t);
    up(heap_.size() - 1, &t);
  }
  void remove(timer& t) noexcept {
    if (t.place == timer::npos) return;
    const auto hole = t.place;
    auto* last = heap_.back();
    heap_.pop_back();
    t.place = timer::npos;
    if (last == &t) return;
    if (hole > 0 && before(*last, *heap_[(hole - 1) / 4])) {
      up(hole, last);
    } else {
      down(hole, last);
    }
  }

 private:
  static bool before(const timer& a, const timer& b) noexcept {
    return a.when != b.when ? a.when < b.when : a.order < b.order;
  }
  void put(std::size_t place, timer* t) noexcept {
    heap_[place] = t;
    t->place = place;
  }
  void up(std::size_t place, timer* t) noexcept {
    while (place > 0) {
      const auto parent = (place - 1) / 4;
      if (!before(*t, *heap_[parent])) break;
      put(place, heap_[parent]);
      place = parent;
    }
    put(place, t);
  }
  void down(std::size_t place, timer* t) noexcept {
    for (;;) {
      const auto first = place * 4 + 1;
      if (first >= heap_.size()) break;
      auto best = first;
      for (auto i = first + 1; i < first + 4 && i < heap_.size(); ++i)
        if (before(*heap_[i], *heap_[best])) best = i;
      if (!before(*heap_[best], *t)) break;
      put(place, heap_[best]);
      place = best;
    }
    put(place, t);
  }
  std::vector<timer*> heap_;
  std::uint64_t next_order_ = 0;
};

}  // namespace herald::engine
