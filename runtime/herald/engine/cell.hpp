#pragma once
// A cell is one process as its host sees it: mailbox, state, incarnation, limits. Plain data, owned by the host; only
// `depth` is read by others (a hint for try_cast), and address fields that never change are.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <herald/engine/envelope.hpp>
#include <herald/engine/process_ops.hpp>
#include <herald/exit_reason.hpp>

namespace herald {
struct child_spec;
}  // namespace herald

namespace herald::engine {

enum class attachment_kind : std::uint8_t { timer, call, monitor, other };

/// Something that belongs to one incarnation and is wiped at its end: a timer, a pending call, a monitor.
struct attachment {
  attachment* previous = nullptr;
  attachment* following = nullptr;
  cell* owner = nullptr;

  attachment() = default;
  attachment(const attachment&) = delete;
  attachment& operator=(const attachment&) = delete;
  /// Undo what it stands for and delete itself; it is already out of the cell's list.
  virtual void wipe(host& home) noexcept = 0;
  /// For inspections.
  [[nodiscard]] virtual attachment_kind kind() const noexcept { return attachment_kind::other; }

 protected:
  virtual ~attachment() = default;
};

enum class cell_status : std::uint8_t {
  free,        ///< on the free list
  starting,    ///< init is running
  running,     ///< takes messages
  ended,       ///< no incarnation; the supervisor decides what comes next; the mailbox waits
  resting,     ///< no incarnation and none is coming by itself; messages find noproc
};

/// Which piece of user code of a cell is on some runner's stack.
enum class user_phase : std::uint8_t { handler, init, frames, terminate, destroy };

/// Reasons why a cell may not be called inline by a fan-out; any bit sends the message to the mailbox.
enum busy_bit : std::uint32_t {
  busy_mail = 1,      ///< messages wait: order
  busy_idle = 2,      ///< no incarnation is running
  busy_away = 4,      ///< its handler overruns on a runner that lost the host
  busy_ending = 8,    ///< asked to stop, or stopping itself
  busy_suspect = 16,  ///< crashed lately: watch for a poison message
  busy_awaiting = 32,   ///< a suspended handler holds its mailbox (hold, release)
  busy_suspended = 64,  ///< an operator holds it
  busy_watched = 128,   ///< hooks look at each message (extras.hpp)
  busy_after = 256,     ///< the handler in hand left something to do after it (stash.hpp)
  busy_idles = 512,     ///< its type has on_idle
};

/// While one of these is set no message is taken from the mailbox; control passes.
inline constexpr std::uint32_t busy_held = busy_awaiting | busy_suspended;
/// What is left of the bits when an incarnation ends.
inline constexpr std::uint32_t busy_lasting = busy_mail | busy_suspect | busy_watched;

struct alignas(64) cell {
  // What a delivery touches.
  std::uint32_t busy = busy_idle;
  std::uint32_t incarnation = 0;
  void* state = nullptr;
  const process_ops* ops = nullptr;
  envelope_queue mail;
  std::atomic<std::uint32_t> depth{0};
  std::atomic<std::uint32_t> limit{0};  ///< raised by what others bound (subscriptions), lowered when that is handled
  cell* ready_next = nullptr;

  // The rest.
  host* home = nullptr;
  std::atomic<std::uint32_t> generation{1};
  std::uint16_t size_class = 0;
  cell_status status = cell_status::free;
  std::uint8_t overflow = 0;
  bool ready = false;
  bool own_block = false;        ///< the state lives in memory of its own (too large, or a zombie has the inline room)
  bool room_taken = false;       ///< the inline room still belongs to a zombie
  bool drops_while_ended = false;
  bool refuses_calls_while_ended = false;  ///< it pauses before a restart, longer than callers want to wait
  bool start_failed = false;     ///< of a supervisor: it ends because its start failed
  user_phase phase = user_phase::handler;
  std::atomic<bool> named{false};  ///< it may own something in a registry (names.hpp)
  attachment* attachments = nullptr;
  watch* watchers = nullptr;  ///< monitors on this process (watch.hpp)
  void* topics = nullptr;        ///< the higher floor's list of its subscriptions
  std::shared_ptr<const child_spec> spec;
  std::shared_ptr<const void> args;
  std::shared_ptr<const std::string> parent_path;
  std::shared_ptr<away_record> away;
  address parent;
  void* cookie = nullptr;        ///< the parent's record of this child
  cell_extras* extras = nullptr; ///< what few processes have (extras.hpp); owned
  std::uint64_t handled = 0;
  std::uint32_t dropped = 0;
  std::uint32_t restarts = 0;
  const type_tag* crashed_on = nullptr;  ///< the message type of the last crash, while no message was handled since
  const type_tag* poison = nullptr;
  exit_reason ending;            ///< why it is to stop, or did

  [[nodiscard]] address self() noexcept { return {this, generation.load(std::memory_order_relaxed)}; }
  [[nodiscard]] bool alive(const address& who) const noexcept {
    return generation.load(std::memory_order_relaxed) == who.generation;
  }
};

/// A suspended handler holds the mailbox of `c`, and what it waits for has come.
[[nodiscard]] inline bool resumable(const cell& c) noexcept {
  constexpr std::uint32_t stops = busy_idle | busy_away | busy_ending | busy_suspended;
  return (c.busy & (stops | busy_awaiting)) == busy_awaiting && c.mail.head != nullptr &&
         c.mail.head->ops->kind == envelope_kind::awaited;
}

}  // namespace herald::engine
