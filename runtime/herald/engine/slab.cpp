#include <herald/engine/slab.hpp>

#include <algorithm>
#include <new>

#include <herald/engine/extras.hpp>

namespace herald::engine {

namespace {

constexpr std::size_t step = 64;
constexpr std::size_t block_header = 64;  // room for the context before a state in a block of its own

constexpr std::size_t round_up(std::size_t n, std::size_t to) noexcept { return (n + to - 1) / to * to; }

}  // namespace

slab::~slab() {
  for (auto& chunk : chunks_) {
    for (std::size_t i = 0; i < chunk.count; ++i) {
      auto* c = reinterpret_cast<cell*>(chunk.memory + i * chunk.stride);
      delete c->extras;
      c->~cell();
    }
    ::operator delete(chunk.memory, std::align_val_t{step});
  }
}

cell& slab::take(std::size_t state_size, std::size_t state_align) {
  const bool fits = state_align <= context_size && state_size + context_size <= max_inline;
  const auto size_class = fits ? round_up(state_size + context_size, step) / step : 0;
  if (size_class >= free_.size()) free_.resize(size_class + 1, nullptr);
  if (free_[size_class] == nullptr) grow(size_class);
  auto* c = free_[size_class];
  free_[size_class] = c->ready_next;
  c->ready_next = nullptr;
  return *c;
}

void slab::give_back(cell& c) {
  c.ready_next = free_[c.size_class];
  free_[c.size_class] = &c;
}

void slab::grow(std::size_t size_class) {
  const auto stride = sizeof(cell) + size_class * step;
  const auto count = std::max<std::size_t>(1, (chunks_.size() < 4 ? 4096 : 65536) / stride);
  auto* memory = static_cast<std::byte*>(::operator new(count * stride, std::align_val_t{step}));
  chunks_.push_back({memory, stride, count});
  for (std::size_t i = count; i-- > 0;) {
    auto* c = new (memory + i * stride) cell;
    c->size_class = static_cast<std::uint16_t>(size_class);
    c->ready_next = free_[size_class];
    free_[size_class] = c;
  }
}

void* slab::state_room(cell& c, std::size_t size, std::size_t align, bool fresh_block) {
  if (!fresh_block && c.size_class != 0) return reinterpret_cast<std::byte*>(&c) + sizeof(cell) + context_size;
  const auto alignment = std::max(align, block_header);
  const auto header = std::max(block_header, align);
  auto* memory = static_cast<std::byte*>(::operator new(header + size, std::align_val_t{alignment}));
  return memory + header;
}

void slab::free_block(void* state, std::size_t, std::size_t align) noexcept {
  const auto alignment = std::max(align, block_header);
  const auto header = std::max(block_header, align);
  ::operator delete(static_cast<std::byte*>(state) - header, std::align_val_t{alignment});
}

}  // namespace herald::engine
