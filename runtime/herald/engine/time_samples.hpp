#pragma once
// Sampled handler times of one host, by process type. Owned by the host.

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdint>
#include <vector>

#include <herald/engine/process_ops.hpp>

namespace herald::engine {

/// A histogram with a bucket for each power of two of nanoseconds.
struct time_histogram {
  const process_ops* type = nullptr;  ///< null: all others
  std::uint64_t samples = 0;
  std::uint64_t sum = 0;
  std::uint64_t longest = 0;
  std::array<std::uint32_t, 48> buckets{};

  void add(std::uint64_t ns) noexcept {
    ++samples;
    sum += ns;
    if (ns > longest) longest = ns;
    ++buckets[std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(ns)), buckets.size() - 1)];
  }
  void add(const time_histogram& other) noexcept {
    samples += other.samples;
    sum += other.sum;
    if (other.longest > longest) longest = other.longest;
    for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] += other.buckets[i];
  }
  /// The upper end of the bucket in which this share of the samples is reached.
  [[nodiscard]] std::uint64_t below(double share) const noexcept {
    auto left = static_cast<std::uint64_t>(share * static_cast<double>(samples));
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      if (left < buckets[i]) return std::min((std::uint64_t{1} << i) - 1, longest);
      left -= buckets[i];
    }
    return longest;
  }
};

class time_samples {
 public:
  static constexpr std::uint32_t every = 1024;  ///< messages from one sample to the next

  void add(const process_ops* type, std::chrono::nanoseconds time) {
    place(type).add(static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0)));
  }
  [[nodiscard]] const std::vector<time_histogram>& all() const noexcept { return all_; }

 private:
  static constexpr std::size_t max_types = 64;
  time_histogram& place(const process_ops* type) {
    for (auto& h : all_)
      if (h.type == type) return h;
    if (all_.size() >= max_types) return place_of_others();
    all_.emplace_back().type = type;
    return all_.back();
  }
  time_histogram& place_of_others() {
    if (all_.back().type != nullptr) all_.emplace_back();
    return all_.back();
  }
  std::vector<time_histogram> all_;
};

}  // namespace herald::engine
