#pragma once
// Dead letters on their way to sinks: alike ones are gathered until the clock's next tick, their paths looked up, and
// handed to the sinks on the reports' thread. In a simulation they go at once.
//
// Thread safety: safe for all.

#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include <herald/dead_letter.hpp>

namespace herald::engine {

class dead_letter_stream {
 public:
  explicit dead_letter_stream(core& system) noexcept : system_{system} {}
  dead_letter_stream(const dead_letter_stream&) = delete;
  dead_letter_stream& operator=(const dead_letter_stream&) = delete;

  [[nodiscard]] sink_handle add(dead_letter_sink sink);
  [[nodiscard]] bool wanted() const noexcept { return wanted_.load(std::memory_order_relaxed); }
  void note(const envelope& e, discard_reason why);
  /// Sends on what was gathered.
  void tick();

 private:
  struct key {
    address from, to;
    const type_tag* type;
    discard_reason why;
    friend bool operator==(const key&, const key&) = default;
  };
  struct key_hash {
    std::size_t operator()(const key& k) const noexcept;
  };
  static constexpr std::size_t max_different = 1000;
  void hand_out(const herald::dead_letter& d);
  void send_on(herald::dead_letter d);

  core& system_;
  std::atomic<bool> wanted_{false};
  std::mutex mutex_;
  std::unordered_map<key, herald::dead_letter, key_hash> gathered_;
  std::uint64_t nameless_ = 0;  ///< beyond max_different
  std::vector<std::shared_ptr<sink_slot<herald::dead_letter>>> sinks_;
};

}  // namespace herald::engine
