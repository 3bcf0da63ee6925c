#include <herald/engine/kept_answer.hpp>

namespace herald::engine {

void kept_answer::unlisten() noexcept {
  std::shared_ptr<answer_listener> dropped;
  const std::lock_guard lock{mutex_};
  dropped.swap(listener_);
}

bool kept_answer::over() const {
  const std::lock_guard lock{mutex_};
  return over_;
}

bool kept_answer::spent() const {
  const std::lock_guard lock{mutex_};
  return taken_;
}

kept_answer::heard kept_answer::tell_to(std::shared_ptr<answer_listener> l) {
  bool failed = false;
  {
    const std::lock_guard lock{mutex_};
    if (taken_) return heard::taken;
    if (listener_) return heard::by_another;
    if (!over_) {
      listener_ = std::move(l);
      return heard::yes;
    }
    failed = failed_;
  }
  l->ready(failed);
  return heard::yes;
}

}  // namespace herald::engine
