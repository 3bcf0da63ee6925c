#pragma once
// What a stop report says of the processes: who was there when the stop began, looked at on each host before the first
// order to stop reaches it; and who took long to end.
//
// Thread safety: safe for all. Bounds: on each host 4096 processes are looked at, beside 4096 that have messages to handle;
// the ones with most messages are kept.

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <herald/engine/fwd.hpp>

namespace herald {
struct stop_report;
struct alive_process;
}  // namespace herald

namespace herald::engine {

class ending_log : public std::enable_shared_from_this<ending_log> {
 public:
  ending_log();
  ~ending_log();
  ending_log(const ending_log&) = delete;
  ending_log& operator=(const ending_log&) = delete;

  /// Has every host looked at, ahead of what is sent to it from now on. Does not wait.
  void begin(core& system);
  void slow(std::string path, std::chrono::milliseconds took);
  void fill(stop_report& report) const;

 private:
  void look_at(host& h);
  mutable std::mutex mutex_;
  std::size_t alive_ = 0;
  std::vector<alive_process> listed_;
  std::vector<std::pair<std::chrono::milliseconds, std::string>> slow_;
};

}  // namespace herald::engine
