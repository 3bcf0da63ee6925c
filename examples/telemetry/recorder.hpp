#pragma once
// The recorder: writes every event of the store into its file, one line each, in the order of the log. It knows where
// to go on from the file itself: its init reads the last offset there and subscribes to what comes after it. Killed at
// any instant, its next incarnation does the same; nothing is missing, nothing stands twice.
//
// Thread safety: a process; it wants a thread of its own, since writing to a disk may block. Errors: a file that cannot
// be written is a crash; the supervisor tries again until its intensity is used up.

#include "record_file.hpp"
#include "surroundings.hpp"

#include <herald/pubsub.hpp>
#include <herald/runtime.hpp>
#include <herald/subscribe.hpp>

#include <string>

namespace telemetry {

/// How far the record has got; broadcast on `progress_topic`.
struct record_progress {
  std::uint64_t sequence = 0;
};
inline constexpr const char* progress_topic = "recorder:progress";

/// How far has the record got?
struct get_progress {
  using reply = record_progress;
};

/// The timers' messages.
struct tell_progress {};
struct sync_now {};

class recorder
    : public herald::process<recorder, herald::any_event, herald::log_gone, get_progress, tell_progress, sync_now> {
 public:
  struct args {
    surroundings around;
    std::string file;
  };
  recorder(herald::context& self, args a);
  void on(const herald::any_event& event);
  /// The log does not have what comes next: the file belongs to another database, or to an older copy of this one.
  void on(const herald::log_gone& gone);
  record_progress on(const get_progress&) { return {written()}; }
  void on(herald::context& self, const tell_progress&);
  void on(const sync_now&);
  void terminate(const herald::exit_reason&) { on(sync_now{}); }

 private:
  [[nodiscard]] std::uint64_t written() const { return next_ - 1; }
  record_file file_;
  std::uint64_t next_;  ///< sequence of the event that comes next
  std::uint64_t told_ = 0;
  bool dirty_ = false;
};

}  // namespace telemetry
