#pragma once
// Where the hosts' parts of one snapshot come together. Whoever asked waits here, as a plain thread or with a pending
// call; parts that come after the limit find it closed and are thrown away.
//
// Thread safety: safe for all.

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include <herald/engine/reply_once.hpp>
#include <herald/engine/survey.hpp>

namespace herald::engine {

class survey_desk : public std::enable_shared_from_this<survey_desk> {
 public:
  explicit survey_desk(core& system);
  ~survey_desk();
  survey_desk(const survey_desk&) = delete;
  survey_desk& operator=(const survey_desk&) = delete;

  /// Who waits: a plain thread, or a process; set before begin().
  void answer_to(waiter_for<bool>& thread);
  void answer_to(reply_to process) { reply_ = reply_once<bool>{process}; }
  /// Sends each host its survey.
  void begin(frame* owned);
  /// Hosts that have not answered because a handler of theirs runs all the time: looks at them from outside.
  void look_from_outside();
  /// Tells who waits that it is over; once.
  void answer();
  /// What there is by now, put together by whoever asked; nothing more is taken in.
  [[nodiscard]] snapshot close();

 private:
  friend struct survey_node;
  struct part_t {
    bool there = false;
    host_view view;
  };
  void hand_in(std::size_t part, host_view view);
  /// The host will never answer: it has no runner any more.
  void give_up(std::size_t part);
  void join(snapshot& all, std::vector<part_t>& parts) const;

  core& system_;
  std::chrono::steady_clock::time_point taken_;
  std::vector<host*> homes_;     ///< fixed by begin()
  std::vector<char> looked_at_;  ///< by home: somebody looks at it or has; each belongs to whoever has that host
  std::atomic<bool> closed_{false};
  std::mutex mutex_;             ///< for the rest
  std::size_t left_ = 0;
  std::vector<part_t> parts_;
  waiter_for<bool>* thread_ = nullptr;
  reply_once<bool> reply_;
};

}  // namespace herald::engine
