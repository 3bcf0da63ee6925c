#pragma once
// The problem: a socket, a pipe, a timerfd or an inotify handle becomes ready at a moment of its own, and a process that
// wants to serve it must neither block on it nor ask again and again. `watch_readable` and `watch_writable` tell the
// process when its file descriptor is ready, as a continuation between its other messages.
//
//   struct connection : process<connection> {
//     struct args { int fd; };
//     connection(context& self, args a) : fd_{a.fd} {
//       watch_ = watch_readable(self, fd_, [this](context& self, const io_ready& ready) {
//         if (!read_what_is_there()) self.stop();
//       }, io_repeat::always).value();
//     }
//
// A watch is for once unless it says always. One that says always is armed again when its continuation has returned, so
// at most one notice of it waits however much is there to read. Readiness is a level: what was not read is told again, and
// so is the end (a read of nothing), until the watch or the process ends. Descriptors should be non-blocking. One watch
// for reading and one for writing may exist for a descriptor. End a watch before the descriptor is closed (the
// incarnation's end does it before its destructor runs: close there).
//
// Thread safety: for a process's own init and handlers. Lifetime: a watch ends with its incarnation. Errors: bad_option
// with the system's reason (a regular file is always ready and cannot be watched; a closed descriptor; a second watch in
// the same direction); closed when the application ends. One epoll thread an application, herald-epoll, started when
// first needed. In a simulation there is no thread: descriptors are looked at between steps, so what the simulated
// processes write to each other is found in seeded order; virtual time does not wait for the world outside.
//
// A library with a loop of its own (a Boost.Asio io_context) needs none of this: let it live in an own_thread process, in
// one handler that runs the loop, with `std::stop_callback end{self.stop_token(), [&] { io.stop(); }}` beside it; others
// reach it with `asio::post`, and its completion handlers cast to refs.
//
// The idea: epoll(7) under Erlang's {active, once}.

#include <functional>

#include <herald/context.hpp>

namespace herald {

/// What is the matter with a descriptor. Several may hold at once.
struct io_ready {
  int fd = -1;
  bool readable = false;  ///< a read returns at once: with bytes, the end, or an error
  bool writable = false;  ///< likewise a write
  bool hung_up = false;   ///< the other side is gone
  bool failed = false;    ///< an error waits to be read, or the watch could not go on (closed descriptor): it is over then
};

enum class io_repeat : std::uint8_t { once, always };

/// Names a watch of one incarnation. Never reused.
struct io_watch_id {
  std::uint64_t number = 0;
  friend bool operator==(const io_watch_id&, const io_watch_id&) = default;
};

namespace engine {
using io_continuation = std::function<void(context&, const io_ready&)>;
[[nodiscard]] result<io_watch_id> begin_io_watch(context& self, int fd, bool write, io_repeat repeat, io_continuation then);

template <class Then>
[[nodiscard]] io_continuation io_then(Then then) {
  if constexpr (std::is_invocable_v<Then&, context&, const io_ready&>) {
    return then;
  } else {
    return [then = std::move(then)](context&, const io_ready& ready) mutable { then(ready); };
  }
}
}  // namespace engine

/// Tells `then` (io_ready, or context&, io_ready) when `fd` can be read.
template <class Then>
[[nodiscard]] result<io_watch_id> watch_readable(context& self, int fd, Then then, io_repeat repeat = io_repeat::once) {
  return engine::begin_io_watch(self, fd, false, repeat, engine::io_then(std::move(then)));
}
/// The same when it can be written.
template <class Then>
[[nodiscard]] result<io_watch_id> watch_writable(context& self, int fd, Then then, io_repeat repeat = io_repeat::once) {
  return engine::begin_io_watch(self, fd, true, repeat, engine::io_then(std::move(then)));
}
/// No notice of this watch comes after it. One that has ended already is no error.
void unwatch_io(context& self, io_watch_id which);

}  // namespace herald
