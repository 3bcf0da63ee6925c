#include <herald/engine/wake.hpp>

namespace herald::engine {

void answer_group::ready(bool failed) noexcept {
  reply_once<void> to;
  {
    const std::lock_guard lock{mutex_};
    if (missing_ == 0 || (--missing_ > 0 && !(failed && fail_fast_))) return;
    missing_ = 0;
    to = std::move(to_);
  }
  to.answer({});
}

void answer_group::refuse(error why) {
  reply_once<void> to;
  {
    const std::lock_guard lock{mutex_};
    missing_ = 0;
    to = std::move(to_);
  }
  to.answer(std::move(why));
}

}  // namespace herald::engine
