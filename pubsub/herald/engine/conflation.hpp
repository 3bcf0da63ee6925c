#pragma once
// The events of one subscription that wait by key: one of each, in the order in which the keys began to wait. What makes
// two keys equal is user code, and asked by the caller; here they are found by their hash. When the key becomes another
// function, what waits is sealed: handed over as it is, and compared with nothing any more. Owned by a host.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <herald/engine/process_ops.hpp>

namespace herald::engine {

struct fan_out;

class conflation {
 public:
  struct slot {
    fan_out* share;  ///< holds one of its uses
    const handler_entry* handler;
    std::size_t hash;
    std::uint64_t missed;  ///< events it stands for beside its own, and what was lost before it
    slot* newer = nullptr;
    slot* chain = nullptr;  ///< of the same bucket
  };

  conflation() = default;
  conflation(const conflation&) = delete;
  conflation& operator=(const conflation&) = delete;
  ~conflation() {
    while (oldest_ != nullptr) take_oldest();
  }

  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] slot* oldest() const noexcept { return oldest_; }
  /// The slots of this hash, one after the other.
  [[nodiscard]] slot* first(std::size_t hash) const noexcept {
    return buckets_.empty() ? nullptr : same_hash(buckets_[hash & mask()], hash);
  }
  [[nodiscard]] static slot* next(const slot& s) noexcept { return same_hash(s.chain, s.hash); }

  slot& append(std::unique_ptr<slot> made) {
    if (count_ >= buckets_.size()) grow();
    auto* s = made.release();
    enter(*s);
    (newest_ != nullptr ? newest_->newer : oldest_) = s;
    newest_ = s;
    ++count_;
    return *s;
  }
  std::unique_ptr<slot> take_oldest() noexcept {
    std::unique_ptr<slot> s{oldest_};
    if (sealed_ != 0) {
      --sealed_;
    } else {
      auto** link = &buckets_[s->hash & mask()];
      while (*link != s.get()) link = &(*link)->chain;
      *link = s->chain;
    }
    oldest_ = s->newer;
    if (oldest_ == nullptr) newest_ = nullptr;
    --count_;
    return s;
  }
  /// What waits is found by no hash any more.
  void seal() noexcept {
    for (auto& bucket : buckets_) bucket = nullptr;
    sealed_ = count_;
  }

 private:
  [[nodiscard]] std::size_t mask() const noexcept { return buckets_.size() - 1; }
  [[nodiscard]] static slot* same_hash(slot* s, std::size_t hash) noexcept {
    while (s != nullptr && s->hash != hash) s = s->chain;
    return s;
  }
  void enter(slot& s) noexcept {
    auto& bucket = buckets_[s.hash & mask()];
    s.chain = bucket;
    bucket = &s;
  }
  void grow() {
    std::vector<slot*> wider(buckets_.empty() ? 8 : 2 * buckets_.size(), nullptr);
    buckets_.swap(wider);
    auto left_out = sealed_;
    for (auto* s = oldest_; s != nullptr; s = s->newer)
      if (left_out != 0) {
        --left_out;
      } else {
        enter(*s);
      }
  }
  std::vector<slot*> buckets_;
  slot* oldest_ = nullptr;
  slot* newest_ = nullptr;
  std::size_t count_ = 0;
  std::size_t sealed_ = 0;  ///< of these, the oldest ones: they are in no bucket
};

}  // namespace herald::engine
