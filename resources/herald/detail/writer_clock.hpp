#pragma once
// The problem: events and time stamps of one log must not run backwards, though clocks do. And uuids must grow, and be
// reproducible when a simulation asks for it. What a transaction answers to now() and new_uuid() comes from here.
//
// Private. Thread safety: the writer's thread.

#include <herald/store_options.hpp>

#include <algorithm>
#include <random>

namespace herald::detail {

class writer_clock {
 public:
  explicit writer_clock(const store_options& options)
      : clock_{options.clock}, uuids_{options.uuid_seed != 0 ? options.uuid_seed : seed()} {}

  /// Looks at the clock, once a transaction.
  void begin() { now_ = look(); }
  /// What it would say.
  [[nodiscard]] timestamp look() const {
    const auto read = clock_ ? clock_() : std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    return std::max(now_, read);
  }
  [[nodiscard]] timestamp now() const noexcept { return now_; }
  [[nodiscard]] uuid new_uuid() noexcept { return uuids_.next(now_); }
  /// The newest time a log already has.
  void not_before(timestamp time) noexcept { now_ = std::max(now_, time); }

 private:
  [[nodiscard]] static std::uint64_t seed() {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
  }
  std::function<timestamp()> clock_;
  uuid_generator uuids_;
  timestamp now_{};
};

}  // namespace herald::detail
