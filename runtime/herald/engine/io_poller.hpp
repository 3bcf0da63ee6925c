#pragma once
// Who waits for which file descriptor, in one epoll set. A descriptor is registered for what its watches want at the
// moment, one shot: what fired is not asked about again before its watch is armed again.
//
// Thread safety: safe for all. Lifetime: a slot of the application.

#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <herald/engine/core.hpp>
#include <herald/io_watch.hpp>

namespace herald::engine {

class io_poller final : public core_slot {
 public:
  explicit io_poller(core& system);
  ~io_poller() override;
  [[nodiscard]] static io_poller& of(core& system);

  struct watcher {
    int fd = -1;
    bool write = false;
    bool armed = false;
    address who;
    std::uint32_t incarnation = 0;
  };
  [[nodiscard]] result<void> add(std::uint64_t id, const watcher& w);
  /// After its notice was handled.
  void arm_again(std::uint64_t id);
  void remove(std::uint64_t id) noexcept;
  [[nodiscard]] std::vector<std::string> ending() override;

 private:
  struct descriptor {
    std::uint64_t reader = 0, writer = 0;  ///< watches, 0: none
    std::uint32_t number = 0;              ///< tells one use of a descriptor's number from the next
    bool registered = false;
    bool enabled = false;
  };
  [[nodiscard]] int apply(int fd, descriptor& d);
  [[nodiscard]] bool armed(std::uint64_t id) const;
  void fire(std::uint64_t id, const io_ready& ready);
  bool poll(int timeout_ms);
  void serve();

  core& system_;
  int epoll_ = -1;
  int bell_ = -1;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, watcher> watches_;
  std::unordered_map<int, descriptor> descriptors_;
  std::uint32_t next_number_ = 1;
  bool started_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace herald::engine
