#pragma once
// Memory of cells: [cell | padding, context | process state], in blocks by size, never given back before the host ends:
// an address may always be looked at (fwd.hpp). Owned by the host.

#include <cstddef>
#include <memory>
#include <vector>

#include <herald/engine/cell.hpp>

namespace herald::engine {

inline constexpr std::size_t context_size = 16;  ///< room for herald::context just before the state

class slab {
 public:
  slab() = default;
  slab(const slab&) = delete;
  slab& operator=(const slab&) = delete;
  ~slab();

  /// A fresh or reused cell with room for its state; larger or stricter states get a block of their own.
  [[nodiscard]] cell& take(std::size_t state_size, std::size_t state_align);
  void give_back(cell& c);
  /// Where the state of `c` begins: its inline room, or a block of its own.
  [[nodiscard]] static void* state_room(cell& c, std::size_t size, std::size_t align, bool fresh_block);
  static void free_block(void* state, std::size_t size, std::size_t align) noexcept;

  /// Cells that lie together; those made later are in chunks behind.
  struct chunk_view {
    std::byte* memory;
    std::size_t stride;
    std::size_t count;
  };
  [[nodiscard]] std::size_t chunks() const noexcept { return chunks_.size(); }
  [[nodiscard]] const chunk_view& chunk(std::size_t i) const noexcept { return chunks_[i]; }

  template <class F>
  void each(F&& f) {
    for (auto& chunk : chunks_)
      for (std::size_t i = 0; i < chunk.count; ++i) f(*reinterpret_cast<cell*>(chunk.memory + i * chunk.stride));
  }

 private:
  static constexpr std::size_t max_inline = 4096;
  void grow(std::size_t size_class);
  std::vector<chunk_view> chunks_;
  std::vector<cell*> free_;  ///< heads by size class, linked through ready_next
};

}  // namespace herald::engine
