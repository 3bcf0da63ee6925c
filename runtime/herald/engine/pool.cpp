#include <herald/engine/pool.hpp>

#include <algorithm>
#include <new>
#include <utility>

#include <herald/engine/host.hpp>
#include <herald/engine/message_trace.hpp>

#if defined(__SANITIZE_ADDRESS__)
#define HERALD_POOLED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HERALD_POOLED 0
#endif
#endif
#ifndef HERALD_POOLED
#define HERALD_POOLED 1
#endif

namespace herald::engine {

namespace {

constexpr std::size_t class_of(std::size_t size) noexcept { return (size + node_step - 1) / node_step; }

void release_chain(spare_node* node) noexcept {
  while (node != nullptr) {
    auto* next = node->next;
    ::operator delete(node);
    node = next;
  }
}

/// Depots that have had something to spare: threads that own no host draw from them. Never destroyed: threads may outlive all.
struct givers {
  std::mutex mutex;
  std::vector<depot*> all;
  static givers& list() {
    static auto& one = *new givers;
    return one;
  }
  void add(depot& d) {
    const std::lock_guard lock{mutex};
    if (std::find(all.begin(), all.end(), &d) == all.end()) all.push_back(&d);
  }
  void remove(depot& d) noexcept {
    const std::lock_guard lock{mutex};
    std::erase(all, &d);
  }
  [[nodiscard]] spare_node* get(std::size_t size_class) noexcept {
    const std::lock_guard lock{mutex};
    for (auto* d : all)
      if (auto* chain = d->get(size_class)) return chain;
    return nullptr;
  }
};

/// What a plain thread has drawn. Its messages end on hosts, which would otherwise gather nodes that it has to ask the
/// allocator for anew. Without a destructor of its own, because a thread's other objects may send while they are destroyed.
struct drawn_nodes {
  struct drawn {
    spare_node* head = nullptr;
    std::uint32_t wait = 0;  ///< allocations until it is worth while to ask again
  };
  std::array<drawn, node_classes> lists{};
  bool over = false;
};
constinit thread_local drawn_nodes drawn_here;

/// Gives back what is left at the thread's end; what the thread still sends then is asked of the allocator.
struct drawn_end {
  drawn_end() = default;
  drawn_end(const drawn_end&) = delete;
  drawn_end& operator=(const drawn_end&) = delete;
  ~drawn_end() {
    drawn_here.over = true;
    for (auto& list : drawn_here.lists) release_chain(std::exchange(list.head, nullptr));
  }
  void arm() const noexcept {}
};
thread_local const drawn_end drawn_ends_here;

bool refill(drawn_nodes::drawn& list, std::size_t size_class) noexcept {
  if (drawn_here.over) return false;
  if (list.wait != 0) return --list.wait, false;
  list.head = givers::list().get(size_class);
  if (list.head == nullptr) return list.wait = chain_length, false;
  drawn_ends_here.arm();
  return true;
}

void* draw(std::size_t size_class) {
  auto& list = drawn_here.lists[size_class];
  if (list.head == nullptr && !refill(list, size_class)) return ::operator new(size_class * node_step);
  auto* node = list.head;
  list.head = node->next;
  return node;
}

}  // namespace

depot::~depot() {
  givers::list().remove(*this);
  for (auto& chains : chains_)
    for (auto* chain : chains) release_chain(chain);
}

bool depot::give(std::size_t size_class, spare_node* chain) noexcept {
  try {
    givers::list().add(*this);
    const std::lock_guard lock{mutex_};
    auto& chains = chains_[size_class];
    if (chains.size() >= max_chains) return false;
    chains.push_back(chain);
  } catch (...) {
    return false;
  }
  return true;
}

spare_node* depot::get(std::size_t size_class) noexcept {
  const std::lock_guard lock{mutex_};
  auto& chains = chains_[size_class];
  if (chains.empty()) return nullptr;
  auto* chain = chains.back();
  chains.pop_back();
  return chain;
}

node_pool::~node_pool() {
  for (auto& list : lists_) release_chain(list.head);
}

void* node_pool::refill(std::size_t size_class) {
  auto* chain = depot_->get(size_class);
  if (chain == nullptr) return ::operator new(size_class * node_step);
  lists_[size_class] = {chain->next, chain_length - 1};
  return chain;
}

void node_pool::spill(std::size_t size_class) noexcept {
  auto& list = lists_[size_class];
  auto* last = list.head;
  for (std::uint32_t i = 1; i < chain_length; ++i) last = last->next;
  auto* chain = list.head;
  list.head = last->next;
  list.count -= chain_length;
  last->next = nullptr;
  if (!depot_->give(size_class, chain)) release_chain(chain);
}

void* allocate_node(std::size_t size, frame* owned) {
  const auto size_class = class_of(size);
  if (size_class >= node_classes) return ::operator new(size);
  if (HERALD_POOLED == 0) return ::operator new(size_class * node_step);
  return owned != nullptr ? owned->home->nodes().get(size_class) : draw(size_class);
}

void free_node_memory(void* memory, std::size_t size, frame* owned) noexcept {
  const auto size_class = class_of(size & ~std::size_t{traced_bit});
  if (HERALD_POOLED != 0 && owned != nullptr && size_class < node_classes) {
    owned->home->nodes().put(memory, size_class);
  } else {
    ::operator delete(memory);
  }
}

}  // namespace herald::engine
