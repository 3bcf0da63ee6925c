#pragma once
// What the runtime tells a process as messages: the end of somebody it watches, a quiet time, a message that found a full
// mailbox. A process that wants one names it among the messages it accepts and has the `on` for it, as for any other.
//
// Thread safety: values. Lifetime: string views in them point to type names, which live as long as the program.
// The idea: Erlang's DOWN messages and gen_server's timeout, handle_info for what is unknown.

#include <cstdint>
#include <string_view>

#include <herald/engine/type_tag.hpp>
#include <herald/exit_reason.hpp>
#include <herald/ref.hpp>

namespace herald {

/// Names a monitor of one incarnation. Never reused.
struct monitor_id {
  std::uint64_t number = 0;
  friend bool operator==(const monitor_id&, const monitor_id&) = default;
};

/// A monitored process, or the monitored life of it, is over. Comes after every message it sent.
struct down {
  monitor_id monitor;
  any_ref who;
  exit_reason reason;
};

/// A monitored process crashed and has come back as a new incarnation. Only monitors on a ref hear this.
struct restarted {
  monitor_id monitor;
  any_ref who;
  std::uint32_t incarnation = 0;
};

/// No message has come for as long as context::receive_timeout said.
struct timeout {};

/// A cast of this process found a full mailbox whose policy is fail_sender. It counts against this process's own limit
/// like any cast, so that a flood of refusals cannot grow without bound.
struct send_failed {
  any_ref to;
  std::string_view type;  ///< of the message, which is gone
};

/// A message that came through an any_ref and is none that the process accepts. For the optional member
/// `on_unknown(context&, const unknown_message&)`; it is valid while that runs.
class unknown_message {
 public:
  unknown_message(const engine::type_tag& type, any_ref sender, const void* message) noexcept
      : type_{&type}, sender_{sender}, message_{message} {}
  [[nodiscard]] std::string_view type() const noexcept { return type_->name; }
  /// Empty for plain threads.
  [[nodiscard]] any_ref sender() const noexcept { return sender_; }
  /// The message, when it is an M; null otherwise.
  template <class M>
  [[nodiscard]] const M* as() const noexcept {
    return type_ == &engine::tag_of<M> ? static_cast<const M*>(message_) : nullptr;
  }

 private:
  const engine::type_tag* type_;
  any_ref sender_;
  const void* message_;
};

}  // namespace herald
