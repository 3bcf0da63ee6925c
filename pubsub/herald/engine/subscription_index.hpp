#pragma once
// Finds a process's subscriptions by topic, once it has many: open addressing over subscription ids, 4 bytes a place,
// several entries a topic. Owned by a host.

#include <bit>
#include <cstdint>
#include <vector>

#include <herald/engine/topic_record.hpp>

namespace herald::engine {

class subscription_index {
 public:
  [[nodiscard]] std::uint32_t count() const noexcept { return count_; }

  /// `seat_of(id)` gives the seat that a stored subscription belongs to.
  template <class SeatOf>
  void add(std::uint32_t id, const seat& key, SeatOf&& seat_of) {
    if ((count_ + 1) * 3 > places_.size() * 2) grow(seat_of);
    put(id, home(key));
    ++count_;
  }
  template <class SeatOf>
  void remove(std::uint32_t id, const seat& key, SeatOf&& seat_of) noexcept {
    auto at = home(key);
    while (places_[at] != id) at = next(at);
    // What was pushed past this place moves back, so that no search stops too early.
    auto hole = at;
    for (at = next(at); places_[at] != none; at = next(at)) {
      const auto wanted = home(seat_of(places_[at]));
      if (((at - wanted) & mask()) < ((at - hole) & mask())) continue;
      places_[hole] = places_[at];
      hole = at;
    }
    places_[hole] = none;
    --count_;
  }
  /// Calls f(id) for each subscription of this topic until it says true; says whether one did.
  template <class SeatOf, class F>
  bool any(const seat& key, SeatOf&& seat_of, F&& f) const {
    if (count_ == 0) return false;
    for (auto at = home(key); places_[at] != none; at = next(at))
      if (&seat_of(places_[at]) == &key && f(places_[at])) return true;
    return false;
  }
  [[nodiscard]] std::vector<std::uint32_t> all() const {
    std::vector<std::uint32_t> ids;
    ids.reserve(count_);
    for (const auto id : places_)
      if (id != none) ids.push_back(id);
    return ids;
  }

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  [[nodiscard]] std::size_t mask() const noexcept { return places_.size() - 1; }
  [[nodiscard]] std::size_t next(std::size_t at) const noexcept { return (at + 1) & mask(); }
  [[nodiscard]] std::size_t home(const seat& key) const noexcept {
    const auto h = (reinterpret_cast<std::uintptr_t>(&key) >> 4) * 0x9e3779b97f4a7c15u;
    return static_cast<std::size_t>(h >> (64 - std::countr_zero(places_.size())));
  }
  void put(std::uint32_t id, std::size_t at) noexcept {
    while (places_[at] != none) at = next(at);
    places_[at] = id;
  }
  template <class SeatOf>
  void grow(SeatOf&& seat_of) {
    auto old = std::move(places_);
    places_.assign(old.empty() ? 64 : 2 * old.size(), none);
    for (const auto id : old)
      if (id != none) put(id, home(seat_of(id)));
  }
  std::vector<std::uint32_t> places_;
  std::uint32_t count_ = 0;
};

}  // namespace herald::engine
