#pragma once
// Message nodes die on another host than they were born on, which is the worst case of a general allocator. Each host
// keeps free nodes by size; surplus goes to the application's depot in chains of 64 and comes back from there, so one
// lock is paid per 64 nodes. What the depot does not want goes back to the allocator. Sanitizer builds bypass the pool,
// so that a use after free is seen.
//
// Thread safety: a node_pool belongs to its host's owner; a depot is safe for all.

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include <herald/engine/frame.hpp>

namespace herald::engine {

inline constexpr std::size_t node_step = 32;
inline constexpr std::size_t node_classes = 9;  ///< up to 256 bytes; larger nodes are not pooled
inline constexpr std::uint32_t chain_length = 64;

struct spare_node {
  spare_node* next;
};

class depot {
 public:
  depot() = default;
  depot(const depot&) = delete;
  depot& operator=(const depot&) = delete;
  ~depot();
  /// Takes a chain of chain_length nodes; false when it has enough.
  [[nodiscard]] bool give(std::size_t size_class, spare_node* chain) noexcept;
  [[nodiscard]] spare_node* get(std::size_t size_class) noexcept;

 private:
  static constexpr std::size_t max_chains = 4096;
  std::mutex mutex_;
  std::array<std::vector<spare_node*>, node_classes> chains_;
};

class node_pool {
 public:
  explicit node_pool(depot& shared) noexcept : depot_{&shared} {}
  node_pool(const node_pool&) = delete;
  node_pool& operator=(const node_pool&) = delete;
  ~node_pool();

  [[nodiscard]] void* get(std::size_t size_class) {
    auto& list = lists_[size_class];
    if (list.head == nullptr) return refill(size_class);
    auto* node = list.head;
    list.head = node->next;
    --list.count;
    return node;
  }
  void put(void* memory, std::size_t size_class) noexcept {
    auto& list = lists_[size_class];
    auto* node = static_cast<spare_node*>(memory);
    node->next = list.head;
    list.head = node;
    if (++list.count >= 2 * chain_length) spill(size_class);
  }

 private:
  struct spare_list {
    spare_node* head = nullptr;
    std::uint32_t count = 0;
  };
  void* refill(std::size_t size_class);
  void spill(std::size_t size_class) noexcept;
  depot* depot_;
  std::array<spare_list, node_classes> lists_{};
};

/// Memory for a message node: from the pool of the host this thread owns; without one, from what hosts have to spare.
[[nodiscard]] void* allocate_node(std::size_t size, frame* owned);
void free_node_memory(void* memory, std::size_t size, frame* owned) noexcept;

}  // namespace herald::engine
