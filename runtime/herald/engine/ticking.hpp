#pragma once
// Something that gathers what happens and sends it on at the clock's next tick.

namespace herald::engine {

class ticking {
 public:
  virtual ~ticking() = default;
  virtual void tick() = 0;
  /// The application is gone: nothing of it may be touched from here on.
  virtual void over() noexcept {}
};

}  // namespace herald::engine
