#pragma once
// The stop tokens that handlers have asked for. A supervisor's order to stop must reach a token while the handler that
// looks at it still runs, so the tokens' states are not in the cell, which is its host's, but here, behind a lock; who
// has asked for none costs one relaxed load.
//
// Thread safety: safe for all. Callbacks registered with a token run on the thread that orders the stop, without the lock.

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <unordered_map>

#include <herald/engine/fwd.hpp>

namespace herald::engine {

class stop_table {
 public:
  /// The token of this incarnation; made when there is none yet (fresh). A life that is over gets one that was asked.
  [[nodiscard]] std::stop_token token(const cell* who, std::uint32_t incarnation, bool& fresh);
  [[nodiscard]] std::optional<std::stop_token> find(const cell* who, std::uint32_t incarnation) const;
  /// The process is asked to stop.
  void request(const cell* who) noexcept {
    if (used_.load(std::memory_order_relaxed) != 0) request_found(who);
  }
  /// The incarnation is over: its token is asked, and forgotten.
  void end(const cell* who, std::uint32_t incarnation) noexcept;

 private:
  struct entry {
    std::uint32_t incarnation;
    std::stop_source stop;
  };
  void request_found(const cell* who) noexcept;
  std::atomic<std::size_t> used_{0};
  mutable std::mutex mutex_;
  std::unordered_map<const cell*, entry> entries_;
};

}  // namespace herald::engine
