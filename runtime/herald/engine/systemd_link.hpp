#pragma once
// An application's side of its talk with systemd: a thread that sends READY, STOPPING and STATUS when told, feeds the
// watchdog after each ping that came back, and asks for more time while a stop goes on.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <herald/engine/core.hpp>
#include <herald/systemd.hpp>

namespace herald::engine {

/// A control message to each shared host, and to the root supervisor. Answers itself; nobody waits.
class tree_ping {
 public:
  /// root: an empty address leaves it out, as during a stop.
  static std::shared_ptr<tree_ping> send(core& system, address root);
  [[nodiscard]] bool back() const noexcept { return left_.load(std::memory_order_acquire) == 0; }

 private:
  std::atomic<std::size_t> left_{0};
};

class systemd_link {
 public:
  systemd_link(core& system, std::string socket, address root);
  ~systemd_link();
  systemd_link(const systemd_link&) = delete;
  systemd_link& operator=(const systemd_link&) = delete;

  void ready();
  /// `phase`: what the stop is doing now.
  void stopping(std::function<std::string()> phase);

 private:
  void serve();
  void tell(const std::string& assignments);

  core& system_;
  const std::string socket_;
  const address root_;
  const std::optional<std::chrono::microseconds> watchdog_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<std::string()> phase_;
  bool stopping_ = false;
  bool ending_ = false;
  std::atomic<bool> failed_{false};  ///< told once
  std::thread thread_;
};

}  // namespace herald::engine
