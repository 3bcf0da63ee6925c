#pragma once
// Questions to one process's host, answered between two of the process's messages, whatever its mailbox holds.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <herald/engine/operation.hpp>
#include <herald/engine/reply_once.hpp>

namespace herald::engine {

/// The right to answer a plain thread that waits on `w`.
template <class R>
[[nodiscard]] reply_once<R> reply_for(waiter_for<result<R>>& w) {
  w.retain();
  return reply_once<R>{reply_to{{}, 0, 0, &w}};
}

/// Runs request(cell&, frame&, reply_once<R>) on the host of `who`, in its control lane. A process that is gone answers
/// noproc: the reply is forgotten with the order.
template <class R, class F>
void order(address who, frame* owned, reply_once<R> reply, F request) {
  post_control(who, owned, [request = std::move(request), reply = std::move(reply)](cell* c, frame& f) mutable {
    request(*c, f, std::move(reply));
  });
}

/// Its handler overruns: which one, since when.
[[nodiscard]] error busy_error(const cell& c);
/// The limit has passed: what its host is busy with, where that can be seen.
[[nodiscard]] error late_error(address who, std::chrono::milliseconds limit);
[[nodiscard]] std::string busy_text(const type_tag* type, std::optional<std::chrono::milliseconds> time);

}  // namespace herald::engine
