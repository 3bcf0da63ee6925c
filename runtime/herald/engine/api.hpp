#pragma once
// The engine's functions that public templates call; everything of substance is behind them, in .cpp files.

#include <chrono>
#include <cstdint>
#include <optional>

#include <herald/engine/envelope.hpp>
#include <herald/engine/frame.hpp>
#include <herald/engine/message_trace.hpp>
#include <herald/engine/pool.hpp>
#include <herald/error.hpp>
#include <herald/time_limit.hpp>

namespace herald::engine {

/// In the run of an answer or notice, before anything: true when the host was taken, so that its tables cannot be looked
/// at. The message is whole and comes again.
[[nodiscard]] bool comes_again(frame& by) noexcept;
/// The message's sender is traced.
void trace_sent(frame& f, const envelope& e) noexcept;
/// Sends an envelope from wherever the caller stands (a handler, a plain thread, a handler that was left behind).
void send(envelope* e);
/// As send, but answers overload at once when the receiver's mailbox or host is full, and noproc when it is gone.
[[nodiscard]] result<void> try_send(envelope* e);
/// For handlers of that incarnation: a message to itself, behind the handler in hand but before everything that waits.
void send_first(cell& self, std::uint32_t incarnation, envelope* e);
/// The message in hand can be put away as it is (context::stash), or else a copy of it must be.
[[nodiscard]] bool in_hand_stashable(const cell& self) noexcept;
void stash_copy(cell& self, std::uint32_t incarnation, envelope* e);
/// Counts a message that could not be delivered, and tells it (sampled).
void dead_letter(const envelope& e, discard_reason why) noexcept;
[[nodiscard]] error error_of(discard_reason why, const exit_reason* because, const type_tag& message);
[[nodiscard]] inline error error_of(discard_reason why, const exit_reason* because, const envelope& e) {
  return error_of(why, because, *e.ops->type);
}

/// Blocks a plain thread until the waiter is done; in a simulation it drives it instead. False at the limit.
[[nodiscard]] bool wait(core& system, waiter& w, std::optional<std::chrono::steady_clock::duration> limit);
[[nodiscard]] core& system_of(const cell& c) noexcept;
[[nodiscard]] bool on_runner() noexcept;

[[nodiscard]] error noproc_error();
[[nodiscard]] error nobody_at(std::string_view path, const process_ops& wanted);
[[nodiscard]] error would_block_error();
[[nodiscard]] error timeout_error(std::chrono::milliseconds limit);
/// A deadline had passed before anything was sent.
[[nodiscard]] error passed_error();
/// For waits of plain threads; nothing: it is a point that has passed.
[[nodiscard]] std::optional<std::chrono::milliseconds> time_left(core& system, const time_limit& limit);

/// A node in the pool of the host this thread owns.
template <class Node, class... Args>
[[nodiscard]] Node* make_node(Args&&... args) {
  const runtime_entry entry;
  const bool traced = current_trace != nullptr && trace_now(entry.any()) != nullptr;
  const std::size_t size = sizeof(Node) + (traced ? trace_room : 0);
  auto* memory = allocate_node(size, entry.owned());
  try {
    auto* node = ::new (memory) Node(std::forward<Args>(args)...);
    node->size = static_cast<std::uint32_t>(size);
    if (traced) [[unlikely]] {
      node->size |= traced_bit;
      stamp(*node, entry.any());
    }
    return node;
  } catch (...) {
    free_node_memory(memory, size, entry.owned());
    throw;
  }
}
/// By the size the node was made with, which may be more than its present type.
template <class Node>
void free_node(Node* node) noexcept {
  const std::size_t size = node->size;
  node->~Node();
  const runtime_entry entry;
  free_node_memory(node, size, entry.owned());
}

}  // namespace herald::engine
