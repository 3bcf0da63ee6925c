#pragma once
// All that Herald asks of CAF: spawn a runner, wake it, end the system (what differs between CAF's versions: caf_words.hpp).
// The header names no CAF type but the one a user may bring.

#include <cstddef>
#include <functional>
#include <memory>

namespace caf {
class actor;
class actor_system;
class message;
}

namespace herald::engine {

class caf_seam {
 public:
  /// What a runner does with a token; `execution` is to be handed back to wake() by code that runs inside.
  using body = void (*)(void* owner, std::size_t runner, void* execution);
  /// A runner died that nobody ended; it has been replaced.
  using lost = void (*)(void* owner, std::size_t runner);

  caf_seam(caf::actor_system* theirs, unsigned workers, void* owner, body run, lost on_lost);
  ~caf_seam();
  caf_seam(const caf_seam&) = delete;
  caf_seam& operator=(const caf_seam&) = delete;

  [[nodiscard]] std::size_t add_runner();
  void wake(std::size_t runner, void* execution);
  /// The system that the runners live in.
  [[nodiscard]] caf::actor_system& system() const noexcept;
  /// Runs `f`, which may spawn into the system, on a thread that may do so, and waits for it.
  void with(const std::function<void(caf::actor_system&)>& f);
  /// Sends a message from nobody.
  static void post(const caf::actor& to, const caf::message& content);
  /// Somebody's actor will not end: a system of our own is to be left as it is.
  void leave_system() noexcept;
  /// Ends the runners. abandon: some worker is stuck in user code; a system of our own is then left as it is. False: our
  /// system does not end, because a thread of the user's holds on to it; this object is of no use any more.
  [[nodiscard]] bool shut_down(bool abandon);
  /// "0.17" or "1".
  [[nodiscard]] static const char* version() noexcept;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace herald::engine
