#pragma once
// What few processes have, so that the many stay small: made on first use, kept until the cell is given back. And hooks:
// how a trace, a receive timeout or an idle notice sees the messages of one process without costing the others anything.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include <herald/engine/cell.hpp>

namespace herald::engine {

struct kept_children;
struct message_timer;
class quiet_watch;
struct stash_room;

/// What is to become of a message that is about to be handled.
struct verdict {
  enum class kind_t : std::uint8_t {
    run,
    taken,  ///< the hook keeps it, and ends it
    crash,  ///< the process crashes on it instead
  };
  kind_t kind = kind_t::run;
  std::chrono::nanoseconds stall{0};  ///< before it runs, its handler computes for so long (in a simulation)
};

/// Looks at what one process handles, on its host, outside of user code. Made with new and given to add_hook; deleted
/// when it is removed, when its incarnation ends (per_life), or with the cell.
class cell_hook {
 public:
  explicit cell_hook(bool per_life) noexcept : per_life_{per_life} {}
  virtual ~cell_hook() = default;
  cell_hook(const cell_hook&) = delete;
  cell_hook& operator=(const cell_hook&) = delete;

  /// The message has reached the mailbox.
  virtual void arrived(const cell&, const envelope&) noexcept {}
  /// The message is about to be handled. The process's state must not be touched.
  virtual void before(cell&, frame&, const envelope&) noexcept {}
  /// For tests that inject faults: whether it is to be handled at all.
  virtual verdict judge(cell&, frame&, envelope&) noexcept { return {}; }
  /// It was handled, and did not crash. The message itself is gone; its type and kind are left.
  virtual void after(cell&, frame&, const envelope&) noexcept {}
  /// The mailbox has run empty. May run user code and lose the host; ask f.lost.
  virtual void idle(cell&, frame&) noexcept {}

  [[nodiscard]] bool per_life() const noexcept { return per_life_; }

 private:
  friend struct cell_extras;
  friend void add_hook(cell& c, std::unique_ptr<cell_hook> hook);
  friend void remove_hook(cell& c, const cell_hook* hook) noexcept;
  std::unique_ptr<cell_hook> next_;
  bool per_life_;
};

struct cell_extras {
  cell_extras();
  ~cell_extras();
  cell_extras(const cell_extras&) = delete;
  cell_extras& operator=(const cell_extras&) = delete;

  void arrived(const cell& c, const envelope& e) noexcept;
  void before(cell& c, frame& f, const envelope& e) noexcept;
  /// The first hook that does not say run decides.
  [[nodiscard]] verdict judge(cell& c, frame& f, envelope& e) noexcept;
  void after(cell& c, frame& f, const envelope& e) noexcept;
  void idle(cell& c, frame& f) noexcept;
  /// The incarnation is over: what belonged to it goes.
  void life_over(cell& c) noexcept;

  bool asked_to_stop = false;  ///< its on_stop was called; it ends by itself, or its limit ends it
  std::unique_ptr<kept_children> kept;  ///< of a supervisor between two lives
  std::unique_ptr<cell_hook> hooks;
  std::unique_ptr<stash_room> stash;  ///< messages that wait outside of the mailbox (stash.hpp)
  std::unordered_map<std::string_view, message_timer*> named_timers;
  quiet_watch* quiet = nullptr;  ///< the hook of a receive timeout
  std::string label;
  std::shared_ptr<description> last_state;  ///< what it said of itself when it crashed, for the report
  attachment* debts = nullptr;    ///< calls that this life has not answered yet (debt.hpp)
  suspension* waiting = nullptr;  ///< the handler that waits inside (suspension.hpp)
  bool terminates = false;        ///< when it has ended with its incarnation: terminate comes next
};

/// What the process says it is; empty for most.
[[nodiscard]] inline std::string_view label_of(const cell& c) noexcept {
  return c.extras != nullptr ? std::string_view{c.extras->label} : std::string_view{};
}

/// Its path, for whoever owns its host or has stopped it there.
[[nodiscard]] std::string place_of(const cell& c);

/// By the owner of the cell's host only.
[[nodiscard]] cell_extras& extras_of(cell& c);
void add_hook(cell& c, std::unique_ptr<cell_hook> hook);
/// Ends the hook; not from inside one of its own functions.
void remove_hook(cell& c, const cell_hook* hook) noexcept;

}  // namespace herald::engine
