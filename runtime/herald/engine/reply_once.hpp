#pragma once
// The right and the duty to answer one request: answered exactly once, by noproc when it is forgotten.

#include <utility>

#include <herald/engine/nodes.hpp>

namespace herald::engine {

template <class R>
class reply_once {
 public:
  reply_once() = default;
  explicit reply_once(reply_to back) noexcept : back_{back}, owed_{true} {}
  reply_once(reply_once&& other) noexcept : back_{other.back_}, owed_{std::exchange(other.owed_, false)} {}
  reply_once& operator=(reply_once&& other) noexcept {
    if (this != &other) {
      settle();
      back_ = other.back_;
      owed_ = std::exchange(other.owed_, false);
    }
    return *this;
  }
  ~reply_once() { settle(); }

  [[nodiscard]] bool owed() const noexcept { return owed_; }
  void answer(result<R> r) {
    if (!std::exchange(owed_, false)) return;
    make_node<early_answer<R>>(back_)->answer(std::move(r));
  }

 private:
  void settle() noexcept {
    if (owed_) answer(noproc_error());
  }
  reply_to back_;
  bool owed_ = false;
};

}  // namespace herald::engine
