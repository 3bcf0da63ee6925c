#pragma once
// What incarnations own in registries (names, locks, listeners), listed by owner, so that their end frees it at once: the
// host asks here when a life is over, before anybody is told of the end.
//
// Thread safety: safe for all, because a handler whose host was taken may still register. An owner's list is under the
// lock of its shard; that lock is taken before any registry's own.

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include <herald/engine/cell.hpp>
#include <herald/engine/frame.hpp>

namespace herald::engine {

/// One thing owned. Linked by owners::add; ended once, by its owner's end or by whoever took it out.
struct owned_thing {
  owned_thing* previous = nullptr;
  owned_thing* following = nullptr;
  cell* owner = nullptr;
  std::uint32_t generation = 0;
  bool listed = false;  ///< false: taken out, or its owner's end has it in hand

  owned_thing() = default;
  owned_thing(const owned_thing&) = delete;
  owned_thing& operator=(const owned_thing&) = delete;
  /// Its owner has ended: takes itself out of its registry and deletes itself. No owner's lock is held.
  virtual void owner_ended() noexcept = 0;

 protected:
  virtual ~owned_thing() = default;
};

/// What a registry is for the application whose processes it lists.
class owners;
struct listing {
  virtual ~listing() = default;
  std::atomic<owners*> known{nullptr};  ///< the application that keeps it, as it was last seen
};

class owners {
 public:
  owners() = default;
  owners(const owners&) = delete;
  owners& operator=(const owners&) = delete;
  ~owners();

  /// Calls f(list) under the lock of c's list, if the calling handler is one of this incarnation and not fenced. The
  /// list is for add and take_out. False: nothing was done.
  template <class F>
  [[nodiscard]] bool act(cell& c, std::uint32_t incarnation, F&& f);
  /// The same for the owner of c's host, outside of user code.
  template <class F>
  void act_at_home(cell& c, F&& f);

  class list;
  /// Takes one thing out of its owner's list, from any thread. False: its owner's end has it in hand.
  [[nodiscard]] bool take_out(owned_thing& t) noexcept;
  /// Everything that `c` owns now ends. Called by its host.
  void owner_ended(cell& c) noexcept;
  /// Calls f(const owned_thing&) for each thing of this owner, under its lock.
  template <class F>
  void each(address owner, F&& f) {
    if (owner.cell == nullptr) return;
    auto& s = shard_of(*owner.cell);
    const std::lock_guard lock{s.mutex};
    const auto found = s.first.find(owner.cell);
    if (found == s.first.end()) return;
    for (auto* t = found->second; t != nullptr; t = t->following)
      if (t->generation == owner.generation) f(*t);
  }
  /// A registry that things were listed for lives as long as this application.
  void keep(std::shared_ptr<listing> registry);

 private:
  struct alignas(64) shard {
    std::mutex mutex;
    std::unordered_map<cell*, owned_thing*> first;
  };
  [[nodiscard]] shard& shard_of(const cell& c) noexcept {
    return shards_[(reinterpret_cast<std::uintptr_t>(&c) >> 6) % shards_.size()];
  }
  static void unlink(shard& s, owned_thing& t) noexcept;

  std::array<shard, 64> shards_;
  std::mutex kept_mutex_;
  std::vector<std::shared_ptr<listing>> kept_;
};

/// One owner's things, while its lock is held.
class owners::list {
 public:
  void add(owned_thing& t);
  void take_out(owned_thing& t) noexcept { unlink(shard_, t); }
  /// The newest, null when there is nothing.
  [[nodiscard]] owned_thing* first() const noexcept;

 private:
  friend class owners;
  list(shard& s, cell& c) noexcept : shard_{s}, cell_{c} {}
  shard& shard_;
  cell& cell_;
};

template <class F>
void owners::act_at_home(cell& c, F&& f) {
  auto& s = shard_of(c);
  const std::lock_guard lock{s.mutex};
  list l{s, c};
  f(l);
}

template <class F>
bool owners::act(cell& c, std::uint32_t incarnation, F&& f) {
  const runtime_entry entry;
  const auto* by = entry.any();
  if (by == nullptr || by->current != &c) return false;
  const bool at_home = entry.owned() != nullptr;
  if (at_home ? c.incarnation != incarnation : by->away == nullptr || by->away->incarnation != incarnation)
    return false;
  auto& s = shard_of(c);
  const std::lock_guard lock{s.mutex};
  // Fencing marks first and then comes for this lock: what is added here is either refused, or taken away by it.
  if (!at_home && by->away->fenced.load(std::memory_order_acquire)) return false;
  list l{s, c};
  f(l);
  return true;
}

}  // namespace herald::engine
