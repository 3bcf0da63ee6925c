#pragma once
// Where the partitions of one partition supervisor are: written by the supervisor, read by whoever routes by key. An
// address is two words, so each entry has a sequence number that is odd while it is written.
//
// Thread safety: one writer, any readers, no locks. Lifetime: shared by the application and all partition_refs.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <herald/engine/fwd.hpp>

namespace herald::engine {

class partition_table {
 public:
  partition_table(std::size_t capacity, const process_ops* type) : entries_(capacity), type_{type} {}

  [[nodiscard]] std::size_t capacity() const noexcept { return entries_.size(); }
  [[nodiscard]] const process_ops* type() const noexcept { return type_; }
  [[nodiscard]] std::size_t count() const noexcept { return count_.load(std::memory_order_acquire); }
  /// 0 to capacity.
  void resize(std::size_t partitions) noexcept { count_.store(partitions, std::memory_order_release); }

  void set(std::size_t number, const address& where) noexcept {
    auto& e = entries_[number];
    const auto sequence = e.sequence.load(std::memory_order_relaxed);
    e.sequence.store(sequence + 1, std::memory_order_relaxed);
    // Released one by one: a reader that sees one of them sees the odd number too (and no fence, which TSan cannot follow).
    e.cell.store(where.cell, std::memory_order_release);
    e.generation.store(where.generation, std::memory_order_release);
    e.sequence.store(sequence + 2, std::memory_order_release);
  }

  /// The partition that the key belongs to; an empty address when there are none.
  [[nodiscard]] address at_key(std::uint64_t key) const noexcept {
    const auto n = count();
    return n != 0 ? at(static_cast<std::size_t>(key % n)) : address{};
  }
  [[nodiscard]] address at(std::size_t number) const noexcept {
    const auto& e = entries_[number];
    for (;;) {
      const auto before = e.sequence.load(std::memory_order_acquire);
      const address found{e.cell.load(std::memory_order_acquire), e.generation.load(std::memory_order_acquire)};
      if ((before & 1) == 0 && e.sequence.load(std::memory_order_relaxed) == before) return found;
    }
  }

 private:
  struct entry {
    std::atomic<std::uint32_t> sequence{0};
    std::atomic<std::uint32_t> generation{0};
    std::atomic<engine::cell*> cell{nullptr};
  };
  std::vector<entry> entries_;
  std::atomic<std::size_t> count_{0};
  const process_ops* type_;
};

}  // namespace herald::engine
