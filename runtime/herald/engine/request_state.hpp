#pragma once
// A request under way as both sides share it. The answer comes on whichever thread the called process, its supervisor or
// its host gives it.

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <herald/engine/kept_answer.hpp>

namespace herald::engine {

[[nodiscard]] error spent_request_error();
/// The handler that runs here is one of the process at `who`.
[[nodiscard]] bool calls_itself(address who) noexcept;
[[nodiscard]] error calling_self_error(const cell& who);

class request_base : public kept_answer {
 public:
  explicit request_base(core* system) noexcept : system_{system} {}

  /// `l` hears when the answer is there, at once if it is. Otherwise the error says why nobody may wait.
  [[nodiscard]] std::optional<error> listen(std::shared_ptr<answer_listener> l);
  /// For waits of plain threads: arms it and waits, unless the answer is there.
  [[nodiscard]] result<void> wait_for_answer(const time_limit& limit, const std::shared_ptr<request_base>& self);
  [[nodiscard]] core* system() const noexcept { return system_; }

 private:
  core* system_;  ///< null: it was never sent
};

template <class R>
class request_state final : public request_base {
 public:
  using request_base::request_base;
  void finish(result<R> r) {
    const bool failed = !r;
    settle(failed, [&] { answer_.emplace(std::move(r)); });
  }
  /// The answer, once; none when there is none yet.
  [[nodiscard]] std::optional<result<R>> take() { return take_once(answer_); }

 private:
  std::optional<result<R>> answer_;
};

template <class R>
using request_ptr = std::shared_ptr<request_state<R>>;

/// Waits for one request.
[[nodiscard]] inline auto arm_request(std::shared_ptr<request_base> request) {
  return [request = std::move(request)](reply_once<void> to) {
    auto group = std::make_shared<answer_group>(std::move(to), 1, false);
    if (const auto why = request ? request->listen(group) : spent_request_error()) group->refuse(*why);
  };
}

/// What a wait has come to: the answer, or none at its limit.
template <class R>
[[nodiscard]] std::optional<result<R>> answer_or_none(const request_ptr<R>& request, const result<void>& woken) {
  if (!request) return result<R>{spent_request_error()};
  if (auto r = request->take()) return r;
  if (woken.is(errc::timeout)) {
    request->unlisten();
    return std::nullopt;
  }
  return result<R>{woken ? spent_request_error() : woken.error()};
}
template <class R>
[[nodiscard]] result<R> answer_or_error(const request_ptr<R>& request, const result<void>& woken) {
  auto r = answer_or_none(request, woken);
  return r ? std::move(*r) : result<R>{woken.error()};
}

template <class P, class M>
[[nodiscard]] auto start_request(address callee, M&& message) {
  using R = typename M::reply;
  auto state = std::make_shared<request_state<R>>(callee.cell != nullptr ? &system_of(*callee.cell) : nullptr);
  if (callee.cell == nullptr) {
    state->finish(noproc_error());
  } else if (calls_itself(callee)) {
    state->finish(calling_self_error(*callee.cell));
  } else {
    auto* w = new waiter_for<result<R>>;
    // A late answer finds nobody.
    w->tell = [weak = std::weak_ptr<request_state<R>>{state}](result<R> r) {
      if (const auto found = weak.lock()) found->finish(std::move(r));
    };
    send(make_node<call_node<P, M>>(callee, std::move(message), reply_to{{}, 0, 0, w}));
  }
  return state;
}

}  // namespace herald::engine
