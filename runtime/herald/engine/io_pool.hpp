#pragma once
// The application's plain threads for blocking work. They are started one by one while work waits and none is idle, and
// stay until the application ends. In a simulation there are no threads: each function is a step of the driving thread,
// and its answer another one, so that answers overtake each other as they do in earnest.
//
// Thread safety: safe for all. Lifetime: a slot of the application; threads that do not end at its stop keep it.

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <herald/engine/core.hpp>
#include <herald/engine/offload_work.hpp>
#include <herald/offload.hpp>

namespace herald::engine {

class io_pool final : public core_slot {
 public:
  explicit io_pool(core& system);
  [[nodiscard]] static io_pool& of(core& system);

  void submit(std::unique_ptr<offload_job> job);
  [[nodiscard]] offload_counts counts() const;
  [[nodiscard]] std::vector<std::string> ending() override;

 private:
  struct worker {
    std::thread thread;
    offload_job* current = nullptr;
    bool over = false;
  };
  using jobs = std::deque<std::unique_ptr<offload_job>>;

  void start_worker();
  void serve(worker& me);
  void step();
  [[nodiscard]] bool take(std::unique_ptr<offload_job>& job);
  void finished(const offload_job& job);

  core& system_;
  const std::size_t max_threads_;
  const std::size_t max_waiting_;
  const bool simulated_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  jobs queue_;
  std::vector<std::unique_ptr<worker>> workers_;
  std::vector<offload_job*> running_;
  std::size_t idle_ = 0;
  std::size_t steps_ = 0;  ///< in a simulation: steps under way, as threads would be
  std::uint64_t done_ = 0;
  std::uint64_t refused_ = 0;
  bool ending_ = false;
  waiter_for<bool>* quiet_ = nullptr;  ///< set when the last running one has returned, at the end
};

}  // namespace herald::engine
