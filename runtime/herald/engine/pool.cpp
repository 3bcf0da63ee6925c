#include <herald/engine/pool.hpp>

#include <new>

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

}  // namespace

depot::~depot() {
  for (auto& chains : chains_)
    for (auto* chain : chains) release_chain(chain);
}

bool depot::give(std::size_t size_class, spare_node* chain) noexcept {
  const std::lock_guard lock{mutex_};
  auto& chains = chains_[size_class];
  if (chains.size() >= max_chains) return false;
  try {
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
  if (HERALD_POOLED != 0 && owned != nullptr) return owned->home->nodes().get(size_class);
  return ::operator new(size_class * node_step);
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
