#pragma once
// The problem: one process behaves oddly, in a program that must go on. An inspection says all that is known of it: what
// it accepts and what waits for it, its timers, calls and monitors, the handler it may be stuck in, and what it says of
// itself (describe.hpp).
//
//   auto seen = app.inspect("orders/desk", 1s);
//   if (seen) std::puts(to_text(*seen).c_str());           // <herald/snapshot_text.hpp>
//
// Thread safety: any thread; inside a handler only the form with a continuation (the other answers would_block). It works
// while the process is suspended. A process that is stuck is answered for by its host, or looked at from outside at the
// limit: `handler` then says in what it is busy and since when, and it says nothing of itself.
// Errors: noproc, not_found (a path), closed, timeout (its host could not even be looked at).
// The idea: Erlang's process_info and sys:get_status.

#include <optional>

#include <herald/context.hpp>
#include <herald/describe.hpp>
#include <herald/snapshot.hpp>

namespace herald {

/// Messages of one type in a mailbox.
struct waiting_type {
  std::string_view type;
  std::size_t count = 0;
  friend bool operator==(const waiting_type&, const waiting_type&) = default;
};

struct inspection {
  std::string path;
  std::string label;
  process_row row;                         ///< its figures; parent and host are not indexes here (see host)
  std::uint32_t host = 0;                  ///< the host's number
  std::vector<std::string_view> accepts;   ///< types of messages
  std::vector<waiting_type> waiting;       ///< the first messages of the mailbox, in the order the types first come
  std::size_t stashed = 0;                 ///< messages put away for later
  std::size_t timers = 0;
  std::size_t pending_calls = 0;
  std::size_t monitors = 0;                ///< processes it watches
  std::size_t watchers = 0;                ///< processes that watch it
  std::size_t children = 0;                ///< of a supervisor
  std::optional<running_handler> handler;  ///< it is busy in this one
  std::vector<description::item> described;
  std::string describe_failed;             ///< what its describe() threw
  bool from_outside = false;               ///< its host was busy all the time: it could not be asked
};

/// How many messages of a mailbox an inspection looks at.
inline constexpr std::size_t inspected_messages = 1000;

/// For plain threads.
[[nodiscard]] result<inspection> inspect(const any_ref& who, std::chrono::milliseconds limit = default_call_limit);
/// For handlers: `then` gets the result<inspection>, as a handler of this incarnation of its own.
void inspect(context& self, const any_ref& who, std::chrono::milliseconds limit,
             std::function<void(result<inspection>)> then);

}  // namespace herald
