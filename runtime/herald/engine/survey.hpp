#pragma once
// One host as it was at one instant, looked at in short steps. Between the steps its processes go on: whatever is about to
// change a process that was not looked at yet has it looked at first (host::before_change), as copy-on-write does it. New
// processes are left out. What reaches a mailbox only through the host's queues cannot change meanwhile: a survey is a
// host operation, and those queues wait behind it.
//
// Belongs to whoever has the host: its owner, or the thread that peeks at it while its handler stands still.

#include <cstddef>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <herald/engine/host.hpp>
#include <herald/snapshot.hpp>

namespace herald::engine {

/// What was seen. Indexes are those of this host's own rows.
struct host_view {
  host_row about;
  std::vector<process_row> rows;
  std::vector<address> parents;  ///< of each row
  std::vector<running_handler> running;
  std::vector<time_histogram> times;
  std::string text;  ///< ids and labels
};

class survey {
 public:
  /// The instant is now. `running`: the cell whose handler runs while we look from outside.
  explicit survey(host& h, const cell* running = nullptr);
  ~survey();
  survey(const survey&) = delete;
  survey& operator=(const survey&) = delete;

  /// Looks at up to `count` cells. True: all were seen.
  [[nodiscard]] bool step(std::size_t count);
  void before_change(cell& c);
  /// A process that did not exist at the instant.
  void leave_out(const cell& c) { early_.insert(&c); }
  [[nodiscard]] host_view take() noexcept { return std::move(view_); }

 private:
  void see(const cell& c);
  [[nodiscard]] process_state state_of(const cell& c) const noexcept;
  void see_handler(const cell& c);
  [[nodiscard]] std::uint32_t memory_of(const cell& c) const noexcept;
  [[nodiscard]] bool passed(const cell& c);

  host& host_;
  const cell* running_;
  time_point now_;
  host_view view_;
  std::size_t chunk_ = 0, place_ = 0, chunks_;
  std::unordered_set<const cell*> early_;  ///< seen before the cursor came by, or not to be seen
  std::vector<std::pair<const std::byte*, std::size_t>> order_;  ///< chunks by address, made when needed
  const child_spec* last_spec_ = nullptr;  ///< neighbours often share theirs
  std::uint32_t last_text_ = 0;
};

}  // namespace herald::engine
