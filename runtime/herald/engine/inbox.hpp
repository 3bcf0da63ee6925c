#pragma once
// Many threads push, the host's owner takes everything at once. Lock-free: one compare-and-swap a push, one exchange a
// take. The number of waiting envelopes rides in the head's spare bits (nodes are 16-aligned and addresses have 47 bits,
// which leaves 21 for a count), so the cap costs nothing extra and is exact.
//
// Memory ordering: push is a release, take an acquire; both are sequentially consistent because the sleep protocol of
// host.hpp needs "push, then look at the state" and "set the state, then look at the inbox" in one total order.

#include <atomic>
#include <cstdint>

#include <herald/engine/envelope.hpp>

namespace herald::engine {

class inbox {
 public:
  static constexpr std::uint32_t max_depth = (1u << 21) - 1;

  /// False when `cap` envelopes wait already; the envelope then still belongs to the caller.
  [[nodiscard]] bool push(envelope* e, std::uint32_t cap = max_depth) noexcept {
    auto head = head_.load(std::memory_order_relaxed);
    for (;;) {
      const auto count = static_cast<std::uint32_t>(head >> pointer_bits);
      if (count >= cap) return false;
      e->next = pointer(head);
      const auto next = (std::uint64_t{count} + 1) << pointer_bits | reinterpret_cast<std::uint64_t>(e) >> 4;
      if (head_.compare_exchange_weak(head, next, std::memory_order_seq_cst, std::memory_order_relaxed)) return true;
    }
  }

  /// Everything pushed so far, oldest first. Each node is touched once: it was written by another core, and is not here yet.
  [[nodiscard]] envelope_queue take() noexcept {
    envelope_queue all;
    if (head_.load(std::memory_order_relaxed) == 0) return all;
    auto* newest = pointer(head_.exchange(0, std::memory_order_seq_cst));
    all.tail = newest;
    while (newest != nullptr) {
      auto* older = newest->next;
      newest->next = all.head;
      all.head = newest;
      newest = older;
    }
    return all;
  }

  [[nodiscard]] bool empty() const noexcept { return head_.load(std::memory_order_seq_cst) == 0; }
  [[nodiscard]] bool probably_empty() const noexcept { return head_.load(std::memory_order_relaxed) == 0; }
  [[nodiscard]] std::uint32_t depth() const noexcept {
    return static_cast<std::uint32_t>(head_.load(std::memory_order_relaxed) >> pointer_bits);
  }

 private:
  static constexpr unsigned pointer_bits = 43;
  static envelope* pointer(std::uint64_t head) noexcept {
    return reinterpret_cast<envelope*>((head & ((std::uint64_t{1} << pointer_bits) - 1)) << 4);
  }
  std::atomic<std::uint64_t> head_{0};
};

}  // namespace herald::engine
