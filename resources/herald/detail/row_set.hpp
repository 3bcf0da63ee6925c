#pragma once
// The problem: a table in memory is looked up and grown by its rows' keys, hundreds of thousands of times a second. A set of
// nodes costs an allocation for each row and two to three cache misses for each insert; this one is a flat array of rows
// and hashes, so an insert or a look-up touches one place, and growing passes memory in order.
//
// Open addressing with linear probing, at most three quarters full; the place is the hash's top bits, so a larger array has
// the rows in the same order. An erased row's followers move up, so there are no tombstones.
//
// Private. Thread safety: shared objects: safe to read. Lifetime: a pointer to a row holds until the next insert or erase.
// Bounds: as many rows as there is memory. The idea: Knuth, The Art of Computer Programming 6.4, algorithms L and R.

#include <herald/record.hpp>

#include <bit>
#include <utility>
#include <vector>

namespace herald::detail {

class row_set {
 public:
  /// The row with this key, null when there is none.
  [[nodiscard]] const record* find(const row_key& key) const {
    const auto at = look(mixed(key.hash()), [&](const record& row) { return has_key(row, key); });
    return at == nowhere ? nullptr : &places_[at].row;
  }
  /// The row with this row's key; it may be exchanged for another one of the same key.
  [[nodiscard]] record* find(const record& like) {
    const auto at = place_of(like);
    return at == nowhere ? nullptr : &places_[at].row;
  }

  /// False when there is a row with its key already.
  bool insert(const record& row) {
    if (size_ * 4 >= places_.size() * 3) grow();
    const auto hash = mixed(hash_key(row));
    auto at = home(hash);
    for (; places_[at].row; at = next(at))
      if (places_[at].hash == hash && same_key(places_[at].row, row)) return false;
    places_[at] = {hash, row};
    ++size_;
    return true;
  }

  void erase(const record& like) {
    auto hole = place_of(like);
    if (hole == nowhere) return;
    for (auto at = next(hole); places_[at].row; at = next(at)) {
      // One whose home lies behind the hole would not be found in it.
      if (distance(home(places_[at].hash), at) < distance(hole, at)) continue;
      places_[hole] = std::move(places_[at]);
      hole = at;
    }
    places_[hole] = {};
    --size_;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  template <class F>
  void each(F&& visit) const {
    for (const auto& at : places_)
      if (at.row) visit(at.row);
  }

 private:
  struct place {
    std::size_t hash = 0;
    record row;  // empty: the place is free
  };
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

  /// A row's own hash may differ in its low bits only.
  [[nodiscard]] static std::size_t mixed(std::size_t hash) noexcept { return hash * 0x9e3779b97f4a7c15U; }
  [[nodiscard]] std::size_t home(std::size_t hash) const noexcept { return hash >> shift_; }
  [[nodiscard]] std::size_t next(std::size_t at) const noexcept { return (at + 1) & (places_.size() - 1); }
  [[nodiscard]] std::size_t distance(std::size_t from, std::size_t to) const noexcept {
    return (to - from) & (places_.size() - 1);
  }
  [[nodiscard]] static bool same_key(const record& left, const record& right) {
    for (const auto part : left.table().key)
      if (!left.table().attributes[part].same(left.row(), right.row())) return false;
    return true;
  }

  template <class Same>
  [[nodiscard]] std::size_t look(std::size_t hash, const Same& same) const {
    if (size_ == 0) return nowhere;
    for (auto at = home(hash); places_[at].row; at = next(at))
      if (places_[at].hash == hash && same(places_[at].row)) return at;
    return nowhere;
  }
  [[nodiscard]] std::size_t place_of(const record& like) const {
    return look(mixed(hash_key(like)), [&](const record& row) { return same_key(row, like); });
  }

  void grow() {
    std::vector<place> wider(places_.empty() ? 16 : 2 * places_.size());
    wider.swap(places_);
    shift_ = 64 - std::countr_zero(places_.size());
    for (auto& old : wider) {
      if (!old.row) continue;
      auto at = home(old.hash);
      while (places_[at].row) at = next(at);
      places_[at] = std::move(old);
    }
  }

  std::vector<place> places_;
  std::size_t size_ = 0;
  int shift_ = 0;
};

}  // namespace herald::detail
